//! `callmark models`: which recognisers there are, which are installed, and what they are for.

use anyhow::{Context as _, Result};
use callmark_models::manifest::Manifest;
use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::FINISHED;
use crate::cli::ModelsCommand;
use crate::install::{Install, user_models};

pub fn run(command: &ModelsCommand) -> Result<u8> {
    let ModelsCommand::List { json } = command;
    let install = Install::find()?;
    let rows = Manifest::built_in().context("the built-in model manifest is damaged")?.rows(&install.model_folders());
    if *json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(FINISHED);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["model", "installed", "MB", "languages", "licence", "note"]);
    for row in rows {
        let megabytes = Cell::new(format!("{:.0}", row.bytes as f64 / 1e6)).set_alignment(CellAlignment::Right);
        let installed = Cell::new(if row.installed { "yes" } else { "–" });
        table.add_row([
            Cell::new(row.name),
            installed,
            megabytes,
            Cell::new(row.languages.join(" ")),
            Cell::new(row.licence),
            Cell::new(row.note),
        ]);
    }
    println!("{table}");
    if let Some(folder) = user_models() {
        println!("\nOwn models: put a ggml Whisper file into {}, or give it with --model FILE.", folder.display());
    }
    Ok(FINISHED)
}
