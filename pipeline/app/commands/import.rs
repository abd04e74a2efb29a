//! `callmark import`: call logs and sales exports into the store. What is refused is named by line, column and rule, never by its values.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use callmark_core::performance::{Activity, Measure};
use callmark_core::redaction::{Entity, redact_text};
use callmark_store::{ActivityRow, Store, StoreError};
use jiff::civil::Date;
use serde::Serialize;

use crate::cli::{Common, ImportArgs};
use crate::commands::{counted, explain, store_url};
use crate::config::{Config, did_you_mean};
use crate::read::activity::mapping::Mapping;
use crate::read::activity::{self, ImportedRow, Refused};
use crate::read::metadata::reps::Reps;
use crate::render::indicators;
use crate::{FINISHED, SOME_FAILED};

/// Refused rows of a file that are named on the terminal; `--json` has all.
const NAMED: usize = 20;

#[derive(Debug, Default, Serialize)]
struct ImportSummary {
    source: String,
    dry_run: bool,
    files: Vec<FileSummary>,
    /// TOML to paste, when the mapping was guessed.
    guessed_mapping: Option<String>,
    warnings: Vec<String>,
}

#[derive(Debug, Default, Serialize)]
struct FileSummary {
    file: String,
    new: u64,
    /// Rows that were known under their id with other values.
    replaced: u64,
    unchanged: u64,
    /// Rows that say the same as one before in the file.
    repeated: u64,
    /// Rows in which all mapped columns are empty.
    blank: u64,
    refused: Vec<Refused>,
    /// Why the file could not be used.
    error: Option<String>,
}

pub fn import(args: &ImportArgs, common: &Common) -> Result<u8> {
    let config = Config::load(common)?;
    let source = args.source.trim();
    if source.is_empty() {
        bail!("the source has no name\nhint: give --source crm, or whatever the file comes from");
    }
    if args.remove {
        return remove(source, args, &config, common);
    }
    let mapping = config.imports.iter().find(|mapping| mapping.name == source);
    if mapping.is_none() && !common.quiet {
        let suggestion = did_you_mean(source, config.imports.iter().map(|mapping| mapping.name.as_str()));
        if !suggestion.is_empty() {
            eprintln!("warning: no [[import]] is called `{source}`{suggestion}");
        }
    }
    let store = open(args, common)?;
    let (mut known, others) = known_rows(store.as_deref(), source)?;
    let reps = Reps::new(&config.reps);
    let mut summary = ImportSummary { source: source.to_string(), dry_run: args.dry_run, ..ImportSummary::default() };
    let mut forgotten = 0;
    for path in &args.files {
        let taken = match take(path, source, mapping, &reps, &config.redaction.entities) {
            Ok(taken) => taken,
            Err(error) => {
                let (file, error) = (path.display().to_string(), Some(format!("{error:#}")));
                summary.files.push(FileSummary { file, error, ..FileSummary::default() });
                continue;
            }
        };
        if let Some(guessed) = &taken.guessed {
            summary.guessed_mapping = Some(guessed.to_toml());
        }
        let mut file = FileSummary {
            file: path.display().to_string(),
            repeated: taken.repeated,
            blank: taken.blank,
            refused: taken.refused,
            ..FileSummary::default()
        };
        let mut changed = Vec::new();
        for row in taken.rows {
            match known.insert(row.row_id.clone(), row.clone()) {
                Some(former) if former == row => file.unchanged += 1,
                Some(_) => {
                    file.replaced += 1;
                    changed.push(row);
                }
                None => {
                    file.new += 1;
                    changed.push(row);
                }
            }
        }
        if let Some(store) = store.as_ref().filter(|_| !args.dry_run) {
            forgotten += put(store.as_ref(), source, changed)?;
        }
        summary.files.push(file);
    }
    summary.warnings = counted_twice(&known, &others);
    if let Some(store) = store.as_ref().filter(|_| !args.dry_run)
        && let Err(error) = indicators::refresh(&args.out, store.as_ref(), &config)
    {
        // The rows are kept; whoever imports must see what was taken and refused.
        summary.warnings.push(format!("indicators.csv was not made again: {error:#}"));
    }
    if forgotten > 0 {
        let of = counted(forgotten, "touchpoint");
        summary
            .warnings
            .push(format!("{of} of customers who were forgotten: nothing of these rows is kept as a touchpoint"));
    }
    report(&summary, args, common)
}

/// Takes out what came from a source, of the table beside the outputs, too.
fn remove(source: &str, args: &ImportArgs, config: &Config, common: &Common) -> Result<u8> {
    let store = callmark_store::open_existing(&store_url(common)?).map_err(explain)?;
    let rows = store.remove_source(source, args.dry_run).map_err(explain)?;
    if rows == 0 {
        let mut sources: BTreeSet<String> =
            store.activity(None, None).map_err(explain)?.into_iter().map(|row| row.source).collect();
        sources.extend(store.touchpoints(None).map_err(explain)?.into_iter().map(|touchpoint| touchpoint.source));
        let sources: Vec<String> = sources.into_iter().collect();
        let hint = match sources.as_slice() {
            [] => "nothing was imported into this store".to_string(),
            known => format!("what was imported came from: {}", known.join(", ")),
        };
        bail!("nothing of a source `{source}` is in the store\nhint: {hint}");
    }
    if !args.dry_run {
        indicators::refresh(&args.out, store.as_ref(), config)?;
    }
    if args.json {
        println!("{}", serde_json::json!({"source": source, "dry_run": args.dry_run, "removed": rows}));
    } else if !common.quiet {
        let verb = if args.dry_run { "would be removed" } else { "removed" };
        println!("{} of `{source}` {verb}", counted(rows, "row"));
        if !args.dry_run && args.out.join("report.html").is_file() {
            println!("the report in {} shows it until it is made again (callmark report)", args.out.display());
        }
    }
    Ok(FINISHED)
}

/// The store; `None` for a dry run where there is none yet.
fn open(args: &ImportArgs, common: &Common) -> Result<Option<Box<dyn Store>>> {
    let url = store_url(common)?;
    if !args.dry_run {
        return callmark_store::open(&url).map(Some).map_err(explain);
    }
    match callmark_store::open_existing(&url) {
        Ok(store) => Ok(Some(store)),
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(error) => Err(explain(error)),
    }
}

/// How many touchpoints are of forgotten customers and were left out.
fn put(store: &dyn Store, source: &str, rows: Vec<ImportedRow>) -> Result<u64> {
    let row_ids: Vec<String> = rows.iter().map(|row| row.row_id.clone()).collect();
    let (mut activities, mut touchpoints) = (Vec::new(), Vec::new());
    for row in rows {
        activities.extend(row.activity);
        touchpoints.extend(row.touchpoints);
    }
    store.put_activity(&activities).map_err(explain)?;
    store.put_touchpoints(source, &row_ids, &touchpoints).map_err(explain)
}

/// What the store has of the source, by row id, and of other sources.
fn known_rows(store: Option<&dyn Store>, source: &str) -> Result<(HashMap<String, ImportedRow>, Vec<ActivityRow>)> {
    let Some(store) = store else { return Ok((HashMap::new(), Vec::new())) };
    let rows = store.activity(None, None).map_err(explain)?;
    let (own, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.source == source);
    let mut known: HashMap<String, ImportedRow> = HashMap::new();
    for activity in own {
        let row_id = activity.row_id.clone();
        known.insert(row_id.clone(), ImportedRow { row_id, activity: Some(activity), touchpoints: Vec::new() });
    }
    for touchpoint in store.touchpoints(None).map_err(explain)?.into_iter().filter(|of| of.source == source) {
        let row_id = touchpoint.row_id.clone();
        let empty = |row_id: &String| ImportedRow { row_id: row_id.clone(), ..ImportedRow::default() };
        known.entry(row_id).or_insert_with_key(empty).touchpoints.push(touchpoint);
    }
    known.values_mut().for_each(|row| row.touchpoints.sort_by_key(|touchpoint| touchpoint.kind));
    Ok((known, others))
}

/// Measures that two sources give of the same rep and day: a call in the call log and in the sales system is added up as two.
fn counted_twice(known: &HashMap<String, ImportedRow>, others: &[ActivityRow]) -> Vec<String> {
    let measures = |row: &ActivityRow| {
        Activity::from_json(&row.rep_id, row.day, &row.row).map(|activity| activity.measures).unwrap_or_default()
    };
    let mut own: BTreeSet<(&str, Date, Measure)> = BTreeSet::new();
    if !others.is_empty() {
        for row in known.values().filter_map(|row| row.activity.as_ref()) {
            own.extend(measures(row).into_keys().map(|measure| (row.rep_id.as_str(), row.day, measure)));
        }
    }
    let mut twice: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in others {
        let both = measures(row).into_keys().filter(|measure| own.contains(&(row.rep_id.as_str(), row.day, *measure)));
        let both: BTreeSet<&str> = both.map(Measure::column).collect();
        if !both.is_empty() {
            twice.entry(row.source.as_str()).or_default().extend(both);
        }
    }
    let warning = |(source, measures): (&str, BTreeSet<&str>)| {
        let measures: Vec<&str> = measures.into_iter().collect();
        format!(
            "the source `{source}` says {} of the same reps and days, too: both are added up (hint: take them from one \
             source only: leave them out of one [[import]] and import its files again)",
            measures.join(", ")
        )
    };
    twice.into_iter().map(warning).collect()
}

fn take(
    path: &Path,
    source: &str,
    mapping: Option<&Mapping>,
    reps: &Reps,
    entities: &BTreeSet<Entity>,
) -> Result<activity::Imported> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("cannot read {} (hint: check path and permissions)", path.display()))?;
    let mut taken = activity::read(&bytes, source, mapping, reps)
        .map_err(|error| anyhow!("{}: {error}\nhint: {}", path.display(), error.hint()))?;
    // The wording of a proposal may hold what must not be kept.
    for touchpoint in taken.rows.iter_mut().flat_map(|row| &mut row.touchpoints) {
        touchpoint.text = redact_text(&touchpoint.text, entities);
    }
    Ok(taken)
}

fn report(summary: &ImportSummary, args: &ImportArgs, common: &Common) -> Result<u8> {
    for file in &summary.files {
        if let Some(error) = &file.error {
            eprintln!("failed: {error}");
        }
        for refused in file.refused.iter().take(NAMED) {
            let column = refused.column.as_ref().map_or(String::new(), |column| format!(" column `{column}`:"));
            eprintln!("refused: {}: line {}:{column} {}", file.file, refused.line, refused.rule);
        }
        if file.refused.len() > NAMED {
            eprintln!("refused: {}: {} more (--json lists all)", file.file, file.refused.len() - NAMED);
        }
    }
    for warning in &summary.warnings {
        eprintln!("warning: {warning}");
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(summary)?);
    } else if !common.quiet {
        for file in summary.files.iter().filter(|file| file.error.is_none()) {
            let verb = if summary.dry_run { "would be new" } else { "new" };
            let mut parts = vec![
                format!("{} {verb}", counted(file.new, "row")),
                format!("{} replaced", file.replaced),
                format!("{} unchanged", file.unchanged),
                format!("{} refused", file.refused.len()),
            ];
            parts.extend((file.repeated > 0).then(|| format!("{} repeated", file.repeated)));
            parts.extend((file.blank > 0).then(|| format!("{} empty", file.blank)));
            println!("{}: {}", file.file, parts.join(", "));
        }
        if let Some(mapping) = &summary.guessed_mapping {
            println!(
                "\n# The mapping, taken from the column names. To keep or correct it, paste it into callmark.toml:\n{mapping}"
            );
        }
    }
    let failed = summary.files.iter().filter(|file| file.error.is_some()).count();
    if failed == summary.files.len() {
        bail!("nothing was imported");
    }
    let refused = summary.files.iter().any(|file| !file.refused.is_empty());
    if refused {
        eprintln!("hint: correct these lines and import the file again; what was taken is not taken twice");
    }
    Ok(if failed > 0 || refused { SOME_FAILED } else { FINISHED })
}
