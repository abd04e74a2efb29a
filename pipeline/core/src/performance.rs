//! The rep tables: calls in, one row per rep and period out (SCORING.md §1 "Rep level" and §3 `rep_period`).
//!
//! Points are millipoints (100,000 = 100 points). A rank is an interval, and is missing when the calls cannot carry it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::record::{CallRecord, LedgerRow, Outcome, Provenance, RowKind, Severity, Status};
use crate::recording::sha256_hex;
use crate::statistics::{self, Group, Moments, SplitMix64, Z95};

/// Fewer calls carry no rank. Engineering guess of SCORING.md.
pub const MIN_CALLS: u64 = 20;
/// A less reliable mean carries no rank. Engineering guess of SCORING.md.
pub const MIN_RELIABILITY: f64 = 0.5;
/// Rows of calls without a rep have this rep id.
pub const UNASSIGNED: &str = "unassigned";
/// Draws behind a rank interval, and their seed: fixed, so that tables are equal on every machine.
const RANK_DRAWS: usize = 4_000;
const RANK_SEED: u64 = 0x0C0F_FEE5;
/// Rounds of the fit that separates reps from campaigns; it converges geometrically.
const ADJUSTMENT_ROUNDS: usize = 30;
/// Reps whose trend is called one are wrong in at most this share of cases (Benjamini–Hochberg).
const FALSE_DISCOVERY_RATE: f64 = 0.05;

/// What a call lost on one requirement or metric, after reviews.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    pub requirement_id: String,
    pub millipoints: i64,
}

/// Version of [`CallSummary`]: raise it when a field or its meaning changes, and stored summaries are made again from records.
pub const SUMMARY_SCHEMA: u32 = 1;

/// What the tables need to know about a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallSummary {
    pub call_id: String,
    pub rep_id: Option<String>,
    pub team: Option<String>,
    pub campaign: Option<String>,
    pub call_type: Option<String>,
    /// RFC 3339 or a civil date-time.
    pub start_ts: Option<String>,
    pub tz: Option<String>,
    pub status: Status,
    /// Millipoints; uncapped while the call is pending.
    pub score: Option<i64>,
    /// Dimension → share of its possible points, per mille.
    pub dimensions: BTreeMap<String, u16>,
    /// Violated requirements and missed fatals that no review overturned.
    pub flags: u32,
    pub losses: Vec<Loss>,
    pub scorecard: String,
    pub scorecard_version: u32,
    pub scorecard_hash: String,
    pub model_hash: String,
}

impl CallSummary {
    pub fn from_record(record: &CallRecord) -> CallSummary {
        let evaluation = &record.evaluation;
        let mut flags = 0;
        let mut losses = Vec::new();
        for row in decided_rows(&evaluation.ledger) {
            let failed = matches!(row.result, Outcome::Missed | Outcome::Violated);
            let is_flag = row.result == Outcome::Violated || (failed && row.severity == Severity::Fatal);
            flags += u32::from(is_flag && row.severity != Severity::Advisory);
            // A row of a review carries the difference it made; any other what is missing to its worth.
            let millipoints = if row.kind == RowKind::Review { -row.points } else { row.possible - row.points };
            let gained = matches!(row.severity, Severity::Bonus | Severity::Advisory);
            if millipoints > 0 && !gained {
                losses.push(Loss { requirement_id: row.requirement_id.clone(), millipoints });
            }
        }
        let share = |d: &crate::record::DimensionScore| Some((d.dimension.clone(), d.share_permille?));
        CallSummary {
            call_id: record.call_id.clone(),
            rep_id: record.metadata.rep_id.clone(),
            team: record.metadata.team.clone(),
            campaign: record.metadata.campaign.clone(),
            call_type: record.metadata.call_type.clone(),
            start_ts: record.metadata.start_ts.clone(),
            tz: record.metadata.tz.clone(),
            status: evaluation.status,
            score: evaluation.score,
            dimensions: evaluation.dimensions.iter().filter_map(share).collect(),
            flags,
            losses,
            scorecard: evaluation.scorecard.clone(),
            scorecard_version: evaluation.scorecard_version,
            scorecard_hash: evaluation.scorecard_hash.clone(),
            model_hash: model_hash(&record.provenance),
        }
    }

    /// Whether the call counts in means: pending calls do, with their uncapped score, for leaving them out would improve
    /// the rep with the most suspected fatals.
    fn counted_score(&self) -> Option<i64> {
        self.score.filter(|_| matches!(self.status, Status::Scored | Status::PendingReview))
    }
}

/// The last word on each item: its own row, or the row of the review that turned it.
fn decided_rows(ledger: &[LedgerRow]) -> Vec<&LedgerRow> {
    let mut rows: Vec<&LedgerRow> = ledger.iter().filter(|row| row.kind == RowKind::Item).collect();
    for review in ledger.iter().filter(|row| row.kind == RowKind::Review) {
        if let Some(row) = rows.iter_mut().find(|row| row.requirement_id == review.requirement_id) {
            *row = review;
        }
    }
    rows
}

/// One hash for all models of a call: equal hashes mean comparable calls. Empty when no model was used.
pub fn model_hash(provenance: &Provenance) -> String {
    if provenance.models.is_empty() {
        return String::new();
    }
    let lines: String = provenance.models.iter().map(|(role, hash)| format!("{role} {hash}\n")).collect();
    sha256_hex(lines.as_bytes())
}

/// Length of the periods of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodKind {
    Day,
    Week,
    Month,
    Quarter,
    All,
}

impl PeriodKind {
    pub const ALL: &'static [PeriodKind] =
        &[PeriodKind::Day, PeriodKind::Week, PeriodKind::Month, PeriodKind::Quarter, PeriodKind::All];

    pub fn id(self) -> &'static str {
        match self {
            PeriodKind::Day => "day",
            PeriodKind::Week => "week",
            PeriodKind::Month => "month",
            PeriodKind::Quarter => "quarter",
            PeriodKind::All => "all",
        }
    }

    pub fn parse(id: &str) -> Option<PeriodKind> {
        PeriodKind::ALL.iter().copied().find(|kind| kind.id() == id)
    }

    /// The period of a time stamp, by the date it shows where the call was made: `2025-02-19`, `2025-W08` (ISO 8601),
    /// `2025-02`, `2025-Q1`, `all`. `None` when the stamp is missing or no date, and the period needs one.
    pub fn period(self, start_ts: Option<&str>) -> Option<String> {
        if self == PeriodKind::All {
            return Some("all".to_string());
        }
        let date = jiff::fmt::temporal::Pieces::parse(start_ts?.trim()).ok()?.date();
        Some(match self {
            PeriodKind::Day => date.to_string(),
            PeriodKind::Week => {
                let week = date.iso_week_date();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            PeriodKind::Month => format!("{:04}-{:02}", date.year(), date.month()),
            PeriodKind::Quarter => format!("{:04}-Q{}", date.year(), (date.month() - 1) / 3 + 1),
            PeriodKind::All => "all".to_string(),
        })
    }
}

/// A requirement or metric on which a rep lost points, with the calls that show it best.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Improvement {
    pub requirement_id: String,
    /// Mean loss per counted call, millipoints.
    pub millipoints_per_call: i64,
    /// Calls that lost points on it.
    pub calls: u64,
    /// Up to three calls that lost most, worst first.
    pub worst_calls: Vec<String>,
}

/// Mean of one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DimensionMean {
    pub n: u64,
    pub mean_permille: i64,
}

/// Difference to the rep's previous period, adjusted for campaign and call type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trend {
    pub previous_period: String,
    pub millipoints: i64,
    /// 95 %.
    pub low: i64,
    pub high: i64,
    /// Survives a false-discovery rate of 5 % over all reps of the period.
    pub significant: bool,
}

/// One rep in one period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepRow {
    pub rep_id: String,
    /// The team of most of the calls.
    pub team: Option<String>,
    pub period_kind: PeriodKind,
    pub period: String,
    pub n_scored: u64,
    pub n_unscored: u64,
    pub n_pending: u64,
    pub n_failed: u64,
    /// Plain mean of the scores.
    pub mean: Option<i64>,
    /// Shrunk towards the team, adjusted for campaign and call type.
    pub shrunk: Option<i64>,
    /// 95 % interval of `shrunk`.
    pub low: Option<i64>,
    pub high: Option<i64>,
    /// B of SCORING.md, per mille.
    pub reliability_permille: Option<i64>,
    /// 95 % interval of the rank in the team, 1 = best.
    pub rank_low: Option<u32>,
    pub rank_high: Option<u32>,
    /// Why there is no rank.
    pub insufficient: Option<String>,
    pub flags_per_call_milli: Option<i64>,
    pub trend: Option<Trend>,
    pub top3: Vec<Improvement>,
    pub dimensions: BTreeMap<String, DimensionMean>,
    /// `name version`, sorted.
    pub scorecard_versions: Vec<String>,
    pub warnings: Vec<String>,
}

/// The rep table of all periods of a kind, by period and rep.
///
/// Scores are adjusted for campaign and call type by an additive least-squares fit (rep + stratum) over the period: a rep
/// is not better for having the easier campaign, and a campaign that only one rep works in says nothing about him or her.
/// Reps are shrunk towards their team; teams of fewer than four reps with scores are taken together, and below four there
/// is no shrinkage and no interval. The uncertainty of the adjustment is not in the interval.
pub fn rep_period(calls: &[CallSummary], kind: PeriodKind) -> Vec<RepRow> {
    let mut periods: BTreeMap<String, Vec<&CallSummary>> = BTreeMap::new();
    for call in calls {
        if let Some(period) = kind.period(call.start_ts.as_deref()) {
            periods.entry(period).or_default().push(call);
        }
    }
    let mut rows = Vec::new();
    // Rep → (period, its estimate), for trends.
    let mut previous: BTreeMap<String, (String, Estimate)> = BTreeMap::new();
    for (period, calls) in periods {
        let first = rows.len();
        let estimates = fill_period(&mut rows, kind, &period, &calls);
        fill_trends(&mut rows[first..], &estimates, &previous);
        previous.extend(estimates.into_iter().map(|(rep, estimate)| (rep, (period.clone(), estimate))));
    }
    rows
}

/// A rep's adjusted mean in one period and what it stands on.
#[derive(Clone)]
struct Estimate {
    mean: f64,
    variance_of_mean: Option<f64>,
    /// Scorecards and models: only equal ones are compared.
    basis: BTreeSet<(String, String)>,
}

fn fill_period(
    rows: &mut Vec<RepRow>,
    kind: PeriodKind,
    period: &str,
    calls: &[&CallSummary],
) -> BTreeMap<String, Estimate> {
    let mut of_rep: BTreeMap<&str, Vec<&CallSummary>> = BTreeMap::new();
    for call in calls {
        let rep = call.rep_id.as_deref().map(str::trim).filter(|rep| !rep.is_empty()).unwrap_or(UNASSIGNED);
        of_rep.entry(rep).or_default().push(call);
    }
    let first = rows.len();
    rows.extend(of_rep.iter().map(|(rep, calls)| plain_row(rep, kind, period, calls)));
    let rows = &mut rows[first..];

    let adjusted = adjusted_scores(&of_rep);
    for pool in pools(rows, &adjusted) {
        fill_pool(rows, &pool, &adjusted);
    }
    let within = within_variance(&adjusted);
    let estimate = |(rep, moments): (&&str, &Moments)| {
        let basis = of_rep[rep].iter().map(|call| (call.scorecard_hash.clone(), call.model_hash.clone())).collect();
        let variance_of_mean = within.map(|within| within / moments.n as f64);
        Some((rep.to_string(), Estimate { mean: moments.mean()?, variance_of_mean, basis }))
    };
    adjusted.iter().filter(|(rep, _)| **rep != UNASSIGNED).filter_map(estimate).collect()
}

/// Counts, plain means and warnings: everything a row can say without its neighbours.
fn plain_row(rep: &str, kind: PeriodKind, period: &str, calls: &[&CallSummary]) -> RepRow {
    let count = |status| calls.iter().filter(|call| call.status == status).count() as u64;
    let scores: Moments = calls.iter().filter_map(|call| call.counted_score()).collect();
    let flags: u32 = calls.iter().filter(|call| call.counted_score().is_some()).map(|call| call.flags).sum();
    let mut teams: BTreeMap<&str, usize> = BTreeMap::new();
    for team in calls.iter().filter_map(|call| call.team.as_deref()) {
        *teams.entry(team).or_default() += 1;
    }
    // The first of equals by name: max_by_key alone would take the last.
    let team = teams.iter().rev().max_by_key(|(_, n)| **n).map(|(team, _)| team.to_string());
    let counted = || calls.iter().filter(|call| call.counted_score().is_some());
    let versions: BTreeSet<String> =
        counted().map(|call| format!("{} {}", call.scorecard, call.scorecard_version)).collect();
    let hashes: BTreeSet<&str> = counted().map(|call| call.scorecard_hash.as_str()).collect();
    let models: BTreeSet<&str> = counted().map(|call| call.model_hash.as_str()).collect();
    let no_start = calls.iter().filter(|call| PeriodKind::Day.period(call.start_ts.as_deref()).is_none()).count();
    let mut warnings = Vec::new();
    if no_start > 0 {
        warnings.push(format!("{no_start} without start time: in no period but all"));
    }
    if teams.len() > 1 {
        warnings.push(format!("calls of {} teams", teams.len()));
    }
    if hashes.len() > 1 {
        warnings.push(format!("break: {} scorecards or versions mixed", hashes.len()));
    }
    if models.len() > 1 {
        warnings.push(format!("break: {} sets of models mixed", models.len()));
    }
    RepRow {
        rep_id: rep.to_string(),
        team,
        period_kind: kind,
        period: period.to_string(),
        n_scored: count(Status::Scored),
        n_unscored: count(Status::Unscored),
        n_pending: count(Status::PendingReview),
        n_failed: count(Status::Failed),
        mean: scores.mean().map(rounded),
        shrunk: None,
        low: None,
        high: None,
        reliability_permille: None,
        rank_low: None,
        rank_high: None,
        insufficient: Some(if rep == UNASSIGNED { "no rep" } else { "no scored calls" }.to_string()),
        flags_per_call_milli: (scores.n > 0).then(|| rounded(f64::from(flags) * 1000.0 / scores.n as f64)),
        trend: None,
        top3: improvements(calls, scores.n),
        dimensions: dimension_means(calls),
        scorecard_versions: versions.into_iter().collect(),
        warnings,
    }
}

fn improvements(calls: &[&CallSummary], n: u64) -> Vec<Improvement> {
    let mut lost: BTreeMap<&str, Vec<(i64, &str)>> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.counted_score().is_some()) {
        for loss in &call.losses {
            lost.entry(&loss.requirement_id).or_default().push((loss.millipoints, &call.call_id));
        }
    }
    let improvement = |(id, mut losses): (&str, Vec<(i64, &str)>)| {
        losses.sort_by_key(|(millipoints, call)| (-millipoints, *call));
        let total: i64 = losses.iter().map(|(millipoints, _)| millipoints).sum();
        Improvement {
            requirement_id: id.to_string(),
            millipoints_per_call: total / n.max(1) as i64,
            calls: losses.len() as u64,
            worst_calls: losses.iter().take(3).map(|(_, call)| call.to_string()).collect(),
        }
    };
    let mut all: Vec<Improvement> = lost.into_iter().map(improvement).collect();
    all.sort_by_key(|improvement| -improvement.millipoints_per_call);
    all.truncate(3);
    all
}

fn dimension_means(calls: &[&CallSummary]) -> BTreeMap<String, DimensionMean> {
    let mut shares: BTreeMap<&str, Moments> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.counted_score().is_some()) {
        for (dimension, share) in &call.dimensions {
            shares.entry(dimension).or_default().add(i64::from(*share));
        }
    }
    let mean =
        |(d, m): (&str, Moments)| Some((d.to_string(), DimensionMean { n: m.n, mean_permille: rounded(m.mean()?) }));
    shares.into_iter().filter_map(mean).collect()
}

/// Campaign and call type.
type Stratum<'a> = (Option<&'a str>, Option<&'a str>);

/// Moments of each rep's scores less the effect of their campaign and call type (see [`rep_period`]).
fn adjusted_scores<'a>(of_rep: &BTreeMap<&'a str, Vec<&CallSummary>>) -> BTreeMap<&'a str, Moments> {
    let scores: Vec<(&str, Stratum, i64)> = of_rep
        .iter()
        .flat_map(|(rep, calls)| calls.iter().map(move |call| (*rep, *call)))
        .filter_map(|(rep, call)| {
            Some((rep, (call.campaign.as_deref(), call.call_type.as_deref()), call.counted_score()?))
        })
        .collect();
    // Backfitting: the rep's means first, so that what cannot be told apart stays with the rep.
    let mut strata: BTreeMap<Stratum, f64> = BTreeMap::new();
    let effect = |strata: &BTreeMap<Stratum, f64>, stratum: Stratum| strata.get(&stratum).copied().unwrap_or(0.0);
    for _ in 0..ADJUSTMENT_ROUNDS {
        let reps = means(scores.iter().map(|(rep, stratum, x)| (*rep, *x as f64 - effect(&strata, *stratum))));
        strata = means(scores.iter().map(|(rep, stratum, x)| (*stratum, *x as f64 - reps[rep])));
        let centre = scores.iter().map(|(_, stratum, _)| effect(&strata, *stratum)).sum::<f64>() / scores.len() as f64;
        strata.values_mut().for_each(|value| *value -= centre);
    }
    let mut adjusted: BTreeMap<&str, Moments> = BTreeMap::new();
    for (rep, stratum, x) in scores {
        adjusted.entry(rep).or_default().add(rounded(x as f64 - effect(&strata, stratum)));
    }
    adjusted
}

fn means<K: Ord>(values: impl Iterator<Item = (K, f64)>) -> BTreeMap<K, f64> {
    let mut sums: BTreeMap<K, (f64, f64)> = BTreeMap::new();
    for (key, value) in values {
        let entry = sums.entry(key).or_default();
        *entry = (entry.0 + value, entry.1 + 1.0);
    }
    sums.into_iter().map(|(key, (sum, n))| (key, sum / n)).collect()
}

/// Row indices that are compared with each other: teams of four and more, and everybody else together.
fn pools(rows: &[RepRow], adjusted: &BTreeMap<&str, Moments>) -> Vec<Vec<usize>> {
    let mut teams: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for (i, row) in rows.iter().enumerate() {
        if row.rep_id != UNASSIGNED && adjusted.contains_key(row.rep_id.as_str()) {
            teams.entry(row.team.as_deref()).or_default().push(i);
        }
    }
    let (mut large, small): (Vec<_>, Vec<_>) = teams.into_values().partition(|team| team.len() >= 4);
    large.push(small.concat());
    large.retain(|pool| !pool.is_empty());
    large
}

fn fill_pool(rows: &mut [RepRow], pool: &[usize], adjusted: &BTreeMap<&str, Moments>) {
    let moments: Vec<Moments> = pool.iter().map(|i| adjusted[rows[*i].rep_id.as_str()]).collect();
    let groups: Vec<Group> = moments.iter().filter_map(Group::of).collect();
    let Some(fit) = statistics::empirical_bayes(&groups) else {
        for i in pool {
            rows[*i].insufficient = Some("too few reps or calls to compare".to_string());
        }
        return;
    };
    let insufficient = |moments: &Moments, reliability: f64| {
        if moments.n < MIN_CALLS {
            Some(format!("insufficient data: {} of {MIN_CALLS} calls", moments.n))
        } else if reliability < MIN_RELIABILITY {
            Some("insufficient data: reps differ less than calls do".to_string())
        } else {
            None
        }
    };
    for ((i, moments), posterior) in pool.iter().zip(&moments).zip(&fit.groups) {
        let row = &mut rows[*i];
        row.shrunk = Some(rounded(posterior.mean));
        row.low = Some(rounded(posterior.interval.low));
        row.high = Some(rounded(posterior.interval.high));
        row.reliability_permille = Some(rounded(1000.0 * posterior.reliability));
        row.insufficient = insufficient(moments, posterior.reliability);
    }
    // Everybody takes part in the draws, but only for those whose calls carry a rank.
    if pool.iter().any(|i| rows[*i].insufficient.is_none()) {
        for (i, rank) in pool.iter().zip(rank_intervals(&fit.groups)) {
            let row = &mut rows[*i];
            if row.insufficient.is_none() {
                (row.rank_low, row.rank_high) = (Some(rank.0), Some(rank.1));
            }
        }
    }
}

/// 95 % interval of each rank, by drawing all means from their posteriors together.
fn rank_intervals(posteriors: &[statistics::Posterior]) -> Vec<(u32, u32)> {
    let mut random = SplitMix64::new(RANK_SEED);
    let n = posteriors.len();
    // times[i][r]: how often rep i came out at rank r + 1.
    let mut times = vec![vec![0usize; n]; n];
    for _ in 0..RANK_DRAWS {
        let mut drawn: Vec<(f64, usize)> =
            posteriors.iter().enumerate().map(|(i, p)| (p.mean + p.sd * random.normal(), i)).collect();
        drawn.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (rank, (_, i)) in drawn.iter().enumerate() {
            times[*i][rank] += 1;
        }
    }
    let tail = RANK_DRAWS / 40; // 2.5 %
    // The first position at which more than the tail has been seen.
    fn first_beyond<'a>(mut counts: impl Iterator<Item = &'a usize>, tail: usize) -> usize {
        let mut seen = 0;
        let position = counts.position(|count| {
            seen += count;
            seen > tail
        });
        position.unwrap_or(0)
    }
    times
        .iter()
        .map(|counts| {
            let low = first_beyond(counts.iter(), tail);
            let high = n - 1 - first_beyond(counts.iter().rev(), tail);
            (low as u32 + 1, high as u32 + 1)
        })
        .collect()
}

/// Variance of a call's score inside reps, pooled. `None` when no rep has two calls.
fn within_variance(adjusted: &BTreeMap<&str, Moments>) -> Option<f64> {
    let freedom: u64 = adjusted.values().map(|m| m.n.saturating_sub(1)).sum();
    (freedom > 0).then(|| adjusted.values().map(Moments::squared_deviations).sum::<f64>() / freedom as f64)
}

fn fill_trends(
    rows: &mut [RepRow],
    estimates: &BTreeMap<String, Estimate>,
    previous: &BTreeMap<String, (String, Estimate)>,
) {
    let mut found: Vec<(usize, Trend, f64)> = Vec::new();
    for (i, row) in rows.iter_mut().enumerate() {
        let (Some(now), Some((period, before))) = (estimates.get(&row.rep_id), previous.get(&row.rep_id)) else {
            continue;
        };
        if now.basis != before.basis {
            row.warnings.push(format!("break: scorecard or models changed since {period}"));
            continue;
        }
        let (Some(now_variance), Some(before_variance)) = (now.variance_of_mean, before.variance_of_mean) else {
            continue;
        };
        let difference = now.mean - before.mean;
        let error = (now_variance + before_variance).sqrt();
        let p = if error > 0.0 { 2.0 * statistics::normal_cdf(-(difference / error).abs()) } else { 1.0 };
        let trend = Trend {
            previous_period: period.clone(),
            millipoints: rounded(difference),
            low: rounded(difference - Z95 * error),
            high: rounded(difference + Z95 * error),
            significant: false,
        };
        found.push((i, trend, p));
    }
    let p_values: Vec<f64> = found.iter().map(|(_, _, p)| *p).collect();
    for ((i, trend, _), adjusted) in found.into_iter().zip(statistics::benjamini_hochberg(&p_values)) {
        rows[i].trend = Some(Trend { significant: adjusted <= FALSE_DISCOVERY_RATE, ..trend });
    }
}

fn rounded(x: f64) -> i64 {
    x.round() as i64
}

/// Declares [`Column`]: `Variant, "id", "header", "doc", |row| exact value;`
macro_rules! columns {
    ($($variant:ident, $id:literal, $header:literal, $doc:literal, $value:expr;)*) => {
        /// A column of the rep table. Renderers loop over [`Column::ALL`], so a new column is a row below.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Column {
            $(#[doc = $doc] $variant,)*
        }

        impl Column {
            pub const ALL: &'static [Column] = &[$(Column::$variant),*];

            /// snake_case name in CSV, Parquet and JSON.
            pub fn id(self) -> &'static str {
                match self { $(Column::$variant => $id,)* }
            }

            /// Short heading for people.
            pub fn header(self) -> &'static str {
                match self { $(Column::$variant => $header,)* }
            }

            /// Unit and definition.
            pub fn doc(self) -> &'static str {
                match self { $(Column::$variant => $doc,)* }
            }

            /// The cell; empty when there is none. Points have three decimals, which is exact.
            pub fn value(self, row: &RepRow) -> String {
                match self { $(Column::$variant => { let value: fn(&RepRow) -> String = $value; value(row) })* }
            }
        }
    };
}

columns! {
    RepId, "rep_id", "Rep", "the rep; `unassigned` for calls without one", |r| r.rep_id.clone();
    Team, "team", "Team", "the team of most of the calls", |r| r.team.clone().unwrap_or_default();
    PeriodKind, "period_kind", "Kind", "day, week, month, quarter or all", |r| r.period_kind.id().to_string();
    Period, "period", "Period", "2025-02-19, 2025-W08, 2025-02, 2025-Q1 or all", |r| r.period.clone();
    NScored, "n_scored", "Scored", "calls with a score", |r| r.n_scored.to_string();
    NUnscored, "n_unscored", "Unscored", "calls left without a score for a reason", |r| r.n_unscored.to_string();
    NPending, "n_pending", "Pending", "calls that wait for a reviewer; they count in means uncapped", |r| r.n_pending.to_string();
    NFailed, "n_failed", "Failed", "calls that could not be processed", |r| r.n_failed.to_string();
    Mean, "mean", "Mean", "points: plain mean of scored and pending calls", |r| points(r.mean);
    Shrunk, "shrunk", "Estimate", "points: mean adjusted for campaign and call type, shrunk towards the team", |r| points(r.shrunk);
    Low, "low", "Low", "points: lower end of the estimate's 95 % interval", |r| points(r.low);
    High, "high", "High", "points: upper end of the estimate's 95 % interval", |r| points(r.high);
    RankLow, "rank_low", "Rank from", "best rank in the team that the calls allow (95 %); empty: insufficient data", |r| number(r.rank_low);
    RankHigh, "rank_high", "Rank to", "worst rank in the team that the calls allow (95 %); empty: insufficient data", |r| number(r.rank_high);
    FlagsPerCall, "flags_per_call", "Flags/call", "violated requirements and missed fatals per counted call", |r| points(r.flags_per_call_milli);
    Trend, "trend", "Trend", "points: adjusted mean less that of the rep's previous period", |r| points(r.trend.as_ref().map(|t| t.millipoints));
    TrendLow, "trend_low", "Trend low", "points: lower end of the trend's 95 % interval", |r| points(r.trend.as_ref().map(|t| t.low));
    TrendHigh, "trend_high", "Trend high", "points: upper end of the trend's 95 % interval", |r| points(r.trend.as_ref().map(|t| t.high));
    Top3, "top3", "Work on", "up to three requirements or metrics with the most points lost", |r| joined(r.top3.iter().map(|i| i.requirement_id.as_str()));
    ScorecardVersions, "scorecard_versions", "Scorecards", "scorecards and versions behind the scores", |r| joined(r.scorecard_versions.iter().map(String::as_str));
    Warnings, "warnings", "Notes", "why there is no rank, breaks, calls without a period",
        |r| joined(r.insufficient.iter().chain(&r.warnings).map(String::as_str));
}

impl Column {
    /// The cell for people: points with one decimal, `–` when there is none.
    pub fn display(self, row: &RepRow) -> String {
        let one_decimal = |points: Option<i64>| {
            points.map(|p| {
                let tenths = (p.abs() + 50) / 100;
                let sign = if p < 0 && tenths > 0 { "-" } else { "" };
                format!("{sign}{}.{}", tenths / 10, tenths % 10)
            })
        };
        let shown = match self {
            Column::Mean => one_decimal(row.mean),
            Column::Shrunk => one_decimal(row.shrunk),
            Column::Low => one_decimal(row.low),
            Column::High => one_decimal(row.high),
            Column::FlagsPerCall => one_decimal(row.flags_per_call_milli),
            Column::Trend => one_decimal(row.trend.as_ref().map(|t| t.millipoints)),
            Column::TrendLow => one_decimal(row.trend.as_ref().map(|t| t.low)),
            Column::TrendHigh => one_decimal(row.trend.as_ref().map(|t| t.high)),
            _ => Some(self.value(row)).filter(|value| !value.is_empty()),
        };
        shown.unwrap_or_else(|| "–".to_string())
    }
}

/// Thousandths as a decimal with three places.
fn points(milli: Option<i64>) -> String {
    milli.map_or(String::new(), |m| format!("{}{}.{:03}", if m < 0 { "-" } else { "" }, m.abs() / 1000, m.abs() % 1000))
}

fn number(n: Option<u32>) -> String {
    n.map_or(String::new(), |n| n.to_string())
}

fn joined<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}
