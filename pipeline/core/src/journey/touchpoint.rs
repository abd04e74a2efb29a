//! Touchpoints: what sales systems say happened with an opportunity, when and by whom. A closed list of kinds.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::temporal::Pieces;
use serde::{Deserialize, Serialize};

/// Declares [`TouchpointKind`]: `Variant, "id", "doc";`
macro_rules! kinds {
    ($($variant:ident, $id:literal, $doc:literal;)*) => {
        /// What happened. A new kind is a row below.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum TouchpointKind {
            $(#[doc = $doc] $variant,)*
        }

        impl TouchpointKind {
            pub const ALL: &'static [TouchpointKind] = &[$(TouchpointKind::$variant),*];

            /// Its name in the configuration and in the store: never change one.
            pub fn id(self) -> &'static str {
                match self { $(TouchpointKind::$variant => $id,)* }
            }
        }
    };
}

kinds! {
    FirstContact, "first_contact", "The first contact.";
    NeedGraded, "need_graded", "The need was graded (no contact).";
    Proposal, "proposal", "A proposal went out; the text is its wording.";
    CrossTeamStep, "cross_team_step", "Another team was brought in (no contact).";
    Contract, "contract", "The customer signed or ordered.";
    Delivery, "delivery", "What was ordered was delivered.";
    Visit, "visit", "Somebody went to see the customer.";
    Call, "call", "A call, as the sales system has it.";
    Message, "message", "A message to the customer.";
    Reply, "reply", "The customer wrote, called back or came.";
    NextStep, "next_step", "A next step was promised (no contact).";
    Closed, "closed", "The opportunity was given up or came to its end (no contact).";
}

impl TouchpointKind {
    /// The kind that is called so.
    pub fn of_id(id: &str) -> Option<TouchpointKind> {
        TouchpointKind::ALL.iter().copied().find(|kind| kind.id() == id)
    }

    /// Its place among the stages that follow each other; `None` for what may come at any time.
    pub fn stage(self) -> Option<u8> {
        match self {
            TouchpointKind::FirstContact => Some(0),
            TouchpointKind::NeedGraded => Some(1),
            TouchpointKind::Proposal => Some(2),
            TouchpointKind::Contract => Some(3),
            TouchpointKind::Delivery => Some(4),
            _ => None,
        }
    }

    /// Whether the customer was touched by it: what happens inside the house is no contact.
    pub fn is_touch(self) -> bool {
        use TouchpointKind::{Closed, CrossTeamStep, NeedGraded, NextStep};
        !matches!(self, NeedGraded | CrossTeamStep | NextStep | Closed)
    }

    /// Whether the customer took part by its nature. A visit or call may as well have been one-sided.
    pub fn is_customers(self) -> bool {
        matches!(self, TouchpointKind::Reply | TouchpointKind::Contract)
    }
}

/// When something happened, by the clock that was shown there: a day, with a time where that is known. Offsets of stamps are not looked at,
/// as in the tables of periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    pub day: Date,
    pub time: Option<Time>,
}

impl Moment {
    /// The earliest instant that it may mean.
    pub fn earliest(self) -> DateTime {
        self.day.to_datetime(self.time.unwrap_or(Time::midnight()))
    }

    /// The latest.
    pub fn latest(self) -> DateTime {
        self.day.to_datetime(self.time.unwrap_or(Time::MAX))
    }
}

/// The text is no date, or no date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a date, or a date and time, with the year first")]
pub struct NoMoment;

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(stamp: &str) -> Result<Moment, NoMoment> {
        let pieces = Pieces::parse(stamp.trim()).map_err(|_| NoMoment)?;
        Ok(Moment { day: pieces.date(), time: pieces.time() })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.time {
            Some(time) => write!(f, "{}", self.day.to_datetime(time)),
            None => write!(f, "{}", self.day),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Moment, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One event of a sales system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Touchpoint {
    /// Where it comes from, as the configuration names it, and the source's own id of the row.
    pub source: String,
    pub row_id: String,
    pub kind: TouchpointKind,
    /// One of the two is known.
    pub opportunity_id: Option<String>,
    pub customer_id: Option<String>,
    pub rep_id: String,
    pub at: Moment,
    /// What the opportunity is worth, in thousandths of any currency.
    pub value_milli: Option<i64>,
    /// The wording of a proposal; empty without any.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_without_a_time_is_any_time_of_it() {
        for (stamp, shown) in [
            ("2025-02-19", "2025-02-19"),
            ("2025-02-19T06:01:22", "2025-02-19T06:01:22"),
            ("2025-02-19 06:01:22+08:00", "2025-02-19T06:01:22"),
        ] {
            let moment: Moment = stamp.parse().unwrap();
            assert_eq!(moment.to_string(), shown);
            assert_eq!(moment.to_string().parse(), Ok(moment));
        }
        let day: Moment = "2025-02-19".parse().unwrap();
        assert_eq!(day.earliest().to_string(), "2025-02-19T00:00:00");
        assert_eq!(day.latest().date(), day.day);
        assert_eq!("tomorrow".parse::<Moment>(), Err(NoMoment));
    }

    #[test]
    fn names_stay() {
        for kind in TouchpointKind::ALL {
            assert_eq!(TouchpointKind::of_id(kind.id()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.id());
        }
    }
}
