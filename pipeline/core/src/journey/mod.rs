//! Journeys of opportunities: imported touchpoints and what was said in the calls between them, as checklists, health and alerts.
//!
//! Everything is a pure function of touchpoints, calls and a day ("as of"): nothing here knows what day it is. What customers said is quoted,
//! never paraphrased, and computed anew from the stored calls each time, so that a forgotten call leaves nothing behind here.

mod alert;
mod checklist;
mod columns;
mod health;
mod mention;
mod opportunity;
mod talk;
mod touchpoint;

pub use alert::{Alert, Promise};
pub use checklist::{ChecklistItem, ItemOutcome, ItemState, Limit, Rule};
pub use columns::{MENTIONS, OPPORTUNITIES, TOUCHPOINTS};
pub use health::Health;
pub use mention::{Mention, MentionKind, mentions};
pub use opportunity::{JourneySettings, OpportunityRow, OpportunityStatus, journeys};
pub use talk::CallTalk;
pub use touchpoint::{Moment, Touchpoint, TouchpointKind};
