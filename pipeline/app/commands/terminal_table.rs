//! Plain tables on the terminal: numbers to the right, shares in percent.

use comfy_table::{Cell, CellAlignment, Table, presets};

pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table
}

pub fn right(text: impl ToString) -> Cell {
    Cell::new(text.to_string()).set_alignment(CellAlignment::Right)
}

/// Per mille as percent: 985 → `98.5 %`, 750 → `75 %`.
pub fn percent(permille: u64) -> String {
    match permille % 10 {
        0 => format!("{} %", permille / 10),
        tenths => format!("{}.{tenths} %", permille / 10),
    }
}
