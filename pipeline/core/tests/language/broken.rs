//! Broken scorecards: each gives one clear error with its place, in no time and little memory.

use callmark_core::scorecard::{Scorecard, ScorecardError};

const HEAD: &str = "schema: 1\nname: x\nlanguage: [en]\nweights: {a: 100}\nrequirements:\n";

fn with(requirement: &str) -> Vec<u8> {
    format!("{HEAD}  - {requirement}\n").into_bytes()
}

fn error_of(bytes: &[u8]) -> ScorecardError {
    match Scorecard::parse_bytes(bytes) {
        Err(error) => error,
        Ok(_) => panic!("{} was read", String::from_utf8_lossy(&bytes[..bytes.len().min(400)])),
    }
}

/// Name, bytes, line (0: of the whole file), what the message says.
fn broken() -> Vec<(&'static str, Vec<u8>, u64, &'static str)> {
    let bomb: String = (1..30).map(|i| format!("a{i}: &a{i} [*a{0}, *a{0}, *a{0}]\n", i - 1)).collect();
    let regex = |pattern: &str| {
        with(&format!("{{id: r, dimension: a, match: {{m: {{regex: {{en: \"{pattern}\"}}}}}}, require: {{expr: m}}}}"))
    };
    let mut not_text = HEAD.as_bytes().to_vec();
    not_text.extend(b"  - {id: r, what: \"caf\xE9\", dimension: a, source: manual}\n");
    vec![
        ("a typo in a key", with("{id: r, dimenson: a, source: manual}"), 6, "unknown key `dimenson`"),
        ("a cycle of aliases", b"schema: 1\nname: &n [*n]\n".to_vec(), 2, ""),
        ("a wrong type", b"schema: 1\nname: x\nlanguage: [en]\nweights: heavy\n".to_vec(), 4, ""),
        ("a bad pattern", regex("("), 6, "bad pattern"),
        ("a pattern that is huge when compiled", regex("((a{99}){99}){99}"), 6, "bad pattern"),
        ("a pattern with backward references", regex("(a+)\\\\1"), 6, "bad pattern"),
        ("ten megabytes", format!("{HEAD}# {}\n", "x".repeat(10 << 20)).into_bytes(), 0, "the limit is"),
        ("a bomb of aliases", format!("a0: &a0 [x]\n{bomb}").into_bytes(), 0, ""),
        ("a bomb of nesting", format!("schema: {}", "[".repeat(100_000)).into_bytes(), 0, ""),
        (
            "an id twice",
            [with("{id: r, dimension: a, source: manual}"), b"  - {id: r, dimension: a, source: manual}\n".to_vec()]
                .concat(),
            7,
            "used twice",
        ),
        (
            "an unknown act",
            with("{id: r, dimension: a, match: {m: {act: price_objecton}}, require: {expr: m}}"),
            6,
            "unknown act",
        ),
        ("no UTF-8", not_text, 6, "UTF-8"),
        ("nothing", Vec::new(), 0, ""),
        ("tabs", b"schema: 1\nname: x\nlanguage: [en]\nweights:\n\ta: 100\n".to_vec(), 5, ""),
        (
            "an expression without end",
            with("{id: r, dimension: a, match: {m: {act: greeting}}, require: {expr: \"m and (\"}}"),
            6,
            "expected",
        ),
        (
            "a value over several lines",
            with(
                "{id: r, dimension: a, match: {m: {loudness: {gte: 6}, role: rep, period: \"a\\nb\"}}, require: {expr: m}}",
            ),
            6,
            "a b",
        ),
        ("a name without end", with(&format!("{{id: r, {}: a, source: manual}}", "x".repeat(100_000))), 6, "xxx…"),
        ("a key twice", with("{id: r, id: s, dimension: a, source: manual}"), 6, ""),
    ]
}

#[test]
fn each_gives_one_clear_error_with_its_place() {
    for (name, bytes, line, part) in broken() {
        let error = error_of(&bytes);
        let text = error.to_string();
        assert!(error.message.contains(part), "{name}: {text}");
        assert!(line == 0 || error.line == line, "{name}: {text}");
        assert!(line == 0 || error.column > 0, "{name}: {text}");
        assert!(!text.is_empty() && text.len() < 400 && !text.contains('\n'), "{name}: {text}");
    }
}

#[test]
fn patterns_that_would_backtrack_for_ever_take_linear_time() {
    use callmark_core::{acts::ActLexicon, adherence::run_examples};
    let said = "a".repeat(20_000);
    let yaml = format!(
        "{HEAD}  - id: r\n    dimension: a\n    match: {{m: {{regex: {{en: \"^(a+)+$b\"}}}}}}\n    require: {{expr: m}}\n    \
         examples: [{{turns: [[rep, 0, \"{said}\"]], expect: missed, language: en}}]\n"
    );
    let results = run_examples(&Scorecard::parse(&yaml).unwrap(), ActLexicon::built_in(), &super::no_encoder);
    assert!(results.iter().all(|r| r.passed), "{results:?}");
}

#[test]
fn a_byte_order_mark_is_no_text() {
    let yaml = format!("\u{FEFF}{HEAD}  - {{id: r, dimension: a, source: manual}}\n");
    assert!(Scorecard::parse_bytes(yaml.as_bytes()).is_ok());
}
