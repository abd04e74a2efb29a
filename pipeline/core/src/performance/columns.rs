//! The columns of the performance tables. SCORING.md §3 names those of `rep_period`.

use super::activity::Measure;
use super::coaching_plan::CoachingPlan;
use super::funnel::WeakStage;
use super::hour_weekday::HourRow;
use super::indicators::{IndicatorKind, IndicatorRow};
use super::rep_dimension::RepDimensionRow;
use super::rep_period::RepRow;
use super::requirement_period::RequirementRow;
use super::team_period::TeamRow;
use crate::table::{Cell, Column};
use crate::table_columns;

const TEAM: &str = "the team of most of the calls";
const PERIOD_KIND: &str = "day, week, month, quarter or all";
const PERIOD: &str = "2025-02-19, 2025-W08 (ISO 8601), 2025-02, 2025-Q1 or all";
const LOW: &str = "points: lower end of the estimate's 95 % interval";
const HIGH: &str = "points: upper end of the estimate's 95 % interval";
const TREND_LOW: &str = "points: lower end of the trend's 95 % interval";
const TREND_HIGH: &str = "points: upper end of the trend's 95 % interval";
const TEAM_OR_ALL: &str = "empty: all teams together";

/// One row per rep and period.
pub const REP_PERIOD: &[Column<RepRow>] = table_columns! {
    rep_id: Text, "the rep; `unassigned` for calls without one", |r, _| Cell::from(&r.rep_id);
    team: Text, TEAM, |r, _| r.team.as_ref().into();
    period_kind: Text, PERIOD_KIND, |r, _| r.period_kind.id().into();
    period: Text, PERIOD, |r, _| Cell::from(&r.period);
    n_scored: Whole, "calls with a score", |r, _| r.n_scored.into();
    n_unscored: Whole, "calls left without a score for a reason", |r, _| r.n_unscored.into();
    n_pending: Whole, "calls that wait for a reviewer; they count in means uncapped", |r, _| r.n_pending.into();
    n_failed: Whole, "calls that could not be processed", |r, _| r.n_failed.into();
    mean: Thousandths, "points: plain mean of scored and pending calls", |r, _| Cell::thousandths(r.mean);
    shrunk: Thousandths, "points: mean adjusted for campaign and call type, shrunk towards the team", |r, _| Cell::thousandths(r.shrunk);
    low: Thousandths, LOW, |r, _| Cell::thousandths(r.low);
    high: Thousandths, HIGH, |r, _| Cell::thousandths(r.high);
    rank_low: Whole, "best rank in the team that the calls allow (95 %); empty: insufficient data", |r, _| r.rank_low.into();
    rank_high: Whole, "worst rank in the team that the calls allow (95 %); empty: insufficient data", |r, _| r.rank_high.into();
    flags_per_call: Thousandths, "violated requirements and missed fatals per counted call", |r, _| Cell::thousandths(r.flags_per_call_milli);
    trend: Thousandths, "points: adjusted mean less that of the rep's previous period", |r, _| Cell::thousandths(r.trend.as_ref().map(|t| t.millipoints));
    trend_low: Thousandths, TREND_LOW, |r, _| Cell::thousandths(r.trend.as_ref().map(|t| t.low));
    trend_high: Thousandths, TREND_HIGH, |r, _| Cell::thousandths(r.trend.as_ref().map(|t| t.high));
    top3: Text, "up to three requirements or metrics to work on: points lost against the team, often, and coachable",
        |r, _| Cell::joined(r.top3.iter().map(|i| i.requirement_id.as_str()));
    scorecard_versions: Text, "scorecards and versions behind the scores", |r, _| Cell::joined(r.scorecard_versions.iter().map(String::as_str));
    warnings: Text, "why there is no rank, breaks, calls without a period",
        |r, _| Cell::joined(r.insufficient.iter().chain(&r.warnings).map(String::as_str));
};

/// One row per rep, period and dimension.
pub const REP_DIMENSION: &[Column<RepDimensionRow>] = table_columns! {
    rep_id: Text, "the rep", |r, _| Cell::from(&r.rep_id);
    team: Text, TEAM, |r, _| r.team.as_ref().into();
    period_kind: Text, PERIOD_KIND, |r, _| r.period_kind.id().into();
    period: Text, PERIOD, |r, _| Cell::from(&r.period);
    dimension: Text, "of the scorecard", |r, _| Cell::from(&r.dimension);
    n: Whole, "calls to which the dimension applied", |r, _| r.n.into();
    mean_permille: Whole, "plain mean share of the dimension's points", |r, _| r.mean_permille.into();
    shrunk_permille: Whole, "adjusted for campaign and call type, shrunk towards the team", |r, _| r.shrunk_permille.into();
    low_permille: Whole, "lower end of the estimate's 95 % interval", |r, _| r.low_permille.into();
    high_permille: Whole, "upper end of the estimate's 95 % interval", |r, _| r.high_permille.into();
    team_permille: Whole, "mean of the reps compared", |r, _| r.team_permille.into();
    reliability_permille: Whole, "how much of the rep's own mean the estimate takes; the rest is the team's", |r, _| r.reliability_permille.into();
    trend_permille: Whole, "less the rep's previous period", |r, _| r.trend.as_ref().map(|t| t.permille).into();
    trend_low_permille: Whole, "lower end of its 95 % interval", |r, _| r.trend.as_ref().map(|t| t.low_permille).into();
    trend_high_permille: Whole, "upper end of its 95 % interval", |r, _| r.trend.as_ref().map(|t| t.high_permille).into();
    trend_significant: Truth, "survives a false-discovery rate of 5 % over all reps and dimensions", |r, _| r.trend.as_ref().map(|t| t.significant).into();
};

/// One row per team and period.
pub const TEAM_PERIOD: &[Column<TeamRow>] = table_columns! {
    team: Text, "empty: calls without a team", |r, _| r.team.as_ref().into();
    period_kind: Text, PERIOD_KIND, |r, _| r.period_kind.id().into();
    period: Text, PERIOD, |r, _| Cell::from(&r.period);
    reps: Whole, "reps with counted calls", |r, _| r.reps.into();
    n_scored: Whole, "calls with a score", |r, _| r.n_scored.into();
    n_unscored: Whole, "calls left without a score for a reason", |r, _| r.n_unscored.into();
    n_pending: Whole, "calls that wait for a reviewer", |r, _| r.n_pending.into();
    n_failed: Whole, "calls that could not be processed", |r, _| r.n_failed.into();
    mean: Thousandths, "points: plain mean", |r, _| Cell::thousandths(r.mean);
    adjusted: Thousandths, "points: mean adjusted for campaign and call type", |r, _| Cell::thousandths(r.adjusted);
    low: Thousandths, LOW, |r, _| Cell::thousandths(r.low);
    high: Thousandths, HIGH, |r, _| Cell::thousandths(r.high);
    between_rep_sd: Thousandths, "points: standard deviation of the reps' true means, as estimated", |r, _| Cell::thousandths(r.between_rep_sd);
    pass_permille: Whole, "scored calls with the verdict pass, by the scorecard that scored each", |r, _| r.pass.map(|s| s.permille).into();
    pass_low_permille: Whole, "lower end of its 95 % interval (Wilson)", |r, _| r.pass.map(|s| s.low_permille).into();
    pass_high_permille: Whole, "upper end of its 95 % interval (Wilson)", |r, _| r.pass.map(|s| s.high_permille).into();
    flags_per_call: Thousandths, "violated requirements and missed fatals per counted call", |r, _| Cell::thousandths(r.flags_per_call_milli);
    fatals: Whole, "calls with a confirmed fatal", |r, _| r.fatals.into();
    trend: Thousandths, "points: less the team's previous period; who joined or left is part of it", |r, _| Cell::thousandths(r.trend.as_ref().map(|t| t.millipoints));
    trend_low: Thousandths, TREND_LOW, |r, _| Cell::thousandths(r.trend.as_ref().map(|t| t.low));
    trend_high: Thousandths, TREND_HIGH, |r, _| Cell::thousandths(r.trend.as_ref().map(|t| t.high));
    scorecard_versions: Text, "scorecards and versions behind the scores", |r, _| Cell::joined(r.scorecard_versions.iter().map(String::as_str));
    warnings: Text, "breaks", |r, _| Cell::joined(r.warnings.iter().map(String::as_str));
};

/// One row per requirement or metric, period and team.
pub const REQUIREMENT_PERIOD: &[Column<RequirementRow>] = table_columns! {
    requirement_id: Text, "requirement or metric", |r, _| Cell::from(&r.requirement_id);
    team: Text, TEAM_OR_ALL, |r, _| r.team.as_ref().into();
    period_kind: Text, PERIOD_KIND, |r, _| r.period_kind.id().into();
    period: Text, PERIOD, |r, _| Cell::from(&r.period);
    n: Whole, "calls with a decided result, after reviews", |r, _| r.n.into();
    pass_permille: Whole, "met, or clear of it", |r, _| r.pass.map(|s| s.permille).into();
    pass_low_permille: Whole, "lower end of its 95 % interval (Wilson)", |r, _| r.pass.map(|s| s.low_permille).into();
    pass_high_permille: Whole, "upper end of its 95 % interval (Wilson)", |r, _| r.pass.map(|s| s.high_permille).into();
    violations: Whole, "calls that violated it", |r, _| r.violations.into();
    unknown: Whole, "calls whose evidence did not decide", |r, _| r.unknown.into();
    judged: Whole, "findings that a reviewer judged", |r, _| r.precision.map(|s| s.of).into();
    precision_permille: Whole, "judged findings that were upheld", |r, _| r.precision.map(|s| s.permille).into();
    precision_low_permille: Whole, "lower end of its 95 % interval (Wilson)", |r, _| r.precision.map(|s| s.low_permille).into();
    precision_high_permille: Whole, "upper end of its 95 % interval (Wilson)", |r, _| r.precision.map(|s| s.high_permille).into();
    losing_calls: Whole, "calls that lost points on it", |r, _| r.losing_calls.into();
    lost: Thousandths, "points lost in all calls together", |r, _| Cell::thousandths(r.lost_millipoints);
    lost_per_call: Thousandths, "points lost per call to which it applied", |r, _| Cell::thousandths(r.lost_per_call_millipoints);
};

/// One row per hour of the week, period (months and longer) and team.
pub const HOUR_WEEKDAY: &[Column<HourRow>] = table_columns! {
    team: Text, TEAM_OR_ALL, |r, _| r.team.as_ref().into();
    period_kind: Text, "month, quarter or all", |r, _| r.period_kind.id().into();
    period: Text, PERIOD, |r, _| Cell::from(&r.period);
    weekday: Whole, "1 = Monday … 7 = Sunday (ISO 8601)", |r, _| u32::from(r.weekday).into();
    hour: Whole, "0 … 23, as the clock showed where the call was made", |r, _| u32::from(r.hour).into();
    n: Whole, "counted calls", |r, _| r.n.into();
    mean: Thousandths, "points: plain mean", |r, _| Cell::thousandths(r.mean);
    shrunk: Thousandths, "points: as if every hour had the same reps, campaigns and call types, shrunk towards all hours", |r, _| Cell::thousandths(r.shrunk);
    low: Thousandths, LOW, |r, _| Cell::thousandths(r.low);
    high: Thousandths, HIGH, |r, _| Cell::thousandths(r.high);
    dip: Truth, "below all hours, with a false-discovery rate of 5 % over the hours with at least twenty calls", |r, _| r.dip.into();
};

/// One row per rep and period with imported rows of call logs and sales.
pub const INDICATORS: &[Column<IndicatorRow>] = table_columns! {
    rep_id: Text, "the rep", |r, _| Cell::from(&r.rep_id);
    team: Text, "the team", |r, _| r.team.as_ref().into();
    period_kind: Text, PERIOD_KIND, |r, _| r.period_kind.id().into();
    period: Text, PERIOD, |r, _| Cell::from(&r.period);
    days: Whole, "days worked: those with imported rows", |r, _| r.days.into();
    dialled: Whole, "calls that were dialled", |r, _| r.totals.get(&Measure::Dialled).copied().into();
    connected: Whole, "calls in which somebody was reached", |r, _| r.totals.get(&Measure::Connected).copied().into();
    talk_s: Thousandths, "time in conversation in seconds", |r, _| Cell::thousandths(r.totals.get(&Measure::Talk).copied());
    leads: Whole, "leads that were handed to the rep", |r, _| r.totals.get(&Measure::Leads).copied().into();
    opportunities: Whole, "opportunities that were opened", |r, _| r.totals.get(&Measure::Opportunities).copied().into();
    deals: Whole, "deals that were closed", |r, _| r.totals.get(&Measure::Deals).copied().into();
    revenue: Thousandths, "what the deals brought, in the currency of the source", |r, _| Cell::thousandths(r.totals.get(&Measure::Revenue).copied());
    complaints: Whole, "complaints about the rep's calls", |r, _| r.totals.get(&Measure::Complaints).copied().into();
    repurchases: Whole, "deals with customers who had bought before", |r, _| r.totals.get(&Measure::Repurchases).copied().into();
    cases: Whole, "first contacts that had something to resolve", |r, _| r.totals.get(&Measure::Cases).copied().into();
    first_contact_resolved: Whole, "of these, resolved at once", |r, _| r.totals.get(&Measure::FirstContactResolved).copied().into();
    customers: Whole, "customers that the rep covers on that day: a level, not added up over days", |r, _| r.totals.get(&Measure::Customers).copied().into();
    calls_per_day: Thousandths, "calls dialled per day worked", |r, _| indicator(r, IndicatorKind::CallsPerDay);
    calls_per_day_points: Thousandths, "0 to 100 between its two benchmarks", |r, _| Cell::thousandths(r.points.get(&IndicatorKind::CallsPerDay).copied());
    connect_rate: Thousandths, "connected calls / dialled calls: a share", |r, _| indicator(r, IndicatorKind::ConnectRate);
    connect_rate_low: Thousandths, "lower end of its 95 % interval", |r, _| interval(r, IndicatorKind::ConnectRate, |ends| ends.0);
    connect_rate_high: Thousandths, "upper end of its 95 % interval", |r, _| interval(r, IndicatorKind::ConnectRate, |ends| ends.1);
    connect_rate_points: Thousandths, "0 to 100 between its two benchmarks", |r, _| Cell::thousandths(r.points.get(&IndicatorKind::ConnectRate).copied());
    talk_min_per_day: Thousandths, "minutes in conversation per day worked", |r, _| indicator(r, IndicatorKind::TalkPerDay);
    talk_min_per_day_points: Thousandths, "0 to 100 between its two benchmarks", |r, _| Cell::thousandths(r.points.get(&IndicatorKind::TalkPerDay).copied());
    opportunities_per_week: Thousandths, "opportunities per week worked", |r, _| indicator(r, IndicatorKind::OpportunitiesPerWeek);
    opportunities_per_week_points: Thousandths, "0 to 100 between its two benchmarks", |r, _| Cell::thousandths(r.points.get(&IndicatorKind::OpportunitiesPerWeek).copied());
    conversion: Thousandths, "deals / opportunities, or deals / connected calls where nobody's opportunities are known: a share", |r, _| indicator(r, IndicatorKind::Conversion);
    conversion_low: Thousandths, "lower end of its 95 % interval", |r, _| interval(r, IndicatorKind::Conversion, |ends| ends.0);
    conversion_high: Thousandths, "upper end of its 95 % interval", |r, _| interval(r, IndicatorKind::Conversion, |ends| ends.1);
    conversion_of: Text, "what the conversion is a share of: opportunities or connected", |r, _| r.figures.get(&IndicatorKind::Conversion).map(|_| r.conversion_of.id()).into();
    conversion_points: Thousandths, "0 to 100 between its two benchmarks", |r, _| Cell::thousandths(r.points.get(&IndicatorKind::Conversion).copied());
    revenue_per_call: Thousandths, "revenue per connected call, in the currency of the source", |r, _| indicator(r, IndicatorKind::RevenuePerCall);
    revenue_per_call_points: Thousandths, "0 to 100 between its two benchmarks", |r, _| Cell::thousandths(r.points.get(&IndicatorKind::RevenuePerCall).copied());
    first_contact_resolution: Thousandths, "resolved at first contact / cases (connected calls where cases are not known): a share", |r, _| indicator(r, IndicatorKind::FirstContactResolution);
    first_contact_resolution_low: Thousandths, "lower end of its 95 % interval", |r, _| interval(r, IndicatorKind::FirstContactResolution, |ends| ends.0);
    first_contact_resolution_high: Thousandths, "upper end of its 95 % interval", |r, _| interval(r, IndicatorKind::FirstContactResolution, |ends| ends.1);
    first_contact_resolution_points: Thousandths, "0 to 100 between its two benchmarks", |r, _| Cell::thousandths(r.points.get(&IndicatorKind::FirstContactResolution).copied());
    complaints_per_100: Thousandths, "complaints per 100 connected calls", |r, _| indicator(r, IndicatorKind::ComplaintsPer100);
    complaints_per_100_low: Thousandths, "lower end of its 95 % interval", |r, _| interval(r, IndicatorKind::ComplaintsPer100, |ends| ends.0);
    complaints_per_100_high: Thousandths, "upper end of its 95 % interval", |r, _| interval(r, IndicatorKind::ComplaintsPer100, |ends| ends.1);
    complaints_per_100_points: Thousandths, "0 to 100 between its two benchmarks", |r, _| Cell::thousandths(r.points.get(&IndicatorKind::ComplaintsPer100).copied());
    repurchase_rate: Thousandths, "deals with former customers / deals: a share", |r, _| indicator(r, IndicatorKind::RepurchaseRate);
    repurchase_rate_low: Thousandths, "lower end of its 95 % interval", |r, _| interval(r, IndicatorKind::RepurchaseRate, |ends| ends.0);
    repurchase_rate_high: Thousandths, "upper end of its 95 % interval", |r, _| interval(r, IndicatorKind::RepurchaseRate, |ends| ends.1);
    repurchase_rate_points: Thousandths, "0 to 100 between its two benchmarks", |r, _| Cell::thousandths(r.points.get(&IndicatorKind::RepurchaseRate).copied());
    coverage_growth: Thousandths, "growth of the customers covered, as a share of those before the period (or on its first day)", |r, _| indicator(r, IndicatorKind::CoverageGrowth);
    coverage_growth_points: Thousandths, "0 to 100 between its two benchmarks", |r, _| Cell::thousandths(r.points.get(&IndicatorKind::CoverageGrowth).copied());
    lead_conversion: Thousandths, "deals / leads", |r, _| Cell::thousandths(r.leads.and_then(|leads| leads.conversion).map(|share| share.permille));
    lead_conversion_low: Thousandths, "lower end of its 95 % interval", |r, _| Cell::thousandths(r.leads.and_then(|leads| leads.conversion).map(|share| share.low_permille));
    lead_conversion_high: Thousandths, "upper end of its 95 % interval", |r, _| Cell::thousandths(r.leads.and_then(|leads| leads.conversion).map(|share| share.high_permille));
    break_even_conversion_ppm: Whole, "lead cost / deal margin, per million: from this conversion on leads pay", |r, _| r.leads.map(|leads| leads.break_even_ppm).into();
    leads_pay: Text, "yes, no, or open while the interval holds the break-even", |r, _| leads_pay(r).into();
    profile: Text, "sprint, mature or new_hire", |r, _| r.profile.id().into();
    tenure_days: Whole, "days in the job at the end of the period", |r, _| r.tenure_days.into();
    process: Thousandths, "points: the estimate of the calls (shrunk of rep_period)", |r, _| Cell::thousandths(r.blend.process);
    outcome: Thousandths, "points: mean of the known indicators by their weights", |r, _| Cell::thousandths(r.blend.outcome);
    outcome_weight: Thousandths, "how much the outcome weighs in the blended figure: 0 to 1", |r, _| Cell::thousandths(r.blend.outcome_weight_permille);
    blended: Thousandths, "points: process and outcome by that weight; empty when a part that weighs something is missing", |r, _| Cell::thousandths(r.blend.blended);
    weak_stage: Text, "where opportunities are lost: discovery or offer, when the rep has many of them, few deals, and this stage of the calls below the team", |r, _| r.weak_stage.map(WeakStage::id).into();
    warnings: Text, "what the reader must know", |r, _| Cell::joined(r.warnings.iter().map(String::as_str));
};

/// One row per coaching plan, with the result of its last re-check.
pub const COACHING: &[Column<CoachingPlan>] = table_columns! {
    plan_id: Text, "the plan", |p, _| Cell::from(&p.plan_id);
    rep_id: Text, "the rep who is coached", |p, _| Cell::from(&p.rep_id);
    target_kind: Text, "score, dimension, requirement or metric", |p, _| p.target.kind().into();
    target: Text, "the dimension, requirement or metric that shall get better; empty: the score", |p, _| p.target.name().into();
    by: Text, "who planned it", |p, _| Cell::from(&p.by);
    stage: Text, "warning, diagnosis, training, accompanied_calls, recheck or closed", |p, _| p.stage.id().into();
    since: Text, "day of the plan", |p, _| p.since.to_string().into();
    coached_from: Text, "day of the last training, else of the plan", |p, _| p.coached_from().to_string().into();
    recheck_due: Text, "day from which enough is likely to be known for a re-check; empty: closed", |p, _| p.recheck_due().filter(|_| p.is_open()).map(|day| day.to_string()).into();
    checked: Text, "day of the last re-check", |p, _| p.last_check.map(|check| check.0.to_string()).into();
    verdict: Text, "helped, no_evidence_yet or did_not_help", |p, _| p.last_check.map(|check| check.1.id()).into();
    effect: Thousandths, "of the last re-check, corrected for regression to the mean and for the control group: points (score, metric: points a call) or a share (dimension, requirement)", |p, _| Cell::thousandths(p.last_check.map(|check| check.2));
    effect_low: Thousandths, "lower end of its 95 % interval", |p, _| Cell::thousandths(p.last_check.map(|check| check.3));
    effect_high: Thousandths, "upper end of its 95 % interval", |p, _| Cell::thousandths(p.last_check.map(|check| check.4));
    failed_checks: Whole, "re-checks that said that it did not help", |p, _| p.failed_checks.into();
};

fn indicator(row: &IndicatorRow, kind: IndicatorKind) -> Cell {
    Cell::thousandths(row.figures.get(&kind).map(|figure| figure.value_milli))
}

fn interval(row: &IndicatorRow, kind: IndicatorKind, end: fn((i64, i64)) -> i64) -> Cell {
    Cell::thousandths(row.figures.get(&kind).and_then(|figure| figure.interval_milli).map(end))
}

fn leads_pay(row: &IndicatorRow) -> Option<&'static str> {
    let leads = row.leads.filter(|leads| leads.conversion.is_some())?;
    Some(match leads.pays {
        Some(true) => "yes",
        Some(false) => "no",
        None => "open",
    })
}
