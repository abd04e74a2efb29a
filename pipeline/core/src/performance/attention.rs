//! Who needs attention, and why: lines that the whole interval of a rep is below, and confirmed fatals.

use serde::Serialize;

use super::rep_period::RepRow;

/// The lines, in millipoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AttentionLines {
    /// The lower line of the verdict `coach`: below it a call is flagged.
    pub band: i64,
    /// How far below the team's mean is far. Engineering guess of SCORING.md: below the plain mean lie many of a normal team.
    pub below_team: i64,
}

impl Default for AttentionLines {
    fn default() -> AttentionLines {
        AttentionLines { band: 70_000, below_team: 5_000 }
    }
}

/// Why a rep is on the attention list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// Confirmed fatals: the only reason that is shown red, and the only one that needs no interval.
    ConfirmedFatal { calls: u64 },
    /// The upper end of the 95 % interval is below the line of the verdict.
    BelowBand { high: i64, line: i64 },
    /// The upper end is below the team's mean less the margin.
    BelowTeam { high: i64, line: i64 },
}

/// The reasons to look at a rep, the gravest first; empty without any. A low estimate is none: the interval must be low.
pub fn attention(row: &RepRow, lines: &AttentionLines) -> Vec<Attention> {
    let mut reasons = Vec::new();
    if row.fatals > 0 {
        reasons.push(Attention::ConfirmedFatal { calls: row.fatals });
    }
    let Some(high) = row.high else { return reasons };
    if high < lines.band {
        reasons.push(Attention::BelowBand { high, line: lines.band });
    }
    if let Some(line) = row.team_mean.map(|mean| mean - lines.below_team).filter(|line| high < *line) {
        reasons.push(Attention::BelowTeam { high, line });
    }
    reasons
}
