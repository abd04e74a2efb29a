//! The indicator table: from the store's imported rows and calls to CSV, JSON and the terminal.

use std::path::Path;

use anyhow::{Context as _, Result};
use callmark_core::performance::{
    self, Activity, Association, CallSummary, Figure, IndicatorKind, IndicatorRow, IndicatorSettings, MIN_REPS,
    PeriodKind, WeakStage, indicator_rows, quality_and_conversion, rep_dimension, rep_period,
};
use callmark_store::{CallFilter, Store};
use comfy_table::{Cell, CellAlignment, Table, presets};
use jiff::civil::Date;

use crate::commands::explain;
use crate::config::Config;
use crate::read::activity::resolved;
use crate::read::metadata::reps::Reps;
use crate::render::call_page::points;
use crate::render::outputs::write_whole;
use crate::render::tables;

/// The days of a table.
#[derive(Clone, Copy, Debug, Default)]
pub struct Days {
    pub since: Option<Date>,
    pub until: Option<Date>,
}

/// The rows of these kinds of periods, and how quality and conversion go together over the whole time. Empty without imported rows.
///
/// # Errors
/// The store cannot be read, or holds an imported row that is none.
pub fn indicators(
    store: &dyn Store,
    config: &Config,
    kinds: &[PeriodKind],
    days: Days,
) -> Result<(Vec<IndicatorRow>, Option<Association>)> {
    let activities = activities(store, config, days.until)?;
    if activities.is_empty() {
        return Ok((Vec::new(), None));
    }
    let calls = store.summaries(&CallFilter { since: days.since, until: days.until, ..CallFilter::default() });
    let calls: Vec<CallSummary> = calls.map_err(explain)?;
    let settings = config.indicators.settings();
    let rows_of = |kind: PeriodKind| {
        let (reps, dimensions) = (rep_period(&calls, kind), rep_dimension(&calls, kind));
        indicator_rows(&activities, &reps, &dimensions, kind, days.since, &settings)
    };
    // One row per rep: several periods of one rep would not be independent.
    let whole = rows_of(PeriodKind::All);
    let association = quality_and_conversion(&whole);
    let rows = kinds.iter().flat_map(|kind| if *kind == PeriodKind::All { whole.clone() } else { rows_of(*kind) });
    Ok((rows.collect(), association))
}

/// Imported rows, with reps and teams as the configuration has them today: aliases that are learned later hold for earlier rows.
fn activities(store: &dyn Store, config: &Config, until: Option<Date>) -> Result<Vec<Activity>> {
    let reps = Reps::new(&config.reps);
    let read = |row: callmark_store::ActivityRow| {
        let mut activity = Activity::from_json(&row.rep_id, row.day, &row.row).with_context(|| {
            format!("an imported row of the source `{}` is damaged\nhint: import its file again", row.source)
        })?;
        (activity.rep_id, activity.team) = resolved(&reps, &row.rep_id, activity.team.take(), row.day);
        Ok(activity)
    };
    store.activity(None, until).map_err(explain)?.into_iter().map(read).collect()
}

/// Everything that imported rows say, for the tables and the report.
#[derive(Clone, Debug)]
pub struct Indicators {
    /// Of all kinds of periods.
    pub rows: Vec<IndicatorRow>,
    pub association: Option<Association>,
    pub settings: IndicatorSettings,
}

impl Indicators {
    /// Of all days; `None` while nothing was imported.
    ///
    /// # Errors
    /// As [`indicators`].
    pub fn of(store: &dyn Store, config: &Config) -> Result<Option<Indicators>> {
        let (rows, association) = indicators(store, config, PeriodKind::ALL, Days::default())?;
        let settings = config.indicators.settings();
        Ok((!rows.is_empty()).then_some(Indicators { rows, association, settings }))
    }
}

/// `indicators.csv` beside the other tables: every kind of period. A table of what is no longer imported goes.
pub fn write(folder: &Path, found: Option<&Indicators>) -> Result<()> {
    let path = folder.join(FILE);
    match found {
        Some(found) => write_whole(&path, tables::csv(performance::INDICATORS, &found.rows).as_bytes()),
        None if path.is_file() => {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))
        }
        None => Ok(()),
    }
}

/// Makes the table again where there is one, or where it belongs beside the tables of a run: its process figures are of calls that may be gone, its
/// others of rows that may be new or gone.
pub fn refresh(folder: &Path, store: &dyn Store, config: &Config) -> Result<()> {
    if !folder.join(FILE).is_file() && !folder.join("calls.csv").is_file() {
        return Ok(());
    }
    write(folder, Indicators::of(store, config)?.as_ref())
}

const FILE: &str = "indicators.csv";

/// The rows under the CSV's names, and the association (per mille) or null.
pub fn json(rows: &[IndicatorRow], association: Option<Association>) -> serde_json::Value {
    serde_json::json!({
        "rows": tables::json(performance::INDICATORS, rows),
        "quality_and_conversion": association,
        "note": "association, not cause",
    })
}

/// The table for people: indicators that nobody has are left out.
pub fn print(rows: &[IndicatorRow], association: Option<Association>) {
    let shown: Vec<IndicatorKind> = IndicatorKind::ALL
        .iter()
        .copied()
        .filter(|kind| rows.iter().any(|row| row.figures.contains_key(kind)))
        .collect();
    let mut table = Table::new();
    let header = ["rep", "team", "period", "days"].into_iter().chain(shown.iter().map(|kind| kind.header()));
    table.load_style(presets::NOTHING).set_header(header.chain(["process", "outcome", "blended (outcome weighs)"]));
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let or_dash = |millipoints: Option<i64>| millipoints.map_or("–".into(), points);
    for row in rows {
        let mut cells = vec![
            Cell::new(&row.rep_id),
            Cell::new(row.team.as_deref().unwrap_or("–")),
            Cell::new(&row.period),
            right(row.days.to_string()),
        ];
        cells.extend(shown.iter().map(|kind| right(row.figures.get(kind).map_or("–".into(), |f| figure(*kind, f)))));
        cells.extend([right(or_dash(row.blend.process)), right(or_dash(row.blend.outcome))]);
        let weight = row.blend.outcome_weight_permille / 10;
        cells.push(right(format!("{} ({weight} %)", or_dash(row.blend.blended))));
        table.add_row(cells);
    }
    println!("\n{table}");
    if let Some(row) = rows.iter().find(|row| row.figures.contains_key(&IndicatorKind::Conversion)) {
        println!("conversion: deals / {}", row.conversion_of.id());
    }
    if let Some(leads) = rows.iter().find_map(|row| row.leads) {
        println!("leads pay from a conversion of {} % on", decimal(leads.break_even_ppm / 100, 2));
    }
    for row in rows {
        let advice = match row.weak_stage {
            Some(WeakStage::Discovery) => "needs discovery: asks too little before offering",
            Some(WeakStage::Offer) => "needs a better offer: discovery is fine, handling or closing is not",
            None => continue,
        };
        println!("{} ({}): many opportunities, few deals; {advice}", row.rep_id, row.period);
    }
    match association {
        Some(found) => println!(
            "quality and conversion over {} reps: Spearman {} [{} to {}]: association, not cause",
            found.reps,
            decimal(found.rho_permille / 10, 2),
            decimal(found.low_permille / 10, 2),
            decimal(found.high_permille / 10, 2),
        ),
        None => println!("quality and conversion: fewer than {MIN_REPS} reps have both"),
    }
}

/// `20.0 % [14.5–26.9]`, `80.0`.
pub fn figure(kind: IndicatorKind, figure: &Figure) -> String {
    let is_share = kind.is_share() || kind == IndicatorKind::CoverageGrowth;
    let value = if is_share { format!("{} %", decimal(figure.value_milli, 1)) } else { points(figure.value_milli) };
    let end = |milli: i64| if is_share { decimal(milli, 1) } else { points(milli) };
    match figure.interval_milli {
        Some((low, high)) => format!("{value} [{}–{}]", end(low), end(high)),
        None => value,
    }
}

/// `number / 10^places`.
pub fn decimal(number: i64, places: u32) -> String {
    let unit = 10_u64.pow(places);
    let sign = if number < 0 { "-" } else { "" };
    let number = number.unsigned_abs();
    format!("{sign}{}.{:0width$}", number / unit, number % unit, width = places as usize)
}
