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

/// Line, message and remedy of the error when this is the seventh line.
#[track_caller]
fn check(seventh: &str, line: u64, message: &str, remedy: &str) {
    let yaml = format!("{HEAD}  - id: r\n{seventh}\n    dimension: a\n    source: manual\n");
    let error = error_of(yaml.as_bytes());
    assert!(error.message.contains(message) && error.hint.clone().unwrap_or_default().contains(remedy), "{error}");
    assert_eq!(error.line, line, "{error}");
}

#[test]
fn a_wrong_type_is_told_in_an_authors_words() {
    check("    version: one", 7, "expected a whole number, 0 or more", "such as 10");
    check("    points: 1.5", 7, "expected a whole number", "without a fraction");
    check("    match: {m: {metric: pace_rep, gte: fast}}", 7, "expected a whole number", "without a fraction");
    check("    match: {m: {any: {en: [x]}, threshold: high}}", 7, "expected a number", "such as 30 or 0.75");
    check("    each: perhaps", 7, "expected true or false", "");
    check("    unless: denied", 7, "expected a list", "such as [en]");
    check("    match: {m: {any: [hello]}}", 7, "expected keys and values", "such as {en: [hello]}");
    check("    match: {m: {act: [greeting]}}", 7, "expected text", "in quotes");
    check("    match: {m: {any: {en: 5}}}", 7, "expected text or a list of texts, not 5", "\"5\"");
    check("    what: [a, b]", 7, "one per language, such as {en: text, zh: 文字}, not a list", "");
    check("    what: yes", 7, "not true", "in quotes it is text");
    check("    severity: [major]", 7, "expected one word", "without brackets");
    check("    id: s", 7, "key `id` stands here twice", "rename");
    check("    match: {m: {any: {cn: [您好]}}}", 7, "unknown value `cn`", "did you mean `zh`?");
    check("    examples: [{turns: [[agent, 0, hi]], expect: met}]", 7, "unknown value `agent`", "did you mean `rep`?");
    check("    severity:major", 7, "no `key: value`", "a colon and a space");
    check("    match: {m: {regex: {en: \"\\d\"}}}", 7, "backslash", "single quotes");
}

#[test]
fn what_the_keyboard_did_is_named() {
    check("    severity： major", 7, "a Chinese colon (`：`)", "a colon and a space");
    check("    match: {m： {any: {en: [x]}}}", 7, "a Chinese colon", "");
    check("    match: {m: {any： {en: [x]}}}", 7, "a Chinese colon", "");
    check("    match: {m: {any: {en: [x]}， role: rep}}", 7, "a Chinese comma", "");
    check("    what: “he: she”", 7, "a curly quotation mark", "type \" instead");
    check("    severity\u{A0}: major", 7, "a no-break space", "a usual space");
    check("    severity:\u{3000}major", 7, "a Chinese space", "a usual space");
    check("\tseverity: major", 7, "a tab in the indentation", "spaces");
    check("    match:\n    \tm: {act: greeting}", 8, "a tab in the indentation", "spaces");
    // In a text they are what they are: the error is another one.
    check("    wat: 他说：“好，行”", 7, "unknown key `wat`", "`what`");
    check("    what: \"OK： 好\" x", 7, "", "");
    let text = format!("{HEAD}  - {{id: r, what: 他说：“好，行”, dimension: a, source: manual}}\n");
    assert!(Scorecard::parse(&text).is_ok());
}

#[test]
fn unknown_acts_and_stages_are_told_from_known_ones() {
    let known = ["acts: greeting, self_introduction", "closing"];
    for remedy in known {
        check("    match: {m: {act: wave}}", 7, "unknown act `wave`", remedy);
        check("    examples: [{turns: [[rep, 0, hi, {act: wave}]], expect: met}]", 7, "unknown act `wave`", remedy);
    }
    check("    match: {m: {act: greting}}", 7, "unknown act", "did you mean `greeting`?");
    check("    match: {m: {stage: opening}}", 7, "unknown stage `opening`", "add it to `stages`, here []");
    check(
        "    match: {m: {stage: small_talk}}",
        7,
        "unknown stage",
        "acts have the stages: opening, needs, proposal, close",
    );
    let listed = |stage: &str| error_of(format!("stages: [{stage}]\n{HEAD}  []\n").as_bytes()).to_string();
    assert!(listed("small_talk").contains("line 1, column 10: no act has the stage `small_talk`"));
    assert!(listed("small_talk").contains("acts have the stages: opening, needs, proposal, close"));
    assert!(listed("closing").contains("stages: opening") && listed("closse").contains("did you mean `close`?"));
}

#[test]
fn what_can_never_hold_is_refused() {
    let crossed = "`gte` is above `lte`";
    for matcher in [
        "metric: hold_ms, gte: 9000, lte: 2000",
        "sentiment: {gte: 2, lte: -2}",
        "duration: {gte_s: 60, lte_s: 30}",
        "loudness: {gte: -10, lte: -20}, role: rep",
        "pace: {zh: {gte: 300, lte: 200}}, role: rep",
    ] {
        check(&format!("    match: {{m: {{{matcher}}}}}"), 7, crossed, "");
    }
    check("    when: {duration_s: {gte: 60, lte: 30}}", 7, crossed, "");
    check("    match: {m: {metric: rep_talk_share_permille, gte: 1001}}", 7, "never above 1000 per mille", "");
    let metric = |limits: &str| {
        let text = HEAD.replace("requirements", "metrics")
            + "  - {metric: rep_talk_share_permille, dimension: a, "
            + limits
            + "}\n";
        error_of(text.as_bytes()).to_string()
    };
    assert!(metric("full: {gte: 1100}, zero: {lte: 0}").contains("never above 1000 per mille"));
    assert!(metric("full: {gte: 300}, zero: {lte: 0}, warn: {gte: 9, lte: 1}").contains(crossed));
    check("    severity: fatal\n    cap: 101", 8, "cap is more than 100 points", "");
    for key in ["call_type", "campaign", "direction", "language", "medium"] {
        check(&format!("    when: {{{key}: []}}"), 7, "the list is empty", "");
    }
    check("    examples: [{turns: [], expect: met}]", 7, "the list is empty", "");
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
