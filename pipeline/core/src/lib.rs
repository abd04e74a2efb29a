//! callmark's pure core: call types, signals, scorecards, scoring, rep performance, and how good a recognition is.
//!
//! Nothing here does I/O, reads a clock or depends on an iteration order that changes between runs
//! (`clippy.toml` bans them), so a re-score gives the same bytes on every machine.
//! All times are whole milliseconds (`*_ms`, `i64`), all probabilities and shares whole per mille (`*_permille`).

pub mod accuracy;
pub mod act_accuracy;
pub mod acts;
pub mod adherence;
pub mod calibration;
pub mod classification;
pub mod comparison;
pub mod conversation;
pub mod diarization;
pub mod journey;
pub mod labelled_examples;
pub mod matching;
pub mod operator;
pub mod performance;
pub mod recogniser_noise;
pub mod record;
pub mod recording;
pub mod redaction;
pub mod reuse;
pub mod roles;
pub mod scorecard;
pub mod scoring;
pub mod sentiment_context;
pub mod signals;
pub mod statistics;
pub mod table;
pub mod transcript;
pub mod trial;
pub mod warning;
