//! Flat tables: columns with a name, a type and a meaning, over rows of any kind. Renderers (CSV, Parquet, JSON, the page that
//! documents them) loop over the columns and nothing else.

/// What one cell holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    Whole(i64),
    /// A decimal number in thousandths: exact, as it is stored.
    Thousandths(i64),
    Truth(bool),
    /// Not applicable or unknown; never 0.
    Empty,
}

/// What a column's cells hold when they hold anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellType {
    Text,
    Whole,
    Thousandths,
    Truth,
}

/// One column of a table whose rows are parts of an `R`: row `n` of it (a call has many turns; 0 where an `R` is one row).
pub struct Column<R: 'static> {
    /// snake_case, with the unit where there is one.
    pub name: &'static str,
    pub cell_type: CellType,
    pub doc: &'static str,
    pub cell: fn(&R, usize) -> Cell,
}

/// What a column says of itself, whatever its rows are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heading {
    pub name: &'static str,
    pub cell_type: CellType,
    pub doc: &'static str,
}

impl<R> Column<R> {
    pub fn heading(&self) -> Heading {
        Heading { name: self.name, cell_type: self.cell_type, doc: self.doc }
    }
}

/// The headings of a table, in its order.
pub fn headings<R>(columns: &[Column<R>]) -> Vec<Heading> {
    columns.iter().map(Column::heading).collect()
}

/// Row `n` of an `R`.
pub fn cells<R>(columns: &[Column<R>], of: &R, n: usize) -> Vec<Cell> {
    columns.iter().map(|column| (column.cell)(of, n)).collect()
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_string())
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Cell {
        Cell::Text(text.clone())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Cell {
        Cell::Whole(number)
    }
}

impl From<u64> for Cell {
    /// Counts stay far below 2^63.
    fn from(number: u64) -> Cell {
        Cell::Whole(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Cell {
        Cell::Whole(number.into())
    }
}

impl From<bool> for Cell {
    fn from(truth: bool) -> Cell {
        Cell::Truth(truth)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Empty, Into::into)
    }
}

impl Cell {
    /// A decimal number in thousandths.
    pub fn thousandths(value: impl Into<Option<i64>>) -> Cell {
        value.into().map_or(Cell::Empty, Cell::Thousandths)
    }

    /// Names with `; ` between them; empty text without any.
    pub fn joined<'a>(parts: impl IntoIterator<Item = &'a str>) -> Cell {
        Cell::Text(parts.into_iter().collect::<Vec<_>>().join("; "))
    }

    /// As text, exactly: thousandths with three places; nothing for an empty cell.
    pub fn text(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Whole(number) => number.to_string(),
            Cell::Thousandths(value) => {
                let (sign, size) = (if *value < 0 { "-" } else { "" }, value.unsigned_abs());
                format!("{sign}{}.{:03}", size / 1000, size % 1000)
            }
            Cell::Truth(truth) => truth.to_string(),
            Cell::Empty => String::new(),
        }
    }
}

/// Declares columns: `name: Type, "what it holds", |row, n| cell;`
#[macro_export]
macro_rules! table_columns {
    ($($name:ident: $cell_type:ident, $doc:expr, $cell:expr;)*) => {
        &[$($crate::table::Column {
            name: stringify!($name),
            cell_type: $crate::table::CellType::$cell_type,
            doc: $doc,
            cell: $cell,
        }),*]
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_exact() {
        let cases = [(0, "0.000"), (70_723, "70.723"), (-50, "-0.050"), (-10_000, "-10.000")];
        for (value, expected) in cases {
            assert_eq!(Cell::thousandths(value).text(), expected);
        }
        assert_eq!(Cell::Thousandths(i64::MIN).text(), "-9223372036854775.808");
        assert_eq!(Cell::from(None::<String>).text(), "");
        assert_eq!(Cell::from(Some(7_u32)), Cell::Whole(7));
    }
}
