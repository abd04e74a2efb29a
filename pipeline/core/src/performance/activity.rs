//! What call logs and sales systems say about a rep's day: a closed list of measures, and nothing about customers.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Map, Value};

/// How the numbers of a column are written, and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Whole things; `yes` is one, `no` none.
    Count,
    /// Seconds or `h:mm:ss`; kept as milliseconds.
    Seconds,
    /// Any currency; kept as thousandths.
    Money,
}

/// Declares [`Measure`]: `Variant, "column", "kept as", Unit, "doc";`
macro_rules! measures {
    ($($variant:ident, $column:literal, $id:literal, $unit:expr, $doc:literal;)*) => {
        /// What is counted. A new measure is a row below.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Measure {
            $(#[doc = $doc] $variant,)*
        }

        impl Measure {
            pub const ALL: &'static [Measure] = &[$(Measure::$variant),*];

            /// What the configuration calls it.
            pub fn column(self) -> &'static str {
                match self { $(Measure::$variant => $column,)* }
            }

            /// Its name with its unit, as stored: never change one.
            pub fn id(self) -> &'static str {
                match self { $(Measure::$variant => $id,)* }
            }

            pub fn unit(self) -> Unit {
                match self { $(Measure::$variant => $unit,)* }
            }
        }
    };
}

measures! {
    Dialled, "dialled", "dialled", Unit::Count, "Calls that were dialled.";
    Connected, "connected", "connected", Unit::Count, "Calls in which somebody was reached.";
    Talk, "talk_s", "talk_ms", Unit::Seconds, "Time in conversation.";
    Leads, "leads", "leads", Unit::Count, "Leads that were handed to the rep.";
    Opportunities, "opportunities", "opportunities", Unit::Count, "Opportunities that were opened.";
    Deals, "deals", "deals", Unit::Count, "Deals that were closed.";
    Revenue, "revenue", "revenue_milli", Unit::Money, "What the deals brought.";
    Complaints, "complaints", "complaints", Unit::Count, "Complaints about the rep's calls.";
    Repurchases, "repurchases", "repurchases", Unit::Count, "Deals with customers who had bought before.";
    Cases, "cases", "cases", Unit::Count, "First contacts that had something to resolve.";
    FirstContactResolved, "first_contact_resolved", "first_contact_resolved", Unit::Count, "Of these, resolved at once.";
    Customers, "customers", "customers", Unit::Count, "Customers that the rep covers on that day: a level, not added up over days.";
}

impl Measure {
    /// The measure that the configuration calls so.
    pub fn of_column(column: &str) -> Option<Measure> {
        Measure::ALL.iter().copied().find(|measure| measure.column() == column)
    }
}

/// One imported row: a call, or a rep's day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    pub rep_id: String,
    pub day: Date,
    pub team: Option<String>,
    /// When the rep began in the job.
    pub tenure_start: Option<Date>,
    /// In the unit of [`Measure::id`]; what the row does not say is missing, not 0.
    pub measures: BTreeMap<Measure, i64>,
}

impl Activity {
    /// What the store keeps beside rep and day: measures by their ids, team, start of the tenure. Keys in order, so that equal rows
    /// give equal text.
    pub fn to_json(&self) -> String {
        let mut row: Map<String, Value> =
            self.measures.iter().map(|(measure, value)| (measure.id().to_string(), (*value).into())).collect();
        row.extend(self.team.iter().map(|team| ("team".to_string(), team.as_str().into())));
        row.extend(self.tenure_start.iter().map(|day| ("tenure_start".to_string(), day.to_string().into())));
        Value::Object(row).to_string()
    }

    /// The opposite of [`Activity::to_json`]. Keys of later versions are left out; `None` when the text is no object.
    pub fn from_json(rep_id: &str, day: Date, row: &str) -> Option<Activity> {
        let row: Map<String, Value> = serde_json::from_str(row).ok()?;
        let text = |key: &str| row.get(key).and_then(Value::as_str);
        let known = |measure: &Measure| Some((*measure, row.get(measure.id())?.as_i64()?));
        Some(Activity {
            rep_id: rep_id.to_string(),
            day,
            team: text("team").map(str::to_string),
            tenure_start: text("tenure_start").and_then(|day| day.parse().ok()),
            measures: Measure::ALL.iter().filter_map(known).collect(),
        })
    }
}
