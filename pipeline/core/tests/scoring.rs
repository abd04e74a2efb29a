//! The formula of SCORING.md §1: the worked example, each rule on a small card, and properties on random cards.

use std::collections::BTreeMap;

use callmark_core::record::{
    Decision, Evidence, ItemKind, ItemResult, MatchType, Outcome, RowKind, Severity, Status, UnscoredReason, Verdict,
};
use callmark_core::recording::Language;
use callmark_core::scoring::{ScorecardId, Scored, ScoringRules, eligibility, evaluate, score};
use callmark_core::transcript::{Medium, Role, RoleMethod, Sound, SoundKind, Transcript, Turn};
use proptest::prelude::*;

fn item(id: &str, kind: ItemKind, dimension: &str, points: u32, outcome: Outcome, value_permille: u16) -> ItemResult {
    ItemResult {
        id: id.to_string(),
        version: 1,
        kind,
        dimension: dimension.to_string(),
        severity: Severity::Major,
        points,
        outcome,
        value_permille,
        metric_value: None,
        violations: u32::from(outcome == Outcome::Violated),
        evidence: Vec::new(),
        manual: false,
        warned: false,
    }
}

fn required(id: &str, dimension: &str, points: u32, outcome: Outcome) -> ItemResult {
    let value = if outcome == Outcome::Met { 1000 } else { 0 };
    item(id, ItemKind::Required, dimension, points, outcome, value)
}

fn forbidden(id: &str, points: u32, outcome: Outcome) -> ItemResult {
    let value = if outcome == Outcome::Clear { 1000 } else { 0 };
    item(id, ItemKind::Forbidden, "compliance", points, outcome, value)
}

fn metric(id: &str, dimension: &str, value: u16) -> ItemResult {
    item(id, ItemKind::Metric, dimension, 10, Outcome::Met, value)
}

fn with(severity: Severity, mut item: ItemResult) -> ItemResult {
    item.severity = severity;
    item
}

fn scored(items: &[ItemResult]) -> Scored {
    score(&ScoringRules::default(), items, &BTreeMap::new())
}

fn decided(items: &[ItemResult], decisions: &[(&str, Decision)]) -> Scored {
    let decisions = decisions.iter().map(|(id, decision)| (id.to_string(), *decision)).collect();
    score(&ScoringRules::default(), items, &decisions)
}

fn sum(scored: &Scored) -> i64 {
    scored.ledger.iter().map(|row| row.points).sum()
}

fn points(scored: &Scored, kind: RowKind, id: &str) -> i64 {
    let row = scored.ledger.iter().find(|row| row.kind == kind && row.requirement_id == id);
    row.unwrap_or_else(|| panic!("no {kind:?} row {id}")).points
}

/// The card of the worked example in SCORING.md §1.
fn worked_example() -> Vec<ItemResult> {
    let mut items = vec![
        required("c1", "compliance", 10, Outcome::Met),
        required("c2", "compliance", 10, Outcome::Met),
        required("c3", "compliance", 5, Outcome::Missed),
        forbidden("promise", 10, Outcome::Violated),
        metric("stage_coverage_permille", "script_flow", 750),
        metric("stage_order_permille", "script_flow", 1000),
        metric("needs_questions", "discovery", 818), // 9/11
    ];
    items.extend((0..6).map(|i| metric(&format!("handling{i}"), "handling", if i == 5 { 0 } else { 1000 })));
    let mut emotion = metric("sentiment", "customer_emotion", 0);
    emotion.outcome = Outcome::NotApplicable;
    items.push(emotion);
    items.push(required("next_step", "close", 10, Outcome::Met));
    items.push(required("summary", "close", 10, Outcome::Missed));
    items
}

#[test]
fn worked_example_of_the_specification() {
    let scored = scored(&worked_example());
    let earned: i64 = scored.ledger.iter().map(|row| row.points).filter(|points| *points > 0).sum();
    assert_eq!(earned, 80_723);
    assert_eq!(points(&scored, RowKind::Item, "promise"), -10_000);
    assert_eq!(scored.score, Some(70_723));
    assert_eq!(sum(&scored), 70_723);
    assert_eq!(scored.verdict, Some(Verdict::Coach));
    assert_eq!(scored.ledger.iter().map(|row| row.possible).sum::<i64>(), 100_000);
    let compliance = &scored.dimensions[0];
    assert_eq!((compliance.share_permille, compliance.deductions), (Some(800), -10_000));
    assert_eq!(scored.dimensions[4].share_permille, None, "emotion was not applicable");
}

#[test]
fn verdict_bands_compare_millipoints() {
    for (value, verdict) in [(850, Verdict::Pass), (849, Verdict::Coach), (700, Verdict::Coach), (699, Verdict::Flag)] {
        let scored = scored(&[metric("m", "handling", value)]);
        assert_eq!((scored.score, scored.verdict), (Some(i64::from(value) * 100), Some(verdict)));
    }
}

#[test]
fn deductions_stop_at_zero_and_bonuses_at_a_hundred() {
    let low = scored(&[required("a", "compliance", 10, Outcome::Missed), forbidden("b", 10, Outcome::Violated)]);
    assert_eq!(low.score, Some(0));
    assert_eq!(points(&low, RowKind::Limit, "limit"), 10_000);
    let met = required("a", "compliance", 10, Outcome::Met);
    let bonus = with(Severity::Bonus, required("b", "compliance", 5, Outcome::Met));
    let high = scored(&[met.clone(), bonus.clone()]);
    assert_eq!(high.score, Some(100_000));
    assert_eq!(points(&high, RowKind::Item, "b"), 5_000);
    assert_eq!(points(&high, RowKind::Limit, "limit"), -5_000);
    // A bonus that was missed costs nothing.
    let missed = with(Severity::Bonus, required("b", "compliance", 5, Outcome::Missed));
    assert_eq!(scored(&[met, missed]).score, Some(100_000));
}

#[test]
fn advice_is_shown_without_points() {
    let items = [
        required("a", "compliance", 10, Outcome::Met),
        with(Severity::Advisory, required("b", "compliance", 10, Outcome::Missed)),
        with(Severity::Advisory, forbidden("c", 10, Outcome::Violated)),
    ];
    let scored = scored(&items);
    assert_eq!(scored.score, Some(100_000));
    assert_eq!(scored.ledger.len(), 3);
}

#[test]
fn each_violation_deducts() {
    let mut often = forbidden("b", 4, Outcome::Violated);
    often.violations = 3;
    assert_eq!(scored(&[required("a", "compliance", 10, Outcome::Met), often]).score, Some(88_000));
}

#[test]
fn a_suspected_fatal_waits_for_a_person_with_its_uncapped_score() {
    let items =
        [required("a", "compliance", 10, Outcome::Met), with(Severity::Fatal, forbidden("f", 10, Outcome::Violated))];
    let suspected = scored(&items);
    assert_eq!((suspected.status, suspected.verdict), (Status::PendingReview, None));
    assert_eq!((suspected.score, suspected.fatal_count), (Some(90_000), 0));
    assert_eq!(suspected.pending, ["f"]);

    let confirmed = decided(&items, &[("f", Decision::Agree)]);
    assert_eq!((confirmed.status, confirmed.verdict), (Status::Scored, Some(Verdict::AutoFail)));
    assert_eq!((confirmed.score, confirmed.fatal_count), (Some(0), 1));
    assert_eq!(points(&confirmed, RowKind::Cap, "cap:f"), -90_000);
    assert_eq!(confirmed.ledger[..2], suspected.ledger[..], "earlier rows stay as they were");

    let overturned = decided(&items, &[("f", Decision::Overturn)]);
    assert_eq!((overturned.status, overturned.verdict), (Status::Scored, Some(Verdict::Pass)));
    assert_eq!(overturned.score, Some(100_000));
    assert_eq!(points(&overturned, RowKind::Review, "f"), 10_000);
    assert_eq!(overturned.ledger[..2], suspected.ledger[..]);

    assert_eq!(decided(&items, &[("f", Decision::Comment)]), suspected);
}

#[test]
fn a_precise_fatal_needs_no_person_but_a_person_can_still_overturn_it() {
    let items =
        [required("a", "compliance", 10, Outcome::Met), with(Severity::Fatal, forbidden("f", 10, Outcome::Violated))];
    let with_precision = |agreed, reviewed, decisions: &[(&str, Decision)]| {
        let rules =
            ScoringRules { precision: BTreeMap::from([("f".into(), (agreed, reviewed))]), ..ScoringRules::default() };
        score(&rules, &items, &decisions.iter().map(|(id, d)| (id.to_string(), *d)).collect())
    };
    // Lower Wilson bounds: 19/20 → 0.764, 29/30 → 0.833.
    assert_eq!(with_precision(19, 20, &[]).status, Status::PendingReview);
    let trusted = with_precision(29, 30, &[]);
    assert_eq!((trusted.status, trusted.verdict, trusted.score), (Status::Scored, Some(Verdict::AutoFail), Some(0)));
    assert_eq!(with_precision(29, 30, &[("f", Decision::Agree)]), trusted);
    let overturned = with_precision(29, 30, &[("f", Decision::Overturn)]);
    assert_eq!((overturned.score, overturned.fatal_count), (Some(100_000), 0));
    assert_eq!(points(&overturned, RowKind::Review, "f"), 100_000);
    assert_eq!(overturned.ledger[..3], trusted.ledger[..]);
}

#[test]
fn caps_can_differ_and_a_lower_suspect_still_waits() {
    let items = [
        required("a", "compliance", 10, Outcome::Met),
        with(Severity::Fatal, required("mild", "compliance", 0, Outcome::Missed)),
        with(Severity::Fatal, required("grave", "compliance", 0, Outcome::Missed)),
    ];
    let rules = ScoringRules { fatal_caps: BTreeMap::from([("mild".into(), 60_000)]), ..ScoringRules::default() };
    let mild = score(&rules, &items, &BTreeMap::from([("mild".into(), Decision::Agree)]));
    assert_eq!((mild.score, mild.status), (Some(60_000), Status::PendingReview));
    assert_eq!(mild.pending, ["grave"]);
    let grave = score(&rules, &items, &BTreeMap::from([("grave".into(), Decision::Agree)]));
    assert_eq!((grave.score, grave.status), (Some(0), Status::Scored), "nothing is left that `mild` could change");
}

#[test]
fn unknown_items_share_nothing_and_hold_the_call_only_when_they_decide_the_verdict() {
    let mut items = vec![
        metric("m", "handling", 900),
        required("u", "handling", 1, Outcome::Unknown), // 1 of 11 points
    ];
    let held = scored(&items);
    assert_eq!(held.score, Some(90_000));
    assert_eq!((held.low, held.high), (Some(81_818), Some(90_909)));
    assert_eq!((held.status, held.verdict), (Status::PendingReview, None));
    assert_eq!(held.pending, ["u"]);
    items[0].value_permille = 1000;
    let free = scored(&items);
    assert_eq!((free.status, free.verdict, free.low), (Status::Scored, Some(Verdict::Pass), Some(90_909)));
    items[0].value_permille = 900;
    items[1].manual = true;
    let manual = scored(&items);
    assert_eq!((manual.status, manual.low, manual.high), (Status::Scored, Some(90_000), Some(90_000)));
    // Answering the manual item moves the score by a row of its own.
    let answered = decided(&items, &[("u", Decision::Agree)]);
    assert_eq!(answered.score, Some(90_909));
    assert_eq!(points(&answered, RowKind::Review, "u"), 909);
    assert_eq!(decided(&items, &[("u", Decision::Overturn)]).score, Some(81_818));
}

#[test]
fn an_unknown_fatal_is_a_suspect() {
    let items = [metric("m", "handling", 1000), with(Severity::Fatal, forbidden("f", 1, Outcome::Unknown))];
    let held = scored(&items);
    assert_eq!((held.status, held.pending.as_slice()), (Status::PendingReview, ["f".to_string()].as_slice()));
    assert_eq!(decided(&items, &[("f", Decision::Agree)]).verdict, Some(Verdict::Pass));
    assert_eq!(decided(&items, &[("f", Decision::Overturn)]).verdict, Some(Verdict::AutoFail));
}

#[test]
fn an_overturned_miss_gives_back_its_points_and_an_overturned_hit_takes_them() {
    let items = worked_example();
    let given = decided(&items, &[("c3", Decision::Overturn)]);
    assert_eq!(points(&given, RowKind::Review, "c3"), 6_666);
    assert_eq!(given.score, Some(77_389));
    let taken = decided(&items, &[("c1", Decision::Overturn)]);
    assert_eq!(points(&taken, RowKind::Review, "c1"), -13_333);
}

#[test]
fn nothing_applicable_is_unscored_and_never_zero() {
    let all = [required("a", "compliance", 10, Outcome::Unknown), forbidden("b", 10, Outcome::Clear)];
    let scored = scored(&all);
    assert_eq!((scored.status, scored.reason), (Status::Unscored, Some(UnscoredReason::NothingApplicable)));
    assert_eq!(scored.score, None);
}

/// A card of prohibitions, or one whose requirements do not apply: no score, but what was said is not lost.
#[test]
fn what_is_forbidden_is_seen_where_nothing_applies() {
    let mut guarantee = forbidden("guarantee", 10, Outcome::Violated);
    guarantee.severity = Severity::Fatal;
    let items = [required("a", "compliance", 10, Outcome::NotApplicable), guarantee];
    let found = scored(&items);
    assert_eq!(
        (found.status, found.score, found.pending.as_slice()),
        (Status::Unscored, None, &["guarantee".into()][..])
    );
    let seen: Vec<_> = found.ledger.iter().map(|row| (row.result, row.points, row.possible)).collect();
    assert_eq!(seen, [(Outcome::NotApplicable, 0, 0), (Outcome::Violated, 0, 0)]);
    let confirmed = decided(&items, &[("guarantee", Decision::Agree)]);
    assert_eq!((confirmed.status, confirmed.fatal_count, confirmed.pending.len()), (Status::Unscored, 1, 0));
}

#[test]
fn rows_carry_their_evidence_and_say_what_was_searched() {
    let mut missed = required("a", "compliance", 10, Outcome::Missed);
    missed.evidence.push(Evidence {
        turn: None,
        begin_ms: 0,
        end_ms: 30_000,
        quote: String::new(),
        match_type: MatchType::Window,
        confidence_permille: 910,
    });
    let row = &scored(&[missed]).ledger[0];
    assert_eq!((row.begin_ms, row.end_ms, row.confidence_permille), (0, 30_000, 910));
    assert_eq!(
        (row.match_type, row.result, row.points, row.possible),
        (MatchType::Window, Outcome::Missed, 0, 100_000)
    );
}

// ---- Eligibility ---------------------------------------------------------------------------------------------------

fn eligible() -> Transcript {
    let turn = |role, begin_ms: i64| Turn {
        role,
        begin_ms,
        end_ms: begin_ms + 10_000,
        text: "hello".into(),
        words: Vec::new(),
        confidence_permille: 900,
    };
    Transcript {
        medium: Medium::Speech,
        language: Some(Language::En),
        duration_ms: 60_000,
        role_method: RoleMethod::ChannelMap,
        role_confidence_permille: 800,
        recogniser_confidence_permille: Some(600),
        confidence_floor_permille: Some(600),
        turns: vec![turn(Role::Rep, 0), turn(Role::Customer, 10_000), turn(Role::Rep, 20_000)],
        ..Transcript::default()
    }
}

#[test]
fn eligibility_follows_the_specification() {
    use UnscoredReason::*;
    let check = |change: fn(&mut Transcript), expected: Option<UnscoredReason>| {
        let mut transcript = eligible();
        change(&mut transcript);
        assert_eq!(eligibility(&transcript), expected);
    };
    check(|_| {}, None);
    check(|t| t.turns.clear(), Some(NoConversation));
    check(|t| t.turns.iter_mut().for_each(|turn| turn.text = " ".into()), Some(NoConversation));
    let tones = |t: &mut Transcript, kinds: &[SoundKind]| {
        let sound = |kind: &SoundKind| Sound { kind: *kind, role: Role::Customer, begin_ms: 0, end_ms: 9_000 };
        t.sounds = kinds.iter().map(sound).collect();
    };
    for (kinds, reason) in [
        (&[SoundKind::Ringing][..], NotAnswered),
        (&[SoundKind::Ringing, SoundKind::Busy], Busy),
        (&[SoundKind::Ringing, SoundKind::Beep, SoundKind::Fax], Fax),
        (&[SoundKind::Music], NoConversation),
    ] {
        let mut silent = eligible();
        tones(&mut silent, kinds);
        assert_eq!(eligibility(&silent), None, "words outrank tones");
        silent.turns.clear();
        assert_eq!(eligibility(&silent), Some(reason));
    }
    check(|t| t.turns[2].end_ms = 29_999, Some(TooShort));
    check(|t| t.turns.iter_mut().for_each(|turn| turn.role = Role::Rep), Some(OneSided));
    // Others on the line make no conversation.
    let menu =
        |t: &mut Transcript| t.turns.drain(..).for_each(|turn| t.other_turns.push(Turn { role: Role::Ivr, ..turn }));
    check(menu, Some(NoConversation));
    check(|t| t.turns.iter_mut().for_each(|turn| turn.role = Role::Unknown), Some(MonoRolesUnknown));
    check(|t| t.role_method = RoleMethod::None, Some(MonoRolesUnknown));
    check(|t| t.role_confidence_permille = 799, Some(RoleUncertain));
    check(|t| t.recogniser_confidence_permille = Some(599), Some(LowRecogniserConfidence));
    check(|t| t.recogniser_confidence_permille = None, None);
    check(|t| t.confidence_floor_permille = None, None);
    check(|t| t.language = None, Some(WrongLanguage));
    check(|t| t.medium = Medium::Text, Some(TooShort)); // three turns
    check(
        |t| {
            t.medium = Medium::Text;
            let fourth = t.turns[1].clone();
            t.turns.push(fourth);
            t.turns.iter_mut().for_each(|turn| (turn.begin_ms, turn.end_ms) = (0, 0));
        },
        None,
    );
}

#[test]
fn an_ineligible_call_has_a_reason_and_no_score() {
    let mut transcript = eligible();
    let items = [required("a", "compliance", 10, Outcome::Missed)];
    let card = ScorecardId { name: "telesales", version: 3, hash: "ab" };
    let scored = evaluate(&transcript, &ScoringRules::default(), &items, &BTreeMap::new(), card);
    assert_eq!((scored.status, scored.score, scored.scorecard_version), (Status::Scored, Some(0), 3));
    transcript.role_confidence_permille = 0;
    let evaluation = evaluate(&transcript, &ScoringRules::default(), &items, &BTreeMap::new(), card);
    assert_eq!((evaluation.status, evaluation.reason), (Status::Unscored, Some(UnscoredReason::RoleUncertain)));
    assert_eq!((evaluation.score, evaluation.verdict, evaluation.ledger.len()), (None, None, 0));
}

// ---- Properties ----------------------------------------------------------------------------------------------------

const DIMENSIONS: [&str; 7] =
    ["compliance", "script_flow", "discovery", "handling", "customer_emotion", "close", "not_weighted"];

fn any_item() -> impl Strategy<Value = ItemResult> {
    (0..3u8, 0..5u8, 0..7usize, 0..40u32, 0..4u8, 0..=1000u16, 1..4u32, any::<bool>()).prop_map(
        |(kind, severity, dimension, points, outcome, value, violations, manual)| {
            let severities = [Severity::Fatal, Severity::Major, Severity::Minor, Severity::Bonus, Severity::Advisory];
            let mut built = match (kind, outcome) {
                (0, 0) => required("", "", points, Outcome::Met),
                (0, 1) => required("", "", points, Outcome::Missed),
                (1, 0) => forbidden("", points, Outcome::Clear),
                (1, 1) => forbidden("", points, Outcome::Violated),
                (2, 0 | 1) => item("", ItemKind::Metric, "", points, Outcome::Met, value),
                (0, o) => required("", "", points, if o == 2 { Outcome::NotApplicable } else { Outcome::Unknown }),
                (1, o) => forbidden("", points, if o == 2 { Outcome::NotApplicable } else { Outcome::Unknown }),
                (_, o) => {
                    let outcome = if o == 2 { Outcome::NotApplicable } else { Outcome::Unknown };
                    item("", ItemKind::Metric, "", points, outcome, 0)
                }
            };
            built.severity = if kind == 2 { Severity::Major } else { severities[severity as usize] };
            built.dimension = DIMENSIONS[dimension].to_string();
            if built.outcome == Outcome::Violated {
                built.violations = violations;
            }
            built.manual = manual && kind == 0;
            built
        },
    )
}

fn any_card() -> impl Strategy<Value = (Vec<ItemResult>, BTreeMap<String, Decision>, ScoringRules)> {
    let decision = prop_oneof![
        5 => Just(None),
        1 => Just(Some(Decision::Agree)),
        1 => Just(Some(Decision::Overturn)),
        1 => Just(Some(Decision::Comment)),
    ];
    let weights = prop::collection::vec(0..50u32, 6);
    let trusted = prop::collection::vec(any::<bool>(), 25);
    (prop::collection::vec((any_item(), decision), 1..25), weights, trusted, 0..60_000i64).prop_map(
        |(items, weights, trusted, cap)| {
            let mut rules = ScoringRules::default();
            rules.weights.iter_mut().zip(weights).for_each(|(weight, random)| weight.1 = random);
            let mut decisions = BTreeMap::new();
            let items = items.into_iter().enumerate().map(|(i, (mut item, decision))| {
                item.id = format!("item{i}");
                decisions.extend(decision.map(|decision| (item.id.clone(), decision)));
                if trusted[i] {
                    rules.precision.insert(item.id.clone(), (100, 100));
                    rules.fatal_caps.insert(item.id.clone(), cap);
                }
                item
            });
            let items = items.collect();
            (items, decisions, rules)
        },
    )
}

fn shares(item: &ItemResult) -> bool {
    item.kind != ItemKind::Forbidden
        && !matches!(item.severity, Severity::Bonus | Severity::Advisory)
        && !matches!(item.outcome, Outcome::NotApplicable | Outcome::Unknown)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_rows_sum_to_the_score((items, decisions, rules) in any_card()) {
        let scored = score(&rules, &items, &decisions);
        if let Some(total) = scored.score {
            prop_assert_eq!(sum(&scored), total);
            prop_assert!((0..=100_000).contains(&total));
            prop_assert!(scored.low <= scored.high);
            prop_assert_eq!(scored.verdict.is_some(), scored.status == Status::Scored);
            prop_assert_eq!(scored.pending.is_empty(), scored.status == Status::Scored);
            prop_assert_eq!(scored.verdict == Some(Verdict::AutoFail), scored.fatal_count > 0 && scored.verdict.is_some());
        } else {
            prop_assert_eq!(scored.reason, Some(UnscoredReason::NothingApplicable));
        }
    }

    #[test]
    fn decisions_only_append((items, decisions, rules) in any_card()) {
        let machine = score(&rules, &items, &BTreeMap::new());
        let reviewed = score(&rules, &items, &decisions);
        if machine.score.is_some() && reviewed.score.is_some() {
            prop_assert_eq!(&reviewed.ledger[..machine.ledger.len()], &machine.ledger[..]);
        }
    }

    /// Worths against exact fractions: each within one millipoint, all together 100,000; and each item's floor.
    #[test]
    fn worths_equal_rational_arithmetic((items, _, rules) in any_card()) {
        let scored = score(&rules, &items, &BTreeMap::new());
        let weight = |d: &str| rules.weights.iter().find(|(name, _)| name == d).map_or(0, |(_, w)| i128::from(*w));
        let points_of = |d: &str| items.iter().filter(|i| shares(i) && i.dimension == d).map(|i| i128::from(i.points)).sum::<i128>();
        let weights: i128 = DIMENSIONS.iter().filter(|d| points_of(d) > 0).map(|d| weight(d)).sum();
        prop_assert_eq!(weights == 0, scored.score.is_none());
        if weights > 0 {
            for (item, row) in items.iter().zip(&scored.ledger).filter(|(item, _)| shares(item)) {
                // |possible − 100,000·w·u / (W·U)| < 1, multiplied out.
                let denominator = weights * points_of(&item.dimension).max(1);
                let exact = 100_000 * weight(&item.dimension) * i128::from(item.points);
                prop_assert!((i128::from(row.possible) * denominator - exact).abs() < denominator);
                let cut = row.possible * i64::from(item.value_permille) - 1000 * row.points;
                prop_assert!((0..1000).contains(&cut));
            }
            prop_assert_eq!(scored.ledger.iter().map(|row| row.possible).sum::<i64>(), 100_000);
        }
    }

    /// With applicability fixed, more evidence for a required item or a better metric never lowers the score.
    #[test]
    fn more_evidence_never_lowers_the_score((items, decisions, rules) in any_card(), pick in any::<prop::sample::Index>(), up in 0..=1000u16) {
        let mut better = items.clone();
        let item = pick.get(&items);
        let changed = better.iter_mut().find(|i| i.id == item.id).unwrap();
        match (item.kind, item.outcome) {
            (ItemKind::Metric, Outcome::Met) => changed.value_permille = changed.value_permille.max(up),
            (ItemKind::Required, Outcome::Missed) => (changed.outcome, changed.value_permille) = (Outcome::Met, 1000),
            (ItemKind::Forbidden, Outcome::Violated) => {
                (changed.outcome, changed.value_permille, changed.violations) = (Outcome::Clear, 1000, 0)
            }
            _ => {}
        }
        let mut decisions = decisions;
        decisions.remove(&item.id); // an overturned result turns the other way round
        let (before, after) = (score(&rules, &items, &decisions), score(&rules, &better, &decisions));
        prop_assert!(after.score >= before.score);
        prop_assert!(after.low >= before.low && after.high >= before.high);
    }

    #[test]
    fn the_order_of_a_card_moves_no_score_by_more_than_rounding((items, _, rules) in any_card()) {
        let reversed: Vec<ItemResult> = items.iter().rev().cloned().collect();
        let (a, b) = (score(&rules, &items, &BTreeMap::new()), score(&rules, &reversed, &BTreeMap::new()));
        prop_assert_eq!(a.score.is_some(), b.score.is_some());
        if let (Some(a), Some(b)) = (a.score, b.score) {
            prop_assert!((a - b).abs() <= items.len() as i64);
        }
    }
}
