//! The performance tables: calls in, rows for reps, teams, requirements, hours and coaching out (SCORING.md §1 "Rep level" and §3,
//! REQUIREMENTS.md B).
//!
//! Every table is a pure function of sums that add up ([`sums`]): a batch of calls changes the tables without the calls before it
//! being read again. Points are millipoints (100,000 = 100 points), shares per mille. An estimate never stands without its
//! 95 % interval, a rank is an interval, and both are missing when the calls cannot carry them.

mod activity;
pub mod additive;
pub mod adjustment;
mod association;
mod attention;
mod blend;
mod coaching;
mod coaching_plan;
mod columns;
mod comparison;
mod doubts;
mod fairness;
mod funnel;
pub mod gaming;
mod hour_weekday;
mod improvement;
mod indicators;
mod period;
mod rank;
mod rep_dimension;
mod rep_period;
mod requirement_period;
mod share;
mod summary;
pub mod sums;
mod tables;
mod targets;
mod team_period;
mod trend;

pub use activity::{Activity, Measure, Unit};
pub use association::{Association, MIN_REPS, association, spearman};
pub use attention::{Attention, AttentionLines, attention};
pub use blend::{
    Blend, FIRST_QUARTER_DAYS, Indicator, RAMP_DAYS, WeightProfile, blend, break_even_conversion_ppm, outcome,
};
pub use coaching::{BeforeAfter, CoachingEffect, CoachingVerdict, Design, coaching_effect};
pub use coaching_plan::{CoachingEvent, CoachingPlan, Stage, Target, WINDOW_DAYS, Windows};
pub use columns::{COACHING, HOUR_WEEKDAY, INDICATORS, REP_DIMENSION, REP_PERIOD, REQUIREMENT_PERIOD, TEAM_PERIOD};
pub use doubts::{Difference, Inflation, PassLineHeap, inflation, language_gap, pass_line_heaps, recognition_gap};
pub use fairness::{GroupGap, GroupGaps, MIN_REPS_A_GROUP, RequirementGap, group_gaps};
pub use funnel::WeakStage;
pub use hour_weekday::{HourRow, hour_rows};
pub use improvement::{Improvement, name_worst_calls};
pub use indicators::{
    Benchmark, ConversionOf, Figure, IndicatorKind, IndicatorRow, IndicatorSettings, LeadReturn, TeamIndicators,
    indicator_rows, quality_and_conversion, team_indicators,
};
pub use period::{PeriodKind, Slot};
pub use rank::rank_intervals;
pub use rep_dimension::{DimensionTrend, RepDimensionRow, dimension_rows, rep_dimension};
pub use rep_period::{DimensionMean, RepRow, rep_period, rep_rows, rep_table};
pub use requirement_period::{RequirementRow, requirement_rows};
pub use share::Share;
pub use summary::{CallSummary, Loss, SUMMARY_SCHEMA, model_hash};
pub use sums::UNASSIGNED;
pub use tables::{PerformanceTable, PerformanceTables};
pub use targets::{RisesAlone, TargetCheck, TargetMonth, target_checks};
pub use team_period::{TeamRow, team_rows};
pub use trend::Trend;

/// Fewer calls carry no rank. Engineering guess of SCORING.md.
pub const MIN_CALLS: u64 = 20;
/// A less reliable mean carries no rank. Engineering guess of SCORING.md.
pub const MIN_RELIABILITY: f64 = 0.5;
/// What is called a trend, a dip or a heap is wrong in at most this share of cases (Benjamini–Hochberg).
pub const FALSE_DISCOVERY_RATE: f64 = 0.05;

/// To whole units, halves away from 0.
fn rounded(x: f64) -> i64 {
    x.round() as i64
}
