//! `callmark models list`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use callmark_core::recording::Language;
use callmark_models::classifier;
use callmark_models::manifest::{ModelEntry, Presence, presence};
use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

use crate::FINISHED;
use crate::advice::{self, Machine};
use crate::cli::Common;
use crate::config::Config;
use crate::install::{Install, known_models, user_models};

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    kind: &'a str,
    installed: bool,
    /// There is a file of its name with another size.
    damaged: bool,
    /// `run` uses it when nothing else is said.
    used: bool,
    path: Option<PathBuf>,
    bytes: u64,
    languages: &'a [String],
    /// About what one lane needs.
    memory_mb: Option<u32>,
    memory_estimated: bool,
    real_time_factor_1_core: Option<f64>,
    /// Two or more independent sources agree on the SHA-256.
    verified: bool,
    sha256: &'a str,
    source: &'a str,
    url: Option<&'a str>,
    licence: &'a str,
    note: &'a str,
}

pub fn list(json: bool, common: &Common) -> Result<u8> {
    let install = Install::find()?;
    let config = Config::load(common)?;
    let manifest = known_models()?;
    let folders = install.model_folders();
    let used = config.model.clone().unwrap_or_else(|| manifest.default_recogniser(&folders).to_string());
    let classifiers = Language::ALL.into_iter().filter_map(|language| config.sentiment_classifier.of(language));
    let in_use: Vec<&str> = std::iter::once(used.as_str()).chain(classifiers).collect();
    let rows: Vec<Row> = manifest.models.iter().map(|entry| row(entry, presence(entry, &folders), &in_use)).collect();
    if json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(FINISHED);
    }
    let mut table = Table::new();
    let head = ["model", "installed", "MB", "MB a lane", "languages", "licence", "note"];
    table.load_style(presets::NOTHING).set_header(head);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    for row in &rows {
        let state = match row {
            Row { damaged: true, .. } => "damaged",
            Row { used: true, .. } => "used",
            Row { installed: true, .. } => "yes",
            _ => "–",
        };
        let about = if row.memory_estimated { "~" } else { "" };
        let note = if row.verified { row.note.to_string() } else { format!("SHA-256 from one source; {}", row.note) };
        table.add_row([
            Cell::new(row.name),
            Cell::new(state),
            right(format!("{:.0}", row.bytes as f64 / 1e6)),
            right(row.memory_mb.map_or(String::new(), |mb| format!("{about}{mb}"))),
            Cell::new(row.languages.join(" ")),
            Cell::new(row.licence),
            Cell::new(note.trim_end_matches("; ")),
        ]);
    }
    println!("{table}");
    if !rows.iter().any(|row| row.used && row.name == used) {
        println!("\nUsed: {used}, a file of your own.");
    }
    let machine = Machine::this();
    if let Some(advice) = advice::best(&manifest, &machine, &config.languages(), 0.0) {
        let lanes = advice.lanes;
        println!("\nBest for this machine ({}): {} with {lanes} lanes.", machine.text(), advice.entry.name);
        if presence(advice.entry, &folders) == Presence::Missing {
            println!("Get it: {}", advice.command());
        }
    }
    if let Some(folder) = user_models() {
        println!(
            "Own models lie in {}; `callmark models add FILE` takes one in, --classifier DIR a sentiment classifier.",
            folder.display()
        );
    }
    Ok(FINISHED)
}

fn row<'a>(entry: &'a ModelEntry, presence: Presence, in_use: &[&str]) -> Row<'a> {
    let (installed, damaged, path) = match presence {
        Presence::Installed(path) => (true, false, Some(path)),
        Presence::Damaged(path) => (false, true, Some(path)),
        Presence::Missing => (false, false, None),
    };
    let bytes = match &path {
        Some(path) if entry.kind == classifier::KIND => classifier_bytes(path).unwrap_or(entry.bytes),
        _ => entry.bytes,
    };
    Row {
        name: &entry.name,
        kind: &entry.kind,
        installed,
        damaged,
        used: installed && in_use.contains(&entry.name.as_str()),
        path,
        bytes,
        languages: &entry.languages,
        memory_mb: entry.memory_mb,
        memory_estimated: entry.memory_estimated,
        real_time_factor_1_core: entry.real_time_factor_1_core,
        verified: entry.verified,
        sha256: &entry.sha256,
        source: &entry.source,
        url: entry.url.as_deref(),
        licence: &entry.licence,
        note: &entry.note,
    }
}

/// Of all its files; `None` when its description cannot be read.
fn classifier_bytes(description: &Path) -> Option<u64> {
    let folder = description.parent()?;
    Some(classifier::size_bytes(folder, &classifier::Description::read(folder).ok()?))
}
