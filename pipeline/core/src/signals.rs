//! Conversation signals computed from spans and words: integers in the unit of their name.

use serde::{Deserialize, Serialize};

/// Signals of one call; `None` means not applicable (text without times, too little speech, …).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signals {}
