//! Where a rep's opportunities are lost (REQUIREMENTS.md B.6): many of them, few deals, and a stage of the calls that is weak.
//!
//! Nothing is named by points alone: the conversion's and the stage's 95 % intervals both lie below what they are held against.

use std::collections::BTreeMap;

use super::activity::Measure;
use super::indicators::{ConversionOf, IndicatorKind, IndicatorRow};
use super::rep_dimension::RepDimensionRow;

/// The stage in which a rep with many opportunities and few deals is below the team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeakStage {
    /// The need is not found out.
    Discovery,
    /// Discovery is fine, but objections are not handled or nobody asks for the order.
    Offer,
}

impl WeakStage {
    pub fn id(self) -> &'static str {
        match self {
            WeakStage::Discovery => "discovery",
            WeakStage::Offer => "offer",
        }
    }

    /// The scorecard dimensions in which it shows.
    fn dimensions(self) -> &'static [&'static str] {
        match self {
            WeakStage::Discovery => &["discovery"],
            WeakStage::Offer => &["handling", "close"],
        }
    }
}

/// Fills `weak_stage` of the rows of one kind of period. `dimensions`: the dimension table of the same kind.
///
/// Many opportunities: at least the median of the reps of the period who have any. Few deals: the upper end of the conversion's
/// interval is below the conversion of all others of the period together. Weak: the upper end of the stage's shrunken share is below
/// the mean of the reps compared. Discovery comes first, since an offer cannot be better than what was found out: where nothing is known
/// of it, the offer is not blamed.
pub(super) fn name_weak_stages(rows: &mut [IndicatorRow], dimensions: &[RepDimensionRow]) {
    let below: BTreeMap<(&str, &str, &str), bool> = dimensions
        .iter()
        .filter_map(|row| {
            let key = (row.period.as_str(), row.rep_id.as_str(), row.dimension.as_str());
            Some((key, row.high_permille? < row.team_permille?))
        })
        .collect();
    let mut funnels: BTreeMap<String, Vec<(i128, i128)>> = BTreeMap::new();
    for row in rows.iter() {
        if let Some(funnel) = funnel(row) {
            funnels.entry(row.period.clone()).or_default().push(funnel);
        }
    }
    for of_period in funnels.values_mut() {
        of_period.sort_unstable();
    }
    for row in rows {
        let (Some((opportunities, deals)), Some(all)) = (funnel(row), funnels.get(&row.period)) else { continue };
        let (all_opportunities, all_deals) = all.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let (others, others_deals) = (all_opportunities - opportunities, all_deals - deals);
        let many = opportunities >= all[all.len() / 2].0;
        let interval = row.figures.get(&IndicatorKind::Conversion).and_then(|figure| figure.interval_milli);
        let few =
            others > 0 && interval.is_some_and(|(_, high_milli)| i128::from(high_milli) * others < 1000 * others_deals);
        if many && few {
            // `None`: nothing is known of the stage.
            let is_below = |stage: WeakStage| {
                let lies_below =
                    |dimension: &&str| below.get(&(row.period.as_str(), row.rep_id.as_str(), *dimension)).copied();
                stage.dimensions().iter().filter_map(lies_below).max()
            };
            row.weak_stage = match (is_below(WeakStage::Discovery), is_below(WeakStage::Offer)) {
                (Some(true), _) => Some(WeakStage::Discovery),
                (Some(false), Some(true)) => Some(WeakStage::Offer),
                _ => None,
            };
        }
    }
}

/// Opportunities and deals of a row, where a conversion is the share of both. Wide, so that no sum of imported numbers overflows.
fn funnel(row: &IndicatorRow) -> Option<(i128, i128)> {
    let opportunities = *row.totals.get(&Measure::Opportunities)?;
    let deals = *row.totals.get(&Measure::Deals)?;
    (row.conversion_of == ConversionOf::Opportunities && opportunities > 0 && deals <= opportunities)
        .then_some((opportunities.into(), deals.into()))
}
