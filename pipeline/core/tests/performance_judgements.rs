//! What is said about reps beyond their means: attention, heaps at an edge, coaching, the blend, and what reviewers say of findings.

mod scored_call;

use std::collections::BTreeMap;

use callmark_core::performance::gaming::{Edge, Histogram, threshold_heaps};
use callmark_core::performance::sums::{Cells, Stratum, Sums};
use callmark_core::performance::{
    Attention, AttentionLines, BeforeAfter, CallSummary, CoachingVerdict, Indicator, PeriodKind, RepRow, Share, Slot,
    WeightProfile, attention, blend, break_even_conversion_ppm, coaching_effect, hour_rows, outcome, rep_period,
    requirement_rows,
};
use callmark_core::record::Outcome;
use callmark_core::statistics::SplitMix64;
use scored_call::scored_call;

fn call(rep: &str, score: i64) -> CallSummary {
    scored_call(&format!("{rep}{score}"), rep, score)
}

#[test]
fn attention_needs_the_whole_interval_or_a_confirmed_fatal() {
    let row: RepRow = rep_period(&[call("ann", 60_000)], PeriodKind::All).remove(0);
    let lines = AttentionLines::default();
    let with = |high, team_mean, fatals| {
        attention(&RepRow { high: Some(high), team_mean: Some(team_mean), fatals, ..row.clone() }, &lines)
    };
    assert_eq!(attention(&row, &lines), [], "one bad call is no reason");
    assert_eq!(with(70_000, 75_000, 0), []);
    assert_eq!(with(69_999, 74_000, 0), [Attention::BelowBand { high: 69_999, line: 70_000 }]);
    assert_eq!(with(79_000, 85_000, 0), [Attention::BelowTeam { high: 79_000, line: 80_000 }]);
    assert_eq!(with(90_000, 85_000, 2), [Attention::ConfirmedFatal { calls: 2 }]);
    assert_eq!(with(60_000, 85_000, 1).len(), 3);
}

/// Histograms of `reps` reps × 200 honest scores.
fn honest(reps: usize, grid: i64, random: &mut SplitMix64) -> BTreeMap<String, Histogram> {
    let mut histograms = BTreeMap::new();
    for rep in 0..reps {
        let mean = 74.0 + 6.0 * random.normal();
        let histogram: &mut Histogram = histograms.entry(format!("rep{rep:02}")).or_default();
        for _ in 0..200 {
            let score = (mean + 12.0 * random.normal()).clamp(0.0, 100.0).floor() as i64;
            *histogram.entry(score / grid * grid).or_default() += 1;
        }
    }
    histograms
}

#[test]
fn honest_reps_do_not_heap_even_when_scores_lie_on_a_grid() {
    let mut random = SplitMix64::new(4);
    for grid in [1, 5] {
        let mut flagged_quarters = 0;
        for _ in 0..200 {
            let histograms = honest(50, grid, &mut random);
            let reps = histograms.iter().map(|(rep, histogram)| (rep.as_str(), histogram)).collect();
            let edge = Edge { window: 5, reach: 20, ..Edge::of_score(85_000) };
            let edge = if grid == 1 { Edge::of_score(85_000) } else { edge };
            flagged_quarters += usize::from(threshold_heaps(&reps, edge).iter().any(|heap| heap.flagged));
        }
        // A false-discovery rate of 5 % of no discoveries at all: one quarter in twenty.
        assert!(flagged_quarters <= 18, "grid {grid}: {flagged_quarters} of 200");
    }
}

#[test]
fn a_heap_below_an_edge_is_found_where_that_side_pays() {
    // Talk share in hundredths: full points up to 50 %.
    let mut random = SplitMix64::new(9);
    let mut histograms: BTreeMap<String, Histogram> = BTreeMap::new();
    for rep in 0..8 {
        let histogram = histograms.entry(format!("rep{rep}")).or_default();
        for _ in 0..200 {
            let share = (50.0 + 8.0 * random.normal()) as i64;
            *histogram.entry(if rep == 3 && (50..54).contains(&share) { 49 } else { share }).or_default() += 1;
        }
    }
    let reps: BTreeMap<&str, &Histogram> = histograms.iter().map(|(rep, h)| (rep.as_str(), h)).collect();
    let edge = Edge { bin: 50, pays_above: false, window: 4, reach: 14 };
    let flagged: Vec<String> =
        threshold_heaps(&reps, edge).into_iter().filter(|heap| heap.flagged).map(|heap| heap.rep_id).collect();
    assert_eq!(flagged, ["rep3"]);
}

#[test]
fn coaching_without_enough_people_or_calls_says_so() {
    let cells = |scores: &[i64]| Cells::from([(Stratum::default(), scores.iter().copied().collect())]);
    let person = |before: &[i64], after: &[i64]| BeforeAfter { before: cells(before), after: cells(after) };
    let (before, after) = ([60_000, 62_000, 61_000, 61_000], [80_000, 82_000, 81_000, 81_000]);
    let alone = coaching_effect(&[person(&before, &after)], &[], &[], 3_000).unwrap();
    assert_eq!((alone.raw_change, alone.regression_to_mean, alone.control_change), (20_000, None, None));
    assert_eq!(alone.notes.len(), 2);
    assert_eq!(alone.verdict, CoachingVerdict::Helped);
    let few = [person(&[60_000, 62_000], &[80_000, 82_000])];
    assert_eq!(coaching_effect(&few, &[], &[], 3_000), None, "four calls do not say how scores vary");
    assert_eq!(coaching_effect(&[person(&before, &[])], &[], &[], 3_000), None);
    assert_eq!(coaching_effect(&[], &[], &[], 3_000), None);
    assert_eq!(coaching_effect(&[person(&[60_000], &[70_000])], &[], &[], 3_000), None, "nothing says how scores vary");
    // Nobody changes, and hundreds of calls say so.
    let same: Vec<i64> = (0..400).map(|i| 70_000 + 4_000 * (i % 5 - 2)).collect();
    let others = vec![cells(&same); 5];
    let nothing = coaching_effect(&[person(&same, &same)], &[], &others, 3_000).unwrap();
    assert_eq!((nothing.effect, nothing.verdict), (0, CoachingVerdict::DidNotHelp));
}

#[test]
fn the_blend_keeps_its_parts_and_invents_none() {
    let mature = WeightProfile::parse("mature").unwrap();
    assert_eq!(WeightProfile::parse("veteran"), None);
    let weight = |days| WeightProfile::Sprint.outcome_permille_at(days);
    assert_eq!(
        [weight(Some(0)), weight(Some(91)), weight(Some(136)), weight(Some(182)), weight(None)],
        [0, 0, 321, 650, 650]
    );
    assert_eq!(WeightProfile::NewHire.outcome_permille_at(Some(4_000)), 0);
    let blended = blend(Some(80_000), Some(50_000), mature.outcome_permille());
    assert_eq!((blended.process, blended.outcome, blended.blended), (Some(80_000), Some(50_000), Some(68_000)));
    assert_eq!(blend(Some(80_000), None, 400).blended, None);
    assert_eq!(blend(Some(80_000), None, 0).blended, Some(80_000));
    // 110 of 100…120 calls a day, 25 % complaints of 10…0 %, and deals that nobody counted.
    let indicator =
        |value_milli, zero_milli, full_milli, weight| Indicator { value_milli, zero_milli, full_milli, weight };
    let indicators =
        [indicator(Some(110_000), 100_000, 120_000, 2), indicator(Some(250), 100, 0, 1), indicator(None, 0, 3_000, 5)];
    assert_eq!(indicators[0].millipoints(), Some(50_000));
    assert_eq!(outcome(&indicators), Some(33_333));
    assert_eq!(outcome(&indicators[2..]), None);
    assert_eq!(break_even_conversion_ppm(300, 20_000), Some(15_000));
    assert_eq!(break_even_conversion_ppm(300, 0), None);
}

#[test]
fn requirements_show_how_far_their_findings_can_be_trusted() {
    let missed = |upheld: Option<bool>| CallSummary {
        results: BTreeMap::from([(Outcome::Missed, vec!["notice".to_string()])]),
        judged: upheld.map(|upheld| ("notice".to_string(), upheld)).into_iter().collect(),
        ..call("ann", 70_000)
    };
    let met =
        CallSummary { results: BTreeMap::from([(Outcome::Met, vec!["notice".to_string()])]), ..missed(Some(false)) };
    let unknown =
        CallSummary { results: BTreeMap::from([(Outcome::Unknown, vec!["notice".to_string()])]), ..missed(None) };
    let sums = Sums::of(&[missed(Some(true)), missed(Some(true)), missed(None), met, unknown]);
    let rows = requirement_rows(PeriodKind::All, "all", sums.periods(PeriodKind::All).next().unwrap().1);
    let row = &rows[0];
    assert_eq!((row.team.as_deref(), row.n, row.unknown, row.violations), (None, 4, 1, 0));
    assert_eq!(row.pass, Share::of(1, 4));
    let precision = row.precision.unwrap();
    // Wilson by hand: 2 of 3.
    assert_eq!((precision.permille, precision.low_permille, precision.high_permille), (667, 208, 939));
    assert_eq!(rows[1].team.as_deref(), Some("north"));
}

#[test]
fn hours_are_those_of_the_clock_where_the_call_was_made() {
    assert_eq!(Slot::of(Some("2025-02-19T23:30:00-08:00")), Some(Slot { weekday: 3, hour: 23 }));
    assert_eq!(Slot::of(Some("2025-02-23 00:05:00")), Some(Slot { weekday: 7, hour: 0 }));
    assert_eq!((Slot::of(Some("2025-02-19")), Slot::of(Some("noon")), Slot::of(None)), (None, None, None));
    let sums = Sums::of(&[call("ann", 70_000), call("bob", 80_000)]);
    let rows = |kind: PeriodKind| {
        let (period, sums) = sums.periods(kind).next().unwrap();
        hour_rows(kind, period, sums)
    };
    assert!(rows(PeriodKind::Week).is_empty());
    let month = rows(PeriodKind::Month);
    assert_eq!((month.len(), month[0].n, month[0].mean, month[0].shrunk, month[0].dip), (2, 2, 75_000, None, false));
}
