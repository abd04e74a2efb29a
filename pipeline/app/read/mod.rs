//! What comes in besides audio: interactions that are text already, metadata, call logs and sales exports.

pub mod activity;
pub mod metadata;
pub mod text;
