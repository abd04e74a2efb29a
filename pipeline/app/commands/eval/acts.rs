//! `callmark eval acts`: how well the program hears what turns do, act by act, in labelled calls, also as a recogniser might have heard them.
//!
//! A file has one turn a line: columns `text`, `acts` (several with commas between; `none`), `role` (rep, customer) and, where turns belong to
//! calls, `call` in the order of the calls' turns.

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
}

#[derive(Serialize)]
struct Report {
    file: String,
    error_permille: u16,
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
    let mut calls = read(args)?;
    let mut warnings = Vec::new();
    let encoders = TextEncoders::open(&Install::find()?, &Config::load(common)?, 1, &mut warnings)?;
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    let lexicon = ActLexicon::built_in();
    let mut languages: BTreeMap<&'static str, Group> = BTreeMap::new();
    for (call, Labelled { transcript, acts }) in calls.iter_mut().enumerate() {
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
        group.result = acts_result(&group.turns);
    }
    let file = args.data.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let report = Report { file, error_permille: args.error_permille, languages };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(FINISHED)
}

/// # Errors
/// The file cannot be read, or a line has an unknown role or act; the message holds no text.
fn read(args: &ActsArgs) -> Result<Vec<Labelled>> {
    let table = LabelledTable::read(&args.data, "acts")?;
    let lexicon = ActLexicon::built_in();
    let mut calls: Vec<(String, Labelled)> = Vec::new();
    for row in table.rows() {
        let role = match row.cell("role").to_lowercase().as_str() {
            "rep" => Role::Rep,
            "customer" => Role::Customer,
            _ => bail!("{}: the role is neither rep nor customer\nhint: acts depend on who speaks", row.place()),
        };
        let named = row.cell("acts").split([',', ' ', ';']).filter(|act| !["", "none", "other"].contains(act));
        let mut acts = BTreeSet::new();
        for act in named {
            if !lexicon.names().any(|name| name == act) {
                let names: Vec<&str> = lexicon.names().collect();
                bail!("{}: there is no act {act:?}\nhint: the acts are {}, none", row.place(), names.join(", "));
            }
            // A customer's goodbye is not the act that scorecards know as the rep's.
            if lexicon.is_said_by(act, role) {
                acts.insert(act.to_string());
            }
        }
        let (name, text) = (row.cell("call"), row.cell("text").to_string());
        if name.is_empty() || calls.last().is_none_or(|(last, _)| last != name) {
            let transcript =
                Transcript { medium: Medium::Text, language: Some(row.language()), ..Transcript::default() };
            calls.push((name.to_string(), Labelled { transcript, acts: Vec::new() }));
        }
        if let Some((_, call)) = calls.last_mut() {
            let at = call.acts.len() as i64;
            call.transcript.turns.push(Turn {
                role,
                begin_ms: at,
                end_ms: at,
                text,
                words: Vec::new(),
                confidence_permille: 1000,
            });
            call.acts.push(acts);
        }
    }
    Ok(calls.into_iter().map(|(_, call)| call).collect())
}

fn print(report: &Report) {
    for (language, group) in &report.languages {
        let noise = match report.error_permille {
            0 => String::new(),
            errors => format!(", {} % of the words misheard", f64::from(errors) / 10.0),
        };
        let Some(result) = &group.result else {
            println!("acts in {} ({language}): no turn has one", report.file);
            continue;
        };
        println!(
            "acts in {} ({language}): {} turns, {} calls{noise}; macro-F1 {}",
            report.file,
            result.turns,
            result.calls,
            with_interval(result.macro_f1, result.macro_f1_interval)
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
                right(share(act.f1)),
            ]);
        }
        println!("{rows}\n");
    }
}
