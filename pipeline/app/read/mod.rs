//! What comes in besides audio: interactions that are text already, and metadata.

pub mod metadata;
pub mod text;
