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
            match copy {
                Some(copy) => eprintln!("{} is changed; as it was: {}", args.file.display(), copy.display()),
                None => eprintln!("nothing to change: {} has these limits", args.file.display()),
            }
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

/// The limits that an entry gets instead of those it has.
fn change<'f>(item: &MetricItem, fit: &'f Fit) -> Option<&'f Trapezoid> {
    fit.fitted.as_ref().filter(|fitted| **fitted != item.trapezoid)
}

/// Writes the fitted limits into the file; the place of the copy of what it was. `None` when it has these limits already.
///
/// # Errors
/// Nothing is proposed, the file cannot be written, or it is laid out so that the limits cannot be found for certain.
fn write(file: &Path, scorecard: &Scorecard, fits: &[Fit]) -> Result<Option<PathBuf>> {
    if fits.iter().all(|fit| fit.fitted.is_none()) {
        bail!("there are no limits to write");
    }
    if scorecard.metrics.iter().zip(fits).all(|(item, fit)| change(item, fit).is_none()) {
        return Ok(None);
    }
    let before = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let by_hand =
        || format!("the metrics of {} cannot be changed in place\nhint: copy the limits by hand", file.display());
    let after = with_limits(&before, &scorecard.metrics, fits).with_context(by_hand)?;
    let changed = Scorecard::parse(&after).map_err(|error| anyhow::anyhow!("{error}")).with_context(by_hand)?;
    let wanted = scorecard.metrics.iter().zip(fits).map(|(item, fit)| match change(item, fit) {
        Some(fitted) => MetricItem { trapezoid: *fitted, version: item.version.saturating_add(1), ..item.clone() },
        None => item.clone(),
    });
    // The new text may put an entry elsewhere; that is no change of it.
    let in_place = |(item, before): (&MetricItem, &MetricItem)| MetricItem { place: before.place, ..item.clone() };
    if !changed.metrics.iter().zip(&scorecard.metrics).map(in_place).eq(wanted)
        || changed.requirements.len() != scorecard.requirements.len()
    {
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
    Ok(Some(copy))
}

/// The text of a scorecard with other limits. Only `full`, `zero` and `version` of the entries under `metrics` that change are touched:
/// comments and layout stay. `None` when the entries are not found as they are expected: one list item each.
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
    let version = pattern(r"\bversion:\s*\d+")?;
    let mut out = text[..begin + starts.first().copied().unwrap_or(0)].to_string();
    let ends = starts.iter().skip(1).copied().chain([section.len()]);
    for ((start, end), (item, fit)) in starts.iter().zip(ends).zip(items.iter().zip(fits)) {
        let entry = &section[*start..end];
        let Some(fitted) = change(item, fit) else {
            out.push_str(entry);
            continue;
        };
        let (new_full, new_zero) = sides(fitted);
        let raised = format!("version: {}", item.version.saturating_add(1));
        let new_full = match (version.is_match(entry), full.find(entry)) {
            (false, Some(before)) => {
                // Beside it in braces, else a line before it in the same column.
                let line = entry[..before.start()].rsplit('\n').next().unwrap_or_default();
                let between =
                    if line.contains('{') { ", ".to_string() } else { format!("\n{}", " ".repeat(line.len())) };
                format!("{raised}{between}full: {new_full}")
            }
            _ => format!("full: {new_full}"),
        };
        let entry = version.replace(entry, NoExpand(&raised));
        let entry = full.replace(&entry, NoExpand(&new_full));
        out.push_str(&zero.replace(&entry, NoExpand(&format!("zero: {new_zero}"))));
    }
    out.push_str(&text[end..]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Braces, lines, an own version, and an entry that has its limits already.
    #[test]
    fn changed_limits_raise_the_version_of_their_entry_alone() {
        let head = "schema: 1\nname: x\nlanguage: [en]\nweights: {a: 100}\nmetrics:\n";
        let before = format!(
            "{head}  - {{metric: pace_rep, dimension: a, full: [1, 4], zero: [0, 5]}}   # braces\n  \
             - metric: hold_ms\n    dimension: a\n    full: {{lte: 2000}}\n    zero: {{gte: 3000}}\n  \
             - {{metric: questions_rep, version: 4, dimension: a, full: {{gte: 3}}, zero: {{lte: 0}}}}\n  \
             - {{metric: spin_kinds, dimension: a, full: {{gte: 2}}, zero: {{lte: 0}}}}\n"
        );
        let items = Scorecard::parse(&before).unwrap().metrics;
        let fitted = |item: &MetricItem| {
            let mut trapezoid = item.trapezoid;
            if item.id != "spin_kinds" {
                trapezoid.full_from = trapezoid.full_from.map(|limit| limit + 1);
                trapezoid.full_to = trapezoid.full_to.map(|limit| limit - 1);
            }
            Fit { id: item.id.clone(), present: item.trapezoid, all: None, groups: Vec::new(), fitted: Some(trapezoid) }
        };
        let fits: Vec<Fit> = items.iter().map(fitted).collect();
        let after = format!(
            "{head}  - {{metric: pace_rep, dimension: a, version: 2, full: [2, 3], zero: [0, 5]}}   # braces\n  \
             - metric: hold_ms\n    dimension: a\n    version: 2\n    full: {{lte: 1999}}\n    zero: {{gte: 3000}}\n  \
             - {{metric: questions_rep, version: 5, dimension: a, full: {{gte: 4}}, zero: {{lte: 0}}}}\n  \
             - {{metric: spin_kinds, dimension: a, full: {{gte: 2}}, zero: {{lte: 0}}}}\n"
        );
        assert_eq!(with_limits(&before, &items, &fits), Some(after));
    }
}
