//! `callmark eval redaction`: how much of what is personal is taken out of labelled texts, by entity, and how much else.
//!
//! A set is a file of JSON lines, one call each (models/evaluation/make_redaction_sets.py). A labelled place counts as found when no letter and
//! no digit of it is left, whatever the placeholder is called; a placeholder is right when it touches a labelled place of any entity.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use callmark_core::recording::Language;
use callmark_core::redaction::{self, Entity, Found};
use callmark_core::statistics::wilson;
use callmark_core::transcript::{Medium, Role, RoleMethod, Transcript, Turn};
use comfy_table::Cell;
use serde::{Deserialize, Serialize};

use super::tables;
use crate::FINISHED;
use crate::cli::RedactionArgs;
use crate::commands::terminal_table::{right, table};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelledCall {
    language: Language,
    turns: Vec<LabelledTurn>,
    spans: Vec<LabelledSpan>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelledTurn {
    role: Role,
    begin_ms: i64,
    end_ms: i64,
    text: String,
}

/// `begin` inclusive, `end` exclusive, in characters of the turn's text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelledSpan {
    turn: usize,
    begin: usize,
    end: usize,
    entity: Entity,
}

/// One entity of one set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Counts {
    labelled: u64,
    /// Nothing of them is left.
    found: u64,
    touched: u64,
    /// Touched by a placeholder of their own entity.
    named: u64,
    placeholders: u64,
    /// Placeholders that touch something labelled.
    right: u64,
}

#[derive(Serialize)]
struct Row {
    set: String,
    entity: Entity,
    #[serde(flatten)]
    counts: Counts,
    recall: Option<Share>,
    precision: Option<Share>,
}

/// With its Wilson interval of 95 %.
#[derive(Serialize)]
struct Share {
    value: f64,
    low: f64,
    high: f64,
}

fn share(part: u64, of: u64) -> Option<Share> {
    wilson(part, of, 1.96).map(|i| Share { value: part as f64 / of as f64, low: i.low, high: i.high })
}

pub fn run(args: &RedactionArgs) -> Result<u8> {
    let mut rows = Vec::new();
    for set in &args.sets {
        let name = set.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let counts = measure(set, args.show_errors)?;
        rows.extend(counts.into_iter().map(|(entity, counts)| Row {
            set: name.clone(),
            entity,
            counts,
            recall: share(counts.found, counts.labelled),
            precision: share(counts.right, counts.placeholders),
        }));
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print(&rows);
    }
    Ok(FINISHED)
}

fn measure(path: &Path, show_errors: bool) -> Result<BTreeMap<Entity, Counts>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut counts: BTreeMap<Entity, Counts> = BTreeMap::new();
    for (line, text) in BufReader::new(file).lines().enumerate() {
        let place = || format!("{}, line {}", path.display(), line + 1);
        let call: LabelledCall = serde_json::from_str(&text.with_context(place)?).with_context(place)?;
        let (transcript, labels) = call.transcript().with_context(place)?;
        let found = redaction::find(&transcript);
        for (label, entity) in &labels {
            let turn_text = &transcript.turns[label.turn].text;
            let touching = || found.iter().filter(|place| label.touches(place));
            let covered = |at: usize| touching().any(|place| (place.begin..place.end).contains(&at));
            let inside = turn_text[label.begin..label.end].char_indices().filter(|(_, c)| c.is_alphanumeric());
            let is_found = inside.map(|(at, _)| label.begin + at).all(covered);
            let count = counts.entry(*entity).or_default();
            count.labelled += 1;
            count.found += u64::from(is_found);
            count.touched += u64::from(touching().next().is_some());
            count.named += u64::from(touching().any(|place| place.entity == *entity));
            if show_errors && !is_found {
                println!("{}: turn {}: {} is left", place(), label.turn, entity.name());
            }
        }
        for place_found in &found {
            let right = labels.iter().any(|(label, _)| label.touches(place_found));
            let count = counts.entry(place_found.entity).or_default();
            count.placeholders += 1;
            count.right += u64::from(right);
            if show_errors && !right {
                println!("{}: turn {}: {} is none", place(), place_found.turn, place_found.entity.name());
            }
        }
    }
    Ok(counts)
}

/// A labelled place in bytes.
struct Label {
    turn: usize,
    begin: usize,
    end: usize,
}

impl Label {
    fn touches(&self, found: &Found) -> bool {
        found.turn == self.turn && found.begin < self.end && found.end > self.begin
    }
}

impl LabelledCall {
    fn transcript(self) -> Result<(Transcript, Vec<(Label, Entity)>)> {
        let turn = |turn: LabelledTurn| Turn {
            role: turn.role,
            begin_ms: turn.begin_ms,
            end_ms: turn.end_ms,
            text: turn.text,
            words: vec![],
            confidence_permille: 1000,
        };
        let turns: Vec<Turn> = self.turns.into_iter().map(turn).collect();
        let mut labels = Vec::new();
        for span in self.spans {
            let Some(text) = turns.get(span.turn).map(|turn| &turn.text).filter(|_| span.begin < span.end) else {
                bail!("a span names no place of a turn");
            };
            let byte = |character: usize| text.char_indices().nth(character).map_or(text.len(), |(at, _)| at);
            labels.push((Label { turn: span.turn, begin: byte(span.begin), end: byte(span.end) }, span.entity));
        }
        let transcript = Transcript {
            medium: Medium::Speech,
            language: Some(self.language),
            duration_ms: turns.iter().map(|turn| turn.end_ms).max().unwrap_or(0),
            role_method: RoleMethod::Labelled,
            role_confidence_permille: 1000,
            turns,
            ..Transcript::default()
        };
        Ok((transcript, labels))
    }
}

fn print(rows: &[Row]) {
    let mut table = table([
        "set",
        "entity",
        "labelled",
        "nothing left",
        "recall",
        "95 %",
        "touched",
        "named",
        "placeholders",
        "right",
        "precision",
        "95 %",
    ]);
    let cells = |share: &Option<Share>| {
        let value = share.as_ref().map_or("–".to_string(), |s| format!("{:.3}", s.value));
        let ends = share.as_ref().map(|s| (s.low, s.high)).unzip();
        [right(value), right(tables::interval(ends.0, ends.1))]
    };
    for row in rows {
        let number = |n: u64| right(n.to_string());
        let counts = &row.counts;
        let begin = [Cell::new(&row.set), Cell::new(row.entity.name()), number(counts.labelled), number(counts.found)];
        let middle = [counts.touched, counts.named, counts.placeholders, counts.right].map(number);
        table.add_row(begin.into_iter().chain(cells(&row.recall)).chain(middle).chain(cells(&row.precision)));
    }
    println!("{table}");
}
