//! A share of counted things with its Wilson interval.

use serde::Serialize;

use super::rounded;
use crate::statistics::{self, Z95};

/// `part` of `of`, in per mille with the 95 % interval of Wilson (1927).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    pub part: u64,
    pub of: u64,
    pub permille: i64,
    pub low_permille: i64,
    pub high_permille: i64,
}

impl Share {
    /// `None` of nothing, and when the part is larger than the whole.
    pub fn of(part: u64, of: u64) -> Option<Share> {
        let interval = statistics::wilson(part, of, Z95)?;
        Some(Share {
            part,
            of,
            permille: rounded(1000.0 * part as f64 / of as f64),
            low_permille: rounded(1000.0 * interval.low),
            high_permille: rounded(1000.0 * interval.high),
        })
    }
}
