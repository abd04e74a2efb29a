//! Process and outcome in one figure, never without its two parts (REQUIREMENTS.md B.3, B.4).
//!
//! *Process* is the shrunken score of the calls; *outcome* comes from call logs and sales, each indicator between what is worth nothing and what
//! is worth everything. How much the outcome weighs depends on the profile and on how long the rep has been there: who is new answers for what
//! he or she does, not yet for what comes of it. All figures are millipoints (100,000 = 100 points).

use serde::Serialize;

/// Days of a new hire's first quarter, in which the outcome weighs nothing.
pub const FIRST_QUARTER_DAYS: u32 = 91;
/// Days until the profile's own weight is reached. Engineering guess: a second quarter.
pub const RAMP_DAYS: u32 = 182;

/// What an indicator is worth that reaches its benchmark, millipoints.
pub(super) const POINTS_FULL: i64 = 100_000;

/// How much the outcome weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightProfile {
    /// A campaign with a date: outcome 60–70 %.
    Sprint,
    /// Steady business: process at least half. Engineering guess: outcome 40 %.
    Mature,
    /// Process only.
    NewHire,
}

impl WeightProfile {
    pub fn id(self) -> &'static str {
        match self {
            WeightProfile::Sprint => "sprint",
            WeightProfile::Mature => "mature",
            WeightProfile::NewHire => "new_hire",
        }
    }

    pub fn parse(id: &str) -> Option<WeightProfile> {
        match id {
            "sprint" => Some(WeightProfile::Sprint),
            "mature" => Some(WeightProfile::Mature),
            "new_hire" => Some(WeightProfile::NewHire),
            _ => None,
        }
    }

    /// The outcome's weight for somebody who is not new.
    pub fn outcome_permille(self) -> i64 {
        match self {
            WeightProfile::Sprint => 650,
            WeightProfile::Mature => 400,
            WeightProfile::NewHire => 0,
        }
    }

    /// The outcome's weight after these days in the job: 0 in the first quarter, then rising evenly to the profile's own. Who has no known
    /// tenure is not new.
    pub fn outcome_permille_at(self, tenure_days: Option<u32>) -> i64 {
        let full = self.outcome_permille();
        let Some(days) = tenure_days else { return full };
        let grown = i64::from(days.clamp(FIRST_QUARTER_DAYS, RAMP_DAYS) - FIRST_QUARTER_DAYS);
        full * grown / i64::from(RAMP_DAYS - FIRST_QUARTER_DAYS)
    }
}

/// One indicator of the outcome: calls a day, effective connect rate, opportunities, conversion, …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indicator {
    /// In thousandths of the indicator's unit, like its benchmarks; `None` when it is not known, and then left out.
    pub value_milli: Option<i64>,
    /// What is worth nothing and what is worth everything; below or above each other, for indicators of which less is better.
    pub zero_milli: i64,
    pub full_milli: i64,
    pub weight: u32,
}

impl Indicator {
    /// 0…100,000; `None` when unknown or when both benchmarks are the same.
    pub fn millipoints(&self) -> Option<i64> {
        let span = i128::from(self.full_milli) - i128::from(self.zero_milli);
        let risen = i128::from(self.value_milli?) - i128::from(self.zero_milli);
        (span != 0).then(|| (risen * i128::from(POINTS_FULL) / span).clamp(0, i128::from(POINTS_FULL)) as i64)
    }
}

/// Mean of the known indicators by weight; `None` without any.
pub fn outcome(indicators: &[Indicator]) -> Option<i64> {
    let known = || indicators.iter().filter_map(|i| Some((i128::from(i.weight), i128::from(i.millipoints()?))));
    let weight: i128 = known().map(|(weight, _)| weight).sum();
    (weight > 0).then(|| (known().map(|(weight, points)| weight * points).sum::<i128>() / weight) as i64)
}

/// The blended figure with its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Blend {
    pub process: Option<i64>,
    pub outcome: Option<i64>,
    pub outcome_weight_permille: i64,
    /// `None` when a part that weighs something is missing: a missing outcome is not an average one.
    pub blended: Option<i64>,
}

/// Blends the parts by the outcome's weight.
pub fn blend(process: Option<i64>, outcome: Option<i64>, outcome_weight_permille: i64) -> Blend {
    let weight = outcome_weight_permille.clamp(0, 1000);
    let part = |value: Option<i64>, weight: i64| if weight == 0 { Some(0) } else { value.map(|value| value * weight) };
    let blended = part(process, 1000 - weight).zip(part(outcome, weight)).map(|(p, o)| (p + o) / 1000);
    Blend { process, outcome, outcome_weight_permille: weight, blended }
}

/// The conversion at which leads pay for themselves, per million: cost of a lead / margin of a deal, in the same currency. `None` when a deal
/// earns nothing; above a million no conversion is enough.
pub fn break_even_conversion_ppm(lead_cost: i64, deal_margin: i64) -> Option<i64> {
    (deal_margin > 0 && lead_cost >= 0)
        .then(|| i64::try_from(i128::from(lead_cost) * 1_000_000 / i128::from(deal_margin)).unwrap_or(i64::MAX))
}
