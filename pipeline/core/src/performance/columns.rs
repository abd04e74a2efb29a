//! The columns of the rep table: a closed list that every renderer loops over.

use super::rep_period::RepRow;

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
