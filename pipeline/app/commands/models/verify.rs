//! `callmark models verify`: size, SHA-256 and structure of what is installed.

use std::path::PathBuf;

use anyhow::Result;
use callmark_models::manifest::{Manifest, ModelEntry, Presence, presence, verify_file, verify_whisper};
use comfy_table::{Cell, Table, presets};
use serde::Serialize;

use crate::install::{Install, known_models, user_models};
use crate::{FINISHED, SOME_FAILED};

#[derive(Serialize)]
struct Row {
    name: String,
    ok: bool,
    path: Option<PathBuf>,
    message: String,
    hint: Option<String>,
}

pub fn verify(names: &[String], json: bool) -> Result<u8> {
    let manifest = known_models()?;
    let folders = Install::find()?.model_folders();
    let named = names.iter().map(|name| manifest.known(name).map_err(super::explain));
    let entries: Vec<&ModelEntry> =
        if names.is_empty() { manifest.models.iter().collect() } else { named.collect::<Result<_>>()? };
    let mut rows: Vec<Row> =
        entries.into_iter().filter_map(|entry| check(entry, &folders, !names.is_empty())).collect();
    if names.is_empty() {
        rows.extend(unlisted(&manifest));
    }
    let failed = rows.iter().any(|row| !row.ok);
    if json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["model", "state", "file"]);
        for row in &rows {
            let path = row.path.as_ref().map_or("–".into(), |path| path.display().to_string());
            table.add_row([Cell::new(&row.name), Cell::new(if row.ok { "ok" } else { "FAILED" }), Cell::new(path)]);
        }
        println!("{table}");
        for row in rows.iter().filter(|row| row.hint.is_some()) {
            let hint = row.hint.as_deref().unwrap_or_default();
            eprintln!("{}: {}\nhint: {hint}", row.name, row.message);
        }
    }
    Ok(if failed { SOME_FAILED } else { FINISHED })
}

/// `None` for a model that is not installed and that nobody asked for.
fn check(entry: &ModelEntry, folders: &[PathBuf], asked: bool) -> Option<Row> {
    let name = entry.name.clone();
    let path = match presence(entry, folders) {
        Presence::Installed(path) | Presence::Damaged(path) => path,
        Presence::Missing if !asked => return None,
        Presence::Missing => {
            let hint = match entry.url {
                Some(_) => format!("callmark models pull {name}"),
                None => "run scripts/setup, or install callmark again".to_string(),
            };
            return Some(Row { name, ok: false, path: None, message: "not installed".to_string(), hint: Some(hint) });
        }
    };
    Some(match verify_file(&path, entry) {
        Ok(_) => Row { name, ok: true, path: Some(path), message: "size and SHA-256 are right".into(), hint: None },
        Err(error) => {
            let (message, hint) = (error.to_string(), Some(error.hint().to_string()));
            Row { name, ok: false, path: Some(path), message, hint }
        }
    })
}

/// Model files in the user's folder that no list names; their structure can be checked.
fn unlisted(manifest: &Manifest) -> Vec<Row> {
    let Some(folder) = user_models() else { return Vec::new() };
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.is_file() && path.extension().is_some_and(|end| end == "bin")).collect();
    files.sort();
    let known = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        manifest.models.iter().any(|entry| entry.file_name() == name)
    };
    let row = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (ok, message, hint) = match verify_whisper(&path) {
            Ok(_) => {
                let hint =
                    format!("`callmark models add {}` gives it a name and remembers its SHA-256", path.display());
                (true, "its structure is right; nothing is known about its content".to_string(), hint)
            }
            Err(error) => (false, error.to_string(), error.hint().to_string()),
        };
        Row { name, ok, path: Some(path), message, hint: Some(hint) }
    };
    files.into_iter().filter(|path| !known(path)).map(row).collect()
}
