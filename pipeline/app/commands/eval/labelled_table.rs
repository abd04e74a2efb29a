//! Tables of labelled texts: one a line, `label<TAB>text`, or a CSV or TSV file whose first line names its columns.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use callmark_core::recording::Language;

/// A table that was read; its column of texts is `text`.
pub struct LabelledTable {
    path: PathBuf,
    header: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

/// One of its lines.
pub struct Row<'a> {
    table: &'a LabelledTable,
    cells: &'a csv::StringRecord,
}

impl LabelledTable {
    /// Reads a table whose labels are in the column `label`, or the first one where no line names the columns.
    ///
    /// # Errors
    /// The file cannot be read, or has no texts; the message holds no text.
    pub fn read(path: &Path, label: &str) -> Result<LabelledTable> {
        let failed = || format!("cannot read {}", path.display());
        let text = std::fs::read_to_string(path).with_context(failed)?;
        let first = text.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
        let is_tab = first.contains('\t');
        let split = if is_tab { '\t' } else { ',' };
        let mut header: Vec<String> = first.split(split).map(|cell| cell.trim().to_lowercase()).collect();
        let has_header = ["text", label].iter().all(|name| header.iter().any(|cell| cell == name));
        if !has_header && !is_tab {
            bail!("{} has no columns `text` and `{label}`\nhint: or `{label}<TAB>text` on each line", path.display());
        }
        if !has_header {
            header = vec![label.to_string(), "text".to_string()];
        }
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(split as u8)
            .has_headers(has_header)
            .comment(Some(b'#'))
            // A quotation mark in a line of plain text is one.
            .quoting(!is_tab)
            .flexible(true)
            .from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().with_context(failed)?;
        if rows.is_empty() {
            bail!("{} holds no labelled text", path.display());
        }
        Ok(LabelledTable { path: path.to_path_buf(), header, rows })
    }

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { table: self, cells })
    }
}

impl Row<'_> {
    /// Empty where there is none.
    pub fn cell(&self, column: &str) -> &str {
        let place = self.table.header.iter().position(|name| name == column);
        place.and_then(|place| self.cells.get(place)).unwrap_or_default().trim()
    }

    /// That of the column `language`, else of the text's script.
    pub fn language(&self) -> Language {
        let written = Language::parse(self.cell("language"));
        written.or_else(|| Language::of_text(self.cell("text"))).unwrap_or(Language::En)
    }

    /// File and line, for messages.
    pub fn place(&self) -> String {
        let line = self.cells.position().map_or(0, csv::Position::line);
        format!("{}:{line}", self.table.path.display())
    }
}
