//! `callmark scorecard test`: the examples of scorecards and of labelled files, as they are written and as a recogniser might hear
//! them: which fail, and how often what is there is found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use callmark_core::acts::ActLexicon;
use callmark_core::adherence::{self, ExampleReader};
use callmark_core::labelled_examples::{self, Findings, LabelledExample, is_found};
use callmark_core::operator::operators_in;
use callmark_core::recogniser_noise::{misheard, rewritten};
use callmark_core::record::Outcome;
use callmark_core::recording::Language;
use callmark_core::scorecard::{Example, Matcher, Pattern, Requirement, Scorecard};
use callmark_core::transcript::{ActReadings, Embedding, Transcript};
use callmark_models::text_model::TextModelError;
use rayon::prelude::*;
use serde::Serialize;

use super::accuracy_table;
use crate::analysis::read_scorecard;
use crate::cli::{Common, TableFormat, TestArgs};
use crate::commands::terminal_table::percent;
use crate::config::Config;
use crate::install::Install;
use crate::render::outputs::snake;
use crate::text_encoders::TextEncoders;
use crate::{FINISHED, GATE};

pub fn run(args: &TestArgs, common: &Common) -> Result<u8> {
    let mut labelled = Vec::new();
    for file in &args.examples {
        labelled.extend(read_labelled(file)?);
    }
    let mut scorecards = Vec::new();
    for file in &args.files {
        scorecards.push((file, read_scorecard(file)?));
    }
    let encoders = encoders(&Install::find()?)?;
    let mut tested = Tested::default();
    for (file, card) in &scorecards {
        let own = |id: &str| -> Vec<&LabelledExample> {
            labelled.iter().filter(|l| l.card == card.name && l.requirement_id == id).collect()
        };
        let trial = Trial { file, card, encoders: &encoders, args };
        let all: Vec<Vec<Run>> = card.requirements.par_iter().map(|r| trial.requirement(r, own(&r.id))).collect();
        tested.runs.extend(all.into_iter().flatten());
    }
    for stray in &labelled {
        let has_it = |(_, card): &(&PathBuf, Scorecard)| {
            card.name == stray.card && card.requirements.iter().any(|r| r.id == stray.requirement_id)
        };
        if !scorecards.iter().any(has_it) {
            *tested.without_requirement.entry(format!("{}.{}", stray.card, stray.requirement_id)).or_default() += 1;
        }
    }
    match args.table {
        None => print_failed(&tested, args, common),
        Some(TableFormat::Md) => print!("{}", accuracy_table::markdown(&tested)),
        Some(TableFormat::Json) => println!("{}", serde_json::to_string_pretty(&accuracy_table::json(&tested))?),
    }
    Ok(if tested.failed().next().is_none() { FINISHED } else { GATE })
}

fn read_labelled(file: &Path) -> Result<Vec<LabelledExample>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    labelled_examples::read(&text).map_err(|error| anyhow!("{}:{error}", file.display()))
}

/// The text models for `meaning` and for acts, with a warning where there are none.
pub fn encoders(install: &Install) -> Result<TextEncoders> {
    let mut warnings = Vec::new();
    // Examples say their sentiment themselves: no classifier is needed.
    let encoders = TextEncoders::open(install, &Config::default(), rayon::current_num_threads(), &mut warnings)?;
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    Ok(encoders)
}

/// Runs examples of one requirement: (result, what was found) for each.
pub fn outcomes(
    card: &Scorecard,
    requirement: &Requirement,
    examples: Vec<Example>,
    encoders: &TextEncoders,
) -> Vec<(Outcome, String)> {
    let mut card = card.clone();
    card.requirements = vec![Requirement { examples, ..requirement.clone() }];
    let reader = Reader::of(requirement, encoders);
    let results = adherence::run_examples(&card, ActLexicon::built_in(), &reader);
    results.into_iter().map(|result| (result.actual, result.detail)).collect()
}

/// Reads the examples of one requirement. The text models take longer than everything else: they are asked only what matters.
struct Reader<'a> {
    encoders: &'a TextEncoders,
    requirement_id: &'a str,
    has_meaning: bool,
    has_acts: bool,
}

impl<'a> Reader<'a> {
    fn of(requirement: &'a Requirement, encoders: &'a TextEncoders) -> Reader<'a> {
        let any = |wanted: fn(&Pattern) -> bool| {
            requirement.matchers.values().chain(&requirement.except).any(|matcher| wanted(&matcher.pattern))
        };
        Reader {
            encoders,
            requirement_id: &requirement.id,
            has_meaning: any(|pattern| matches!(pattern, Pattern::Meaning { .. })),
            // Signals are made of acts, too: questions, answered objections, silence that was announced.
            has_acts: any(|pattern| {
                use Pattern::{Act, Metric, Silence, Stage};
                matches!(pattern, Act { .. } | Stage(_) | Metric { .. } | Silence { explained: Some(_), .. })
            }),
        }
    }

    fn or_warn<T>(&self, read: Result<Option<T>, TextModelError>, what: &str) -> Option<T> {
        let warn = |error: &TextModelError| eprintln!("warning: {}: {what}: {error}", self.requirement_id);
        read.inspect_err(warn).ok().flatten()
    }
}

impl ExampleReader for Reader<'_> {
    fn embed(&self, language: Language, texts: &[String]) -> Vec<Option<Embedding>> {
        let embedded = if self.has_meaning { self.encoders.embed(language, texts) } else { Ok(None) };
        match self.or_warn(embedded, "meaning is left out") {
            Some(embeddings) => embeddings.into_iter().map(Some).collect(),
            None => vec![None; texts.len()],
        }
    }

    fn read_acts(&self, transcript: &Transcript) -> Option<ActReadings> {
        let scores = self.has_acts.then(|| self.encoders.scores(transcript, None)).transpose();
        self.or_warn(scores, "acts are found by phrases").and_then(|(scores, _)| scores.acts)
    }
}

/// One example in one writing, and its result.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    pub card: String,
    pub requirement_id: String,
    /// What the requirement uses: kinds of matchers, and operators of its expression.
    #[serde(skip)]
    pub operators: Vec<String>,
    /// Number of the example, from 1: those of the scorecard first, then those of the labelled files in their order.
    pub example: usize,
    /// It stands in a labelled file, not in the scorecard.
    pub labelled: bool,
    pub language: Language,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    pub is_hard_negative: bool,
    /// Heard by a simulated recogniser.
    pub noisy: bool,
    pub expected: Outcome,
    pub actual: Outcome,
    /// What was found.
    pub found: String,
    #[serde(skip)]
    pub file: PathBuf,
}

#[derive(Default)]
pub struct Tested {
    pub runs: Vec<Run>,
    /// Requirement that none of the scorecards has → labelled examples for it.
    pub without_requirement: BTreeMap<String, u64>,
}

impl Tested {
    /// Examples, as they are written, with another result than expected.
    pub fn failed(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| !run.noisy && run.expected != run.actual)
    }

    pub fn findings(&self, wanted: impl Fn(&Run) -> bool) -> Findings {
        let mut findings = Findings::default();
        self.runs.iter().filter(|run| wanted(run)).for_each(|run| findings.add(run.expected, run.actual));
        findings
    }
}

struct Trial<'a> {
    file: &'a Path,
    card: &'a Scorecard,
    encoders: &'a TextEncoders,
    args: &'a TestArgs,
}

impl Trial<'_> {
    fn requirement(&self, requirement: &Requirement, labelled: Vec<&LabelledExample>) -> Vec<Run> {
        let operators = operators(requirement);
        let run = |example: usize, of: &Example, from: Option<&LabelledExample>| Run {
            card: self.card.name.clone(),
            requirement_id: requirement.id.clone(),
            operators: operators.clone(),
            example,
            labelled: from.is_some(),
            language: language(of),
            why: from.map_or(String::new(), |l| l.why.clone()),
            is_hard_negative: from.is_some_and(|l| l.is_hard_negative),
            noisy: false,
            expected: of.expect,
            actual: Outcome::Unknown,
            found: String::new(),
            file: self.file.to_path_buf(),
        };
        let own = requirement.examples.iter().map(|example| (example, None));
        let all = own.chain(labelled.into_iter().map(|l| (&l.example, Some(l))));
        let (mut runs, mut examples) = (Vec::new(), Vec::new());
        for (index, (example, from)) in all.enumerate() {
            let clean = run(index + 1, example, from);
            if self.args.noise > 0 {
                let noisy = (0..self.args.variants).map(|variant| heard(example, self.args.noise, variant));
                runs.extend((0..self.args.variants).map(|_| Run { noisy: true, ..clean.clone() }));
                examples.extend(noisy);
            }
            runs.push(clean);
            examples.push(example.clone());
        }
        for (run, (actual, found)) in runs.iter_mut().zip(outcomes(self.card, requirement, examples, self.encoders)) {
            (run.actual, run.found) = (actual, found);
        }
        runs
    }
}

fn language(example: &Example) -> Language {
    let all: String = example.turns.iter().flat_map(|t| [t.text.as_str(), " "]).collect();
    example.language.or_else(|| Language::of_text(&all)).unwrap_or(Language::En)
}

/// The example as a recogniser might have written it. The noise depends on a turn's text and the variant only, so that other
/// examples may come and go.
fn heard(example: &Example, error_permille: u16, variant: u32) -> Example {
    let language = language(example);
    // FNV-1a.
    let hash = |text: &str| {
        text.bytes().fold(0xCBF2_9CE4_8422_2325, |h: u64, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3))
    };
    let mut noisy = Example { language: Some(language), ..example.clone() };
    for turn in &mut noisy.turns {
        let seed = hash(&turn.text).wrapping_add(u64::from(variant));
        turn.text = misheard(&rewritten(&turn.text, language, seed), language, error_permille, seed.rotate_left(32));
    }
    noisy
}

/// Kinds of matchers and operators of a requirement, by the names of the language.
fn operators(requirement: &Requirement) -> Vec<String> {
    let kind = |matcher: &Matcher| match serde_json::to_value(&matcher.pattern) {
        Ok(serde_json::Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    };
    let mut names: Vec<String> = requirement.matchers.values().map(kind).collect();
    if let Some(rule) = &requirement.rule {
        names.extend(operators_in(&rule.expr).into_iter().map(str::to_string));
    }
    if !requirement.except.is_empty() {
        names.push("except".to_string());
    }
    names.sort();
    names.dedup();
    names
}

fn print_failed(tested: &Tested, args: &TestArgs, common: &Common) {
    let mut failed = 0;
    for run in tested.failed() {
        failed += 1;
        let hard = if run.why.is_empty() { String::new() } else { format!(" ({})", run.why) };
        println!(
            "failed: {}: {} example {}{hard}: expected {}, was {} {}",
            run.file.display(),
            run.requirement_id,
            run.example,
            snake(&run.expected),
            snake(&run.actual),
            run.found
        );
    }
    for (requirement, examples) in &tested.without_requirement {
        println!("left out: {requirement} is in none of these scorecards ({examples} labelled examples)");
    }
    let passed = tested.runs.iter().filter(|run| !run.noisy).count() - failed;
    if !common.quiet || failed > 0 {
        println!("{passed} passed, {failed} failed");
        if args.noise > 0 {
            let noisy = tested.findings(|run| run.noisy);
            let share = |share: Option<labelled_examples::Share>| {
                share.map_or("–".into(), |s| percent(u64::from(s.permille)))
            };
            println!(
                "as a recogniser with {} word errors might hear it: recall {}, precision {} ({} variants)",
                percent(u64::from(args.noise)),
                share(noisy.recall()),
                share(noisy.precision()),
                noisy.examples
            );
        }
    }
}

/// True for a hard negative that was taken for the thing itself.
pub fn is_flagged(run: &Run) -> bool {
    run.is_hard_negative && is_found(run.actual)
}
