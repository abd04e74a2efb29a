//! Stored calls judged again: the same bytes whatever the threads and whatever is judged anew; scorecards tried before they ship.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::harness::{Place, project};

/// A place whose store holds made-up calls: the same ones for the same arguments.
fn made_up(calls: u32, turns: u32) -> Place {
    let place = Place::new();
    let store = place.folder.path().join("store.db");
    let (calls, turns) = (calls.to_string(), turns.to_string());
    let made = ["bench", "store", "--store", store.to_str().unwrap(), "--calls", &calls, "--turns", &turns, "--json"];
    let written = place.run(&made).expect(0).json();
    assert_eq!(written["calls"].to_string(), calls);
    place
}

/// The telesales card with some passages replaced, as a file in the place.
fn changed(place: &Place, name: &str, replacements: &[(&str, &str)]) -> PathBuf {
    let mut text = std::fs::read_to_string(project().join("scorecards/telesales.yaml")).unwrap();
    for (old, new) in replacements {
        assert!(text.contains(old), "the test changes {old}");
        text = text.replacen(old, new, 1);
    }
    let path = place.folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// What `score` writes of all calls with a scorecard and options.
fn rescored(place: &Place, scorecard: &std::path::Path, more: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let _ = std::fs::remove_dir_all(place.out());
    let out = place.out();
    let mut arguments =
        vec!["score", "--scorecard", scorecard.to_str().unwrap(), "--out", out.to_str().unwrap(), "--json"];
    arguments.extend(more);
    let summary = place.run(&arguments).expect(0).json();
    assert_eq!(summary["changed"], summary["calls"], "another scorecard concerns every call");
    place.outputs()
}

const OTHER_WEIGHTS: &[(&str, &str)] = &[
    ("compliance: 30", "compliance: 50"),
    ("{pass: 85, coach: 70}", "{pass: 90, coach: 60}"),
    ("points: 10", "points: 20"),
];
const OTHER_REQUIREMENTS: &[(&str, &str)] = &[
    ("\"this call is recorded\", ", "\"this call is recorded\", \"we keep a recording\", "),
    (
        "requirements:\n",
        "requirements:\n  - id: asks_how_it_works_out\n    dimension: discovery\n    severity: minor\n    match: {asked: {meaning: {en: [\"what worries you most about it\"]}, similarity: 0.5}}\n    require: {expr: asked, role: rep}\n",
    ),
];

#[test]
fn threads_and_what_is_judged_anew_do_not_change_a_byte() {
    let (one, two) = (made_up(24, 40), made_up(24, 40));
    for (name, change) in [("weights.yaml", OTHER_WEIGHTS), ("requirements.yaml", OTHER_REQUIREMENTS)] {
        let partial = rescored(&one, &changed(&one, name, change), &["--jobs", "2"]);
        let full = rescored(&two, &changed(&two, name, change), &["--jobs", "1", "--full"]);
        assert!(partial.len() >= 24 * 4);
        for (file, bytes) in &partial {
            assert!(full.get(file) == Some(bytes), "{name}: {file} differs from a full evaluation on one thread");
        }
    }
    // What the partial evaluations left in the store is what a run of the program finds there.
    let unchanged =
        one.run(&["score", "--scorecard", one.folder.path().join("requirements.yaml").to_str().unwrap(), "--json"]);
    assert_eq!(unchanged.expect(0).json()["changed"], 0);
}

fn scores(outputs: &BTreeMap<String, Vec<u8>>) -> Vec<i64> {
    let analyses = outputs.iter().filter(|(name, _)| name.ends_with(".analysis.json"));
    analyses.filter_map(|(_, bytes)| serde_json::from_slice::<Value>(bytes).unwrap()["Qa"]["score"].as_i64()).collect()
}

fn mean(values: &[i64]) -> i64 {
    values.iter().sum::<i64>() / values.len() as i64
}

#[test]
fn a_difference_says_what_a_re_score_will_do_and_writes_nothing() {
    let place = made_up(30, 40);
    let old = project().join("scorecards/telesales.yaml");
    let removed = [OTHER_WEIGHTS, OTHER_REQUIREMENTS].concat();
    let new = changed(&place, "new.yaml", &removed);
    let store = place.folder.path().join("store.db");
    let before = std::fs::read(&store).unwrap();
    let arguments = ["scorecard", "diff", old.to_str().unwrap(), new.to_str().unwrap()];
    let page = place.run(&arguments).expect(0).stdout;
    let difference = place.run(&[&arguments[..], &["--json"]].concat()).expect(0).json();
    assert!(before == std::fs::read(&store).unwrap(), "a trial changed the store");
    assert!(page.contains("asks_how_it_works_out") && page.contains("added"), "{page}");

    let stored: Vec<i64> = {
        let out = place.out();
        place.run(&["score", "--out", out.to_str().unwrap()]).expect(0);
        scores(&place.outputs())
    };
    let then = scores(&rescored(&place, &new, &[]));
    assert_eq!(difference["calls"], 30);
    assert_eq!(difference["mean_old"], mean(&stored));
    assert_eq!(difference["mean_new"], mean(&then));
    let moved = stored.iter().zip(&then).filter(|(old, new)| old != new).count();
    assert!(difference["changed"].as_u64().unwrap() >= moved as u64 && moved > 0);
    let largest = &difference["largest"][0];
    let expected = stored.iter().zip(&then).map(|(old, new)| (new - old).abs()).max();
    assert_eq!((largest["new"].as_i64().unwrap() - largest["old"].as_i64().unwrap()).abs(), expected.unwrap());
    let reps = difference["reps"].as_array().unwrap();
    assert_eq!(reps.iter().map(|rep| rep["n"].as_u64().unwrap()).sum::<u64>(), 30);
    let pairs = difference["verdicts"].as_array().unwrap();
    assert_eq!(pairs.iter().map(|pair| pair["calls"].as_u64().unwrap()).sum::<u64>(), 30);
    // Every point of the mean change stands at a requirement; each mean is rounded towards zero.
    let rows = difference["requirements"].as_array().unwrap();
    let sum: i64 = rows.iter().map(|row| row["mean_change"].as_i64().unwrap()).sum();
    let change = mean(&then) - mean(&stored);
    assert!((sum - change).abs() <= rows.len() as i64 + 1, "{sum} {change}");
}

#[test]
fn coverage_names_what_never_fires_and_what_nobody_says() {
    let place = made_up(12, 40);
    let scorecard = place.folder.path().join("card.yaml");
    let text = "schema: 1\nname: card\nlanguage: [en]\nweights: {compliance: 10}\nrequirements:\n  \
        - {id: mars, dimension: compliance, match: {said: {any: {en: [\"we deliver to the planet mars\"]}}}, require: {expr: said, role: rep}}\n  \
        - {id: words, dimension: compliance, match: {said: {regex: {en: [\"[a-z]\", \"zzzz+\"]}}}, require: {expr: said}}\n  \
        - {id: renewals, dimension: compliance, when: {campaign: [no_such_campaign]}, match: {said: {regex: {en: \"[a-z]\"}}}, require: {expr: said}}\n";
    std::fs::write(&scorecard, text).unwrap();
    let arguments = ["scorecard", "coverage", scorecard.to_str().unwrap(), "--phrases"];
    let page = place.run(&arguments).expect(0).stdout;
    assert!(page.contains("never said: we deliver to the planet mars") && page.contains("never said: zzzz+"), "{page}");
    assert!(!page.contains("never said: [a-z]"), "{page}");
    let coverage = place.run(&[&arguments[..], &["--json"]].concat()).expect(0).json();
    let firing: Vec<&str> =
        coverage["items"].as_array().unwrap().iter().map(|i| i["firing"].as_str().unwrap()).collect();
    assert_eq!(firing, ["never", "always", "never_decided"]);
    let english = coverage["languages"]["en"].as_u64().unwrap();
    assert!(english > 0);
    assert_eq!(coverage["items"][1]["by_language"]["en"]["met"].as_u64(), Some(english));
    assert_eq!(coverage["items"][2]["not_applicable"]["when campaign"].as_u64(), Some(english));
    assert_eq!(coverage["items"][0]["silent_matchers"][0], "said");
}

#[test]
fn fitting_needs_calls_proposes_and_writes_only_when_asked() {
    let few = made_up(12, 10);
    let card = changed(&few, "card.yaml", &[]);
    let refused = few.run(&["scorecard", "fit", card.to_str().unwrap()]).expect(3);
    assert!(refused.stderr.contains("too few"), "{}", refused.stderr);

    let place = made_up(240, 12);
    let card = changed(&place, "card.yaml", &[]);
    let before = std::fs::read_to_string(&card).unwrap();
    let page = place.run(&["scorecard", "fit", card.to_str().unwrap()]).expect(0).stdout;
    assert!(page.contains("not what is good") && page.contains("rep_talk_share_permille: full: ["), "{page}");
    assert_eq!(std::fs::read_to_string(&card).unwrap(), before, "nothing is written unless asked");
    let fits = place.run(&["scorecard", "fit", card.to_str().unwrap(), "--write", "--json"]).expect(0).json();
    let after = std::fs::read_to_string(&card).unwrap();
    assert_eq!(std::fs::read_to_string(place.folder.path().join("card.yaml.before-fit-1")).unwrap(), before);
    let different: Vec<(&str, &str)> = before.lines().zip(after.lines()).filter(|(b, a)| b != a).collect();
    assert_eq!(before.lines().count(), after.lines().count());
    let fitted = fits.as_array().unwrap().iter().filter(|fit| !fit["fitted"].is_null()).count();
    assert!(fitted >= 3, "{fits}");
    assert_eq!(different.len(), fitted, "{different:?}");
    assert!(different.iter().all(|(_, a)| a.contains("full: ") && a.contains("metric: ")), "{different:?}");
    assert!(different.iter().all(|(_, a)| a.contains("version: 2, full: ")), "{different:?}");
    place.run(&["scorecard", "lint", card.to_str().unwrap()]).expect(0);
    let again = place.run(&["scorecard", "fit", card.to_str().unwrap(), "--write"]).expect(0);
    assert!(again.stderr.contains("nothing to change"), "{}", again.stderr);
    assert_eq!(std::fs::read_to_string(&card).unwrap(), after);
    assert!(!place.folder.path().join("card.yaml.before-fit-2").exists(), "nothing was changed");
    let late = place.run(&["scorecard", "coverage", card.to_str().unwrap(), "--since", "2999-01-01"]).expect(3);
    assert!(late.stderr.contains("started on or after 2999-01-01") && late.stderr.contains("without a start time"));
}
