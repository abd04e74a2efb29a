//! Tables of labelled texts: a CSV or TSV file whose first line names its columns, or `label<TAB>text` on each line.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use callmark_core::recording::Language;

use crate::read::metadata::lines::line_of;

/// A table that was read; its column of texts is `text`.
pub struct LabelledTable {
    path: PathBuf,
    /// Lower-case.
    header: Vec<String>,
    /// With the number of the line.
    rows: Vec<(u64, csv::StringRecord)>,
}

/// One of its lines.
pub struct Row<'a> {
    table: &'a LabelledTable,
    line: u64,
    cells: &'a csv::StringRecord,
}

impl LabelledTable {
    /// Reads a table whose labels are in the column `label`. Lines before the header that begin with `#` are passed over.
    ///
    /// # Errors
    /// The file cannot be read, lacks a column, has no texts or a line with more cells than columns; the message holds no text.
    pub fn read(path: &Path, label: &str) -> Result<LabelledTable> {
        let table = LabelledTable::named_columns(path, &content(path)?)?;
        if !table.has_columns(label) {
            bail!("{} has no columns `text` and `{label}`\nhint: the first line names the columns", path.display());
        }
        table.without_spilt_cells()
    }

    /// As `read`; a file that does not name columns has `label<TAB>text` on each line, and passes over all lines that begin with `#`.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_with_or_without_header(path: &Path, label: &str) -> Result<LabelledTable> {
        let text = content(path)?;
        let mut table = LabelledTable::named_columns(path, &text)?;
        if table.has_columns(label) {
            return table.without_spilt_cells();
        }
        let lines = text.lines().zip(1..).filter(|(line, _)| !line.starts_with('#') && !line.trim().is_empty());
        table.rows = lines.map(|(line, number)| (number, line.split('\t').collect())).collect();
        table.header = vec![label.to_string(), "text".to_string()];
        if table.rows.iter().any(|(_, cells)| cells.len() < 2) {
            bail!("{} has no columns `text` and `{label}`\nhint: or `{label}<TAB>text` on each line", path.display());
        }
        table.with_rows()
    }

    /// The table as if its first line that does not begin with `#` named its columns.
    fn named_columns(path: &Path, whole: &str) -> Result<LabelledTable> {
        let failed = || format!("cannot read {}", path.display());
        let (mut text, mut passed) = (whole, 0);
        while text.starts_with('#') {
            text = text.split_once('\n').map_or("", |(_, rest)| rest);
            passed += 1;
        }
        let is_tab = text.lines().next().unwrap_or_default().contains('\t');
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(if is_tab { b'\t' } else { b',' })
            // A quotation mark in a line of plain text is one.
            .quoting(!is_tab)
            .flexible(true)
            .from_reader(text.as_bytes());
        let header = reader.headers().with_context(failed)?.iter().map(|cell| cell.trim().to_lowercase()).collect();
        let numbered = |cells: csv::StringRecord| (passed + cells.position().map_or(0, |at| line_of(text, at)), cells);
        let rows: Vec<(u64, csv::StringRecord)> =
            reader.records().map(|cells| cells.map(numbered)).collect::<Result<_, _>>().with_context(failed)?;
        Ok(LabelledTable { path: path.to_path_buf(), header, rows })
    }

    fn has_columns(&self, label: &str) -> bool {
        ["text", label].iter().all(|name| self.header.iter().any(|cell| cell == name))
    }

    /// A comma in a text without quotation marks moves everything behind it into the wrong column.
    fn without_spilt_cells(self) -> Result<LabelledTable> {
        let spilt = self.rows.iter().find(|(_, cells)| cells.len() > self.header.len());
        if let Some((line, _)) = spilt {
            return Err(anyhow!(
                "{}:{line}: more cells than columns\nhint: put texts with a comma in quotation marks",
                self.path.display()
            ));
        }
        self.with_rows()
    }

    fn with_rows(self) -> Result<LabelledTable> {
        if self.rows.is_empty() {
            bail!("{} holds no labelled text", self.path.display());
        }
        Ok(self)
    }

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, cells)| Row { table: self, line: *line, cells })
    }
}

/// Read once, for it may be a pipe; without the mark that spreadsheets put before UTF-8.
fn content(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim_start_matches('\u{feff}').to_string())
}

impl Row<'_> {
    /// Empty where there is none.
    pub fn cell(&self, column: &str) -> &str {
        let place = self.table.header.iter().position(|name| name == column);
        place.and_then(|place| self.cells.get(place)).unwrap_or_default().trim()
    }

    /// That of the column `language`, where it says one.
    ///
    /// # Errors
    /// It says another than callmark knows.
    pub fn written_language(&self) -> Result<Option<Language>> {
        match self.cell("language") {
            "" => Ok(None),
            written => match Language::parse(written) {
                Some(language) => Ok(Some(language)),
                None => bail!("{}: the language is neither en nor zh", self.place()),
            },
        }
    }

    /// File and line, for messages.
    pub fn place(&self) -> String {
        format!("{}:{}", self.table.path.display(), self.line)
    }
}
