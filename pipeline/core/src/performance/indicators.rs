//! The telesales indicators (REQUIREMENTS.md B.4): rows of call logs and sales in, one row per rep and period out.
//!
//! Whole numbers throughout: counts, thousandths (`_milli`) of an indicator's unit, millipoints. A share stands with its 95 % interval
//! (Wilson 1927) and with what it is a share of. The outcome figure is the weighted mean of the indicators that are known, each between its
//! two benchmarks; the blended figure always has its two parts beside it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::activity::{Activity, Measure};
use super::association::{Association, association};
use super::blend::{Blend, FIRST_QUARTER_DAYS, Indicator, WeightProfile, blend, break_even_conversion_ppm, outcome};
use super::funnel::{WeakStage, name_weak_stages};
use super::period::PeriodKind;
use super::rep_dimension::RepDimensionRow;
use super::rep_period::RepRow;
use super::share::Share;
use crate::statistics::{Z95, wilson};

/// Declares [`IndicatorKind`]: `Variant, "id", "header", "doc";`
macro_rules! indicators {
    ($($variant:ident, $id:literal, $header:literal, $doc:literal;)*) => {
        /// An indicator. Configuration, tables and documentation loop over [`IndicatorKind::ALL`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum IndicatorKind {
            $(#[doc = $doc] $variant,)*
        }

        impl IndicatorKind {
            pub const ALL: &'static [IndicatorKind] = &[$(IndicatorKind::$variant),*];

            /// snake_case name in the configuration and in tables.
            pub fn id(self) -> &'static str {
                match self { $(IndicatorKind::$variant => $id,)* }
            }

            /// Short heading for people.
            pub fn header(self) -> &'static str {
                match self { $(IndicatorKind::$variant => $header,)* }
            }
        }
    };
}

indicators! {
    CallsPerDay, "calls_per_day", "calls/day", "Calls dialled per day worked.";
    ConnectRate, "connect_rate", "connected", "Connected calls / dialled calls: a share.";
    TalkPerDay, "talk_min_per_day", "talk min/day", "Minutes in conversation per day worked.";
    OpportunitiesPerWeek, "opportunities_per_week", "opp./week", "Opportunities per week worked.";
    Conversion, "conversion", "conversion", "Deals / opportunities, or deals / connected calls where nobody's opportunities are known: a share.";
    RevenuePerCall, "revenue_per_call", "revenue/call", "Revenue per connected call, in the currency of the source.";
    FirstContactResolution, "first_contact_resolution", "resolved", "Resolved at first contact / cases (connected calls where cases are not known): a share.";
    ComplaintsPer100, "complaints_per_100", "compl./100", "Complaints per 100 connected calls.";
    RepurchaseRate, "repurchase_rate", "repurchase", "Deals with former customers / deals: a share.";
    CoverageGrowth, "coverage_growth", "coverage", "Growth of the customers covered, as a share of those before the period (or on its first day).";
}

impl IndicatorKind {
    /// What the figure is counted over: a total of the row; `None`: days worked.
    pub fn base(self, conversion_of: ConversionOf, totals: &BTreeMap<Measure, i64>) -> Option<Measure> {
        match self {
            IndicatorKind::CallsPerDay | IndicatorKind::TalkPerDay | IndicatorKind::OpportunitiesPerWeek => None,
            IndicatorKind::ConnectRate => Some(Measure::Dialled),
            IndicatorKind::Conversion => Some(conversion_of.measure()),
            IndicatorKind::RevenuePerCall | IndicatorKind::ComplaintsPer100 => Some(Measure::Connected),
            IndicatorKind::FirstContactResolution if totals.contains_key(&Measure::Cases) => Some(Measure::Cases),
            IndicatorKind::FirstContactResolution => Some(Measure::Connected),
            IndicatorKind::RepurchaseRate => Some(Measure::Deals),
            IndicatorKind::CoverageGrowth => Some(Measure::Customers),
        }
    }

    /// A share between 0 and 1 with an interval.
    pub fn is_share(self) -> bool {
        use IndicatorKind::{ConnectRate, Conversion, FirstContactResolution, RepurchaseRate};
        matches!(self, ConnectRate | Conversion | FirstContactResolution | RepurchaseRate)
    }
}

/// What an indicator is held against. In thousandths of its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Benchmark {
    /// Worth nothing; above `full_milli` where less is better.
    pub zero_milli: i64,
    /// Worth everything.
    pub full_milli: i64,
    /// The same in a new hire's first quarter, if it differs.
    pub full_new_hire_milli: Option<i64>,
    /// In the outcome figure; 0 leaves the indicator out of it.
    pub weight: u32,
}

/// How a site reads its indicators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndicatorSettings {
    pub profile: WeightProfile,
    /// Teams with a profile of their own.
    pub team_profiles: BTreeMap<String, WeightProfile>,
    pub days_per_week: u32,
    /// In thousandths of one currency. No margin: no break-even.
    pub lead_cost_milli: i64,
    pub deal_margin_milli: i64,
    pub benchmarks: BTreeMap<IndicatorKind, Benchmark>,
}

/// An indicator's value with what is behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Thousandths of the indicator's unit.
    pub value_milli: i64,
    /// 95 % interval of what is counted; `None` for rates that are no share of anything.
    pub interval_milli: Option<(i64, i64)>,
}

impl From<Share> for Figure {
    fn from(share: Share) -> Figure {
        Figure { value_milli: share.permille, interval_milli: Some((share.low_permille, share.high_permille)) }
    }
}

/// What a conversion is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversionOf {
    Opportunities,
    Connected,
}

impl ConversionOf {
    pub fn id(self) -> &'static str {
        match self {
            ConversionOf::Opportunities => "opportunities",
            ConversionOf::Connected => "connected",
        }
    }

    fn measure(self) -> Measure {
        match self {
            ConversionOf::Opportunities => Measure::Opportunities,
            ConversionOf::Connected => Measure::Connected,
        }
    }
}

/// Whether leads earn what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeadReturn {
    /// The conversion at which they do, per million: cost of a lead / margin of a deal.
    pub break_even_ppm: i64,
    /// Deals per lead, where leads are known.
    pub conversion: Option<Share>,
    /// `None` while the interval of the conversion holds the break-even.
    pub pays: Option<bool>,
}

/// One rep in one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndicatorRow {
    pub rep_id: String,
    pub team: Option<String>,
    pub period_kind: PeriodKind,
    pub period: String,
    /// Days worked: with calls; any row where no call log is known.
    pub days: u64,
    /// Sums over the period, in the unit of [`Measure::id`]; customers: the latest level.
    pub totals: BTreeMap<Measure, i64>,
    pub figures: BTreeMap<IndicatorKind, Figure>,
    /// What each indicator that weighs something is worth, millipoints.
    pub points: BTreeMap<IndicatorKind, i64>,
    pub conversion_of: ConversionOf,
    pub leads: Option<LeadReturn>,
    pub profile: WeightProfile,
    /// On the last day of the period with a row.
    pub tenure_days: Option<u32>,
    /// Process: the shrunken mean of the rep's calls in the period.
    pub blend: Blend,
    /// Many opportunities, few deals, and this stage of the calls below the team.
    pub weak_stage: Option<WeakStage>,
    pub warnings: Vec<String>,
}

/// What happens now and then: who has no row of it while team mates have, has none of it.
const EVENTS: [Measure; 5] =
    [Measure::Opportunities, Measure::Deals, Measure::Revenue, Measure::Complaints, Measure::Repurchases];

/// The indicators of all periods of a kind, by period and rep. `reps` and `dimensions`: the tables of the same kind. Rows before `since` only say what was
/// before: tenure and customers covered.
pub fn indicator_rows(
    activities: &[Activity],
    reps: &[RepRow],
    dimensions: &[RepDimensionRow],
    kind: PeriodKind,
    since: Option<Date>,
    settings: &IndicatorSettings,
) -> Vec<IndicatorRow> {
    let says = |measure: Measure| activities.iter().any(|activity| activity.measures.contains_key(&measure));
    let conversion_of =
        if says(Measure::Opportunities) { ConversionOf::Opportunities } else { ConversionOf::Connected };
    let quality: BTreeMap<(&str, &str), &RepRow> =
        reps.iter().map(|row| ((row.period.as_str(), row.rep_id.as_str()), row)).collect();
    let mut histories: BTreeMap<&str, Vec<&Activity>> = BTreeMap::new();
    for activity in activities {
        histories.entry(activity.rep_id.as_str()).or_default().push(activity);
    }
    let mut found: BTreeMap<(String, &str), Period> = BTreeMap::new();
    for (rep, history) in &mut histories {
        history.sort_by_key(|activity| activity.day);
        for activity in history.iter().filter(|activity| since.is_none_or(|since| activity.day >= since)) {
            // A row of a staff list says when somebody began, not that he or she worked.
            if activity.measures.is_empty() {
                continue;
            }
            let Some(period) = kind.period(Some(&activity.day.to_string())) else { continue };
            found.entry((period, rep)).or_default().add(activity);
        }
    }
    for ((period, rep), sums) in &mut found {
        let of_calls = quality.get(&(period.as_str(), *rep)).and_then(|row| row.team.clone());
        sums.team = sums.team.take().or(of_calls);
    }
    let mut told: BTreeSet<(String, Option<String>, Measure)> = BTreeSet::new();
    for ((period, _), sums) in &found {
        let known = EVENTS.into_iter().filter(|measure| sums.totals.contains_key(measure));
        told.extend(known.map(|measure| (period.clone(), sums.team.clone(), measure)));
    }
    let row = |((period, rep), mut sums): ((String, &str), Period)| {
        for measure in EVENTS {
            if told.contains(&(period.clone(), sums.team.clone(), measure)) {
                sums.totals.entry(measure).or_insert(0);
            }
        }
        let history = &histories[rep];
        let process = quality.get(&(period.as_str(), rep)).and_then(|row| row.shrunk);
        sums.into_row(rep, kind, period, history, process, conversion_of, settings)
    };
    let mut rows: Vec<IndicatorRow> = found.into_iter().map(row).collect();
    name_weak_stages(&mut rows, dimensions);
    rows
}

/// How quality and conversion go together over reps, from rows of one period: an association, not a cause. `None` while fewer than
/// [`super::association::MIN_REPS`] reps have both.
pub fn quality_and_conversion(rows: &[IndicatorRow]) -> Option<Association> {
    let pair =
        |row: &IndicatorRow| Some((row.blend.process?, row.figures.get(&IndicatorKind::Conversion)?.value_milli));
    association(&rows.iter().filter_map(pair).collect::<Vec<_>>())
}

/// A team in one period: what its reps have together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamIndicators {
    /// `None`: reps without a team.
    pub team: Option<String>,
    pub reps: u64,
    /// Days worked, each rep's own: a day of three reps is three.
    pub days: u64,
    pub totals: BTreeMap<Measure, i64>,
    /// Without the growth of coverage, which starts anew with every rep.
    pub figures: BTreeMap<IndicatorKind, Figure>,
    pub conversion_of: ConversionOf,
}

/// The teams of one period's rows, by name, those without one first.
pub fn team_indicators(rows: &[&IndicatorRow], settings: &IndicatorSettings) -> Vec<TeamIndicators> {
    let mut teams: BTreeMap<Option<&str>, Vec<&IndicatorRow>> = BTreeMap::new();
    for row in rows {
        teams.entry(row.team.as_deref()).or_default().push(row);
    }
    let team = |(team, rows): (Option<&str>, Vec<&IndicatorRow>)| {
        let mut sums = Period::default();
        for (measure, value) in rows.iter().flat_map(|row| &row.totals) {
            let total = sums.totals.entry(*measure).or_default();
            *total = total.saturating_add(*value);
        }
        let days: u64 = rows.iter().map(|row| row.days).sum();
        let conversion_of = rows.first().map_or(ConversionOf::Opportunities, |row| row.conversion_of);
        let figure = |kind: IndicatorKind| Some((kind, sums.figure(kind, days as i64, conversion_of, &[], settings)?));
        TeamIndicators {
            team: team.map(str::to_string),
            reps: rows.len() as u64,
            days,
            figures: IndicatorKind::ALL.iter().copied().filter_map(figure).collect(),
            conversion_of,
            totals: sums.totals,
        }
    };
    teams.into_iter().map(team).collect()
}

/// What one rep's rows of one period add up to.
#[derive(Default)]
struct Period {
    team: Option<String>,
    totals: BTreeMap<Measure, i64>,
    call_days: BTreeSet<Date>,
    days: BTreeSet<Date>,
    /// Customers covered by day.
    levels: BTreeMap<Date, i64>,
}

impl Period {
    fn add(&mut self, activity: &Activity) {
        // The latest team counts.
        self.team = activity.team.clone().or(self.team.take());
        self.days.insert(activity.day);
        for (measure, value) in &activity.measures {
            if *measure == Measure::Customers {
                let level = self.levels.entry(activity.day).or_default();
                *level = level.saturating_add(*value);
                continue;
            }
            let total = self.totals.entry(*measure).or_default();
            *total = total.saturating_add(*value);
            if *value > 0 && matches!(measure, Measure::Dialled | Measure::Connected | Measure::Talk) {
                self.call_days.insert(activity.day);
            }
        }
    }

    fn total(&self, measure: Measure) -> Option<i64> {
        self.totals.get(&measure).copied()
    }

    fn share(&self, part: Measure, of: Measure) -> Option<Share> {
        Share::of(self.total(part)?.unsigned_abs(), self.total(of)?.unsigned_abs())
    }

    #[expect(clippy::too_many_arguments, reason = "all of it is the row's own")]
    fn into_row(
        mut self,
        rep: &str,
        kind: PeriodKind,
        period: String,
        history: &[&Activity],
        process: Option<i64>,
        conversion_of: ConversionOf,
        settings: &IndicatorSettings,
    ) -> IndicatorRow {
        let mut warnings = Vec::new();
        let last_day = self.days.last().copied();
        if self.call_days.is_empty() {
            warnings.push("no call log: every day with a row counts as worked".to_string());
            self.call_days = std::mem::take(&mut self.days);
        }
        let days = self.call_days.len() as i64;
        if let Some(level) = self.levels.values().next_back() {
            self.totals.insert(Measure::Customers, *level);
        }
        let profile = self.team.as_ref().and_then(|team| settings.team_profiles.get(team));
        let profile = profile.copied().unwrap_or(settings.profile);
        let tenure_days = last_day.and_then(|day| tenure_days(history, day));
        let is_new = profile == WeightProfile::NewHire || tenure_days.is_some_and(|days| days < FIRST_QUARTER_DAYS);

        let mut figures = BTreeMap::new();
        for indicator in IndicatorKind::ALL {
            if let Some(figure) = self.figure(*indicator, days, conversion_of, history, settings) {
                figures.insert(*indicator, figure);
            }
        }
        if self.total(Measure::Deals).zip(self.total(conversion_of.measure())).is_some_and(|(deals, of)| deals > of) {
            warnings.push(format!("more deals than {} in the period: no conversion", conversion_of.id()));
        }
        if process.is_none() {
            warnings.push("no shrunken mean of calls in the period: no process figure".to_string());
        }

        let held_against = settings.benchmarks.iter().filter(|(_, benchmark)| benchmark.weight > 0);
        let weighed: BTreeMap<IndicatorKind, Indicator> = held_against
            .map(|(kind, benchmark)| {
                let new_hire = benchmark.full_new_hire_milli.filter(|_| is_new);
                let indicator = Indicator {
                    value_milli: figures.get(kind).map(|figure| figure.value_milli),
                    zero_milli: benchmark.zero_milli,
                    full_milli: new_hire.unwrap_or(benchmark.full_milli),
                    weight: benchmark.weight,
                };
                (*kind, indicator)
            })
            .collect();
        let points = weighed.iter().filter_map(|(kind, indicator)| Some((*kind, indicator.millipoints()?))).collect();
        let outcome = outcome(&weighed.into_values().collect::<Vec<_>>());
        IndicatorRow {
            rep_id: rep.to_string(),
            period_kind: kind,
            period,
            days: days.unsigned_abs(),
            figures,
            points,
            conversion_of,
            leads: self.lead_return(settings),
            profile,
            tenure_days,
            blend: blend(process, outcome, profile.outcome_permille_at(tenure_days)),
            weak_stage: None,
            warnings,
            team: self.team,
            totals: self.totals,
        }
    }

    fn figure(
        &self,
        indicator: IndicatorKind,
        days: i64,
        conversion_of: ConversionOf,
        history: &[&Activity],
        settings: &IndicatorSettings,
    ) -> Option<Figure> {
        let rate = |total: i64, per: i64, factor: i64| {
            let value = (per > 0).then(|| i128::from(total) * i128::from(factor) / i128::from(per))?;
            Some(Figure { value_milli: i64::try_from(value).ok()?, interval_milli: None })
        };
        match indicator {
            IndicatorKind::CallsPerDay => rate(self.total(Measure::Dialled)?, days, 1000),
            IndicatorKind::ConnectRate => self.share(Measure::Connected, Measure::Dialled).map(Figure::from),
            // Milliseconds / 60 = thousandths of a minute.
            IndicatorKind::TalkPerDay => rate(self.total(Measure::Talk)?, 60 * days, 1),
            IndicatorKind::OpportunitiesPerWeek => {
                rate(self.total(Measure::Opportunities)?, days, 1000 * i64::from(settings.days_per_week))
            }
            IndicatorKind::Conversion => self.share(Measure::Deals, conversion_of.measure()).map(Figure::from),
            IndicatorKind::RevenuePerCall => rate(self.total(Measure::Revenue)?, self.total(Measure::Connected)?, 1),
            IndicatorKind::FirstContactResolution => {
                let of = if self.total(Measure::Cases).is_some() { Measure::Cases } else { Measure::Connected };
                self.share(Measure::FirstContactResolved, of).map(Figure::from)
            }
            IndicatorKind::ComplaintsPer100 => {
                let (complaints, calls) = (self.total(Measure::Complaints)?, self.total(Measure::Connected)?);
                let figure = rate(complaints, calls, 100_000)?;
                let interval = wilson(complaints.unsigned_abs(), calls.unsigned_abs(), Z95)?;
                let per_100 = |share: f64| super::rounded(100_000.0 * share);
                Some(Figure { interval_milli: Some((per_100(interval.low), per_100(interval.high))), ..figure })
            }
            IndicatorKind::RepurchaseRate => self.share(Measure::Repurchases, Measure::Deals).map(Figure::from),
            IndicatorKind::CoverageGrowth => {
                let (first_day, first) = self.levels.first_key_value()?;
                let (last_day, last) = self.levels.last_key_value()?;
                let before = level_before(history, *first_day);
                let base = before.or_else(|| (first_day < last_day).then_some(*first))?;
                rate(last - base, base, 1000)
            }
        }
    }

    fn lead_return(&self, settings: &IndicatorSettings) -> Option<LeadReturn> {
        let break_even_ppm = break_even_conversion_ppm(settings.lead_cost_milli, settings.deal_margin_milli)
            .filter(|_| settings.lead_cost_milli > 0)?;
        let conversion = self.share(Measure::Deals, Measure::Leads);
        let pays = conversion.and_then(|share| {
            let interval = wilson(share.part, share.of, Z95)?;
            let break_even = break_even_ppm as f64 / 1e6;
            if interval.low >= break_even {
                Some(true)
            } else if interval.high < break_even {
                Some(false)
            } else {
                None
            }
        });
        Some(LeadReturn { break_even_ppm, conversion, pays })
    }
}

/// Days in the job on a day, by the latest start that any row names.
fn tenure_days(history: &[&Activity], day: Date) -> Option<u32> {
    let start = history.iter().rev().find_map(|activity| activity.tenure_start)?;
    let days = day.since((jiff::Unit::Day, start)).ok()?.get_days();
    Some(u32::try_from(days).unwrap_or(0))
}

/// Customers covered on the last day before `day` of which it is known. `history` by day.
fn level_before(history: &[&Activity], day: Date) -> Option<i64> {
    let level = |activity: &&Activity| activity.measures.get(&Measure::Customers).copied();
    let earlier = history.iter().filter(|activity| activity.day < day);
    let last = earlier.clone().rev().find(|activity| level(activity).is_some())?.day;
    Some(earlier.filter(|activity| activity.day == last).filter_map(level).sum())
}
