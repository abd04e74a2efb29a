//! What speaks against scores, on quarters whose truth is known.

#[allow(dead_code)]
mod generated_quarter;

use std::collections::BTreeMap;

use callmark_core::performance::{CallSummary, group_gaps, inflation, language_gap, pass_line_heaps, recognition_gap};
use callmark_core::record::Outcome;
use callmark_core::recording::Language;
use callmark_core::statistics::SplitMix64;
use generated_quarter::{Quarter, rep_name};

const MOOD: &str = "sentiment_last_quarter_milli";

fn quarter(seed: u64) -> Vec<CallSummary> {
    Quarter { reps: 20, calls_per_rep: 60, seed, ..Quarter::default() }.generate().calls
}

/// Adds to scores and moods of the second half of a quarter.
fn drift(calls: &mut [CallSummary], score: i64, mood: i64, seed: u64) {
    let mut random = SplitMix64::new(seed);
    for call in calls {
        let later = call.start_ts.as_deref().is_some_and(|start| start >= "2025-02-15");
        call.score = call.score.map(|points| if later { (points + score).min(100_000) } else { points });
        let mood = if later { mood } else { 0 } + (800.0 * random.normal()) as i64;
        call.metrics.insert(MOOD.to_string(), mood.clamp(-5_000, 5_000));
    }
}

/// Quarters of twenty in which inflation is said.
fn inflated(score: i64, mood: i64) -> usize {
    let says = |seed: u64| {
        let mut calls = quarter(seed);
        drift(&mut calls, score, mood, seed);
        inflation(&calls).is_some()
    };
    (1..=20).filter(|seed| says(*seed)).count()
}

#[test]
fn scores_that_rise_alone_are_inflation() {
    // Missed where the moods rise by chance, one time in forty.
    assert!(inflated(4_000, 0) >= 18, "{}", inflated(4_000, 0));
    // Both rise: customers have something of it.
    assert_eq!(inflated(4_000, 600), 0);
    // Nothing rises: said in one of forty by chance.
    assert!(inflated(0, 0) <= 3, "{}", inflated(0, 0));
    assert_eq!(inflated(-4_000, 0), 0);
}

#[test]
fn without_mood_or_with_few_reps_nothing_is_said() {
    assert_eq!(inflation(&quarter(1)), None);
    let mut calls = quarter(1);
    drift(&mut calls, 4_000, 0, 1);
    let known = [rep_name(0), rep_name(1), rep_name(2)];
    calls.retain(|call| call.rep_id.as_ref().is_some_and(|rep| known.contains(rep)));
    assert_eq!(inflation(&calls), None);
    assert_eq!(inflation(&[]), None);
}

#[test]
fn scores_that_follow_recognition_are_noticed() {
    let (mut said, mut covered) = (0, 0);
    for seed in 1..=20 {
        let mut calls = quarter(seed);
        let mut random = SplitMix64::new(seed);
        let confidence: Vec<u16> = calls.iter().map(|_| 600 + random.below(400) as u16).collect();
        said += usize::from(recognition_gap(calls.iter().zip(confidence.iter().copied())).is_some());
        for (call, confidence) in calls.iter_mut().zip(&confidence) {
            call.score = call.score.map(|score| (score + (i64::from(*confidence) - 800) * 30).clamp(0, 100_000));
        }
        let gap = recognition_gap(calls.iter().zip(confidence)).unwrap();
        // Halves of 600…1000 per mille are 200 apart.
        covered += usize::from((gap.low..=gap.high).contains(&6_000));
        assert!(gap.low > 2_000, "{gap:?}");
    }
    assert!(covered >= 17, "{covered}");
    // One of twenty by chance.
    assert!(said <= 4, "{said}");
}

/// Names of those who heap, where the scorecard of the quarter has its pass line.
fn heaps(calls: &[CallSummary], pass_points: u32) -> Vec<String> {
    let lines = BTreeMap::from([("ab", pass_points)]);
    pass_line_heaps(calls, &lines).into_iter().map(|found| found.heap.rep_id).collect()
}

#[test]
fn who_heaps_scores_at_the_pass_line_is_named() {
    let made = Quarter { gamers: vec![3], ..Quarter::default() }.generate();
    let mut calls = made.calls;
    assert!(heaps(&calls, 85).contains(&rep_name(3)));
    // Of all who are named one in twenty is by chance.
    assert!(heaps(&calls, 85).len() <= 3, "{:?}", heaps(&calls, 85));
    // In two teams, it is still one rep; and calls of nobody are not a rep's.
    for (n, call) in calls.iter_mut().enumerate() {
        call.team = Some(["a", "b"][n % 2].to_string());
    }
    assert!(heaps(&calls, 85).contains(&rep_name(3)));
    for call in calls.iter_mut().filter(|call| call.rep_id == Some(rep_name(3))) {
        call.rep_id = None;
    }
    assert!(!heaps(&calls, 85).contains(&"unassigned".to_string()));
}

#[test]
fn the_pass_line_is_that_of_the_scorecard_that_scored_the_calls() {
    // Everything ten points lower: the gamer works towards a line of 75 points.
    let made = Quarter { gamers: vec![3], calls_per_rep: 400, ..Quarter::default() }.generate();
    let mut calls = made.calls;
    calls.iter_mut().for_each(|call| call.score = call.score.map(|score| (score - 10_000).max(0)));
    assert!(heaps(&calls, 75).contains(&rep_name(3)));
    assert!(!heaps(&calls, 85).contains(&rep_name(3)));
    // Nobody knows where the line of another scorecard lay.
    assert_eq!(pass_line_heaps(&calls, &BTreeMap::from([("cd", 75)])), []);
    // Half of the calls by a scorecard with another line: each heap is looked for at its own, and says at which.
    for call in calls.iter_mut().step_by(2) {
        call.scorecard = "support".to_string();
        call.scorecard_hash = "ef".to_string();
        call.score = call.score.map(|score| (score + 15_000).min(100_000));
    }
    let found = pass_line_heaps(&calls, &BTreeMap::from([("ab", 75), ("ef", 90)]));
    let own: Vec<(&str, u32)> = found
        .iter()
        .filter(|found| found.heap.rep_id == rep_name(3))
        .map(|found| (found.scorecard.as_str(), found.pass_points))
        .collect();
    assert_eq!(own, [("support", 90), ("telesales", 75)]);
}

/// Calls of reps with these mean scores, five each, two points around them.
fn calls_of(reps: &[(&str, i64)]) -> Vec<CallSummary> {
    let template = quarter(1).remove(0);
    let scores = |mean: i64| [mean - 2_000, mean - 1_000, mean, mean + 1_000, mean + 2_000];
    let call = |rep: &str, score| CallSummary { rep_id: Some(rep.into()), score: Some(score), ..template.clone() };
    reps.iter().flat_map(|(rep, mean)| scores(*mean).map(|score| call(rep, score))).collect()
}

const THREE_GROUPS: [(&str, i64); 14] = [
    ("a1", 60_000),
    ("a2", 64_000),
    ("a3", 66_000),
    ("a4", 71_000),
    ("b1", 70_000),
    ("b2", 71_500),
    ("b3", 78_000),
    ("b4", 80_000),
    ("b5", 81_000),
    ("c1", 66_000),
    ("c2", 68_000),
    ("c3", 70_000),
    ("c4", 74_000),
    // Nobody named a group for him or her.
    ("x1", 10_000),
];

/// The group of a rep of [`THREE_GROUPS`] by the first letter.
fn letters() -> BTreeMap<&'static str, &'static str> {
    THREE_GROUPS.iter().map(|(rep, _)| (*rep, &rep[..1])).filter(|(_, group)| *group != "x").collect()
}

#[test]
fn the_gap_between_groups_is_welchs_over_reps_for_all_pairs_together() {
    let gaps = group_gaps(&calls_of(&THREE_GROUPS), &letters()).unwrap();
    // scipy: ttest_ind(b, a, equal_var=False), confidence_interval(1 - 0.05 / 3); p = 0.012, against 0.053 and 0.19 of the other pairs.
    assert_eq!((gaps.score.first.as_str(), gaps.score.second.as_str()), ("a", "b"));
    assert_eq!((gaps.score.first_reps, gaps.score.second_reps, gaps.score.comparisons), (4, 5, 3));
    assert_eq!((gaps.score.mean, gaps.score.low, gaps.score.high), (10_850, 741, 20_959));
    assert!(gaps.score.beyond_chance);
    // Every rep misses the same: nothing to say about requirements.
    assert_eq!(gaps.requirement, None);
}

#[test]
fn small_groups_are_neither_compared_nor_named() {
    let without = |rep: &str| -> BTreeMap<&str, &str> { letters().into_iter().filter(|(id, _)| *id != rep).collect() };
    let gaps = group_gaps(&calls_of(&THREE_GROUPS), &without("a1")).unwrap();
    assert_eq!((gaps.score.first.as_str(), gaps.score.second.as_str(), gaps.score.comparisons), ("b", "c", 1));
    let one_group: BTreeMap<&str, &str> = letters().into_iter().filter(|(_, group)| *group == "b").collect();
    assert_eq!(group_gaps(&calls_of(&THREE_GROUPS), &one_group), None);
    assert_eq!(group_gaps(&calls_of(&THREE_GROUPS), &BTreeMap::new()), None);
    // Four calls say too little about a rep.
    let mut calls = calls_of(&THREE_GROUPS);
    let first = calls.iter().position(|call| call.rep_id.as_deref() == Some("a1")).unwrap();
    calls.remove(first);
    assert_eq!(group_gaps(&calls, &letters()).unwrap().score.comparisons, 1);
}

/// Of forty quarters without a gap and forty with one: in how many a gap of scores, and one of a requirement, is beyond chance.
fn gaps_beyond_chance(points: i64, more_misses: usize) -> (usize, usize) {
    let names: Vec<String> = (0..20).map(rep_name).collect();
    let of: BTreeMap<&str, &str> =
        names.iter().enumerate().map(|(n, rep)| (rep.as_str(), ["evening", "morning"][n % 2])).collect();
    let (mut scores, mut requirements) = (0, 0);
    for seed in 1..=40 {
        let mut calls = quarter(seed);
        let mut random = SplitMix64::new(seed);
        for call in calls.iter_mut().filter(|call| of[call.rep_id.as_deref().unwrap()] == "evening") {
            call.score = call.score.map(|score| (score + points).clamp(0, 100_000));
            if random.below(100) < more_misses {
                let met = call.results.get_mut(&Outcome::Met).unwrap();
                met.retain(|id| id != "greeting");
                call.results.entry(Outcome::Missed).or_default().push("greeting".to_string());
            }
        }
        let gaps = group_gaps(&calls, &of).unwrap();
        scores += usize::from(gaps.score.beyond_chance);
        requirements +=
            usize::from(gaps.requirement.is_some_and(|found| found.requirement_id == "greeting" && found.gap.mean > 0));
    }
    (scores, requirements)
}

#[test]
fn gaps_that_were_planted_are_found_and_others_seldom_said() {
    // One in twenty by chance; greetings are never missed where nothing is planted, so that nothing says how sure a gap is.
    let (scores, requirements) = gaps_beyond_chance(0, 0);
    assert!(scores <= 5, "{scores}");
    assert_eq!(requirements, 0);
    let (scores, requirements) = gaps_beyond_chance(-8_000, 30);
    assert!(scores >= 36, "{scores}");
    assert_eq!(requirements, 40);
}

#[test]
fn scores_that_follow_the_customers_language_are_noticed() {
    let (mut said, mut covered) = (0, 0);
    for seed in 1..=20 {
        let mut calls = quarter(seed);
        let mut random = SplitMix64::new(seed);
        let languages: Vec<Language> =
            calls.iter().map(|_| if random.below(2) == 0 { Language::En } else { Language::Zh }).collect();
        said += usize::from(language_gap(calls.iter().zip(languages.iter().copied())).is_some());
        for (call, _) in calls.iter_mut().zip(&languages).filter(|(_, language)| **language == Language::Zh) {
            call.score = call.score.map(|score| (score - 5_000).max(0));
        }
        let gap = language_gap(calls.iter().zip(languages)).unwrap();
        covered += usize::from((gap.low..=gap.high).contains(&-5_000));
    }
    assert!(covered >= 17, "{covered}");
    assert!(said <= 4, "{said}");
}
