//! `callmark eval acts`: how well the program hears what turns do, act by act, in labelled calls, also as a recogniser might have heard them.
//!
//! A file has one turn a line: columns `text`, `acts` (several with commas between; empty or `none`), `role` (rep, customer) and, where turns belong
//! to calls, `call`, the turns of a call one after the other.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use callmark_core::act_accuracy::{ActsResult, LabelledTurn, acts_result};
use callmark_core::acts::ActLexicon;
use callmark_core::recogniser_noise::misheard;
use callmark_core::recording::Language;
use callmark_core::transcript::{Medium, Role, Transcript, Turn};
use serde::Serialize;

use super::classifiers::{share, with_interval};
use super::labelled_table::LabelledTable;
use crate::FINISHED;
use crate::cli::{ActsArgs, Common};
use crate::commands::terminal_table::{right, table};
use crate::config::Config;
use crate::install::Install;
use crate::text_encoders::TextEncoders;

/// A labelled call.
struct Labelled {
    transcript: Transcript,
    /// Of each turn.
    acts: Vec<BTreeSet<String>>,
    /// As the file says it.
    language: Option<Language>,
}

#[derive(Serialize)]
struct Report {
    file: String,
    error_permille: u16,
    /// Labels of acts that are the other side's: not judged.
    labels_of_other_side: usize,
    /// By language.
    languages: BTreeMap<&'static str, Group>,
}

#[derive(Default, Serialize)]
struct Group {
    /// SHA-256 of the model that hears acts; `None`: phrases alone.
    model: Option<String>,
    /// The acts for which its word counts.
    acts_by_model: Vec<String>,
    result: Option<ActsResult>,
    #[serde(skip)]
    turns: Vec<LabelledTurn>,
}

pub fn run(args: &ActsArgs, common: &Common) -> Result<u8> {
    let (mut calls, labels_of_other_side) = read(args)?;
    let only: Option<BTreeSet<String>> =
        (!args.acts.is_empty()).then(|| args.acts.iter().map(|act| act.to_lowercase()).collect());
    let mut warnings = Vec::new();
    let encoders = TextEncoders::open(&Install::find()?, &Config::load(common)?, 1, &mut warnings)?;
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    let lexicon = ActLexicon::built_in();
    let mut languages: BTreeMap<&'static str, Group> = BTreeMap::new();
    for (call, Labelled { transcript, acts, .. }) in calls.iter_mut().enumerate() {
        let language = transcript.language.unwrap_or(Language::En);
        if args.error_permille > 0 {
            for (n, turn) in transcript.turns.iter_mut().enumerate() {
                turn.text = misheard(&turn.text, language, args.error_permille, (1_000 * call + n) as u64);
            }
        }
        let (scores, hashes) = encoders.scores(transcript, None)?;
        let group = languages.entry(language.code()).or_default();
        group.model = scores.acts.as_ref().and(hashes).map(|hashes| hashes.encoder);
        group.acts_by_model = lexicon.by_model(scores.acts.as_ref());
        let heard = lexicon.hear(transcript, scores.acts.as_ref());
        let labelled = acts.iter().zip(heard).map(|(truth, heard)| LabelledTurn {
            call,
            truth: truth.clone(),
            heard: heard.into_keys().collect(),
        });
        group.turns.extend(labelled);
    }
    for group in languages.values_mut() {
        group.result = acts_result(&group.turns, only.as_ref());
    }
    let file = args.data.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let report = Report { file, error_permille: args.error_permille, labels_of_other_side, languages };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(FINISHED)
}

/// The calls, and how many labels were left out because they are the other side's acts.
///
/// # Errors
/// The file cannot be read, or a line has an unknown role, act or language, or belongs to a call that ended before; the message holds no text.
fn read(args: &ActsArgs) -> Result<(Vec<Labelled>, usize)> {
    let table = LabelledTable::read(&args.data, "acts")?;
    let lexicon = ActLexicon::built_in();
    let known = || format!("hint: the acts are {}; or none", lexicon.names().collect::<Vec<_>>().join(", "));
    let is_known = |act: &str| lexicon.names().any(|name| name == act);
    if let Some(act) = args.acts.iter().find(|act| !is_known(&act.to_lowercase())) {
        bail!("--acts: there is no act {act:?}\n{}", known());
    }
    let (mut calls, mut ended, mut of_other_side): (Vec<Labelled>, BTreeSet<String>, usize) = Default::default();
    let mut last = String::new();
    for row in table.rows() {
        let role = match row.cell("role").to_lowercase().as_str() {
            "rep" => Role::Rep,
            "customer" => Role::Customer,
            _ => bail!("{}: the role is neither rep nor customer\nhint: acts depend on who speaks", row.place()),
        };
        let written = row.cell("acts").to_lowercase();
        let mut acts = BTreeSet::new();
        for act in written.split([',', ' ', ';']).filter(|act| !["", "none", "other"].contains(act)) {
            // The cell is not shown: in a table with mixed-up columns it would be what was said.
            if !is_known(act) {
                bail!("{}: the column `acts` names something else than acts\n{}", row.place(), known());
            }
            // A customer's goodbye is not the act that scorecards know as the rep's.
            if lexicon.is_said_by(act, role) {
                acts.insert(act.to_string());
            } else {
                of_other_side += 1;
            }
        }
        let name = row.cell("call");
        if name.is_empty() || name != last || calls.is_empty() {
            if !name.is_empty() && !ended.insert(name.to_string()) {
                bail!(
                    "{}: this call ended before\nhint: sort the table: one call's turns follow each other",
                    row.place()
                );
            }
            last = name.to_string();
            let transcript = Transcript { medium: Medium::Text, ..Transcript::default() };
            calls.push(Labelled { transcript, acts: Vec::new(), language: None });
        }
        let Some(call) = calls.last_mut() else { continue };
        if let Some(language) = row.written_language()? {
            if call.language.is_some_and(|before| before != language) {
                bail!("{}: a call in two languages", row.place());
            }
            call.language = Some(language);
        }
        let at = call.acts.len() as i64;
        call.transcript.turns.push(Turn {
            role,
            begin_ms: at,
            end_ms: at,
            text: row.cell("text").to_string(),
            words: Vec::new(),
            confidence_permille: 1000,
        });
        call.acts.push(acts);
    }
    for call in &mut calls {
        let said: String = call.transcript.turns.iter().flat_map(|turn| [turn.text.as_str(), " "]).collect();
        call.transcript.language = call.language.or_else(|| Language::of_text(&said)).or(Some(Language::En));
    }
    Ok((calls, of_other_side))
}

fn print(report: &Report) {
    for (language, group) in &report.languages {
        let noise = match report.error_permille {
            0 => String::new(),
            errors => format!(", {} % of the words misheard", f64::from(errors) / 10.0),
        };
        let Some(result) = &group.result else {
            println!("acts in {} ({language}): no turn has one; --acts says which to count all the same", report.file);
            continue;
        };
        println!(
            "acts in {} ({language}): {} turns, {} calls{noise}; macro-F1 {}",
            report.file,
            result.turns,
            result.calls,
            result.macro_f1.map_or("–".to_string(), |value| with_interval(value, result.macro_f1_interval))
        );
        let mut rows = table(["act", "heard by", "turns", "heard", "precision", "recall", "F1"]);
        for act in &result.acts {
            let by = if group.acts_by_model.contains(&act.act) { "model" } else { "phrases" };
            let known = |value: Option<f64>, interval| {
                right(value.map_or("–".to_string(), |value| with_interval(value, interval)))
            };
            rows.add_row([
                comfy_table::Cell::new(&act.act),
                comfy_table::Cell::new(by),
                right(act.n),
                right(act.heard),
                known(act.precision, act.precision_interval),
                known(act.recall, act.recall_interval),
                right(act.f1.map_or("–".to_string(), share)),
            ]);
        }
        println!("{rows}\n");
    }
    if report.labels_of_other_side > 0 {
        println!("{} labels are acts of the other side and were left out", report.labels_of_other_side);
    }
}
