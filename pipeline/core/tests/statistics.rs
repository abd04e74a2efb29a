//! Statistics against numpy and scipy (tests/oracles), and the coverage of the rep intervals by simulation.

use callmark_core::statistics::{
    Group, Moments, SplitMix64, Welch, Z95, benjamini_hochberg, bootstrap_difference, bootstrap_mean, empirical_bayes,
    normal_cdf, normal_quantile, student_upper_tail, wilson,
};
use serde_json::Value;

fn oracle() -> Value {
    serde_json::from_str(include_str!("../../../tests/oracles/statistics.json")).unwrap()
}

fn cases<'a>(oracle: &'a Value, name: &str) -> &'a Vec<Value> {
    oracle[name].as_array().unwrap()
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn close(got: f64, expected: &Value, tolerance: f64) {
    let expected = expected.as_f64().unwrap();
    assert!((got - expected).abs() <= tolerance * expected.abs().max(1e-300) + 1e-14, "got {got}, expected {expected}");
}

#[test]
fn wilson_intervals_are_those_of_scipy() {
    for case in cases(&oracle(), "wilson") {
        let interval = wilson(case["successes"].as_u64().unwrap(), case["n"].as_u64().unwrap(), Z95).unwrap();
        close(interval.low, &case["low"], 1e-9);
        close(interval.high, &case["high"], 1e-9);
    }
    assert_eq!(wilson(0, 0, Z95), None);
    assert_eq!(wilson(2, 1, Z95), None);
}

#[test]
fn the_normal_distribution_is_that_of_scipy() {
    for case in cases(&oracle(), "normal") {
        close(normal_cdf(case["x"].as_f64().unwrap()), &case["cdf"], 1e-12);
    }
    for case in cases(&oracle(), "quantile") {
        close(normal_quantile(case["p"].as_f64().unwrap()), &case["x"], 1e-9);
    }
    assert!((normal_quantile(0.975) - Z95).abs() < 1e-12);
    assert!(normal_quantile(-0.1).is_nan() && normal_quantile(1.0) == f64::INFINITY);
}

#[test]
fn moments_are_exact_and_merge() {
    for case in cases(&oracle(), "moments") {
        let values: Vec<i64> = case["values"].as_array().unwrap().iter().map(|v| v.as_i64().unwrap()).collect();
        let moments: Moments = values.iter().copied().collect();
        close(moments.mean().unwrap(), &case["mean"], 1e-13);
        close(moments.variance().unwrap(), &case["variance"], 1e-13);
        let (left, right) = values.split_at(values.len() / 3);
        let mut merged: Moments = left.iter().copied().collect();
        merged.merge(&right.iter().copied().collect());
        assert_eq!(merged, moments);
    }
    assert_eq!(Moments::default().mean(), None);
    assert_eq!([5].into_iter().collect::<Moments>().variance(), None);
}

#[test]
fn false_discoveries_are_those_of_scipy() {
    for case in cases(&oracle(), "benjamini_hochberg") {
        for (got, expected) in benjamini_hochberg(&floats(&case["p"])).iter().zip(case["adjusted"].as_array().unwrap())
        {
            close(*got, expected, 1e-12);
        }
    }
    assert!(benjamini_hochberg(&[]).is_empty());
}

#[test]
fn the_difference_of_two_groups_is_that_of_scipy() {
    let oracle = oracle();
    for case in cases(&oracle, "student") {
        let tail = student_upper_tail(case["t"].as_f64().unwrap(), case["freedom"].as_f64().unwrap());
        close(tail, &case["tail"], 1e-9);
    }
    for case in cases(&oracle, "welch") {
        let group = |name: &str| floats(&case[name]).iter().map(|x| *x as i64).collect::<Moments>();
        let test = Welch::of(&group("first"), &group("second")).unwrap();
        close(test.freedom, &case["freedom"], 1e-9);
        close(test.p(), &case["p"], 1e-9);
        for (miss, expected) in [(0.05, &case["interval"]), (0.05 / 5.0, &case["of_five"])] {
            let interval = test.interval(miss);
            close(interval.low, &expected[0], 1e-9);
            close(interval.high, &expected[1], 1e-9);
        }
    }
    let (one, same) = ([5].into_iter().collect::<Moments>(), [5, 5, 5].into_iter().collect::<Moments>());
    assert_eq!(Welch::of(&one, &same), None);
    assert_eq!(Welch::of(&same, &[9, 9].into_iter().collect()), None);
}

#[test]
fn shrinkage_is_that_of_an_independent_program() {
    for case in cases(&oracle(), "empirical_bayes") {
        let groups: Vec<Group> = case["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| {
                let values = group.as_array().unwrap().iter().map(|v| v.as_i64().unwrap());
                Group::of(&values.collect()).unwrap()
            })
            .collect();
        let fit = empirical_bayes(&groups).unwrap();
        let expected = &case["expected"];
        close(fit.mean, &expected["mean"], 1e-9);
        close(fit.within_variance, &expected["within"], 1e-9);
        close(fit.between_variance, &expected["between"], 1e-7);
        for (got, expected) in fit.groups.iter().zip(expected["groups"].as_array().unwrap()) {
            close(got.mean, &expected["mean"], 1e-8);
            close(got.sd, &expected["sd"], 1e-7);
            close(got.reliability, &expected["reliability"], 1e-7);
        }
    }
}

#[test]
fn bootstrap_agrees_with_scipy_within_resampling_error() {
    for case in cases(&oracle(), "bootstrap") {
        let (before, after) = (floats(&case["before"]), floats(&case["after"]));
        let mean = bootstrap_mean(&before, 20_000, 5).unwrap();
        let difference = bootstrap_difference(&before, &after, 20_000, 5).unwrap();
        for (interval, expected) in [(mean, &case["mean"]), (difference, &case["difference"])] {
            let expected = floats(expected);
            // Two independent runs of 20,000: ends agree within a fortieth of the width.
            let tolerance = (expected[1] - expected[0]) / 40.0;
            assert!((interval.low - expected[0]).abs() < tolerance, "{interval:?} {expected:?}");
            assert!((interval.high - expected[1]).abs() < tolerance, "{interval:?} {expected:?}");
        }
        assert_eq!(bootstrap_mean(&before, 50, 5), bootstrap_mean(&before, 50, 5), "seeded");
    }
    assert_eq!(bootstrap_mean(&[], 10, 1), None);
    assert_eq!(bootstrap_difference(&[1.0], &[2.0], 0, 1), None);
}

#[test]
fn too_little_data_is_not_shrunk() {
    let group = |n, mean| Group { n, mean, squared_deviations: 10.0 };
    assert_eq!(empirical_bayes(&[group(5, 1.0), group(5, 2.0), group(5, 3.0)]), None);
    assert_eq!(empirical_bayes(&[group(1, 1.0), group(1, 2.0), group(1, 3.0), group(1, 4.0)]), None);
    let constant = |mean| Group { n: 3, mean, squared_deviations: 0.0 };
    let equal = [constant(1.0), constant(2.0), constant(3.0), constant(4.0)];
    assert_eq!(empirical_bayes(&equal), None, "equal values do not say how much the next one differs");
}

#[test]
fn random_numbers_are_the_published_ones_and_normal_enough() {
    // First outputs of SplitMix64 for seed 1234567 (reference implementation by S. Vigna).
    let mut random = SplitMix64::new(1_234_567);
    assert_eq!([random.bits(), random.bits()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    let draws: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
    let mean = draws.iter().sum::<f64>() / 20_000.0;
    let variance = draws.iter().map(|x| x * x).sum::<f64>() / 20_000.0;
    assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    assert!((0..1000).all(|_| random.below(7) < 7));
}

/// Share of true rep means inside their 95 % interval: 20 reps, true SD 3, per-call SD 12 (SCORING.md's example).
fn coverage(calls: u64, between: f64, teams: usize) -> f64 {
    let mut random = SplitMix64::new(99);
    let (mut inside, mut all) = (0, 0);
    for _ in 0..teams {
        let truth: Vec<f64> = (0..20).map(|_| 70_000.0 + between * random.normal()).collect();
        let groups: Vec<Group> = truth
            .iter()
            .map(|theta| {
                let scores: Moments = (0..calls).map(|_| (theta + 12_000.0 * random.normal()).round() as i64).collect();
                Group::of(&scores).unwrap()
            })
            .collect();
        let fit = empirical_bayes(&groups).unwrap();
        for (theta, posterior) in truth.iter().zip(&fit.groups) {
            inside += usize::from(posterior.interval.low <= *theta && *theta <= posterior.interval.high);
            all += 1;
        }
    }
    inside as f64 / all as f64
}

#[test]
fn intervals_of_reps_cover_what_they_promise() {
    for calls in [5, 20, 200] {
        let covered = coverage(calls, 3_000.0, 1_000);
        assert!((0.92..=0.98).contains(&covered), "n = {calls}: {covered}");
    }
}
