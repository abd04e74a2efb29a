//! `callmark scorecard fit FILE`: local quantiles for the trapezoids of metrics. Proposes; `--write` changes the file, with a copy beside it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use callmark_core::matching::call_language;
use callmark_core::scorecard::{MetricItem, Scorecard, Trapezoid};
use callmark_core::trial::{Fit, MIN_VALUES, MetricValues, Quantiles, is_judged};
use comfy_table::Cell;
use regex::{NoExpand, Regex};

use super::trial::{self, Trial};
use crate::FINISHED;
use crate::cli::{Common, FitArgs};
use crate::commands::terminal_table::{right, table};

const CHOSEN_FROM: &str = "full and zero come from these calls' quantiles: limits on both sides: full p25 to p75, zero at p10 and p90; on one side: full \
     from p50, zero at p10 (p90).\nA quantile says what is usual here, not what is good: a centre where everybody interrupts would find \
     that normal. Decide before you take them over.";

pub fn run(args: &FitArgs, common: &Common) -> Result<u8> {
    let mut analyst = trial::analyst(&args.file, common)?;
    let trial = Trial::open(&mut [&mut analyst], &args.trial, common)?;
    let mut found = (0, MetricValues::default());
    trial.each(
        &analyst,
        &mut found,
        |_, input| {
            let judged = analyst.judge(&input.call, analyst.known(&input));
            let about = (input.call.metadata.call_type, call_language(&input.call.transcript));
            is_judged(&judged.evaluation).then_some((about, judged.items))
        },
        |(calls, values), seen| {
            if let Some(((call_type, language), items)) = seen {
                *calls += 1;
                values.add(call_type.as_deref(), language, &items);
            }
        },
    )?;
    let (calls, values) = found;
    if calls < MIN_VALUES {
        bail!(
            "{calls} stored calls that can be scored are too few to fit a scorecard\nhint: it takes {MIN_VALUES}: below that, ten calls decide a limit"
        );
    }
    let scorecard = &analyst.scorecards()[0];
    let fits = values.fits(scorecard);
    if args.trial.json {
        println!("{}", serde_json::to_string_pretty(&fits)?);
    } else {
        print(&fits, calls);
    }
    if args.write {
        let copy = write(&args.file, scorecard, &fits)?;
        if !common.quiet {
            eprintln!("{} is changed; as it was: {}", args.file.display(), copy.display());
        }
    }
    Ok(FINISHED)
}

fn print(fits: &[Fit], calls: usize) {
    let mut rows = table(["metric", "calls", "", "n", "p10", "p25", "p50", "p75", "p90", "full and zero now"]);
    let mut add = |first: [&str; 3], quantiles: Option<&Quantiles>, last: String| {
        let [name, call_type, language] = first.map(Cell::new);
        let number = |of: fn(&Quantiles) -> i64| right(quantiles.map_or("–".to_string(), |q| of(q).to_string()));
        let n = right(quantiles.map_or(0, |q| q.n));
        let quantiles = [number(|q| q.p10), number(|q| q.p25), number(|q| q.p50), number(|q| q.p75), number(|q| q.p90)];
        let last = Cell::new(last);
        rows.add_row([name, call_type, language, n].into_iter().chain(quantiles).chain([last]));
    };
    for fit in fits {
        add([&fit.id, "all", ""], fit.all.as_ref(), yaml(&fit.present));
        for group in &fit.groups {
            add(["", &group.call_type, group.language], Some(&group.quantiles), String::new());
        }
    }
    println!("{calls} stored calls that can be scored\n{rows}\n\nproposed:");
    for fit in fits {
        match &fit.fitted {
            Some(fitted) => println!("  {}: {}", fit.id, yaml(fitted)),
            None => println!("  {}: nothing ({})", fit.id, why_not(fit)),
        }
    }
    println!("\n{CHOSEN_FROM}");
}

fn why_not(fit: &Fit) -> String {
    match fit.all {
        Some(quantiles) if quantiles.n >= MIN_VALUES => "its quantiles coincide".to_string(),
        quantiles => format!("it has {} values; it takes {MIN_VALUES}", quantiles.map_or(0, |q| q.n)),
    }
}

/// `full: …, zero: …` as a scorecard has them.
fn yaml(trapezoid: &Trapezoid) -> String {
    let (full, zero) = sides(trapezoid);
    format!("full: {full}, zero: {zero}")
}

fn sides(trapezoid: &Trapezoid) -> (String, String) {
    let Trapezoid { zero_below, full_from, full_to, zero_above } = *trapezoid;
    match (zero_below.zip(full_from), full_to.zip(zero_above)) {
        (Some((a, b)), Some((c, d))) => (format!("[{b}, {c}]"), format!("[{a}, {d}]")),
        (Some((a, b)), None) => (format!("{{gte: {b}}}"), format!("{{lte: {a}}}")),
        (None, Some((c, d))) => (format!("{{lte: {c}}}"), format!("{{gte: {d}}}")),
        (None, None) => ("–".to_string(), "–".to_string()),
    }
}

/// Writes the fitted limits into the file; the place of the copy of what it was.
///
/// # Errors
/// Nothing is proposed, the file cannot be written, or it is laid out so that the limits cannot be found for certain.
fn write(file: &Path, scorecard: &Scorecard, fits: &[Fit]) -> Result<PathBuf> {
    if fits.iter().all(|fit| fit.fitted.is_none()) {
        bail!("there are no limits to write");
    }
    let before = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let by_hand =
        || format!("the metrics of {} cannot be changed in place\nhint: copy the limits by hand", file.display());
    let after = with_limits(&before, &scorecard.metrics, fits).with_context(by_hand)?;
    let changed = Scorecard::parse(&after).map_err(|error| anyhow::anyhow!("{error}")).with_context(by_hand)?;
    let wanted = scorecard
        .metrics
        .iter()
        .zip(fits)
        .map(|(item, fit)| MetricItem { trapezoid: fit.fitted.unwrap_or(item.trapezoid), ..item.clone() });
    if !changed.metrics.iter().cloned().eq(wanted) || changed.requirements.len() != scorecard.requirements.len() {
        bail!(by_hand());
    }
    let mut n = 1;
    let (copy, mut to) = loop {
        let copy = PathBuf::from(format!("{}.before-fit-{n}", file.display()));
        match std::fs::File::create_new(&copy) {
            Ok(to) => break (copy, to),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => n += 1,
            Err(error) => return Err(error).with_context(|| format!("cannot write {}", copy.display())),
        }
    };
    let copied = std::fs::File::open(file).and_then(|mut from| std::io::copy(&mut from, &mut to));
    copied.with_context(|| format!("cannot write {}", copy.display()))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder).context("cannot write beside the scorecard")?;
    std::io::Write::write_all(&mut new, after.as_bytes())?;
    std::fs::set_permissions(new.path(), std::fs::metadata(file)?.permissions())?;
    new.persist(file).with_context(|| format!("cannot replace {}", file.display()))?;
    Ok(copy)
}

/// The text of a scorecard with other limits. Only `full` and `zero` of the entries under `metrics` are touched: comments and layout
/// stay. `None` when the entries are not found as they are expected: one list item each.
fn with_limits(text: &str, items: &[MetricItem], fits: &[Fit]) -> Option<String> {
    let pattern = |text: &str| Regex::new(text).ok();
    let begin = pattern(r"(?m)^metrics:[^\n]*\n")?.find(text)?.end();
    let end = pattern(r"(?m)^[A-Za-z_]")?.find(&text[begin..]).map_or(text.len(), |next| begin + next.start());
    let section = &text[begin..end];
    let starts: Vec<usize> = pattern(r"(?m)^\s*- ")?.find_iter(section).map(|start| start.start()).collect();
    if starts.len() != items.len() || items.len() != fits.len() {
        return None;
    }
    let (full, zero) = (pattern(r"\bfull:\s*(\[[^\]]*\]|\{[^}]*\})")?, pattern(r"\bzero:\s*(\[[^\]]*\]|\{[^}]*\})")?);
    let mut out = text[..begin + starts.first().copied().unwrap_or(0)].to_string();
    let ends = starts.iter().skip(1).copied().chain([section.len()]);
    for ((start, end), fit) in starts.iter().zip(ends).zip(fits) {
        let entry = &section[*start..end];
        let Some(fitted) = &fit.fitted else {
            out.push_str(entry);
            continue;
        };
        let (new_full, new_zero) = sides(fitted);
        let entry = full.replace(entry, NoExpand(&format!("full: {new_full}")));
        out.push_str(&zero.replace(&entry, NoExpand(&format!("zero: {new_zero}"))));
    }
    out.push_str(&text[end..]);
    Some(out)
}
