//! `callmark eval`: measurements that every later claim uses: recognition of labelled sets, word error rates of stored
//! transcripts, calls without a conversation, redaction, recogniser noise.

mod acts;
mod classifiers;
mod conversation;
mod hearing;
mod labelled;
mod labelled_table;
mod measures;
mod redaction;
mod roles;
mod speakers;
mod speech;
mod stored;
mod tables;

use std::path::Path;

use anyhow::{Context, Result};
use callmark_core::recogniser_noise::misheard;
use callmark_core::recording::Language;

use crate::FINISHED;
use crate::cli::{Common, EvalCommand};

pub fn run(command: &EvalCommand, common: &Common) -> Result<u8> {
    match command {
        EvalCommand::Speech(args) => speech::run(args, common),
        EvalCommand::Speakers(args) => speakers::run(args, common),
        EvalCommand::Conversation(args) => conversation::run(args, common),
        EvalCommand::Wer { references, groups, json } => stored::run(references, groups.as_deref(), *json, common),
        EvalCommand::Redaction(args) => redaction::run(args),
        EvalCommand::Acts(args) => acts::run(args, common),
        EvalCommand::Classifiers(args) => classifiers::run(args, common),
        EvalCommand::Roles(args) => roles::run(args),
        EvalCommand::Noise { file, error_permille, seed } => noise(file, *error_permille, *seed),
    }
}

fn noise(file: &Path, error_permille: u16, seed: u64) -> Result<u8> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    for (number, line) in text.lines().enumerate() {
        let language = Language::of_text(line).unwrap_or(Language::En);
        println!("{}", misheard(line, language, error_permille, seed.wrapping_add(number as u64)));
    }
    Ok(FINISHED)
}
