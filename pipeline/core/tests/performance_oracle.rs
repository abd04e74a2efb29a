//! The statistics of the performance tables against numpy and statsmodels (tests/oracles/performance_oracle.py).

use std::collections::BTreeMap;

use callmark_core::performance::adjustment::adjust;
use callmark_core::performance::gaming::{Contrast, Edge};
use callmark_core::performance::sums::{Cells, Stratum};
use callmark_core::performance::{BeforeAfter, coaching_effect};
use callmark_core::statistics::{Group, Moments, Z95, empirical_bayes_pools};
use serde_json::Value;

fn cases(name: &str) -> Vec<Value> {
    let oracle: Value = serde_json::from_str(include_str!("../../../tests/oracles/performance.json")).unwrap();
    oracle[name].as_array().unwrap().clone()
}

fn float(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn integers(value: &Value) -> Vec<i64> {
    value.as_array().unwrap().iter().map(|x| x.as_i64().unwrap()).collect()
}

/// Equal to 1e-6 of the larger of the value and `scale`.
fn close(got: f64, expected: &Value, scale: f64) {
    let expected = float(expected);
    assert!((got - expected).abs() <= 1e-6 * expected.abs().max(scale), "got {got}, expected {expected}");
}

#[test]
fn adjustment_is_least_squares_on_dummies() {
    for case in cases("adjustment") {
        let mut cells: BTreeMap<(i64, i64), Moments> = BTreeMap::new();
        for value in case["values"].as_array().unwrap() {
            let value = integers(value);
            cells.entry((value[0], value[1])).or_default().add(value[2]);
        }
        let fit = adjust(cells.iter().map(|((unit, stratum), moments)| (*unit, stratum, moments)));
        close(fit.within_variance.unwrap(), &case["within"], 0.0);
        let mut squares = 0.0;
        for (unit, expected) in fit.units.values().zip(case["units"].as_array().unwrap()) {
            assert_eq!(unit.n, expected["n"].as_u64().unwrap());
            close(unit.mean, &expected["mean"], 0.0);
            close(unit.effective_n, &expected["effective_n"], 0.0);
            squares += unit.squared_deviations;
        }
        // Pooled over units as if there were no strata, the variance within is still unbiased.
        let freedom: u64 = fit.units.values().map(|unit| unit.n - 1).sum();
        close(squares / freedom as f64, &case["within"], 0.0);
        for (stratum, expected) in fit.effects.keys().zip(case["effects"].as_array().unwrap()) {
            let (effect, variance) = fit.effect(stratum).unwrap();
            close(effect, &expected["effect"], 1_000.0);
            close(variance, &expected["variance"], 0.0);
        }
        let last = fit.units.len() as i64 / 2 - 1;
        let (mean, variance) = fit.combination([(&0, 0.25), (&last, 0.75), (&1, -1.0)]).unwrap();
        close(mean, &case["combination"]["mean"], 1_000.0);
        close(variance, &case["combination"]["variance"], 0.0);
    }
}

#[test]
fn shrinkage_in_teams_is_that_of_an_independent_program() {
    for case in cases("pools") {
        let group = |group: &Value| {
            let moments: Moments = integers(&group[0]).into_iter().collect();
            (Group::of(&moments).unwrap(), float(&group[1]))
        };
        let pools: Vec<Vec<(Group, f64)>> = case["pools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pool| pool.as_array().unwrap().iter().map(group).collect())
            .collect();
        let fits = empirical_bayes_pools(&pools).unwrap();
        for (fit, expected) in fits.iter().zip(case["expected"].as_array().unwrap()) {
            close(fit.within_variance, &case["within"], 0.0);
            close(fit.between_variance, &case["between"], 1e5);
            close(fit.mean, &expected["mean"], 0.0);
            for (i, posterior) in fit.groups.iter().enumerate() {
                close(posterior.mean, &expected["means"][i], 0.0);
                close(posterior.sd, &expected["sds"][i], 0.0);
                assert!((posterior.interval.high - posterior.mean - Z95 * posterior.sd).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn densities_around_an_edge_are_those_of_statsmodels() {
    for case in cases("heaps") {
        let histogram = case["histogram"].as_array().unwrap().iter().map(|bin| {
            let bin = integers(bin);
            (bin[0], bin[1].unsigned_abs())
        });
        let edge = Edge {
            bin: case["edge"].as_i64().unwrap(),
            pays_above: case["pays_above"].as_bool().unwrap(),
            window: case["window"].as_i64().unwrap(),
            reach: case["reach"].as_i64().unwrap(),
        };
        let (contrast, expected) = (Contrast::of(&histogram.collect(), edge).unwrap(), &case["expected"]);
        assert_eq!(contrast.inside, expected["inside"].as_u64().unwrap());
        assert_eq!(contrast.outside, expected["outside"].as_u64().unwrap());
        close(contrast.log_expected, &expected["log_expected"], 0.1);
        close(contrast.log_excess, &expected["log_excess"], 0.1);
        close(contrast.expected_variance, &expected["expected_variance"], 0.0);
    }
}

#[test]
fn effects_of_coaching_are_those_of_an_independent_program() {
    for case in cases("coaching") {
        let cells = |values: &Value| Cells::from([(Stratum::default(), integers(values).into_iter().collect())]);
        let people = |name: &str| -> Vec<BeforeAfter> {
            let people = case[name].as_array().unwrap().iter();
            people.map(|person| BeforeAfter { before: cells(&person[0]), after: cells(&person[1]) }).collect()
        };
        let others: Vec<Cells> = case["others"].as_array().unwrap().iter().map(cells).collect();
        let found = coaching_effect(&people("coached"), &people("control"), &others, 3_000).unwrap();
        let expected = &case["expected"];
        // Whole millipoints.
        let same =
            |got: i64, expected: f64| assert!((got as f64 - expected).abs() < 0.51, "{got}, expected {expected}");
        same(found.raw_change, float(&expected["raw"]));
        same(found.regression_to_mean.unwrap(), float(&expected["regression"]));
        same(found.control_change.unwrap_or(0), float(&expected["control"]));
        let (effect, error) = (float(&expected["effect"]), float(&expected["error"]));
        same(found.effect, effect);
        same(found.low, effect - Z95 * error);
        same(found.high, effect + Z95 * error);
        same(found.smallest_detectable, (Z95 + 0.841_621_233_572_914_2) * error);
    }
}
