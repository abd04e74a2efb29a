//! `callmark eval conversation`: which calls without a conversation are found, by kind, and which conversations are taken for one of them.
//!
//! A set is a folder with a folder per kind; recordings and transcripts in it, at any depth, are of that kind. Length of the call, confidence and
//! language, which also leave calls unscored, are not looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use callmark_core::record::UnscoredReason::{self, *};
use callmark_core::recording::Language;
use callmark_core::scoring::eligibility;
use callmark_core::statistics::wilson;
use callmark_core::transcript::Transcript;

use super::hearing::Hearing;
use super::labelled::LabelledSet;
use crate::cli::{Common, ConversationArgs};
use crate::commands::terminal_table::{right, table};
use crate::config::Config;
use crate::read::text;
use crate::{FINISHED, SOME_FAILED};

/// Kind of call → the reasons that name it; a conversation has none.
const KINDS: &[(&str, &[UnscoredReason])] = &[
    ("voicemail", &[Voicemail]),
    ("ivr", &[Ivr]),
    ("announcement", &[NoConversation]),
    ("wrong_number", &[NoConversation]),
    ("one_sided", &[OneSided, NoConversation]),
    ("not_answered", &[NotAnswered]),
    ("busy", &[Busy]),
    ("fax", &[Fax]),
    (CONVERSATION, &[]),
];
const CONVERSATION: &str = "conversation";

/// What was made of the calls of one kind.
#[derive(Default)]
struct Counts {
    calls: u64,
    /// Left unscored because they are no conversation, for whichever reason.
    found: u64,
    /// For the reason of their kind.
    named: u64,
}

pub fn run(args: &ConversationArgs, common: &Common) -> Result<u8> {
    let mut by_kind: BTreeMap<usize, Counts> = BTreeMap::new();
    let mut failed = 0;
    for set in &args.sets {
        for (kind, (name, reasons)) in KINDS.iter().enumerate() {
            let folder = set.join(name);
            if !folder.is_dir() {
                continue;
            }
            let counts = by_kind.entry(kind).or_default();
            let mut transcripts = texts(&folder)?;
            failed += hear(&folder, common, &mut transcripts)?;
            for (path, transcript) in transcripts {
                let reason = eligibility(&transcript).filter(is_no_conversation);
                counts.calls += 1;
                counts.found += u64::from(reason.is_some());
                counts.named += u64::from(reason.is_some_and(|reason| reasons.contains(&reason)));
                if args.show_errors && !reason.map_or(reasons.is_empty(), |reason| reasons.contains(&reason)) {
                    println!("{}: {reason:?}", path.display());
                }
            }
        }
    }
    if by_kind.is_empty() {
        let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.0).collect();
        bail!("no folder of a kind was found\nhint: a set holds folders named {}", kinds.join(", "));
    }
    print(&by_kind);
    Ok(if failed > 0 { SOME_FAILED } else { FINISHED })
}

/// The reasons that say that nobody conversed.
fn is_no_conversation(reason: &UnscoredReason) -> bool {
    matches!(reason, Voicemail | Ivr | NoConversation | OneSided | NotAnswered | Busy | Fax)
}

fn texts(folder: &Path) -> Result<Vec<(PathBuf, Transcript)>> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(|entry| Some(entry.ok()?.into_path()))
        .filter(|path| path.extension().is_some_and(|e| ["vtt", "txt", "srt"].iter().any(|known| e == *known)))
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let transcript =
            text::read(&bytes, &name, None)?.with_context(|| format!("{} is no transcript", path.display()))?;
        Ok((path, transcript))
    };
    files.into_iter().map(read).collect()
}

/// Adds the transcripts of a folder's recordings. How many could not be heard.
fn hear(folder: &Path, common: &Common, transcripts: &mut Vec<(PathBuf, Transcript)>) -> Result<usize> {
    // A folder of texts alone is no set of recordings, and needs no recogniser.
    let Ok(set) = LabelledSet::read(folder, Some(Language::En)) else { return Ok(0) };
    let recordings: Vec<_> = set.recordings.iter().collect();
    let hearing = Hearing::open(None, &Config::load(common)?, true)?;
    let mut failed = 0;
    for (recording, heard) in recordings.iter().zip(hearing.listen(&recordings, rayon::current_num_threads(), true)?) {
        match heard {
            Ok(heard) => transcripts.push((recording.path.clone(), heard.transcript)),
            Err(error) => {
                eprintln!("failed: {}: {error}\n  hint: {}", recording.path.display(), error.hint);
                failed += 1;
            }
        }
    }
    Ok(failed)
}

fn print(by_kind: &BTreeMap<usize, Counts>) {
    let share = |a: u64, b: u64| {
        let interval = wilson(a, b, 1.96).map(|i| format!(" ({:.0}–{:.0})", 100.0 * i.low, 100.0 * i.high));
        if b == 0 {
            "–".into()
        } else {
            format!("{:.1}{}", 100.0 * a as f64 / b as f64, interval.unwrap_or_default())
        }
    };
    let mut table = table(["kind", "n", "found", "recall, % (95 %)", "by its name"]);
    let (mut found, mut positives) = (0, 0);
    for (kind, counts) in by_kind.iter().filter(|(kind, _)| KINDS[**kind].0 != CONVERSATION) {
        (found, positives) = (found + counts.found, positives + counts.calls);
        table.add_row(vec![
            KINDS[*kind].0.into(),
            right(counts.calls.to_string()),
            right(counts.found.to_string()),
            right(share(counts.found, counts.calls)),
            right(counts.named.to_string()),
        ]);
    }
    println!("{table}");
    println!("recall: {found} of {positives}, {} %", share(found, positives));
    if let Some(conversations) = by_kind.iter().find(|(kind, _)| KINDS[**kind].0 == CONVERSATION).map(|(_, c)| c) {
        println!("conversations taken for none: {} of {}", conversations.found, conversations.calls);
        println!(
            "precision: {found} of {}, {} %",
            found + conversations.found,
            share(found, found + conversations.found)
        );
    }
}
