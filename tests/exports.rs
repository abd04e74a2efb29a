//! `callmark export`: what DuckDB and pandas read is what the store holds, with the types that docs/tables.md says.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::harness::{project, read_csv, sample_from_references};

/// One statement a line, so that any tool can go through it.
const VIEWS: &[(&str, &str)] = &[
    (
        "rep_outcome",
        "SELECT r.*, i.process, i.outcome, i.outcome_weight, i.blended, i.profile, i.tenure_days FROM callmark.rep_period r LEFT JOIN \
         callmark.indicators i ON i.rep_id = r.rep_id AND i.period_kind = r.period_kind AND i.period = r.period",
    ),
    (
        "rep_month",
        "SELECT rep_id, team, period AS month, n_scored, shrunk AS score, low, high, rank_low, rank_high, trend, trend_low, trend_high, process, \
         outcome, outcome_weight, blended, profile FROM callmark.rep_outcome WHERE period_kind = 'month'",
    ),
    (
        "points_lost",
        "SELECT requirement_id, dimension, count(*) AS calls, sum(possible - points) AS points_lost FROM callmark.ledger \
         WHERE result IN ('missed', 'violated') GROUP BY requirement_id, dimension",
    ),
    (
        "flagged_moments",
        "SELECT l.call_id, c.rep_id, c.team, c.start_ts, l.requirement_id, l.begin_ms, l.end_ms, l.quote, l.confidence \
         FROM callmark.ledger l JOIN callmark.calls c ON c.call_id = l.call_id WHERE l.result IN ('missed', 'violated')",
    ),
    (
        "why_unscored",
        "SELECT status, coalesce(reason, '') AS reason, count(*) AS calls FROM callmark.calls GROUP BY status, coalesce(reason, '')",
    ),
];

fn exported(folder: &Path, format: &str) {
    let target = folder.join(format);
    sample_from_references().run(&["export", target.to_str().unwrap(), "--format", format]).expect(0);
}

/// docs/tables.md and docs/tables.sql are made from the columns that an export documents.
#[test]
fn the_pages_of_tables_are_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    exported(folder.path(), "csv");
    let columns = read_csv(&folder.path().join("csv/columns.csv"));
    let mut page = String::from(
        "# Tables\n\nWhat `callmark run` writes as CSV beside its report, and `callmark export FOLDER --format csv|parquet|jsonl` for all calls of the \
         store.\nMade from the program's own columns; `columns.csv` in an export is the same list. Every column may be empty: not applicable or unknown, \
         never 0.\n\n- whole: 64-bit integer. decimal: thousandths, exact in CSV; DOUBLE in Parquet. truth: true or false.\n- DuckDB: `SELECT * FROM \
         'FOLDER/calls.parquet'`. pandas: `pandas.read_parquet`. PostgreSQL, Metabase, Superset: [tables.sql](tables.sql) loads the CSV files and \
         makes views.\n- Process, outcome, both blended and the weight profile stand in `indicators`, not in `rep_period`: one row for the same `rep_id`, `period_kind` and \
         `period`, for those with imported rows; effects of coaching stand in `coaching`, one row for each plan: a plan's days are no period's. `rep_period` is kept in the store and follows each call; outcomes follow every import and every change of \
         `[indicators]`, and are made anew when they are read. Where both are wanted side by side: the view `rep_outcome` of tables.sql (`rep_month` for months), or\n  \
         `SELECT * FROM 'FOLDER/rep_period.parquet' LEFT JOIN 'FOLDER/indicators.parquet' USING (rep_id, period_kind, period)`.\n",
    );
    let mut sql = String::from(
        "-- Loads an export of callmark (CSV) into PostgreSQL for Metabase, Superset and others:\n--   callmark export tables && cd tables && psql \
         DATABASE -f …/docs/tables.sql\n-- What was loaded before is replaced. One statement a line. docs/tables.md says what each column holds.\n\nDROP \
         SCHEMA IF EXISTS callmark CASCADE;\nCREATE SCHEMA callmark;\n",
    );
    let mut tables: Vec<&str> = columns.iter().map(|column| column["table"].as_str()).collect();
    tables.dedup();
    for table in tables {
        write!(page, "\n## {table}\n\n| column | type | what it holds |\n|---|---|---|\n").unwrap();
        let of_table: Vec<_> = columns.iter().filter(|column| column["table"] == table).collect();
        for column in &of_table {
            writeln!(page, "| `{}` | {} | {} |", column["column"], column["type"], column["doc"]).unwrap();
        }
        let typed = of_table.iter().map(|column| {
            let kind = match column["type"].as_str() {
                "text" => "text",
                "whole" => "bigint",
                "decimal" => "numeric(18,3)",
                "truth" => "boolean",
                other => panic!("{other}"),
            };
            format!("\"{}\" {kind}", column["column"])
        });
        let typed = typed.collect::<Vec<_>>().join(", ");
        write!(sql, "CREATE TABLE callmark.{table} ({typed});\n\\copy callmark.{table} FROM '{table}.csv' WITH (FORMAT csv, HEADER true)\n")
            .unwrap();
    }
    sql.push('\n');
    for (name, query) in VIEWS {
        writeln!(sql, "CREATE VIEW callmark.{name} AS {query};").unwrap();
    }
    for (file, text) in [("docs/tables.md", page), ("docs/tables.sql", sql)] {
        let path = project().join(file);
        if std::env::var_os("CALLMARK_WRITE_DOCS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let hint = "CALLMARK_WRITE_DOCS=1 cargo test --release --test integration -- exports:: writes it";
        assert!(std::fs::read_to_string(&path).unwrap_or_default() == text, "{file} is not up to date; hint: {hint}");
    }
}

#[test]
fn duckdb_and_pandas_read_what_the_store_holds() {
    let folder = tempfile::tempdir().unwrap();
    for format in ["csv", "parquet", "jsonl"] {
        exported(folder.path(), format);
    }
    let packages = project().join("tests/oracles/packages");
    assert!(packages.is_dir(), "hint: scripts/setup-tests installs DuckDB and pandas for this test");
    let oracle = Command::new("python3")
        .arg(project().join("tests/oracles/exports.py"))
        .args([folder.path(), &project().join("docs/tables.sql")])
        .env("PYTHONPATH", packages)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&oracle.stderr);
    assert!(oracle.status.success() && oracle.stdout == b"ok\n", "{errors}");
}

/// Days that are asked for; a mark for Excel; an export that is made again.
#[test]
fn an_export_of_some_days_replaces_the_former() {
    let folder = tempfile::tempdir().unwrap();
    let (place, target) = (sample_from_references(), folder.path().to_str().unwrap());
    let all = place.run(&["export", target, "--json"]).expect(0).json();
    let some = place.run(&["export", target, "--json", "--since", "2025-02-20", "--bom"]).expect(0).json();
    let calls = |exported: &serde_json::Value| exported["tables"][0][1].as_u64().unwrap();
    assert!(calls(&some) > 0 && calls(&some) < calls(&all), "{all} {some}");
    let written = std::fs::read(folder.path().join("calls.csv")).unwrap();
    assert!(written.starts_with("\u{feff}call_id".as_bytes()));
    assert_eq!(String::from_utf8(written).unwrap().lines().count() as u64, 1 + calls(&some));
}
