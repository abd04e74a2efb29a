//! A generated quarter with known truth: the tables find what was planted and nothing else, and do not depend on how the
//! sums came together.

// `--nocapture` shows the figures.
#![allow(clippy::print_stdout)]

mod generated_quarter;

use std::collections::BTreeMap;

use callmark_core::performance::additive::Additive;
use callmark_core::performance::sums::{Cells, PeriodSums, RepSums, Rollup, Seat, Sums};
use callmark_core::performance::{
    BeforeAfter, CallSummary, CoachingVerdict, Design, PeriodKind, coaching_effect, dimension_rows, hour_rows,
    pass_line_heaps, rep_period, rep_rows, rep_table, requirement_rows, team_rows,
};
use generated_quarter::{Generated, PASS, Quarter, rep_name};

/// Half a verdict band: the smallest effect worth having.
const WORTHWHILE: i64 = 3_000;
const COACHED: usize = 7;
const GAMER: usize = 23;

fn planted(seed: u64) -> Generated {
    let coached = BTreeMap::from([(COACHED, 8_000.0)]);
    Quarter { coached, gamers: vec![GAMER], dip: Some((5, 16, -9_000.0)), seed, ..Quarter::default() }.generate()
}

fn quarter(sums: &Sums) -> &PeriodSums {
    sums.periods(PeriodKind::Quarter).next().unwrap().1
}

fn of_rep(sums: &PeriodSums, rep: usize) -> &RepSums {
    let found = sums.0.iter().find(|(seat, _)| seat.rep_id == rep_name(rep));
    found.map(|(_, sums)| sums).unwrap()
}

/// Scores of the first and second half of the quarter.
fn halves(calls: &[CallSummary]) -> BTreeMap<String, BeforeAfter> {
    let cut = "2025-02-20";
    let scores = |after: bool| {
        let chosen = calls.iter().filter(|call| (call.start_ts.as_deref().unwrap() >= cut) == after);
        Sums::of_kinds(chosen, &[PeriodKind::All])
    };
    let (before, after) = (scores(false), scores(true));
    let cells = |sums: &Sums, seat: &Seat| -> Cells {
        sums.periods(PeriodKind::All).next().unwrap().1.0.get(seat).map(|rep| rep.scores.clone()).unwrap_or_default()
    };
    let seats = before.periods(PeriodKind::All).next().unwrap().1.0.keys();
    let both = |seat| BeforeAfter { before: cells(&before, seat), after: cells(&after, seat) };
    seats.map(|seat| (seat.rep_id.clone(), both(seat))).collect()
}

#[test]
fn what_was_planted_is_found_and_nothing_else() {
    let (mut helped, mut placebo_helped, mut gamers, mut others_flagged, mut dips, mut false_dips) = (0, 0, 0, 0, 0, 0);
    const QUARTERS: u64 = 12;
    for seed in 0..QUARTERS {
        let made = planted(100 + seed);
        let sums = Sums::of_kinds(&made.calls, &[PeriodKind::Quarter]);
        let sums = quarter(&sums);

        for found in pass_line_heaps(&made.calls, &BTreeMap::from([("ab", (PASS / 1000) as u32)])) {
            *(if found.heap.rep_id == rep_name(GAMER) { &mut gamers } else { &mut others_flagged }) += 1;
        }
        for row in hour_rows(PeriodKind::Quarter, "2025-Q1", sums).iter().filter(|row| row.team.is_none() && row.dip) {
            *(if (row.weekday, row.hour) == (5, 16) { &mut dips } else { &mut false_dips }) += 1;
        }
        // The placebo: the rep with the worst first half is chosen, and nothing is done.
        let mut halves = halves(&made.calls);
        let coached = halves.remove(&rep_name(COACHED)).unwrap();
        let mean = |half: &BeforeAfter| callmark_core::performance::sums::total(&half.before).mean().unwrap();
        let worst = halves.iter().min_by(|a, b| mean(a.1).total_cmp(&mean(b.1))).map(|(rep, _)| rep.clone()).unwrap();
        let placebo = halves.remove(&worst).unwrap();
        let control: Vec<BeforeAfter> = halves.into_values().collect();
        let real = coaching_effect(&[coached], &control, &[], WORTHWHILE).unwrap();
        assert_eq!(real.design, Design::DifferenceInDifferences);
        helped += usize::from(real.verdict == CoachingVerdict::Helped);
        let placebo = coaching_effect(&[placebo], &control, &[], WORTHWHILE).unwrap();
        placebo_helped += usize::from(placebo.verdict == CoachingVerdict::Helped);
        assert!(placebo.regression_to_mean.unwrap() > 0, "the worst half is followed by a better one");
    }
    println!(
        "of {QUARTERS} quarters: coaching found {helped}, placebo called help {placebo_helped}, gamer {gamers}, \
         other reps {others_flagged}, dip {dips}, other hours {false_dips}"
    );
    assert!(helped >= 11, "coaching of 8 points: {helped} of {QUARTERS}");
    assert!(placebo_helped <= 1);
    assert!(gamers >= 11 && others_flagged <= 2, "{gamers} {others_flagged}");
    assert!(dips >= 11 && false_dips <= 3, "{dips} {false_dips}");
}

#[test]
fn sums_in_any_order_and_in_parts_are_the_same() {
    let made = planted(5);
    let all = Sums::of(&made.calls);
    // Backwards, by the rollup in parts, and as a batch on top of a store.
    assert_eq!(Sums::of(made.calls.iter().rev()), all);
    let mut parts = Sums::default();
    let mut rollup = Rollup::new(PeriodKind::ALL);
    let (odd, even): (Vec<_>, Vec<_>) = made.calls.iter().enumerate().partition(|(i, _)| i % 2 == 1);
    odd.iter().chain(&even).for_each(|(_, call)| parts.take_in(rollup.push(call)));
    parts.take_in(rollup.finish());
    assert_eq!(parts, all);
    let (stored, batch) = made.calls.split_at(9_000);
    let mut store = Sums::of(stored);
    store.include(&Sums::of(batch));
    assert_eq!(store, all);
    // A call is scored again: its old sums go, the new ones come; taken back, everything is as before.
    let old = &made.calls[77];
    let new = CallSummary { score: Some(12_345), ..old.clone() };
    store.take_away(&Sums::of([old])).unwrap();
    store.include(&Sums::of([&new]));
    assert_ne!(store, all);
    store.take_away(&Sums::of([&new])).unwrap();
    store.include(&Sums::of([old]));
    assert_eq!(store, all);
    store.take_away(&all).unwrap();
    assert_eq!(store, Sums::default());
    assert!(store.take_away(&Sums::of([old])).is_err(), "what is not there cannot go");
}

#[test]
fn stored_sums_are_read_back() {
    let made = planted(5);
    for sums in Sums::of(&made.calls[..500]).0.values() {
        for rep in sums.0.values() {
            let text = serde_json::to_string(rep).unwrap();
            assert_eq!(&serde_json::from_str::<RepSums>(&text).unwrap(), rep);
        }
    }
}

#[test]
fn tables_from_sums_are_those_from_calls() {
    let made = planted(5);
    let sums = Sums::of(&made.calls);
    for kind in [PeriodKind::Month, PeriodKind::Quarter, PeriodKind::All] {
        let mut from_calls = rep_period(&made.calls, kind);
        let named = from_calls.iter().flat_map(|row| &row.top3).find(|point| point.worst_calls.len() != 3);
        assert_eq!(named, None);
        from_calls.iter_mut().flat_map(|row| &mut row.top3).for_each(|point| point.worst_calls.clear());
        assert_eq!(rep_table(&sums, kind), from_calls);
    }
    // One period with the one before is enough.
    let months: Vec<_> = sums.periods(PeriodKind::Month).collect();
    let whole = rep_table(&sums, PeriodKind::Month);
    let last = rep_rows(PeriodKind::Month, "2025-03", months[2].1, &[("2025-02", months[1].1)]);
    assert_eq!(last, whole.into_iter().filter(|row| row.period == "2025-03").collect::<Vec<_>>());
}

#[test]
fn tables_say_what_is_true_of_the_quarter() {
    let made = planted(5);
    let sums = Sums::of(&made.calls);
    let now = quarter(&sums);
    let rows = rep_rows(PeriodKind::Quarter, "2025-Q1", now, &[]);
    let inside = rows.iter().enumerate().filter(|(i, row)| {
        let truth = made.skill[*i].round() as i64;
        row.low.unwrap() <= truth && truth <= row.high.unwrap()
    });
    // 47.5 of 50 are expected; the dip, the gamer and the coached rep shift a little.
    let inside = inside.count();
    assert!(inside >= 44, "{inside}");
    let point = &rows[0].top3[0];
    assert_eq!((point.requirement_id.as_str(), point.frequency_permille), ("next_step", 1000));
    assert!(point.to_win_millipoints.unwrap() > 1_000, "{point:?}");
    assert!(point.coachability_permille.unwrap() > 500);

    let requirements = requirement_rows(PeriodKind::Quarter, "2025-Q1", now);
    let row = requirements.iter().find(|row| row.requirement_id == "next_step" && row.team.is_none()).unwrap();
    assert_eq!((row.n, row.violations), (10_000, 0));
    let pass = row.pass.unwrap();
    assert!(pass.low_permille < 694 && 694 < pass.high_permille, "{pass:?}");
    assert_eq!(row.lost_millipoints, 5_000 * (10_000 - pass.part as i64));
    assert_eq!(requirements.iter().filter(|row| row.requirement_id == "next_step").count(), 6);

    let months: Vec<_> = sums.periods(PeriodKind::Month).rev().collect();
    let teams = team_rows(PeriodKind::Month, "2025-03", months[0].1, &months[1..]);
    assert_eq!(teams.len(), 5);
    for (i, team) in teams.iter().enumerate() {
        assert_eq!((team.team.as_deref(), team.reps), (Some(format!("team{i}").as_str()), 10));
        assert!(team.low.unwrap() < team.adjusted.unwrap() && team.adjusted.unwrap() < team.high.unwrap());
        assert_eq!(team.trend.as_ref().unwrap().previous_period, "2025-02");
        assert!(!team.trend.as_ref().unwrap().significant, "{team:?}");
        assert!((100..300).contains(&team.pass.unwrap().permille), "{:?}", team.pass);
    }
    let dimensions = dimension_rows(PeriodKind::Month, "2025-03", months[0].1, &months[1..]);
    assert_eq!(dimensions.len(), 50);
    let called: Vec<&str> = dimensions
        .iter()
        .filter(|row| row.trend.as_ref().unwrap().significant)
        .map(|row| row.rep_id.as_str())
        .collect();
    assert!(called.len() <= 1, "{called:?}");
    assert_eq!(of_rep(now, 0).n_counted(), 200);
}
