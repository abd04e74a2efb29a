//! Integration tests: the real program on real files, as a user runs it. One binary, one module per subject.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "tests report what they measured")]

mod broken_files;
mod channels;
mod classifiers;
mod coaching;
mod determinism;
mod eval;
mod exports;
mod findings;
mod harness;
mod hostile_files;
mod interruption;
mod isolation;
mod journeys;
mod keeping;
mod memory;
mod metadata;
mod models;
mod night;
mod no_conversation;
mod outcomes;
mod package;
mod postgres;
mod privacy;
mod recogniser;
mod redaction;
mod report;
mod report_in_browser;
mod rescore;
mod roles;
mod scorecards;
mod sides;
mod signals_page;
mod text_calls;
mod two_runs;
mod watch;
