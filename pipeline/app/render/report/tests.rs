//! The report as a whole, over a store in memory: links, escaping, layout, bytes.

use std::collections::{BTreeMap, BTreeSet};

use callmark_core::performance::{Activity, Measure, PeriodKind, indicator_rows};
use callmark_core::record::{Outcome, Status, UnscoredReason};
use callmark_core::statistics::{Z95, wilson};
use callmark_core::transcript::{Role, Turn};
use callmark_core::warning::Warning;
use callmark_store::NewReview;
use regex::Regex;

use super::*;
use crate::config::{Config, DEFAULT};
use crate::render::call_page::points;
use crate::render::tables::sample;

/// Three calls of two reps: scored, waiting for a decision, without a score.
fn calls() -> Vec<CallRecord> {
    let scored = sample::record();
    let mut pending = sample::record();
    pending.call_id = "c-2".into();
    pending.metadata.rep_id = Some("王芳".into());
    pending.metadata.team = Some("东区".into());
    pending.metadata.start_ts = Some("2025-02-20T10:00:00".into());
    pending.evaluation.status = Status::PendingReview;
    pending.evaluation.verdict = None;
    pending.evaluation.pending = vec!["price_objection_unanswered".into()];
    let mut unscored = sample::record();
    unscored.call_id = "c-3".into();
    unscored.metadata.start_ts = None;
    unscored.evaluation = callmark_core::scoring::unscored(UnscoredReason::LowRecogniserConfidence, None);
    vec![scored, pending, unscored]
}

fn store(calls: &[CallRecord]) -> Box<dyn Store> {
    let store = callmark_store::open("sqlite::memory:").unwrap();
    for call in calls {
        store.put_call(call, "key", &[]).unwrap();
    }
    store
}

fn options(language: Language) -> Options<'static> {
    Options { language, clips: ClipKind::None, scorecards: &[], layout: None }
}

/// Writes in a layout of the test's choice and reads everything back.
fn written(
    layout: Layout,
    folder: &Path,
    store: &dyn Store,
    scope: &Scope,
    language: Language,
) -> BTreeMap<String, String> {
    let reviews = digest::reviews(store).unwrap();
    let digest = Digest::collect(store, scope, &[], &reviews).unwrap();
    write_as(layout, folder, store, scope, &options(language), &digest, &reviews).unwrap();
    read(folder)
}

fn read(folder: &Path) -> BTreeMap<String, String> {
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap).filter(|e| e.file_type().is_file());
    let name = |path: &Path| path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
    files.map(|e| (name(e.path()), std::fs::read_to_string(e.path()).unwrap())).collect()
}

/// Four months of imported rows of six reps in two teams; from March on everybody reaches 100 calls a day, and nobody sells more for it. One is new,
/// and has no process figure like all others here.
fn imported() -> &'static Indicators {
    static IMPORTED: std::sync::OnceLock<Indicators> = std::sync::OnceLock::new();
    IMPORTED.get_or_init(|| {
        let mut rows = Vec::new();
        for n in 0..6 * 4 * 10 {
            let (rep, month, day) = (n % 6, n / 6 % 4, n / 24);
            let dialled = if month < 2 { 60 + 5 * rep } else { 120 + 5 * rep };
            let mut measures = vec![(Measure::Dialled, dialled), (Measure::Connected, 20), (Measure::Deals, rep % 2)];
            measures.extend((day == 0).then_some((Measure::Opportunities, 5)));
            rows.push(Activity {
                rep_id: format!("R-{rep:02}"),
                day: jiff::civil::date(2025, 1 + month as i8, 3 + day as i8),
                team: (rep > 0).then(|| ["东区", "西区"][rep as usize % 2].to_string()),
                tenure_start: (rep == 5).then(|| jiff::civil::date(2025, 2, 1)),
                measures: measures.into_iter().collect(),
            });
        }
        let settings = toml::from_str::<Config>(DEFAULT).unwrap().indicators.settings();
        let of = |kind: &PeriodKind| indicator_rows(&rows, &[], &[], *kind, None, &settings);
        Indicators {
            rows: PeriodKind::ALL.iter().flat_map(of).collect(),
            association: None,
            settings: settings.clone(),
        }
    })
}

fn scope(store: &dyn Store) -> Scope<'static> {
    let failure = FailedRecording {
        file: "x<y>.wav".into(),
        stage: "decode".into(),
        cause: "no sound".into(),
        hint: "record again".into(),
    };
    Scope {
        calls: store.call_ids(&Default::default()).unwrap(),
        failures: vec![failure],
        indicators: Some(imported()),
        ..Scope::default()
    }
}

const LAYOUTS: [Layout; 2] = [Layout::Single, Layout::Folder];

#[test]
fn every_link_leads_somewhere() {
    let store = store(&calls());
    let href = Regex::new(r#"(?:href|src)="([^"]*)""#).unwrap();
    for layout in LAYOUTS {
        let folder = tempfile::tempdir().unwrap();
        let files = written(layout, folder.path(), store.as_ref(), &scope(store.as_ref()), Language::En);
        assert_eq!(files.len() > 1, layout == Layout::Folder);
        let mut followed = 0;
        for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".html")) {
            let depth = name.matches('/').count();
            let text = text.replace(frame::SCRIPT, "");
            for link in href.captures_iter(&text).map(|c| c.get(1).unwrap().as_str()) {
                if link.starts_with("data:") {
                    continue;
                }
                let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target = match path.strip_prefix(&"../".repeat(depth)) {
                    _ if path.is_empty() => name.as_str(),
                    Some(target) => target,
                    None => panic!("{name}: {link}"),
                };
                let page = files.get(target).unwrap_or_else(|| panic!("{name}: {link}: no {target}"));
                assert!(anchor.is_empty() || page.contains(&format!("id=\"{anchor}\"")), "{name}: {link}");
                followed += 1;
            }
        }
        assert!(followed > 100, "{followed}");
    }
}

#[test]
fn ids_are_unique_on_a_page() {
    let store = store(&calls());
    let id = Regex::new(r#" id="([^"]*)""#).unwrap();
    for layout in LAYOUTS {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in written(layout, folder.path(), store.as_ref(), &scope(store.as_ref()), Language::Zh) {
            let ids: Vec<&str> = id.captures_iter(&text).map(|c| c.get(1).unwrap().as_str()).collect();
            assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{name}");
        }
    }
}

/// Names, words and reviews may hold anything; none of it becomes markup, and nothing is loaded from elsewhere.
#[test]
fn hostile_text_stays_text() {
    let attack = "\"><img src=x onerror=alert(1)><script>alert(2)</script>&amp;\u{202e}txt";
    let mut call = sample::record();
    call.call_id = format!("../{attack}");
    call.metadata.rep_id = Some(attack.into());
    call.metadata.team = Some(attack.repeat(20));
    call.metadata.campaign = Some("</style><style>@import url(http://x.example)".into());
    call.transcript.turns[0].text = attack.into();
    call.transcript.warnings.push(attack.into());
    call.evaluation.ledger[1].requirement_id = attack.into();
    call.evaluation.ledger[1].quote = attack.into();
    let store = store(&[call.clone()]);
    store
        .append_review(&NewReview {
            call_id: call.call_id.clone(),
            requirement_id: attack.into(),
            reviewer: attack.into(),
            source: callmark_core::record::ReviewSource::Flag,
            inclusion_permille: 1000,
            blind: false,
            decision: callmark_core::record::Decision::Agree,
            reason: attack.into(),
            appeal_of: None,
            is_final: true,
            ts: "2025-02-20T09:00:00Z".into(),
        })
        .unwrap();
    let mut scope = scope(store.as_ref());
    scope.failures[0].file = attack.into();
    scope.failures[0].hint = attack.into();
    let attribute = Regex::new(r#" (?:src|href)="(?:[a-z]+:)?//|="[^"]*\bjavascript:| on[a-z]+=""#).unwrap();
    for layout in LAYOUTS {
        let folder = tempfile::tempdir().unwrap();
        let files = written(layout, folder.path(), store.as_ref(), &scope, Language::En);
        let pages: Vec<&String> = files.iter().filter(|(name, _)| name.ends_with(".html")).map(|(_, t)| t).collect();
        assert!(pages.iter().any(|page| page.contains("&lt;script&gt;alert(2)")));
        for page in pages {
            let shown = page.replace(frame::SCRIPT, "").replace(frame::STYLE, "");
            assert!(!shown.contains("<img") && !shown.contains("<script>alert") && !shown.contains("</style><style>"));
            assert!(!attribute.is_match(&shown), "{:?}", attribute.find(&shown));
            // A policy against what all this may have overlooked.
            assert!(shown.contains("default-src 'none'"));
        }
    }
}

#[test]
fn same_calls_same_bytes() {
    let mut calls = calls();
    let store_a = store(&calls);
    calls.reverse();
    let store_b = store(&calls);
    for layout in LAYOUTS {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let a = written(layout, folders[0].path(), store_a.as_ref(), &scope(store_a.as_ref()), Language::En);
        let mut backwards = scope(store_b.as_ref());
        backwards.calls.reverse();
        let b = written(layout, folders[1].path(), store_b.as_ref(), &backwards, Language::En);
        assert_eq!(a, b);
    }
}

#[test]
fn a_forgotten_call_leaves_no_page_behind() {
    let store = store(&calls());
    let folder = tempfile::tempdir().unwrap();
    let before = written(Layout::Folder, folder.path(), store.as_ref(), &scope(store.as_ref()), Language::En);
    assert!(before.contains_key("report/calls/c-2.html"));
    std::fs::write(folder.path().join("report/calls/notes.txt"), "mine").unwrap();
    store.remove_call("c-2").unwrap();
    let after = written(Layout::Folder, folder.path(), store.as_ref(), &scope(store.as_ref()), Language::En);
    assert!(!after.contains_key("report/calls/c-2.html") && after.contains_key("report/calls/notes.txt"));
    assert!(after.iter().all(|(name, text)| name.ends_with(".txt") || !text.contains("王芳")));
    let single = written(Layout::Single, folder.path(), store.as_ref(), &scope(store.as_ref()), Language::En);
    assert_eq!(single.keys().collect::<Vec<_>>(), ["report.html", "report/calls/notes.txt"]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let store = store(&calls());
    let folder = tempfile::tempdir().unwrap();
    let files = written(Layout::Folder, folder.path(), store.as_ref(), &scope(store.as_ref()), Language::En);
    for name in files.keys() {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn an_empty_report_says_what_to_do_next() {
    let store = store(&[]);
    for language in [Language::En, Language::Zh] {
        let folder = tempfile::tempdir().unwrap();
        let result = write(folder.path(), store.as_ref(), &Scope::default(), &options(language)).unwrap();
        assert_eq!(result.pages, 1);
        let text = std::fs::read_to_string(result.start).unwrap();
        let m = messages::of(language);
        assert!(text.contains(m.empty_heading) && text.contains("callmark run"));
        assert!(text.contains(&format!("lang=\"{}\"", m.tag)));
    }
}

#[test]
fn requirements_are_called_by_their_names() {
    let calls = calls();
    let store = store(&calls);
    let telesales = include_str!("../../../../scorecards/telesales.yaml");
    let chinese = "name: {zh: 价格异议未回应}";
    assert!(telesales.contains(chinese));
    let both = telesales.replace(chinese, "name: {en: Too dear, zh: 价格异议未回应}");
    for (yaml, language, name) in [
        (telesales, Language::En, "Price objection unanswered"),
        (telesales, Language::Zh, "价格异议未回应"),
        (&both, Language::En, "Too dear"),
    ] {
        let mut card = Scorecard::parse(yaml).unwrap();
        card.hash = calls[0].evaluation.scorecard_hash.clone();
        let (cards, folder) = ([card], tempfile::tempdir().unwrap());
        let options = Options { scorecards: &cards, layout: Some(Layout::Folder), ..options(language) };
        write(folder.path(), store.as_ref(), &scope(store.as_ref()), &options).unwrap();
        assert!(read(folder.path())["report.html"].contains(name), "{name}");
    }
}

/// What a reader of a Chinese page sees is Chinese, apart from names, what was said, and program terms.
#[test]
fn chinese_pages_are_chinese() {
    let mut call = sample::record();
    call.transcript.turns.clear();
    call.transcript.speech.clear();
    let store = store(&[call]);
    let folder = tempfile::tempdir().unwrap();
    let scope = Scope { calls: vec!["c-1".into()], indicators: Some(imported()), ..Scope::default() };
    let files = written(Layout::Folder, folder.path(), store.as_ref(), &scope, Language::Zh);
    let tags =
        Regex::new(r"(?s)<(script|style|svg|code|kbd|title|q)\b.*?</(script|style|svg|code|kbd|title|q)>|<[^>]*>")
            .unwrap();
    let word = Regex::new("[A-Za-z]{3,}").unwrap();
    let half_width = Regex::new(r"\p{Han}[,;:?!]|[,;:?!]\p{Han}").unwrap();
    let known = [
        "callmark",
        "disclose",
        "recording",
        "price",
        "objection",
        "unanswered",
        "identity",
        "check",
        "summary",
        "telesales",
        "esc",
        "SHA",
        "sentiment",
        "cdcdcdcd",
    ];
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".html")) {
        let shown = tags.replace_all(text, "\n");
        for word in word.find_iter(&shown).map(|w| w.as_str()) {
            assert!(known.iter().any(|k| k.eq_ignore_ascii_case(word)), "{name}: {word}");
        }
        assert!(!half_width.is_match(&shown), "{name}: {:?}", half_width.find(&shown));
    }
}

#[test]
fn counts_and_findings_of_the_digest() {
    let store = store(&calls());
    let digest = Digest::collect(store.as_ref(), &scope(store.as_ref()), &[], &digest::Reviews::new()).unwrap();
    assert_eq!((digest.n_scored(), digest.pending.len(), digest.n_unscored()), (1, 1, 1));
    let violated = digest.requirements.iter().find(|r| r.id == "price_objection_unanswered").unwrap();
    assert_eq!((violated.failed, violated.met), (2, 0));
    // Each failure points back to the flag of its call.
    for requirement in &digest.requirements {
        for (call, flag) in &requirement.failures {
            let flag = digest.calls[*call].flags[*flag];
            assert_eq!(digest.requirements[flag.requirement].id, requirement.id);
            assert!(matches!(flag.outcome, Outcome::Missed | Outcome::Violated));
        }
    }
    // Wednesday 06:01 and Thursday 10:00; the third call has no time.
    assert_eq!((digest.hours[2][6].calls.len(), digest.hours[3][10].calls.len()), (1, 1));
    let until = Scope { until: Some("2025-02-19".parse().unwrap()), ..scope(store.as_ref()) };
    assert_eq!(Digest::collect(store.as_ref(), &until, &[], &digest::Reviews::new()).unwrap().calls.len(), 1);
}

#[test]
fn warnings_and_others_on_the_line_are_named_in_the_language_of_the_report() {
    let mut call = sample::record();
    let inner = Warning::DamagedFrom.with(&[&"RIFF WAVE", &1200, &"unexpected end"]);
    call.transcript.warnings = Warning::ALL.iter().map(|warning| warning.with(&[&7, &8, &9])).collect();
    call.transcript.warnings.extend([Warning::SecondSide.with(&[&inner]), "of another version".into()]);
    let supervisor =
        Turn { role: Role::Supervisor, text: "offer a discount".into(), ..call.transcript.turns[0].clone() };
    call.transcript.other_turns = vec![supervisor];
    let store = store(&[call]);
    let english = Regex::new("<li lang=\"en\">([^<]*)").unwrap();
    for (language, swapped, second, who) in [
        (Language::En, "rep and customer may be swapped", "second side: the RIFF WAVE file is damaged", "Supervisor"),
        (Language::Zh, "坐席与客户可能颠倒", "第二个录音：RIFF WAVE 文件从 1200 毫秒起损坏", "主管"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let pages = written(Layout::Single, folder.path(), store.as_ref(), &scope(store.as_ref()), language);
        let page = pages.values().next().unwrap();
        for text in [swapped, second, who, "class=\"turn supervisor\"", "offer a discount"] {
            assert!(page.contains(text), "{language:?}: {text}");
        }
        let left: Vec<&str> = english.captures_iter(page).map(|found| found.get(1).unwrap().as_str()).collect();
        assert_eq!(left, ["of another version"], "{language:?}");
    }
}

/// Twelve reps, twelve weeks; Friday at four is bad for everybody, calls that were recognised surely score more, and one rep's scores
/// heap at the pass line of their scorecard.
#[test]
fn what_speaks_against_scores_is_said() {
    let mut random = callmark_core::statistics::SplitMix64::new(5);
    let mut made = Vec::new();
    for n in 0..12 * 120 {
        let (rep, i) = (n % 12, n / 12);
        let (week, weekday, hour) = (i / 10, i % 5, 9 + random.below(9));
        let date = jiff::civil::date(2025, 1, 6) + jiff::Span::new().days((7 * week + weekday) as i64);
        let mut call = sample::record();
        call.call_id = format!("c-{n:04}");
        call.metadata.rep_id = Some(format!("R-{rep:02}"));
        call.metadata.start_ts = Some(format!("{date}T{hour:02}:15:00"));
        let confidence = 600 + random.below(300) as u16;
        call.transcript.recogniser_confidence_permille = Some(confidence);
        let bad = if (weekday, hour) == (4, 16) { 25_000 } else { 0 };
        let score = 76_000 + 500 * week as i64 + 30 * (i64::from(confidence) - 750) - bad;
        let score = (score + (8_000.0 * random.normal()) as i64).clamp(0, 100_000);
        let heaped = rep == 7 && (72_000..78_000).contains(&score);
        call.evaluation.score = Some(if heaped { 78_500 } else { score });
        made.push(call);
    }
    let store = store(&made);
    let folder = tempfile::tempdir().unwrap();
    let mut card = Scorecard::parse(include_str!("../../../../scorecards/support.yaml")).unwrap();
    (card.hash, card.verdicts.pass) = (made[0].evaluation.scorecard_hash.clone(), 78);
    let cards = [card];
    for (language, dip) in [(Language::En, "Fri 16:00: calls score"), (Language::Zh, "周五 16:00：按")] {
        let options = Options { scorecards: &cards, layout: Some(Layout::Folder), ..options(language) };
        write(folder.path(), store.as_ref(), &scope(store.as_ref()), &options).unwrap();
        let page = &read(folder.path())["report.html"];
        assert_eq!(page.matches(dip).count(), 2, "what to do first, and under the hours");
        assert_eq!(page.matches("▾").count(), 2, "the cell and what the mark means");
        // Its mean lies between 50 and 60.
        assert_eq!(page.matches(r#"<td class="h2 dip" title="#).count(), 1);
        // Only one of the twelve is named for a heap.
        assert_eq!((page.matches("<li>R-").count(), page.matches("<li>R-07").count()), (1, 1));
        let m = crate::render::messages::of(language);
        let said = |sentence: &str| page.contains(sentence);
        assert!(said((m.honesty_recognition_gap)("§", 12).split('§').next().unwrap()), "recognition");
    }
}

/// Process, outcome and both blended; each indicator with target, interval and n; targets that no longer tell anything. Only once something was imported.
#[test]
fn indicators_have_a_page_when_something_was_imported() {
    let store = store(&calls());
    let folder = tempfile::tempdir().unwrap();
    let place = "report/indicators/all.html";
    for (language, easy, alone, reached) in [
        (Language::En, "6 of 6 reps reached the target in 2025-04", "6 reps rose by 60.0 (60.0 … 60.0)", "6 of 6"),
        (
            Language::Zh,
            "2025-04 有 6／6 名坐席达到目标",
            "6 名坐席后半段的月份比前半段上升 60.0 (60.0 … 60.0)",
            "6／6 名",
        ),
    ] {
        let files = written(Layout::Folder, folder.path(), store.as_ref(), &scope(store.as_ref()), language);
        let (first, page) = (&files["report.html"], &files[place]);
        assert_eq!(first.matches(place).count(), 3, "a link of its own, and one for each doubt about a target");
        assert!(first.contains(easy), "{language:?}");
        assert!(first.contains(alone) && page.contains(reached), "{language:?}");
        // R-00: ten days a month, twice 60 and twice 120 calls, 20 of them connected.
        let share = wilson(800, 800 * 45 / 10, Z95).unwrap();
        let percent = |x: f64| format!("{:.1}", 100.0 * x);
        let space = if language == Language::En { " " } else { "" };
        let wanted = format!("22.2{space}% [{}–{}]", percent(share.low), percent(share.high));
        assert!(page.contains(&wanted), "{language:?}");
        for row in imported().rows.iter().filter(|row| row.period_kind == PeriodKind::All) {
            assert!(page.contains(&format!("id=\"rep-{}\"", row.rep_id)));
            let outcome = row.blend.outcome.unwrap();
            assert!(page.contains(&format!("<td class=\"n\" data-v=\"{outcome}\">{}</td>", points(outcome))));
        }
    }
    let nothing = Scope { indicators: None, ..scope(store.as_ref()) };
    let files = written(Layout::Folder, folder.path(), store.as_ref(), &nothing, Language::En);
    assert!(!files.contains_key(place) && !files["report.html"].contains(place), "{:?}", files.keys());
}

/// Two groups of six reps, eight points apart, of whom one group asks less often for the identity; and what is said without a gap.
#[test]
fn gaps_between_named_groups_are_said_with_what_they_are_not() {
    let rep = |n: usize, group: Option<&str>| Rep {
        id: format!("R-{n:02}"),
        aliases: Vec::new(),
        teams: Vec::new(),
        group: group.map(str::to_string),
    };
    let reps: Vec<Rep> = (0..12).map(|n| rep(n, Some(["evening", "morning"][n % 2]))).collect();
    let alone: Vec<Rep> = (0..12).map(|n| rep(n, (n == 0).then_some("alone").or(Some("others")))).collect();
    let made = |gap: i64| -> Vec<CallRecord> {
        let mut random = callmark_core::statistics::SplitMix64::new(8);
        (0..12 * 20)
            .map(|n| {
                let mut call = sample::record();
                call.call_id = format!("c-{n:04}");
                call.metadata.rep_id = Some(format!("R-{:02}", n % 12));
                let score = 70_000.0 + 6_000.0 * random.normal() + if n % 2 == 1 { gap as f64 } else { 0.0 };
                call.evaluation.score = Some(score.clamp(0.0, 100_000.0) as i64);
                let misses = gap != 0 && n % 2 == 0 && random.below(3) > 0;
                let row =
                    call.evaluation.ledger.iter_mut().find(|row| row.requirement_id == "disclose_recording").unwrap();
                row.result = if misses || random.below(10) == 0 { Outcome::Missed } else { Outcome::Met };
                call
            })
            .collect()
    };
    let folder = tempfile::tempdir().unwrap();
    let page = |gap: i64, reps: &[Rep], language: Language| {
        let store = store(&made(gap));
        let calls = store.call_ids(&Default::default()).unwrap();
        let scope = Scope { calls, reps, ..Scope::default() };
        written(Layout::Folder, folder.path(), store.as_ref(), &scope, language).remove("report.html").unwrap()
    };
    let (english, chinese) = (page(8_000, &reps, Language::En), page(8_000, &reps, Language::Zh));
    for wanted in [
        "The mean of the 6 reps of “morning” differs from that of the 6 of “evening” by +8.",
        "not at people",
        "percentage points, the widest gap",
    ] {
        assert!(english.contains(wanted), "{wanted}");
    }
    assert!(chinese.contains("“morning”组 6 名坐席的平均分与“evening”组 6 名相差 +8.") && chinese.contains("不是人。"));
    let none = page(0, &reps, Language::En);
    assert!(none.contains("no more than chance gives") && !none.contains("percentage points, the widest gap"));
    // A group of one is not named, nor anything where nobody has a group.
    for reps in [&alone[..], &[]] {
        let page = page(8_000, reps, Language::En);
        assert!(!page.contains("“alone”") && !page.contains("“others”") && !page.contains("differs from that of"));
    }
}
