//! The telesales indicators: every figure against one computed by hand, and the rank correlation against scipy's.

mod scored_call;

use std::collections::BTreeMap;

use callmark_core::performance::{
    Activity, Benchmark, ConversionOf, Figure, INDICATORS, IndicatorKind, IndicatorRow, IndicatorSettings, Measure,
    PeriodKind, RepDimensionRow, RepRow, WeakStage, WeightProfile, association, indicator_rows, quality_and_conversion,
    rep_period, spearman, target_checks, team_indicators,
};
use scored_call::scored_call;

fn settings() -> IndicatorSettings {
    let benchmark = |zero_milli, full_milli, full_new_hire_milli, weight| Benchmark {
        zero_milli,
        full_milli,
        full_new_hire_milli,
        weight,
    };
    IndicatorSettings {
        profile: WeightProfile::Mature,
        team_profiles: BTreeMap::from([("flash".to_string(), WeightProfile::Sprint)]),
        days_per_week: 5,
        lead_cost_milli: 20_000,
        deal_margin_milli: 400_000,
        benchmarks: BTreeMap::from([
            (IndicatorKind::CallsPerDay, benchmark(0, 100_000, Some(80_000), 1)),
            (IndicatorKind::ConnectRate, benchmark(0, 200, None, 1)),
            (IndicatorKind::ComplaintsPer100, benchmark(4_000, 0, None, 2)),
            (IndicatorKind::RevenuePerCall, benchmark(0, 1_000, None, 0)),
        ]),
    }
}

fn activity(rep: &str, day: &str, measures: &[(Measure, i64)]) -> Activity {
    Activity {
        rep_id: rep.to_string(),
        day: day.parse().unwrap(),
        team: None,
        tenure_start: None,
        measures: measures.iter().copied().collect(),
    }
}

fn one(activities: &[Activity], kind: PeriodKind) -> IndicatorRow {
    let mut rows = indicator_rows(activities, &[], &[], kind, None, &settings());
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

fn value(row: &IndicatorRow, kind: IndicatorKind) -> Option<i64> {
    row.figures.get(&kind).map(|figure| figure.value_milli)
}

/// A working week of one rep in two sources.
fn week() -> Vec<Activity> {
    use Measure::*;
    vec![
        activity("a", "2025-02-17", &[(Dialled, 90), (Connected, 20), (Talk, 3_600_000), (Customers, 100)]),
        activity("a", "2025-02-18", &[(Dialled, 70), (Connected, 12), (Talk, 1_800_000), (Customers, 110)]),
        // A day of the sales system alone is no day with calls.
        activity("a", "2025-02-22", &[(Opportunities, 4), (Deals, 3), (Revenue, 1_600_000), (Leads, 60)]),
        activity("a", "2025-02-22", &[(Complaints, 1), (Repurchases, 1), (FirstContactResolved, 18), (Cases, 24)]),
    ]
}

#[test]
fn every_figure_is_the_one_computed_by_hand() {
    let row = one(&week(), PeriodKind::Week);
    assert_eq!((row.period.as_str(), row.days), ("2025-W08", 2));
    assert_eq!(value(&row, IndicatorKind::CallsPerDay), Some(80_000)); // 160 / 2
    // 32 of 160; the interval is scipy's binomtest(32, 160).proportion_ci(method="wilson").
    let connected = Figure { value_milli: 200, interval_milli: Some((145, 269)) };
    assert_eq!(row.figures[&IndicatorKind::ConnectRate], connected);
    assert_eq!(value(&row, IndicatorKind::TalkPerDay), Some(45_000)); // 90 minutes in two days
    assert_eq!(value(&row, IndicatorKind::OpportunitiesPerWeek), Some(10_000)); // 4 / 2 days × 5
    assert_eq!(value(&row, IndicatorKind::Conversion), Some(750)); // 3 of 4
    assert_eq!(row.conversion_of, ConversionOf::Opportunities);
    assert_eq!(value(&row, IndicatorKind::RevenuePerCall), Some(50_000)); // 1,600 / 32
    assert_eq!(value(&row, IndicatorKind::FirstContactResolution), Some(750)); // 18 of 24
    let complaints = row.figures[&IndicatorKind::ComplaintsPer100];
    // 1 of 32 calls; scipy: 0.00554 to 0.15744.
    assert_eq!((complaints.value_milli, complaints.interval_milli), (3_125, Some((554, 15_744))));
    assert_eq!(value(&row, IndicatorKind::RepurchaseRate), Some(333));
    assert_eq!(value(&row, IndicatorKind::CoverageGrowth), Some(100)); // 100 → 110
    // 80/100 → 80 points, 20 % → 100, 3.125 complaints between 4 and 0 → 21.875, twice; revenue weighs nothing.
    assert_eq!(row.points.values().copied().collect::<Vec<_>>(), [80_000, 100_000, 21_875]);
    assert_eq!(row.blend.outcome, Some(55_937));
    assert_eq!((row.blend.process, row.blend.blended, row.blend.outcome_weight_permille), (None, None, 400));
    // Leads pay from 20 / 400 = 5 % on; 3 of 60 are 5 %, and the interval holds both sides.
    let leads = row.leads.unwrap();
    assert_eq!((leads.break_even_ppm, leads.conversion.unwrap().permille, leads.pays), (50_000, 50, None));
}

#[test]
fn leads_pay_only_where_the_interval_says_so() {
    let pays = |deals: i64, leads: i64| {
        let rows = [activity("a", "2025-02-17", &[(Measure::Deals, deals), (Measure::Leads, leads)])];
        one(&rows, PeriodKind::All).leads.unwrap().pays
    };
    assert_eq!([pays(200, 1000), pays(10, 1000), pays(55, 1000)], [Some(true), Some(false), None]);
}

#[test]
fn conversion_falls_back_to_connected_calls_for_everybody_or_nobody() {
    let calls = [(Measure::Connected, 50), (Measure::Deals, 5)];
    let row = one(&[activity("a", "2025-02-17", &calls)], PeriodKind::All);
    assert_eq!((value(&row, IndicatorKind::Conversion), row.conversion_of), (Some(100), ConversionOf::Connected));
    let both = [activity("a", "2025-02-17", &calls), activity("b", "2025-02-17", &[(Measure::Opportunities, 9)])];
    let rows = indicator_rows(&both, &[], &[], PeriodKind::All, None, &settings());
    assert!(rows.iter().all(|row| row.conversion_of == ConversionOf::Opportunities), "{rows:?}");
    // Without a team mate's word it would be unknown; with it, b has made no deal, and a has no opportunity.
    assert_eq!(value(&rows[1], IndicatorKind::Conversion), Some(0));
    assert_eq!(value(&rows[0], IndicatorKind::Conversion), None);
    assert!(rows[0].warnings.iter().any(|warning| warning.contains("more deals than opportunities")), "{rows:?}");
}

#[test]
fn what_nobody_says_is_unknown_and_other_teams_say_nothing() {
    let with_team = |rep: &str, team: &str, measures: &[(Measure, i64)]| Activity {
        team: Some(team.to_string()),
        ..activity(rep, "2025-02-17", measures)
    };
    let rows = [
        with_team("a", "north", &[(Measure::Connected, 10), (Measure::Complaints, 1)]),
        with_team("b", "north", &[(Measure::Connected, 10)]),
        with_team("c", "south", &[(Measure::Connected, 10)]),
    ];
    let rows = indicator_rows(&rows, &[], &[], PeriodKind::Month, None, &settings());
    let complaints: Vec<_> = rows.iter().map(|row| value(row, IndicatorKind::ComplaintsPer100)).collect();
    assert_eq!(complaints, [Some(10_000), Some(0), None]);
    assert!(rows.iter().all(|row| value(row, IndicatorKind::CallsPerDay).is_none()));
}

#[test]
fn coverage_is_a_level_that_grows_from_the_period_before() {
    let levels = [("2025-01-30", 200), ("2025-02-03", 210), ("2025-02-27", 230), ("2025-03-05", 207)];
    let rows: Vec<Activity> = levels.map(|(day, n)| activity("a", day, &[(Measure::Customers, n)])).into();
    let growth: Vec<_> = indicator_rows(&rows, &[], &[], PeriodKind::Month, None, &settings())
        .iter()
        .map(|row| (row.totals[&Measure::Customers], value(row, IndicatorKind::CoverageGrowth)))
        .collect();
    // 230 / 200, then 207 / 230; January has nothing before it.
    assert_eq!(growth, [(200, None), (230, Some(150)), (207, Some(-100))]);
}

#[test]
fn tenure_and_profile_decide_how_much_the_outcome_weighs() {
    let weight = |team: Option<&str>, start: Option<&str>| {
        let mut row = activity("a", "2025-06-30", &[(Measure::Dialled, 80)]);
        row.team = team.map(str::to_string);
        row.tenure_start = start.map(|day| day.parse().unwrap());
        let row = one(&[row], PeriodKind::Quarter);
        (row.tenure_days, row.blend.outcome_weight_permille, row.points[&IndicatorKind::CallsPerDay])
    };
    assert_eq!(weight(None, None), (None, 400, 80_000));
    assert_eq!(weight(Some("flash"), None), (None, 650, 80_000));
    // In the first quarter: 80 calls a day are enough, and the outcome weighs nothing.
    assert_eq!(weight(None, Some("2025-06-01")), (Some(29), 0, 100_000));
    // 181 days: (181 − 91) / 91 of 650, rounded down.
    assert_eq!(weight(Some("flash"), Some("2024-12-31")), (Some(181), 642, 80_000));
}

/// Eight reps of 25 calls; the better ones sell more.
fn eight() -> (Vec<RepRow>, Vec<Activity>) {
    let mut calls = Vec::new();
    let mut activities = Vec::new();
    for rep in 0..8_i64 {
        for n in 0..25 {
            calls.push(scored_call(&format!("{rep}-{n}"), &format!("r{rep}"), 50_000 + 4_000 * rep + 700 * (n % 5)));
        }
        let measures = [(Measure::Connected, 100), (Measure::Opportunities, 20), (Measure::Deals, 2 + rep)];
        activities.push(activity(&format!("r{rep}"), "2025-02-19", &measures));
    }
    (rep_period(&calls, PeriodKind::All), activities)
}

/// A row of the dimension table: the rep's share with an interval of 40 ‰ around it, the team's beside it.
fn share(rep: &str, dimension: &str, permille: i64) -> RepDimensionRow {
    RepDimensionRow {
        rep_id: rep.to_string(),
        team: Some("north".to_string()),
        period_kind: PeriodKind::All,
        period: "all".to_string(),
        dimension: dimension.to_string(),
        n: 40,
        mean_permille: permille,
        shrunk_permille: Some(permille),
        low_permille: Some(permille - 20),
        high_permille: Some(permille + 20),
        team_permille: Some(700),
        reliability_permille: Some(800),
        trend: None,
    }
}

#[test]
fn a_leaking_funnel_names_the_weak_stage() {
    let sold = |rep: &str, opportunities: i64, deals: i64| {
        activity(rep, "2025-02-19", &[(Measure::Opportunities, opportunities), (Measure::Deals, deals)])
    };
    // a, b and c sell 10 of 100 (95 % up to 17.4 %), the others together 30 %; d sells as few of few: up to 36 %, which 20.3 % is not above.
    let activities = [
        sold("a", 100, 10),
        sold("b", 100, 10),
        sold("c", 100, 10),
        sold("d", 20, 3),
        sold("e", 100, 60),
        sold("f", 90, 40),
    ];
    let dimensions = [
        share("a", "discovery", 600),
        share("a", "handling", 600),
        share("b", "discovery", 690),
        share("b", "close", 600),
        share("c", "discovery", 690),
        share("c", "handling", 690),
        share("d", "discovery", 300),
        share("e", "discovery", 300),
    ];
    let rows = indicator_rows(&activities, &[], &dimensions, PeriodKind::All, None, &settings());
    let found: Vec<(&str, Option<WeakStage>)> = rows.iter().map(|row| (row.rep_id.as_str(), row.weak_stage)).collect();
    let (discovery, offer) = (Some(WeakStage::Discovery), Some(WeakStage::Offer));
    assert_eq!(found, [("a", discovery), ("b", offer), ("c", None), ("d", None), ("e", None), ("f", None)]);
    // What nobody knows of discovery does not put the blame on the offer.
    let rows = indicator_rows(&activities, &[], &dimensions[3..4], PeriodKind::All, None, &settings());
    assert!(rows.iter().all(|row| row.weak_stage.is_none()));
    // Alone there is nobody to be behind.
    let alone = indicator_rows(&activities[..1], &[], &dimensions, PeriodKind::All, None, &settings());
    assert_eq!(alone[0].weak_stage, None);
    // Of calls, not of opportunities: no funnel.
    let calls = [("a", 10), ("e", 60)]
        .map(|(rep, deals)| activity(rep, "2025-02-19", &[(Measure::Connected, 100), (Measure::Deals, deals)]));
    let rows = indicator_rows(&calls, &[], &dimensions, PeriodKind::All, None, &settings());
    assert!(rows.iter().all(|row| row.weak_stage.is_none()));
}

#[test]
fn the_blend_stands_beside_its_parts_and_quality_beside_conversion() {
    let (reps, mut activities) = eight();
    let rows = indicator_rows(&activities, &reps, &[], PeriodKind::All, None, &settings());
    for (row, rep) in rows.iter().zip(&reps) {
        assert_eq!((row.blend.process, row.team.as_deref()), (rep.shrunk, Some("north")));
        assert_eq!(row.blend.outcome, None, "none of what weighs is known");
        assert_eq!(row.blend.blended, None);
    }
    let found = quality_and_conversion(&rows).unwrap();
    // A perfect order of eight; the lower end is that of one swap: ρ = 1 − 12/504.
    assert_eq!((found.reps, found.rho_permille, found.high_permille), (8, 1000, 1000));
    assert_eq!(found.low_permille, 816);
    activities.pop();
    assert_eq!(
        quality_and_conversion(&indicator_rows(&activities, &reps, &[], PeriodKind::All, None, &settings())),
        None
    );
}

#[test]
fn rank_correlations_are_those_of_scipy() {
    let oracle: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/oracles/statistics.json")).unwrap();
    let cases = oracle["spearman"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let numbers = |key: &str| case[key].as_array().unwrap().iter().map(|x| x.as_i64().unwrap());
        let pairs: Vec<(i64, i64)> = numbers("x").zip(numbers("y")).collect();
        let (rho, low, high) = spearman(&pairs).unwrap();
        for (got, key) in [(rho, "rho"), (low, "low"), (high, "high")] {
            let expected = case[key].as_f64().unwrap();
            assert!((got - expected).abs() < 1e-9, "{key}: {got}, expected {expected}");
        }
    }
    assert_eq!(association(&[(1, 1); 20]), None, "a constant");
}

#[test]
fn rows_survive_the_store_and_unknown_keys() {
    let mut row = activity("a", "2025-02-17", &[(Measure::Talk, 61_500), (Measure::Deals, 0)]);
    row.team = Some("north".into());
    row.tenure_start = Some("2024-05-01".parse().unwrap());
    let text = row.to_json();
    assert_eq!(text, r#"{"deals":0,"talk_ms":61500,"team":"north","tenure_start":"2024-05-01"}"#);
    assert_eq!(Activity::from_json("a", row.day, &text), Some(row.clone()));
    let later = text.replace('{', r#"{"later":1,"#);
    assert_eq!(Activity::from_json("a", row.day, &later), Some(row.clone()));
    assert_eq!(Activity::from_json("a", row.day, "[]"), None);
}

#[test]
fn columns_are_exact_decimals_under_distinct_names() {
    let row = one(&week(), PeriodKind::Week);
    let names: std::collections::BTreeSet<&str> = INDICATORS.iter().map(|column| column.name).collect();
    assert_eq!(names.len(), INDICATORS.len());
    let cell = |name: &str| (INDICATORS.iter().find(|column| column.name == name).unwrap().cell)(&row, 0).text();
    assert_eq!(cell("talk_s"), "5400.000");
    assert_eq!(cell("revenue"), "1600.000");
    assert_eq!(cell("connect_rate_low"), "0.145");
    assert_eq!(cell("break_even_conversion_ppm"), "50000");
    assert_eq!(cell("conversion_of"), "opportunities");
    assert_eq!(cell("blended"), "");
    // What is counted and what comes of it: a new measure or indicator is a column, too.
    let wanted = Measure::ALL.iter().map(|m| m.column()).chain(IndicatorKind::ALL.iter().map(|kind| kind.id()));
    assert!(wanted.into_iter().all(|name| names.contains(name)));
}

/// Rows of four months, ten days each, of six reps: dialled and deals a day by rep and month.
fn four_months(of: impl Fn(usize, usize) -> (i64, i64)) -> Vec<IndicatorRow> {
    let mut activities = Vec::new();
    for (rep, month, day) in
        (0..6).flat_map(|rep| (0..4).flat_map(move |month| (1..=10).map(move |day| (rep, month, day))))
    {
        let (dialled, deals) = of(rep, month);
        let measures = [(Measure::Dialled, dialled), (Measure::Connected, dialled / 4), (Measure::Deals, deals)];
        activities.push(activity(&format!("r{rep}"), &format!("2025-{:02}-{day:02}", month + 1), &measures));
    }
    // Too few days to say anything about a month.
    activities.push(activity(
        "new",
        "2025-04-01",
        &[(Measure::Dialled, 5), (Measure::Connected, 0), (Measure::Deals, 0)],
    ));
    indicator_rows(&activities, &[], &[], PeriodKind::Month, None, &settings())
}

#[test]
fn a_target_that_everybody_reaches_tells_nothing() {
    // The target is 100: first nobody reaches it, then half of the reps, then all.
    let checks = target_checks(&four_months(|rep, month| ([90, 97 + rep as i64, 100, 130][month], 1)), &settings());
    let calls = checks.iter().find(|check| check.kind == IndicatorKind::CallsPerDay).unwrap();
    let shares: Vec<(&str, u64, u64)> =
        calls.months.iter().map(|month| (month.month.as_str(), month.reached, month.reps)).collect();
    assert_eq!(shares, [("2025-01", 0, 6), ("2025-02", 3, 6), ("2025-03", 6, 6), ("2025-04", 6, 6)]);
    assert!(calls.tells_nothing);
    // One of six misses it in the last month.
    let checks = target_checks(&four_months(|rep, _| (if rep == 0 { 99 } else { 100 }, 1)), &settings());
    assert!(!checks[0].tells_nothing, "{checks:?}");
    // Revenue weighs nothing: it has no target.
    assert!(checks.iter().all(|check| check.kind != IndicatorKind::RevenuePerCall));
    assert_eq!(target_checks(&[], &settings()), []);
}

#[test]
fn a_figure_that_rises_while_sales_do_not_is_said() {
    let alone = |deals: [i64; 4]| {
        let rows =
            four_months(|rep, month| (60 + 2 * rep as i64 + [0, 1, 20, 21][month], deals[month] + (rep % 2) as i64));
        target_checks(&rows, &settings()).remove(0).rises_alone
    };
    let found = alone([2, 3, 3, 2]).unwrap();
    assert_eq!((found.figure.reps, found.figure.mean, found.sold_as), (6, 20_000, Measure::Deals));
    assert_eq!((found.sold.mean, found.sold.low, found.sold.high), (0, 0, 0));
    // More calls, more deals: the target serves what it should.
    assert_eq!(alone([2, 2, 3, 3]), None);
    // Nobody knows the deals.
    let rows: Vec<IndicatorRow> = four_months(|_, month| (60 + 10 * month as i64, 1));
    let unknown = rows.into_iter().map(|mut row| {
        row.totals.remove(&Measure::Deals);
        row
    });
    assert_eq!(target_checks(&unknown.collect::<Vec<_>>(), &settings())[0].rises_alone, None);
}

#[test]
fn fewer_complaints_are_a_rise_towards_the_target() {
    let mut rows = four_months(|_, _| (100, 1));
    for row in &mut rows {
        let complaints = if row.period.as_str() < "2025-03" { 3_000 } else { 1_000 };
        row.figures.insert(IndicatorKind::ComplaintsPer100, Figure { value_milli: complaints, interval_milli: None });
        row.points.insert(IndicatorKind::ComplaintsPer100, 25_000);
    }
    let checks = target_checks(&rows, &settings());
    let complaints = checks.iter().find(|check| check.kind == IndicatorKind::ComplaintsPer100).unwrap();
    assert_eq!(complaints.rises_alone.map(|found| found.figure.mean), Some(2_000));
}

#[test]
fn a_team_is_what_its_reps_have_together() {
    use Measure::*;
    let rows = [
        activity("a", "2025-02-17", &[(Dialled, 90), (Connected, 20), (Opportunities, 4), (Deals, 1), (Cases, 10)]),
        activity("a", "2025-02-18", &[(Dialled, 70), (Connected, 12), (FirstContactResolved, 6)]),
        activity("b", "2025-02-17", &[(Dialled, 50), (Connected, 10), (Opportunities, 6), (Deals, 3)]),
        activity("c", "2025-02-17", &[(Dialled, 7), (Connected, 7)]),
    ];
    let rows: Vec<Activity> = rows
        .into_iter()
        .map(|row| Activity { team: (row.rep_id != "c").then(|| "north".to_string()), ..row })
        .collect();
    let rows = indicator_rows(&rows, &[], &[], PeriodKind::All, None, &settings());
    let teams = team_indicators(&rows.iter().collect::<Vec<_>>(), &settings());
    let [nobodys, north] = &teams[..] else { panic!("{teams:?}") };
    assert_eq!((nobodys.team.as_deref(), nobodys.reps, nobodys.days), (None, 1, 1));
    assert_eq!((north.team.as_deref(), north.reps, north.days), (Some("north"), 2, 3));
    // 210 calls in three days of a rep, 42 of them connected; 4 deals of 10 opportunities.
    assert_eq!(north.figures[&IndicatorKind::CallsPerDay].value_milli, 70_000);
    assert_eq!(north.figures[&IndicatorKind::ConnectRate].value_milli, 200);
    assert_eq!(north.figures[&IndicatorKind::Conversion].value_milli, 400);
    let base = |kind: IndicatorKind| kind.base(north.conversion_of, &north.totals);
    assert_eq!(base(IndicatorKind::CallsPerDay), None);
    assert_eq!(base(IndicatorKind::Conversion), Some(Opportunities));
    assert_eq!(base(IndicatorKind::FirstContactResolution), Some(Cases));
    assert_eq!(IndicatorKind::FirstContactResolution.base(nobodys.conversion_of, &nobodys.totals), Some(Connected));
}
