//! `callmark eval classifiers`: how well the sentiment of labelled texts is read, by language and role, also as a recogniser might
//! have heard them.
//!
//! A file has one text a line: `label<TAB>text`, or a CSV or TSV table with the columns `text`, `label` and, where known, `language` and `role`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use callmark_core::calibration::ErrorByChance;
use callmark_core::classification::{ClassifierResult, Judged, classifier_result};
use callmark_core::recogniser_noise::misheard;
use callmark_core::recording::Language;
use callmark_core::statistics::Interval;
use callmark_core::transcript::Sentiment;
use serde::Serialize;

use super::labelled_table::{LabelledTable, Row};
use crate::FINISHED;
use crate::cli::{ClassifiersArgs, Common};
use crate::commands::terminal_table::{right, table};
use crate::config::Config;
use crate::install::Install;
use crate::render::outputs::write_whole;
use crate::text_encoders::TextEncoders;

/// The classes, in the order of their numbers.
const CLASSES: [&str; 3] = ["negative", "neutral", "positive"];

struct Labelled {
    truth: usize,
    text: String,
    language: Language,
    role: String,
}

#[derive(Serialize)]
struct Report {
    file: String,
    error_permille: u16,
    /// SHA-256 of the models that read the sentiment, by language.
    models: BTreeMap<&'static str, String>,
    /// `all`, then by language, then by role.
    groups: Vec<(String, ClassifierResult)>,
}

pub fn run(args: &ClassifiersArgs, common: &Common) -> Result<u8> {
    let mut texts = read(&args.data)?;
    if args.error_permille > 0 {
        for (n, labelled) in texts.iter_mut().enumerate() {
            labelled.text = misheard(&labelled.text, labelled.language, args.error_permille, n as u64);
        }
    }
    let mut warnings = Vec::new();
    let encoders = TextEncoders::open(&Install::find()?, &Config::load(common)?, 1, &mut warnings)?;
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    let (mut judged, mut models) = (Vec::with_capacity(texts.len()), BTreeMap::new());
    for labelled in &texts {
        let language = labelled.language;
        let Some(said) = encoders.classify(language, &[&labelled.text])? else {
            bail!("there is no text model for `{}`\nhint: `callmark doctor` says why", language.code());
        };
        let said = said.into_iter().next().context("the text model gave no answer")?;
        models.extend(encoders.hashes(Some(language)).map(|models| (language.code(), models.sentiment().to_string())));
        judged.push(judge(labelled.truth, said.sentiment));
    }
    let mut groups: BTreeMap<(u8, String), Vec<Judged>> = BTreeMap::new();
    for (labelled, judged) in texts.iter().zip(judged) {
        groups.entry((0, "all".into())).or_default().push(judged);
        groups.entry((1, labelled.language.code().into())).or_default().push(judged);
        if !labelled.role.is_empty() {
            groups.entry((2, labelled.role.clone())).or_default().push(judged);
        }
    }
    let result = |((_, name), judged): ((u8, String), Vec<Judged>)| Some((name, classifier_result(&CLASSES, &judged)?));
    let report = Report {
        file: args.data.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        error_permille: args.error_permille,
        models,
        groups: groups.into_iter().filter_map(result).collect(),
    };
    if let Some(path) = &args.svg {
        write_whole(path, reliability_svg(&report).as_bytes())?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(FINISHED)
}

/// The most likely class; of equals the first.
fn judge(truth: usize, said: Sentiment) -> Judged {
    let by_class = [said.negative_permille, said.neutral_permille, said.positive_permille];
    let best = (0..3).max_by_key(|class| (by_class[*class], std::cmp::Reverse(*class))).unwrap_or(0);
    Judged { truth, said: best, probability_permille: by_class[best] }
}

/// # Errors
/// The file cannot be read, has no texts, or a line without a known label; the message holds no text.
fn read(path: &Path) -> Result<Vec<Labelled>> {
    let table = LabelledTable::read_with_or_without_header(path, "label")?;
    let labelled = |row: Row<'_>| {
        let label = row.cell("label").to_lowercase();
        let Some(truth) = CLASSES.iter().position(|class| *class == label) else {
            bail!(
                "{}: the label is none of {}\nhint: label<TAB>text, or columns `label` and `text`",
                row.place(),
                CLASSES.join(", ")
            );
        };
        let (role, text) = (row.cell("role").to_lowercase(), row.cell("text").to_string());
        let language = row.written_language()?.or_else(|| Language::of_text(&text)).unwrap_or(Language::En);
        Ok(Labelled { truth, language, role, text })
    };
    table.rows().map(labelled).collect()
}

pub(super) fn share(value: f64) -> String {
    format!("{:.1} %", 100.0 * value)
}

pub(super) fn with_interval(value: f64, interval: Option<Interval>) -> String {
    interval.map_or_else(|| share(value), |i| format!("{} ({:.1}–{:.1})", share(value), 100.0 * i.low, 100.0 * i.high))
}

fn print(report: &Report) {
    let noise = match report.error_permille {
        0 => String::new(),
        errors => format!(", {} % of the words misheard", f64::from(errors) / 10.0),
    };
    println!("sentiment of {}{noise}", report.file);
    let mut rows = table([
        "group",
        "texts",
        "accuracy",
        "macro-F1",
        "always the most frequent",
        "calibration error",
        "by chance alone (95 % below)",
    ]);
    for (name, result) in &report.groups {
        rows.add_row([
            comfy_table::Cell::new(name),
            right(result.n),
            right(with_interval(result.accuracy, result.accuracy_interval)),
            right(with_interval(result.macro_f1, result.macro_f1_interval)),
            right(share(result.majority_macro_f1)),
            right(result.calibration.expected_calibration_error.map_or("–".to_string(), share)),
            right(result.calibration.error_by_chance.map_or("–".to_string(), by_chance)),
        ]);
    }
    println!("{rows}");
    let Some((_, all)) = report.groups.first() else { return };
    let mut rows =
        table(["class", "texts", "precision", "recall", "F1", "said negative", "said neutral", "said positive"]);
    let known = |value: Option<f64>| right(value.map_or("–".to_string(), share));
    for (class, confusion) in all.classes.iter().zip(&all.confusion) {
        let mut cells = vec![comfy_table::Cell::new(&class.class), right(class.n)];
        cells.extend([known(class.precision), known(class.recall), known(class.f1)]);
        cells.extend(confusion.iter().map(right));
        rows.add_row(cells);
    }
    println!("\n{rows}");
    let mut rows = table(["answers only from", "of the texts", "right"]);
    for band in &all.bands {
        rows.add_row([
            right(f64::from(band.from_permille) / 1000.0),
            right(share(band.coverage)),
            known(band.accuracy),
        ]);
    }
    println!("\n{rows}");
}

/// Mean, and in brackets what 95 of 100 draws stay below.
fn by_chance(error: ErrorByChance) -> String {
    format!("{} ({})", share(error.mean), share(error.most))
}

/// Reliability of all texts: share of right answers over stated probability, with the diagonal on which both are equal.
fn reliability_svg(report: &Report) -> String {
    let (size, edge) = (360.0, 40.0);
    let x = |share: f64| edge + share * (size - 2.0 * edge);
    let y = |share: f64| size - x(share);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"11\">\n\
         <title>Share of right answers by stated probability: {} texts</title>\n<rect width=\"{size}\" height=\"{size}\" fill=\"#fff\"/>\n\
         <path d=\"M{:.1} {:.1} L{:.1} {:.1}\" stroke=\"#888\" stroke-dasharray=\"4 3\"/>\n",
        report.groups.first().map_or(0, |(_, all)| all.n),
        x(0.0),
        y(0.0),
        x(1.0),
        y(1.0)
    );
    for tenth in [0.0, 0.5, 1.0] {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tenth}</text>",
            x(tenth),
            y(0.0) + 16.0
        );
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{tenth}</text>",
            x(0.0) - 6.0,
            y(tenth) + 4.0
        );
    }
    let bins = report.groups.first().map_or(&[][..], |(_, all)| &all.calibration.bins);
    for bin in bins {
        let (Some(stated), Some(right)) = (bin.mean_confidence, bin.share_right) else { continue };
        let radius = 2.0 + (bin.n as f64).sqrt().min(30.0) / 4.0;
        let _ = writeln!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius:.1}\" fill=\"#1f5fa8\"><title>{} texts: stated {}, right {}</title></circle>",
            x(stated),
            y(right),
            bin.n,
            share(stated),
            share(right)
        );
    }
    let _ = write!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">stated probability</text>\n<text x=\"12\" y=\"{:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 12 {:.1})\">share right</text>\n</svg>\n",
        x(0.5),
        size - 6.0,
        y(0.5),
        y(0.5)
    );
    svg
}
