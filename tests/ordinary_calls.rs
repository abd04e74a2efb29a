//! What the scorecards in the box find wrong in 424 ordinary calls: examples are a few turns, whole calls are where a short pattern meets
//! everything that people say. The calls are those that the acts were learnt from (models/training/acts); what is really wrong in them
//! stands in tests/scorecards/ordinary_calls.tsv.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use callmark_core::scorecard::Scorecard;

use crate::harness::{Place, project, read_csv};

const CARDS: [&str; 3] = ["telesales", "support", "collections"];
const LANGUAGES: [&str; 2] = ["en", "zh"];
/// They rest on the sentiment of turns, not on wording; nobody judged them.
const NOT_JUDGED: [&str; 2] = ["customer_leaves_unhappy", "emotion_falls_unacknowledged"];

/// Writes the calls of a language as plain transcripts with a table of their names.
fn write_calls(folder: &Path, language: &str) {
    let mut calls: BTreeMap<String, String> = BTreeMap::new();
    for part in ["", "_more"] {
        let data = project().join(format!("models/training/acts/data/{language}{part}.tsv"));
        for line in std::fs::read_to_string(data).unwrap().lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            let (call, speaker) = (cells[0].rsplit_once('.').unwrap().0, cells[1]);
            let _ = writeln!(calls.entry(call.to_string()).or_default(), "{}: {}", speaker_label(speaker), cells[2]);
        }
    }
    let mut table = String::from("file,call_id,language\n");
    for (call, text) in calls {
        std::fs::write(folder.join(format!("{call}.txt")), text).unwrap();
        let _ = writeln!(table, "{call}.txt,{call},{language}");
    }
    std::fs::write(folder.join("metadata.csv"), table).unwrap();
}

fn speaker_label(speaker: &str) -> &str {
    if speaker == "rep" { "Rep" } else { "Customer" }
}

/// (card, language, requirement) → calls in which it is found violated.
type Findings = BTreeMap<(String, String, String), BTreeSet<String>>;

fn findings() -> Findings {
    let place = Place::new();
    let mut found = Findings::new();
    for language in LANGUAGES {
        let folder = place.folder.path().join(language);
        std::fs::create_dir(&folder).unwrap();
        write_calls(&folder, language);
        let store = place.folder.path().join(format!("{language}.db"));
        for (index, name) in CARDS.iter().enumerate() {
            let card = project().join(format!("scorecards/{name}.yaml"));
            let out = place.folder.path().join(format!("{language}-{name}"));
            let [store, card, out, calls] = [&store, &card, &out, &folder].map(|path| path.to_str().unwrap());
            // The text models read the calls once; the other cards judge what is stored.
            let work = place.out();
            let read: &[&str] = &["run", "--quiet", calls, "--out", work.to_str().unwrap()];
            let command: &[&str] = if index == 0 { read } else { &["score", "--quiet"] };
            place.run(&[command, &["--store", store, "--scorecard", card]].concat()).expect(0);
            place.run(&["export", out, "--format", "csv", "--store", store]).expect(0);
            for row in read_csv(&Path::new(out).join("ledger.csv")) {
                if row["result"] == "violated" {
                    let key = (name.to_string(), language.to_string(), row["requirement_id"].clone());
                    found.entry(key).or_default().insert(row["call_id"].clone());
                }
            }
        }
    }
    found
}

/// What is really wrong: (language, call, requirement).
fn real() -> BTreeSet<(String, String, String)> {
    let listed = std::fs::read_to_string(project().join("tests/scorecards/ordinary_calls.tsv")).unwrap();
    let lines = listed.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let cells = lines.map(|line| line.split('\t').map(String::from).collect::<Vec<_>>());
    cells.map(|cells| (cells[0].clone(), cells[1].clone(), cells[2].clone())).collect()
}

/// `CALLMARK_WRITE_DOCS=1` writes the page, else a stale one fails.
#[test]
fn few_ordinary_calls_are_accused_falsely() {
    let (found, real) = (findings(), real());
    let mut rows = String::new();
    let mut wrong_fatals = 0;
    for name in CARDS {
        let card =
            Scorecard::parse(&std::fs::read_to_string(project().join(format!("scorecards/{name}.yaml"))).unwrap());
        for requirement in card.unwrap().requirements {
            let severity = format!("{:?}", requirement.severity).to_lowercase();
            let mut cells = Vec::new();
            for language in LANGUAGES {
                let key = (name.to_string(), language.to_string(), requirement.id.clone());
                let calls = found.get(&key).cloned().unwrap_or_default();
                let is_real =
                    |call: &&String| real.contains(&(language.to_string(), (*call).clone(), requirement.id.clone()));
                if NOT_JUDGED.contains(&requirement.id.as_str()) {
                    cells.push(format!("{} / –", calls.len()));
                    continue;
                }
                let wrong: Vec<&String> = calls.iter().filter(|call| !is_real(call)).collect();
                if !wrong.is_empty() {
                    println!("{name}.{} {language}: {wrong:?}", requirement.id);
                }
                wrong_fatals += if severity == "fatal" { wrong.len() } else { 0 };
                cells.push(format!("{} / {}", calls.len(), wrong.len()));
            }
            if cells.iter().any(|cell| cell != "0 / 0") {
                let _ = writeln!(rows, "| {name}.{} | {severity} | {} |", requirement.id, cells.join(" | "));
            }
        }
    }
    let page = format!(
        "# What the scorecards in the box find in ordinary calls\n\nMade by tests/ordinary_calls.rs. The 212 English and 212 Chinese written calls of models/training/acts (sales and service, mostly decent \
         reps; plain text, so nothing that is measured in seconds), each judged by all three scorecards, also by those that are not meant for it. Calls in which a requirement is found *violated* / of these \
         wrongly, as one reader judged (tests/scorecards/ordinary_calls.tsv lists the right ones); –: rests on sentiment and was not judged; requirements without a finding are left out. The patterns were narrowed on these calls (2026-12-01), so the \
         figures are no estimate for others; they show which findings to trust least. For others: of 48 written calls that nobody who narrowed the patterns had seen (24 a language, a third for each scorecard; one writer \
         a language, who also said what is wrong in them), 20 fatal findings, 13 of them right (before 29, 13 right), one real one not found (before one); of other forbidden things \
         13 findings, 9 right (before 27, 9 right). What was still wrong there has been mended since.\n\n| requirement | severity | English: found / wrong | Chinese: found / wrong |\n|---|---|---:|---:|\n{rows}"
    );
    let written_at = project().join("docs/ordinary-calls.md");
    if std::env::var_os("CALLMARK_WRITE_DOCS").is_some() {
        std::fs::write(&written_at, &page).unwrap();
    }
    assert_eq!(wrong_fatals, 0, "wrong fatal findings, named above");
    assert!(
        std::fs::read_to_string(&written_at).unwrap_or_default() == page,
        "docs/ordinary-calls.md is stale\nhint: CALLMARK_WRITE_DOCS=1 cargo test --release --test integration ordinary"
    );
}
