//! The rep table: counting, periods, adjustment, shrinkage, ranks, trends and columns.

mod scored_call;

use std::collections::BTreeMap;

use callmark_core::performance::sums::Sums;
use callmark_core::performance::{
    AttentionLines, CallSummary, HOUR_WEEKDAY, Loss, PerformanceTables, PeriodKind, REP_DIMENSION, REP_PERIOD,
    REQUIREMENT_PERIOD, RepRow, TEAM_PERIOD, attention, rep_period, rep_table,
};
use callmark_core::record::{Outcome, Status};
use callmark_core::statistics::SplitMix64;
use callmark_core::table::{Cell, CellType, Column};
use scored_call::scored_call;

fn call(id: usize, rep: &str, start: &str, score: i64) -> CallSummary {
    CallSummary {
        rep_id: Some(rep.to_string()).filter(|rep| !rep.is_empty()),
        start_ts: Some(start.to_string()).filter(|start| !start.is_empty()),
        dimensions: BTreeMap::from([("compliance".to_string(), (score / 100) as u16)]),
        ..scored_call(&format!("call{id:04}"), rep, score)
    }
}

const FEB: &str = "2025-02-19T06:01:22";

/// `reps` reps with these true means, `n` calls each with a spread of 8 points.
fn team(means: &[i64], n: usize, seed: u64, start: &str) -> Vec<CallSummary> {
    let mut random = SplitMix64::new(seed);
    let mut calls = Vec::new();
    for (rep, mean) in means.iter().enumerate() {
        for _ in 0..n {
            let score = (*mean + (8_000.0 * random.normal()) as i64).clamp(0, 100_000);
            calls.push(call(calls.len(), &format!("rep{rep}"), start, score));
        }
    }
    calls
}

fn row<'a>(rows: &'a [RepRow], rep: &str) -> &'a RepRow {
    rows.iter().find(|row| row.rep_id == rep).unwrap()
}

#[test]
fn periods_are_dates_where_the_call_was_made() {
    let period = |kind: PeriodKind, start| kind.period(Some(start)).unwrap();
    assert_eq!(period(PeriodKind::Day, FEB), "2025-02-19");
    assert_eq!(period(PeriodKind::Day, "2025-02-19T23:30:00-08:00"), "2025-02-19");
    assert_eq!(period(PeriodKind::Day, "2025-02-19T23:30:00Z"), "2025-02-19");
    assert_eq!(period(PeriodKind::Day, "2025-02-19 23:30:00"), "2025-02-19");
    assert_eq!(period(PeriodKind::Week, FEB), "2025-W08");
    assert_eq!(period(PeriodKind::Week, "2024-12-30T10:00:00"), "2025-W01", "ISO 8601: the week of the new year");
    assert_eq!(period(PeriodKind::Month, FEB), "2025-02");
    assert_eq!(period(PeriodKind::Quarter, "2025-12-01"), "2025-Q4");
    assert_eq!(PeriodKind::Day.period(None), None);
    assert_eq!(PeriodKind::Day.period(Some("yesterday")), None);
    assert_eq!(PeriodKind::All.period(None).as_deref(), Some("all"));
    for kind in PeriodKind::ALL {
        assert_eq!(PeriodKind::parse(kind.id()), Some(*kind));
    }
}

#[test]
fn pending_calls_count_in_the_mean_and_unscored_ones_do_not() {
    let mut calls = vec![call(0, "ann", FEB, 90_000), call(1, "ann", FEB, 60_000), call(2, "ann", FEB, 0)];
    calls[1].status = Status::PendingReview;
    calls[1].flags = 1;
    (calls[2].status, calls[2].score) = (Status::Unscored, None);
    calls.push(CallSummary { status: Status::Failed, score: None, ..calls[2].clone() });
    let rows = rep_period(&calls, PeriodKind::Month);
    let ann = row(&rows, "ann");
    assert_eq!((ann.n_scored, ann.n_pending, ann.n_unscored, ann.n_failed), (1, 1, 1, 1));
    assert_eq!(ann.mean, Some(75_000));
    assert_eq!(ann.flags_per_call_milli, Some(500));
    assert_eq!(ann.dimensions["compliance"].mean_permille, 750);
    assert_eq!((ann.rank_low, ann.shrunk), (None, None));
    assert!(ann.insufficient.is_some());
}

#[test]
fn calls_without_start_or_rep_are_shown_and_not_guessed() {
    let calls = [call(0, "ann", "", 90_000), call(1, "ann", FEB, 70_000), call(2, "", FEB, 50_000)];
    let months = rep_period(&calls, PeriodKind::Month);
    assert_eq!(row(&months, "ann").n_scored, 1);
    assert_eq!(row(&months, "unassigned").mean, Some(50_000));
    let all = rep_period(&calls, PeriodKind::All);
    assert_eq!(row(&all, "ann").mean, Some(80_000));
    assert_eq!(row(&all, "ann").warnings, ["1 without start time: in no period but all"]);
}

#[test]
fn a_rank_needs_twenty_calls_and_reps_that_differ() {
    let means = [60_000, 68_000, 76_000, 84_000, 70_000];
    let few = rep_period(&team(&means, 19, 1, FEB), PeriodKind::All);
    assert!(few.iter().all(|row| row.rank_low.is_none() && row.shrunk.is_some()));
    assert!(few[0].insufficient.as_deref().unwrap().starts_with("insufficient data: 19 of 20"));
    let enough = rep_period(&team(&means, 20, 1, FEB), PeriodKind::All);
    assert_eq!(row(&enough, "rep3").rank_low, Some(1));
    assert!(row(&enough, "rep3").rank_high <= Some(2));
    assert_eq!(row(&enough, "rep0").rank_high, Some(5));
    assert!(row(&enough, "rep1").rank_low < row(&enough, "rep1").rank_high, "two reps are close to each other");
    assert!(enough.iter().all(|row| row.insufficient.is_none()));
    // Twenty calls of reps who do not differ say nothing about ranks.
    let equal = rep_period(&team(&[70_000; 8], 20, 3, FEB), PeriodKind::All);
    assert!(
        equal.iter().all(|row| row.rank_low.is_none()),
        "{:?}",
        equal.iter().map(|r| r.reliability_permille).collect::<Vec<_>>()
    );
}

#[test]
fn shrinkage_moves_means_towards_the_team() {
    let rows = rep_period(&team(&[60_000, 68_000, 76_000, 84_000, 70_000], 20, 1, FEB), PeriodKind::All);
    let grand = rows.iter().map(|row| row.mean.unwrap()).sum::<i64>() / rows.len() as i64;
    for row in &rows {
        let (mean, shrunk) = (row.mean.unwrap(), row.shrunk.unwrap());
        assert!((shrunk - grand).abs() <= (mean - grand).abs() + 1);
        assert!(row.low.unwrap() < shrunk && shrunk < row.high.unwrap());
    }
}

#[test]
fn the_harder_campaign_is_no_fault_of_the_rep() {
    // Everybody is equally good; the hard campaign costs 20 points, and rep0 works mostly in it.
    let mut calls = team(&[80_000; 5], 40, 7, FEB);
    for (i, call) in calls.iter_mut().enumerate() {
        let hard = if call.rep_id.as_deref() == Some("rep0") { i % 4 != 0 } else { i % 4 == 0 };
        call.campaign = Some(if hard { "cold" } else { "warm" }.to_string());
        call.score = call.score.map(|score| score - if hard { 20_000 } else { 0 });
    }
    let rows = rep_period(&calls, PeriodKind::All);
    let spread = |value: fn(&RepRow) -> Option<i64>| {
        let others = rows[1..].iter().map(|row| value(row).unwrap()).sum::<i64>() / 4;
        others - value(&rows[0]).unwrap()
    };
    assert!(spread(|row| row.mean) > 7_000, "the plain mean blames rep0");
    assert!(spread(|row| row.shrunk).abs() < 2_000, "the adjusted one does not");
}

#[test]
fn a_campaign_of_one_rep_is_not_used_to_excuse_him() {
    let mut calls = team(&[60_000, 80_000, 80_000, 80_000], 30, 7, FEB);
    for call in &mut calls {
        call.campaign = Some(if call.rep_id.as_deref() == Some("rep0") { "own" } else { "shared" }.to_string());
    }
    let rows = rep_period(&calls, PeriodKind::All);
    assert!(rows[0].shrunk.unwrap() < 64_000, "{:?}", rows[0].shrunk);
}

#[test]
fn trends_are_called_only_when_they_survive_the_false_discovery_rate() {
    let mut calls = team(&[70_000; 6], 30, 11, "2025-01-10");
    calls.extend(team(&[90_000, 70_000, 70_000, 70_000, 70_000, 70_000], 30, 12, "2025-02-10"));
    let rows = rep_period(&calls, PeriodKind::Month);
    let february: Vec<&RepRow> = rows.iter().filter(|row| row.period == "2025-02").collect();
    let trend = february[0].trend.as_ref().unwrap();
    assert!(trend.significant && trend.low > 10_000 && trend.previous_period == "2025-01");
    assert!(february[1..].iter().all(|row| !row.trend.as_ref().unwrap().significant));
    assert!(rows.iter().filter(|row| row.period == "2025-01").all(|row| row.trend.is_none()));
}

#[test]
fn a_new_scorecard_is_a_break_and_no_trend() {
    let mut calls = team(&[70_000; 4], 5, 11, "2025-01-10");
    let mut later = team(&[70_000; 4], 5, 12, "2025-02-10");
    later.iter_mut().for_each(|call| (call.scorecard_version, call.scorecard_hash) = (2, "ef".to_string()));
    calls.extend(later);
    let rows = rep_period(&calls, PeriodKind::Month);
    let february = rows.iter().find(|row| row.period == "2025-02").unwrap();
    assert_eq!(february.trend, None);
    assert_eq!(february.warnings, ["break: scorecard or models changed since 2025-01"]);
    let all = rep_period(&calls, PeriodKind::All);
    assert_eq!(all[0].scorecard_versions, ["telesales 1", "telesales 2"]);
    assert_eq!(all[0].warnings, ["break: 2 scorecards or versions mixed"]);
}

#[test]
fn top_three_are_what_costs_most_per_call() {
    let mut calls = vec![call(0, "ann", FEB, 90_000), call(1, "ann", FEB, 60_000)];
    let loss = |id: &str, millipoints| Loss { requirement_id: id.to_string(), millipoints };
    calls[0].losses = vec![loss("a", 1_000), loss("b", 4_000)];
    calls[1].losses = vec![loss("a", 5_000), loss("c", 2_000), loss("d", 1_000)];
    let rows = rep_period(&calls, PeriodKind::All);
    let top: Vec<(&str, i64, u64)> =
        rows[0].top3.iter().map(|i| (i.requirement_id.as_str(), i.millipoints_per_call, i.calls)).collect();
    assert_eq!(top, [("a", 3_000, 2), ("b", 2_000, 1), ("c", 1_000, 1)]);
    assert_eq!(rows[0].top3[0].worst_calls, ["call0001", "call0000"]);
}

#[test]
fn small_teams_are_taken_together() {
    let mut calls = team(&[60_000, 70_000, 80_000, 90_000], 20, 5, FEB);
    for call in &mut calls {
        let south = matches!(call.rep_id.as_deref(), Some("rep0" | "rep1"));
        call.team = Some(if south { "south" } else { "north" }.to_string());
    }
    let rows = rep_period(&calls, PeriodKind::All);
    assert_eq!(row(&rows, "rep3").rank_low, Some(1));
    assert_eq!(row(&rows, "rep0").rank_high, Some(4));
}

#[test]
fn the_table_is_the_same_whatever_the_order_of_calls() {
    let mut calls = team(&[60_000, 68_000, 76_000, 84_000, 70_000], 20, 1, FEB);
    let rows = rep_period(&calls, PeriodKind::Week);
    calls.reverse();
    assert_eq!(rep_period(&calls, PeriodKind::Week), rows);
}

/// Six calls of five reps, or equal ones: nothing says how much a rep's calls differ, so nobody has an interval, a trend or a place on the list.
#[test]
fn a_handful_of_calls_names_nobody() {
    let few = |period: &str, scores: &[(&str, i64)]| -> Vec<CallSummary> {
        scores.iter().enumerate().map(|(i, (rep, score))| call(i + period.len(), rep, period, *score)).collect()
    };
    let scores = [("a", 90_000), ("a", 88_000), ("b", 20_000), ("c", 75_000), ("d", 80_000), ("e", 70_000)];
    for row in rep_period(&few(FEB, &scores), PeriodKind::Month) {
        assert_eq!((row.low, row.high, row.shrunk, row.rank_low), (None, None, None, None), "{}", row.rep_id);
        assert!(row.mean.is_some() && row.insufficient.is_some());
        assert_eq!(attention(&row, &AttentionLines::default()), []);
    }
    let mut equal = few("2025-01-15T10:00:00", &[("a", 50_000); 6]);
    equal.extend(few(FEB, &[("a", 70_000); 6]));
    assert!(rep_period(&equal, PeriodKind::Month).iter().all(|row| row.trend.is_none()));
}

#[test]
fn columns_give_exact_cells() {
    let rows = rep_period(&[call(0, "ann", FEB, 70_723)], PeriodKind::Day);
    let cell = |name: &str| {
        let column = REP_PERIOD.iter().find(|column| column.name == name).unwrap();
        (column.cell)(&rows[0], 0)
    };
    assert_eq!(cell("mean"), Cell::Thousandths(70_723));
    assert_eq!(cell("rank_low"), Cell::Empty);
    assert_eq!(cell("period"), Cell::Text("2025-02-19".into()));
    assert_eq!(cell("n_scored"), Cell::Whole(1));
    assert_eq!(cell("scorecard_versions"), Cell::Text("telesales 1".into()));
    // SCORING.md §3.
    let specified = "rep_id, team, period_kind, period, n_scored, n_unscored, n_pending, n_failed, mean, shrunk, low, high, rank_low, \
                     rank_high, flags_per_call, trend, trend_low, trend_high, top3, scorecard_versions, warnings";
    assert_eq!(REP_PERIOD.iter().map(|column| column.name).collect::<Vec<_>>().join(", "), specified);
}

/// Cells are of their column's type, in every table and kind of period.
#[test]
fn tables_keep_their_types() {
    let met = BTreeMap::from([(Outcome::Met, vec!["greeting".to_string()])]);
    let calls: Vec<CallSummary> = (0..120)
        .map(|i| call(i, ["ann", "bob", "cid", "dan"][i % 4], FEB, 60_000 + (i as i64 * 7_919) % 30_000))
        .map(|call| CallSummary { results: met.clone(), ..call })
        .collect();
    let tables = PerformanceTables::of(&calls);
    fn check<R>(columns: &[Column<R>], rows: &[R]) {
        assert!(!rows.is_empty());
        for (row, column) in rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column))) {
            let fits = match ((column.cell)(row, 0), column.cell_type) {
                (Cell::Empty, _) => true,
                (Cell::Text(_), kind) => kind == CellType::Text,
                (Cell::Whole(_), kind) => kind == CellType::Whole,
                (Cell::Thousandths(_), kind) => kind == CellType::Thousandths,
                (Cell::Truth(_), kind) => kind == CellType::Truth,
            };
            assert!(fits, "{}", column.name);
        }
    }
    check(REP_PERIOD, &tables.reps);
    check(REP_DIMENSION, &tables.dimensions);
    check(TEAM_PERIOD, &tables.teams);
    check(REQUIREMENT_PERIOD, &tables.requirements);
    check(HOUR_WEEKDAY, &tables.hours);
    assert_eq!(
        tables.reps,
        PeriodKind::ALL.iter().rev().flat_map(|kind| rep_table(&Sums::of(&calls), *kind)).collect::<Vec<_>>()
    );
}

#[test]
fn nothing_in_nothing_out() {
    assert!(rep_period(&[], PeriodKind::All).is_empty());
    let mut failed = call(0, "ann", FEB, 0);
    (failed.status, failed.score) = (Status::Failed, None);
    let rows = rep_period(&[failed], PeriodKind::All);
    assert_eq!((rows[0].n_failed, rows[0].mean, rows[0].flags_per_call_milli), (1, None, None));
    assert_eq!(rows[0].insufficient.as_deref(), Some("no scored calls"));
}

#[test]
fn a_summary_forgets_what_a_review_overturned() {
    use callmark_core::record::{
        CallRecord, Decision, ItemKind, ItemResult, Outcome, Provenance, RECORD_SCHEMA, Severity,
    };
    use callmark_core::scoring::{ScorecardId, ScoringRules, score, unscored};
    use callmark_core::transcript::{Medium, RoleMethod, Transcript};

    let item = |id: &str, kind, outcome| ItemResult {
        id: id.to_string(),
        version: 1,
        kind,
        dimension: "compliance".to_string(),
        severity: Severity::Major,
        points: 10,
        outcome,
        value_permille: if outcome == Outcome::Met { 1000 } else { 0 },
        metric_value: None,
        violations: u32::from(outcome == Outcome::Violated),
        evidence: Vec::new(),
        manual: false,
        warned: false,
    };
    let items = [
        item("greeting", ItemKind::Required, Outcome::Met),
        item("notice", ItemKind::Required, Outcome::Missed),
        item("promise", ItemKind::Forbidden, Outcome::Violated),
    ];
    let record = |decisions: &[(&str, Decision)]| {
        let decisions = decisions.iter().map(|(id, d)| (id.to_string(), *d)).collect();
        let scored = score(&ScoringRules::default(), &items, &decisions);
        let card = ScorecardId { name: "telesales", version: 1, hash: "ab" };
        let mut evaluation = unscored(callmark_core::record::UnscoredReason::NoScorecard, Some(card));
        (evaluation.status, evaluation.score, evaluation.ledger) = (scored.status, scored.score, scored.ledger);
        evaluation.dimensions = scored.dimensions;
        CallRecord {
            schema_version: RECORD_SCHEMA,
            call_id: "c1".to_string(),
            metadata: Default::default(),
            transcript: Transcript {
                medium: Medium::Text,
                duration_ms: 0,
                role_method: RoleMethod::Labelled,
                role_confidence_permille: 1000,
                ..Transcript::default()
            },
            signals: Default::default(),
            sentiment: Vec::new(),
            acts: Vec::new(),
            acts_by_model: Vec::new(),
            evaluation,
            provenance: Provenance::default(),
        }
    };
    let loss = |id: &str, millipoints| Loss { requirement_id: id.to_string(), millipoints };
    let machine = CallSummary::from_record(&record(&[]));
    assert_eq!((machine.score, machine.flags), (Some(40_000), 1));
    assert_eq!(machine.losses, [loss("notice", 50_000), loss("promise", 10_000)]);
    assert_eq!(machine.dimensions["compliance"], 500);
    let reviewed = CallSummary::from_record(&record(&[
        ("greeting", Decision::Overturn),
        ("notice", Decision::Overturn),
        ("promise", Decision::Overturn),
    ]));
    assert_eq!((reviewed.score, reviewed.flags), (Some(50_000), 0));
    // The overturned greeting took 40,000 (the limit held the rest): its own row says so.
    assert_eq!(reviewed.losses, [loss("greeting", 40_000)]);
    assert_eq!(reviewed.model_hash, "");
}
