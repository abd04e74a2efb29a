//! `callmark eval roles`: who is the rep, inferred from the words of labelled transcripts alone: accuracy, abstention and calibration
//! by length of the call's beginning, and the cues on which models/evaluation/fit_roles.py fits the weights.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use callmark_core::acts::ActLexicon;
use callmark_core::conversation;
use callmark_core::recogniser_noise::misheard;
use callmark_core::recording::Language;
use callmark_core::roles::{self, RoleEvidence};
use callmark_core::scoring::MIN_ROLE_CONFIDENCE_PERMILLE;
use callmark_core::statistics::wilson;
use callmark_core::transcript::{Role, Transcript, Turn};
use rayon::prelude::*;
use serde_json::json;

use crate::FINISHED;
use crate::cli::RolesEvalArgs;
use crate::read::text;

/// Upper bounds of the confidence bands, per mille.
const BANDS: [u16; 6] = [600, 700, 800, 900, 970, 1000];

struct Case {
    name: String,
    turns: usize,
    evidence: Vec<RoleEvidence>,
}

impl Case {
    /// The rep is speaker 0 in every case.
    fn right(&self) -> (bool, u16) {
        let decided = roles::decide(&self.evidence);
        // Without evidence nobody was found: that is not right by luck.
        (decided.rep == 0 && decided.confidence_permille > 500, decided.confidence_permille)
    }
}

pub fn run(args: &RolesEvalArgs) -> Result<u8> {
    let mut files = Vec::new();
    for path in &args.paths {
        transcripts_in(path, &mut files)?;
    }
    files.sort();
    let lengths: Vec<usize> = args.turns.iter().map(|n| if *n == 0 { usize::MAX } else { *n }).collect();
    let (read, caught) = false_alarms(&files);
    let cases: Vec<Vec<Case>> = files
        .par_iter()
        .enumerate()
        .filter_map(|(seed, file)| {
            let mut transcript = labelled(file)?;
            if args.error_permille > 0 {
                damage(&mut transcript, args.error_permille, seed as u64 + 1);
            }
            let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            Some(lengths.iter().filter_map(|turns| case(&name, &transcript, *turns)).collect())
        })
        .collect();
    let cases: Vec<Case> = cases.into_iter().flatten().collect();
    if cases.is_empty() {
        bail!("no transcript with both roles was found\nhint: give .vtt or .txt files with `Rep:` and `Customer:`");
    }
    if args.cues {
        for case in &cases {
            let mut hits: BTreeMap<&str, i64> = BTreeMap::new();
            for e in &case.evidence {
                *hits.entry(e.cue).or_default() += if e.speaker == 0 { 1 } else { -1 };
            }
            println!("{}", json!({"name": case.name, "turns": shown(case.turns), "cues": hits}));
        }
        return Ok(FINISHED);
    }
    println!(
        "{:>6} {:>6} {:>9} {:>13} {:>9} {:>9} {:>6}",
        "turns", "n", "accuracy", "95%", "answered", "right", "Brier"
    );
    for turns in &lengths {
        let of: Vec<(bool, u16)> = cases.iter().filter(|c| c.turns == *turns).map(Case::right).collect();
        let right = of.iter().filter(|(right, _)| *right).count();
        let answered: Vec<_> = of.iter().filter(|(_, p)| *p >= MIN_ROLE_CONFIDENCE_PERMILLE).collect();
        let answered_right = answered.iter().filter(|(right, _)| *right).count();
        let interval = wilson(right as u64, of.len() as u64, 1.96);
        let brier: f64 =
            of.iter().map(|(right, p)| (f64::from(u8::from(*right)) - f64::from(*p) / 1000.0).powi(2)).sum();
        let share =
            |a: usize, b: usize| if b == 0 { "–".into() } else { format!("{:.1}%", 100.0 * a as f64 / b as f64) };
        println!(
            "{:>6} {:>6} {:>9} {:>13} {:>9} {:>9} {:>6.3}",
            shown(*turns),
            of.len(),
            share(right, of.len()),
            interval.map_or("–".into(), |i| format!("{:.1}–{:.1}%", 100.0 * i.low, 100.0 * i.high)),
            share(answered.len(), of.len()),
            share(answered_right, answered.len()),
            brier / of.len().max(1) as f64
        );
    }
    println!("taken for no conversation: {} of {read} {}", caught.len(), caught.join(", "));
    println!("confidence (said)   n   mean   right");
    let all: Vec<(bool, u16)> = cases.iter().map(Case::right).collect();
    let mut from = 500;
    for to in BANDS {
        let band: Vec<_> = all.iter().filter(|(_, p)| (from..to).contains(p)).collect();
        if !band.is_empty() {
            let mean = band.iter().map(|(_, p)| f64::from(*p)).sum::<f64>() / band.len() as f64 / 1000.0;
            let right = band.iter().filter(|(right, _)| *right).count() as f64 / band.len() as f64;
            println!("{from:>4}–{to:<4} {:>11}  {mean:.3}  {right:.3}", band.len());
        }
        from = to;
    }
    for case in cases.iter().filter(|c| args.show_errors && !c.right().0) {
        println!("wrong: {} turns={} confidence={}", case.name, shown(case.turns), case.right().1);
    }
    Ok(FINISHED)
}

/// How many transcripts were read, and which of them are taken for voicemail, a menu or one side alone: all are conversations.
fn false_alarms(files: &[std::path::PathBuf]) -> (usize, Vec<String>) {
    let read: Vec<_> = files.par_iter().filter_map(|file| Some((file, labelled(file)?))).collect();
    let caught = read.iter().filter_map(|(file, transcript)| {
        let reason = conversation::no_conversation(transcript)?;
        Some(format!("{} ({reason:?})", file.file_stem()?.to_string_lossy()))
    });
    (read.len(), caught.collect())
}

fn shown(turns: usize) -> String {
    if turns == usize::MAX { "all".into() } else { turns.to_string() }
}

fn transcripts_in(path: &Path, files: &mut Vec<std::path::PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
            transcripts_in(&entry?.path(), files)?;
        }
    } else if path.extension().is_some_and(|e| ["vtt", "txt", "srt"].iter().any(|known| e == *known)) {
        files.push(path.to_path_buf());
    }
    Ok(())
}

fn labelled(file: &Path) -> Option<Transcript> {
    let bytes = std::fs::read(file).ok()?;
    text::read(&bytes, &file.file_name()?.to_string_lossy(), None).ok().flatten()
}

fn damage(transcript: &mut Transcript, error_permille: u16, seed: u64) {
    let language = transcript.language.unwrap_or(Language::En);
    for (i, turn) in transcript.turns.iter_mut().enumerate() {
        turn.text = misheard(&turn.text, language, error_permille, seed.wrapping_mul(1000) + i as u64);
    }
}

/// The first turns of a call whose beginning has both speakers; `None` when it ends before.
fn case(name: &str, transcript: &Transcript, turns: usize) -> Option<Case> {
    if turns != usize::MAX && transcript.turns.len() < turns {
        return None;
    }
    let of = |role| -> Vec<Turn> { transcript.turns.iter().take(turns).filter(|t| t.role == role).cloned().collect() };
    let (rep, customer) = (of(Role::Rep), of(Role::Customer));
    let evidence = roles::weigh([&rep, &customer], None, ActLexicon::built_in(), transcript);
    (!rep.is_empty() && !customer.is_empty()).then(|| Case { name: name.to_string(), turns, evidence })
}
