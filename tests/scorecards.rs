//! Writing a scorecard: proposed from a script, checked, tried with noise and on labelled examples, explained, as a QA lead does it.

use std::path::{Path, PathBuf};

use crate::harness::{Place, project, sample_from_references};

const SCRIPT: &str = "# Opening\n\
    1. Hello, thank you for calling Northwind.\n\
    2. Please note that this call is recorded for quality and training.\n\
    3. My name is {name} calling on behalf of {company}.\n\
    - The heat pump grant covers thirty percent of the installation.\n\
    - Would a survey of your loft suit you?\n\
    Never say \"the grant pays for everything\".\n\
    请注意，安装热泵之前需要物业盖章。\n\
    不得承诺安装当天就能供暖。\n\
    Have a lovely evening and goodbye.\n";

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn write(place: &Place, name: &str, content: &str) -> PathBuf {
    let path = place.folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_script_becomes_a_scorecard_that_lints_clean_and_passes_its_examples() {
    let place = Place::new();
    let script = write(&place, "script.txt", SCRIPT);
    let card = place.folder.path().join("heat-pumps.yaml");
    let ran = place.run(&["scorecard", "new", text(&card), "--script", text(&script)]).expect(0);
    for wanted in ["copied telesales.disclose_recording", "new heat_pump_grant", "new "] {
        assert!(ran.stdout.contains(wanted), "{wanted}: {}", ran.stdout);
    }
    let lint = place.run(&["scorecard", "lint", text(&card), "--json"]).expect(0).json();
    let yaml = std::fs::read_to_string(&card).unwrap();
    assert_eq!(lint.as_array().unwrap().len(), 0, "{lint:#}\n{yaml}");
    let tested = place.run(&["scorecard", "test", text(&card)]).expect(0);
    assert!(tested.stdout.contains(" 0 failed"), "{}", tested.stdout);
    // Both languages, what is forbidden, and where in the call it belongs.
    assert!(yaml.contains("language: [en, zh]") && yaml.contains("forbid: {expr: said, role: rep}"), "{yaml}");
    assert!(yaml.contains("the grant pays for everything") && yaml.contains("安装当天就能供暖"), "{yaml}");
    // Only a person may throw a scorecard away.
    let again = place.run(&["scorecard", "new", text(&card), "--script", text(&script)]).expect(3);
    assert!(again.stderr.contains("nothing is overwritten"), "{}", again.stderr);
    assert_eq!(std::fs::read_to_string(&card).unwrap(), yaml);
}

#[test]
fn the_script_may_come_through_a_pipe_and_nothing_known_may_be_like_it() {
    let place = Place::new();
    let like = write(
        &place,
        "like.yaml",
        "schema: 1\nname: like\nlanguage: [en]\nweights: {close: 5}\nrequirements:\n  - id: thanks\n    dimension: close\n    \
         match: {said: {any: {en: [thank you for your patience]}}}\n    require: {expr: said}\n",
    );
    let card = place.folder.path().join("own.yaml");
    let mut command = place.command(&["scorecard", "new", text(&card), "--like", text(&like), "--name", "own"]);
    let script = write(&place, "script.txt", "The warranty lasts eleven years.\n");
    let ran = crate::harness::Ran::new(command.stdin(std::fs::File::open(script).unwrap()).output().unwrap()).expect(0);
    assert!(ran.stdout.contains("new warranty"), "{}", ran.stdout);
    let yaml = std::fs::read_to_string(&card).unwrap();
    assert!(yaml.contains("language: [en]") && !yaml.contains("thanks"), "{yaml}");
    // A recogniser that hears nothing wrong finds what is said in other words of the same length.
    place.run(&["scorecard", "test", text(&card)]).expect(0);
    let empty = write(&place, "empty.txt", "# only a heading\n");
    let nothing = place.run(&["scorecard", "new", "nothing.yaml", "--script", text(&empty)]).expect(3);
    assert!(nothing.stderr.contains("no sentence"), "{}", nothing.stderr);
}

/// Two sentences for one requirement, and one whose requirement has the name of another: none is lost.
#[test]
fn no_sentence_of_a_script_is_dropped() {
    let place = Place::new();
    let like = |name: &str, phrase: &str| {
        let yaml = format!(
            "schema: 1\nname: {name}\nlanguage: [en]\nweights: {{close: 5}}\nrequirements:\n  - id: thanks\n    dimension: close\n    \
             match: {{said: {{any: {{en: [{phrase}]}}}}}}\n    require: {{expr: said}}\n"
        );
        write(&place, &format!("{name}.yaml"), &yaml)
    };
    let (one, two) = (like("one", "thank you for your patience"), like("two", "the warranty lasts eleven years"));
    let script = [
        "Thank you for your patience.",
        "The warranty lasts eleven years.",
        "Thank you for your patience this morning.",
    ];
    let file = write(&place, "script.txt", &script.join("\n"));
    let card = place.folder.path().join("card.yaml");
    let likes = ["--like", text(&one), "--like", text(&two)];
    let ran =
        place.run(&[&["scorecard", "new", text(&card), "--script", text(&file)][..], &likes[..]].concat()).expect(0);
    let yaml = std::fs::read_to_string(&card).unwrap();
    for sentence in script {
        assert!(yaml.contains(&format!("# {sentence}\n")), "{sentence}: {yaml}");
        assert!(ran.stdout.contains(sentence), "{sentence}: {}", ran.stdout);
    }
    assert!(ran.stdout.contains("copied one.thanks") && ran.stdout.contains("2 requirements"), "{}", ran.stdout);
    place.run(&["scorecard", "test", text(&card)]).expect(0);
}

#[test]
fn labelled_examples_are_counted_and_misses_are_named() {
    let place = Place::new();
    let card = write(
        &place,
        "card.yaml",
        "schema: 1\nname: card\nlanguage: [en]\nweights: {close: 5}\nrequirements:\n  - id: cancel\n    dimension: close\n    \
         match: {said: {any: {en: [you can cancel within fourteen days]}, must: {en: [cancel]}, not: {en: [cannot cancel]}}}\n    \
         require: {expr: said, role: rep}\n    examples:\n      - {turns: [[rep, 0, You can cancel within fourteen days.]], expect: met}\n",
    );
    let examples = write(
        &place,
        "labelled.yaml",
        "- {card: card, id: cancel, kind: plain, expect: met, turns: [[rep, 0, \"So you can cancel within 14 days.\"]]}\n\
         - {card: card, id: cancel, kind: plain, expect: met, turns: [[rep, 0, \"A fortnight is what you have to change your mind.\"]]}\n\
         - {card: card, id: cancel, kind: hard_negative, why: other_party, expect: missed, turns: [[customer, 0, \"I can cancel within fourteen days?\"]]}\n\
         - {card: card, id: gone, kind: plain, expect: met, turns: [[rep, 0, \"Hello.\"]]}\n",
    );
    let run = |more: &[&str], code: i32| {
        let mut arguments = vec!["scorecard", "test", text(&card), "--examples", text(&examples)];
        arguments.extend(more);
        place.run(&arguments).expect(code)
    };
    let plain = run(&[], 1);
    assert!(plain.stdout.contains("cancel example 3: expected met, was missed"), "{}", plain.stdout);
    assert!(
        plain.stdout.contains("card.gone is in none of these scorecards (1 labelled examples)"),
        "{}",
        plain.stdout
    );
    assert!(plain.stdout.contains("3 passed, 1 failed"), "{}", plain.stdout);
    let table = run(&["--noise", "0.15", "--variants", "20", "--table", "json"], 1).json();
    let all = &table["all"][0];
    let count = |side: &str, key: &str| all[side]["counts"][key].as_u64().unwrap();
    assert_eq!(
        (count("clean", "there"), count("clean", "found"), count("clean", "false_finds")),
        (3, 2, 0),
        "{table:#}"
    );
    assert_eq!(
        (all["clean"]["recall"]["permille"].as_u64(), all["clean"]["precision"]["permille"].as_u64()),
        (Some(666), Some(1000))
    );
    assert_eq!((count("noisy", "examples"), count("noisy", "there")), (80, 60));
    // Noise costs some of what was found, not all of it.
    assert!((20..=40).contains(&count("noisy", "found")), "{all:#}");
    assert_eq!(table["hard_negatives"][0]["clean"]["counts"]["examples"], 1);
    assert_eq!(table["flagged"].as_array().unwrap().len(), 0);
    let operators: Vec<&str> =
        table["operators"].as_array().unwrap().iter().filter_map(|o| o["name"].as_str()).collect();
    assert_eq!(operators, ["any"]);
    let same = run(&["--noise", "0.15", "--variants", "20", "--table", "json"], 1).json();
    assert_eq!(same, table, "noise is seeded");
    let markdown = run(&["--table", "md"], 1).stdout;
    assert!(markdown.contains("| card.cancel | 4 | 3 | 100 % (34.2–100) | 66.6 % (20.8–93.9) |"), "{markdown}");
    let stray =
        write(&place, "stray.yaml", "- {card: other, id: x, kind: plain, expect: met, turns: [[rep, 0, Hello.]]}\n");
    let left_out = place.run(&["scorecard", "test", text(&card), "--examples", text(&stray)]).expect(0);
    assert!(left_out.stdout.contains("left out: other.x"), "{}", left_out.stdout);
}

#[test]
fn lint_names_file_line_and_column() {
    let place = Place::new();
    let card = write(&place, "broken.yaml", "schema: 1\nname: x\nlanguage: [en]\nwieghts: {close: 5}\n");
    let people = place.run(&["scorecard", "lint", text(&card)]).expect(1);
    assert!(people.stdout.contains("broken.yaml:4:1: unknown key `wieghts`"), "{}", people.stdout);
    assert!(people.stdout.contains("hint: did you mean `weights`?"), "{}", people.stdout);
    let json = place.run(&["scorecard", "lint", text(&card), "--json"]).expect(1).json();
    assert_eq!(
        (json[0]["severity"].as_str(), json[0]["line"].as_u64(), json[0]["column"].as_u64()),
        (Some("error"), Some(4), Some(1))
    );
    let shipped = project().join("scorecards/telesales.yaml");
    place.run(&["scorecard", "lint", text(&shipped), "missing.yaml"]).expect(1);
}

#[test]
fn a_requirement_is_explained_with_a_call() {
    let place = sample_from_references();
    let card = project().join("scorecards/telesales.yaml");
    let explain = |more: &[&str]| {
        let mut arguments = vec!["scorecard", "explain", text(&card)];
        arguments.extend(more);
        place.run(&arguments)
    };
    let english = explain(&["disclose_recording"]).expect(0).stdout;
    for wanted in ["What: ", "Why: ", "in the first 30 s", "said by the rep", "this call is recorded", "Examples:"] {
        assert!(english.contains(wanted), "{wanted}: {english}");
    }
    let chinese = explain(&["disclose_recording", "--set", "report.language=zh"]).expect(0).stdout;
    assert!(chinese.contains("在前 30 秒内") && chinese.contains("坐席说的"), "{chinese}");
    let typo = explain(&["disclose_recordng"]).expect(3).stderr;
    assert!(typo.contains("did you mean `disclose_recording`?"), "{typo}");
    // Every requirement in the box can be explained, in every call.
    let ledger = place.table("ledger.csv");
    let of = |result: &str| {
        let row = ledger.iter().find(|row| row["requirement_id"] == "disclose_recording" && row["result"] == result);
        row.map(|row| row["call_id"].clone()).expect("a call with this result")
    };
    for (result, wanted) in [("met", "found 00:"), ("missed", "and found nothing that counts")] {
        let call = of(result);
        let told = explain(&["disclose_recording", "--call", &call]).expect(0).stdout;
        assert!(told.contains(&format!("In call {call}:")) && told.contains(wanted), "{told}");
    }
}

/// `CALLMARK_WRITE_DOCS=1` writes the page, else a stale one fails.
#[test]
fn the_page_of_accuracy_is_up_to_date() {
    let place = Place::new();
    let path = |name: &str| project().join(name);
    let entries = std::fs::read_dir(path("scorecards")).unwrap().map(|entry| entry.unwrap().path());
    let mut cards: Vec<PathBuf> = entries.filter(|file| file.extension().is_some_and(|e| e == "yaml")).collect();
    cards.sort();
    let tested = |hands: &[&str]| {
        let files =
            |hand: &&str| ["en", "zh"].map(|language| path(&format!("tests/scorecards/{hand}blind.{language}.yaml")));
        let labelled: Vec<PathBuf> = hands.iter().flat_map(files).collect();
        let mut arguments = vec!["scorecard", "test"];
        arguments.extend(cards.iter().map(|card| text(card)));
        arguments.push("--examples");
        arguments.extend(labelled.iter().map(|examples| text(examples)));
        arguments.extend(["--noise", "0.15", "--variants", "3", "--table", "md"]);
        place.run(&arguments).stdout
    };
    let misleading = tested(&["third."]);
    let table = |name: &str| {
        let (_, from) = misleading.split_once(&format!("## {name}\n\n")).unwrap();
        from.split("\n\n").next().unwrap().to_string()
    };
    let page = format!(
        "# How well the scorecards in the box find what is there\n\nMade by `callmark scorecard test … --noise 0.15 --variants 3 --table md` \
         (tests/scorecards.rs) from the examples in the scorecards and from tests/scorecards/blind.*.yaml and second.blind.*.yaml, which two hands wrote from the \
         requirements' descriptions alone, without sight of phrases or matcher. The phrases were widened on the other halves of the same hands' examples (seen.*.yaml, second.seen.*.yaml), \
         so they know those hands; wordings of four requirements of collections (third_party_disclosure, tell_others_threatened, false_identity, unlawful_fees) were also widened after these very \
         examples had been read (2026-12-01), so their rows measure nothing. \
         *There*: examples in which the thing (asked for or forbidden) is there; *recall*: the share of those that is found; *precision*: of all findings, the share that is right; in brackets the 95 % Wilson \
         interval. *Noisy*: each example three times as a recogniser with 15 % wrong words (Chinese: characters) might hear it: words dropped, put \
         in and replaced by what sounds like them (tables from pronunciation sources that the matcher does not use), numbers in words or digits, \
         half without punctuation (pipeline/core/src/recogniser_noise.rs). Noise also takes a \"not\" away now and then, which makes some negatives \
         positive. A matcher's or operator's row counts the examples of all requirements that use it.\n\n{}\n\
         ## Written to mislead\n\nA third hand wrote, again from the descriptions alone, four negatives for each positive that use the very words of a phrase list without doing the thing: reported from \
         somebody else, denied, asked about, or meant otherwise (tests/scorecards/third.blind.*.yaml; the other half, third.seen.*.yaml, served to narrow phrases and to choose the cues of `unless`). Calls hold few of \
         them; the precision here is no estimate for calls, the shares flagged show where wrong findings come from.\n\n{}\n\n{}\n",
        tested(&["", "second."]),
        table("All"),
        table("Hard negatives"),
    );
    let written_at = path("docs/scorecard-accuracy.md");
    if std::env::var_os("CALLMARK_WRITE_DOCS").is_some() {
        std::fs::write(&written_at, &page).unwrap();
    }
    let written = std::fs::read_to_string(&written_at).unwrap_or_default();
    assert!(
        written == page,
        "docs/scorecard-accuracy.md is stale\nhint: CALLMARK_WRITE_DOCS=1 cargo test --release --test integration scorecards"
    );
}

#[test]
fn broken_scorecards_are_one_error_with_its_place() {
    let place = Place::new();
    let head = "schema: 1\nname: x\nlanguage: [en]\nweights: {a: 100}\nrequirements:\n";
    let files: [(&str, Vec<u8>, &str); 4] = [
        ("typo.yaml", format!("{head}  - {{id: r, dimenson: a, source: manual}}\n").into_bytes(), ":6:"),
        ("latin.yaml", [head.as_bytes(), b"  - {id: r, what: \"caf\xE9\"}\n"].concat(), ":6:"),
        ("huge.yaml", format!("{head}# {}\n", "x".repeat(10 << 20)).into_bytes(), "the limit is"),
        ("empty.yaml", vec![], ":1:1: "),
    ];
    for (name, bytes, part) in files {
        std::fs::write(place.folder.path().join(name), bytes).unwrap();
        let ran = place.run(&["scorecard", "lint", name]).expect(1);
        let errors: Vec<&str> = ran.stdout.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(errors.len() == 1 && errors[0].contains(name) && errors[0].contains(part), "{name}: {}", ran.stdout);
    }
}

#[test]
fn the_schema_is_json() {
    let schema: serde_json::Value = Place::new().run(&["scorecard", "schema"]).expect(0).json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(schema["$defs"]["matcher"]["properties"]["local_time"].is_object());
}
