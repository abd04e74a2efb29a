//! Coaching plans: their stages, what a re-check compares, and that a useless coaching opens the diagnosis again.

#[path = "generated_quarter/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod generated_quarter;

use std::collections::BTreeMap;

use callmark_core::performance::{CoachingEvent, CoachingPlan, CoachingVerdict, Loss, Stage, Target};
use generated_quarter::{Quarter, rep_name};
use jiff::civil::{Date, date};

fn planned(day: Date, rep: &str) -> CoachingEvent {
    CoachingEvent::Planned {
        day,
        rep_id: rep.into(),
        target: Target::Score,
        control: vec![],
        by: "kim".into(),
        note: String::new(),
    }
}

fn moved(day: Date, stage: Stage) -> CoachingEvent {
    CoachingEvent::Moved { day, stage, by: "kim".into(), note: "talked".into() }
}

fn plan(events: &[CoachingEvent]) -> CoachingPlan {
    let events: Vec<(String, CoachingEvent)> = events.iter().map(|event| ("K1".to_string(), event.clone())).collect();
    CoachingPlan::all(&events).unwrap().remove(0)
}

#[test]
fn events_move_a_plan() {
    let day = date(2025, 2, 3);
    let mut events = vec![planned(day, "ann")];
    assert_eq!((plan(&events).stage, plan(&events).since), (Stage::Warning, day));
    events.push(moved(date(2025, 2, 10), Stage::Training));
    events.push(moved(date(2025, 2, 14), Stage::AccompaniedCalls));
    let now = plan(&events);
    assert_eq!((now.stage, now.coached_from()), (Stage::AccompaniedCalls, date(2025, 2, 10)));
    assert_eq!(now.recheck_due(), Some(date(2025, 3, 14)));
    let windows = now.windows(28, date(2025, 3, 20)).unwrap();
    assert_eq!(windows.before, (date(2025, 1, 13), date(2025, 2, 9)));
    assert_eq!(windows.after, (date(2025, 2, 15), date(2025, 3, 20)));
    assert_eq!(now.windows(28, date(2025, 2, 14)), None, "nothing lies after the last step yet");
    let checked =
        |verdict| CoachingEvent::Checked { day: date(2025, 3, 20), windows, verdict, effect: 0, low: -1, high: 1 };
    events.push(checked(CoachingVerdict::NoEvidenceYet));
    assert_eq!(plan(&events).stage, Stage::Recheck);
    events.push(checked(CoachingVerdict::DidNotHelp));
    assert_eq!((plan(&events).stage, plan(&events).failed_checks), (Stage::Diagnosis, 1));
    events.push(moved(date(2025, 3, 21), Stage::Closed));
    assert!(!plan(&events).is_open());
    events.push(checked(CoachingVerdict::Helped));
    assert_eq!(plan(&events).stage, Stage::Closed, "a later look does not open it again");
    events.push(checked(CoachingVerdict::DidNotHelp));
    assert_eq!(plan(&events).stage, Stage::Diagnosis, "unless it did not help");
    let alone = [("K9".to_string(), moved(day, Stage::Training))];
    assert_eq!(CoachingPlan::all(&alone), Err("K9".to_string()), "nothing was planned");
}

/// The generator's coaching begins in the middle of the quarter, on 17 February: it is found for the rep who had it, and not for one who had none.
#[test]
fn a_real_effect_is_found_and_a_placebo_is_not() {
    let (real, placebo) = (3, 8);
    let generated = Quarter { coached: BTreeMap::from([(real, 8_000.0)]), ..Quarter::default() }.generate();
    let check = |rep: usize| {
        let plan = plan(&[planned(date(2025, 2, 17), &rep_name(rep))]);
        let windows = plan.windows(45, date(2025, 3, 31)).unwrap();
        plan.check(&generated.calls, &windows, &[rep_name(real), rep_name(placebo)], plan.target.worthwhile()).unwrap()
    };
    let (found, none) = (check(real), check(placebo));
    assert_eq!(found.verdict, CoachingVerdict::Helped, "{found:?}");
    assert!((found.low..=found.high).contains(&8_000), "{found:?}");
    assert_ne!(none.verdict, CoachingVerdict::Helped, "{none:?}");
    assert!(none.low < 0, "{none:?}");
}

#[test]
fn targets_have_their_units() {
    let generated = Quarter { reps: 1, calls_per_rep: 20, ..Quarter::default() }.generate();
    let call = &generated.calls[0];
    let met = Target::Requirement("greeting".into());
    let step = Target::Requirement("next_step".into());
    assert_eq!((Target::Score.value(call), met.value(call)), (call.score, Some(1000)));
    assert_eq!(step.value(call), Some(if call.losses.is_empty() { 1000 } else { 0 }));
    assert_eq!(Target::Dimension("discovery".into()).value(call), Some(i64::from(call.dimensions["discovery"])));
    assert_eq!(Target::Dimension("none".into()).value(call), None);
    // A metric gives part of its points: what is lost on it.
    let mut measured = call.clone();
    measured.metrics.insert("pace_rep_en".into(), 200);
    let pace = Target::Metric("pace_rep_en".into());
    assert_eq!((pace.value(call), pace.value(&measured)), (None, Some(0)));
    measured.losses.push(Loss { requirement_id: "pace_rep_en".into(), millipoints: 1_250 });
    assert_eq!(pace.value(&measured), Some(-1_250));
}
