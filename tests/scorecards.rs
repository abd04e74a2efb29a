//! `callmark scorecard …`: what a broken file says, and the schema for editors.

use serde_json::Value;

use crate::harness::Place;

#[test]
fn broken_scorecards_are_one_error_with_its_place() {
    let place = Place::new();
    let head = "schema: 1\nname: x\nlanguage: [en]\nweights: {a: 100}\nrequirements:\n";
    let files: [(&str, Vec<u8>, &str); 4] = [
        ("typo.yaml", format!("{head}  - {{id: r, dimenson: a, source: manual}}\n").into_bytes(), "line 6, column "),
        ("latin.yaml", [head.as_bytes(), b"  - {id: r, what: \"caf\xE9\"}\n"].concat(), "line 6, column "),
        ("huge.yaml", format!("{head}# {}\n", "x".repeat(10 << 20)).into_bytes(), "the limit is"),
        ("empty.yaml", vec![], "line 1, column 1: "),
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
    let schema: Value = Place::new().run(&["scorecard", "schema"]).expect(0).json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(schema["$defs"]["matcher"]["properties"]["local_time"].is_object());
}
