//! `callmark scorecard new FILE`: a first scorecard from the sentences of a company's script. What resembles a requirement of a known
//! scorecard is copied from there; everything else becomes a requirement of its own, tried on its own examples before it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use callmark_core::labelled_examples::{is_found, of_sentence};
use callmark_core::record::{ItemKind, Outcome};
use callmark_core::recording::Language;
use callmark_core::scorecard::{LintSeverity, Pattern, Requirement, Scorecard, lint};
use callmark_core::transcript::{Embedding, Role};
use rayon::prelude::*;

use super::sentence::{Place, Sentence, sentences};
use super::test::{encoders, outcomes};
use crate::FINISHED;
use crate::analysis::read_scorecard;
use crate::cli::{Common, NewArgs};
use crate::install::Install;
use crate::text_encoders::TextEncoders;

/// Weights of SCORING.md for the dimensions that occur.
const WEIGHTS: &[(&str, u32)] = &[
    ("compliance", 30),
    ("script_flow", 15),
    ("discovery", 20),
    ("handling", 20),
    ("customer_emotion", 10),
    ("close", 5),
];
/// Weight of a dimension that is not among them.
const OTHER_WEIGHT: u32 = 10;
/// Similarity of meaning from which a sentence resembles a requirement's phrase; each encoder has its own scale. An engineering guess.
fn resembles_permille(language: Language) -> i64 {
    match language {
        Language::En => 720,
        Language::Zh => 620,
    }
}

pub fn run(args: &NewArgs, common: &Common) -> Result<u8> {
    if args.file.exists() {
        bail!("{} exists\nhint: nothing is overwritten; give another name", args.file.display());
    }
    let script = match &args.script {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?,
        None => ask()?,
    };
    let sentences = sentences(&script);
    if sentences.is_empty() {
        bail!(
            "the script has no sentence\nhint: one sentence a line, in English or Chinese: what the rep says, and what nobody may say"
        );
    }
    let install = Install::find()?;
    let known = Known::load(&args.like, &install)?;
    let proposals = known.propose(&sentences);
    let stem = args.file.file_stem().map_or("scorecard".into(), |stem| stem.to_string_lossy().into_owned());
    let name = args.name.clone().unwrap_or(stem);
    let yaml = written(&name, &proposals, &known.stages());
    let card = Scorecard::parse(&yaml).with_context(|| "the proposed scorecard has a mistake; please report it")?;
    // Only a new file: the answers took their time, and somebody may have written one meanwhile.
    let file = std::fs::File::create_new(&args.file);
    file.and_then(|mut file| file.write_all(yaml.as_bytes()))
        .with_context(|| format!("cannot write {}", args.file.display()))?;
    if !common.quiet {
        for proposal in &proposals {
            let asks = if proposal.required { "requires" } else { "forbids" };
            println!("{asks}: {}  ←  {}", proposal.source, proposal.sentences.join(" / "));
        }
        let file = args.file.display();
        println!("{file}: {} requirements. Read and correct them, then:", card.requirements.len());
        println!("  callmark scorecard lint {file} && callmark scorecard test {file} --noise 0.15");
    }
    Ok(FINISHED)
}

/// The sentences from the terminal, up to an empty line, or everything from a pipe.
fn ask() -> Result<String> {
    let mut script = String::new();
    if !std::io::stdin().is_terminal() {
        std::io::stdin().read_to_string(&mut script).context("cannot read the script")?;
        return Ok(script);
    }
    eprintln!(
        "Type what the rep says, one sentence a line, and what nobody may say (\"Never say …\", \"不得…\"); an empty line ends."
    );
    for line in std::io::stdin().lock().lines() {
        let line = line.context("cannot read the script")?;
        if line.trim().is_empty() {
            break;
        }
        script.push_str(&line);
        script.push('\n');
        eprint!("> ");
        std::io::stderr().flush()?;
    }
    Ok(script)
}

/// A requirement for the new scorecard.
struct Proposal {
    id: String,
    dimension: String,
    required: bool,
    languages: BTreeSet<Language>,
    /// Lines of YAML with two spaces before the dash.
    yaml: String,
    /// For people: where it comes from.
    source: String,
    /// What of the script it stands for.
    sentences: Vec<String>,
}

/// A scorecard to copy from, with the file's text.
struct Source {
    text: String,
    card: Scorecard,
}

/// Where a requirement stands: number of the source, of the requirement in it.
type At = (usize, usize);

struct Known {
    sources: Vec<Source>,
    encoders: TextEncoders,
    /// Phrases and examples of all requirements, by language: place and meaning.
    meanings: BTreeMap<Language, Vec<(At, Embedding)>>,
}

impl Known {
    fn load(like: &[PathBuf], install: &Install) -> Result<Known> {
        let mut files = like.to_vec();
        if files.is_empty() {
            let folder = install.scorecards();
            let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
            files = entries.map(|e| Ok(e?.path())).collect::<Result<Vec<_>>>()?;
            files.retain(|file| file.extension().is_some_and(|e| e == "yaml"));
            files.sort();
            // Ties go to the first: most scripts that somebody types are for sales.
            files.sort_by_key(|file| file.file_stem().is_none_or(|stem| stem != "telesales"));
        }
        let source = |file: &PathBuf| -> Result<Source> {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            Ok(Source { text, card: read_scorecard(file)? })
        };
        let sources = files.iter().map(source).collect::<Result<Vec<_>>>()?;
        let mut known = Known { sources, encoders: encoders(install)?, meanings: BTreeMap::new() };
        for language in Language::ALL {
            let of = |(at, r)| phrases(r, language).map(move |p| (at, p.to_string()));
            let (places, texts): (Vec<_>, Vec<_>) = known.requirements().flat_map(of).unzip();
            if let Some(meant) = known.encoders.embed(language, &texts)? {
                known.meanings.insert(language, places.into_iter().zip(meant).collect());
            }
        }
        Ok(known)
    }

    fn requirements(&self) -> impl Iterator<Item = (At, &Requirement)> {
        let of = |(s, source): (usize, &'_ Source)| {
            (0..source.card.requirements.len()).map(move |r| (s, r)).collect::<Vec<_>>()
        };
        let places: Vec<At> = self.sources.iter().enumerate().flat_map(of).collect();
        places.into_iter().map(|(s, r)| ((s, r), &self.sources[s].card.requirements[r]))
    }

    fn stages(&self) -> Vec<String> {
        let mut stages: Vec<String> = Vec::new();
        for stage in self.sources.iter().flat_map(|source| &source.card.stages) {
            if !stages.contains(stage) {
                stages.push(stage.clone());
            }
        }
        stages
    }

    fn propose(&self, sentences: &[Sentence]) -> Vec<Proposal> {
        let resembling: Vec<Vec<At>> = sentences.par_iter().map(|s| self.resembling(s)).collect();
        let both: BTreeSet<Language> = [Language::En, Language::Zh].into();
        let copied = resembling.iter().flatten().any(|(s, _)| self.sources[*s].card.languages.len() > 1);
        let languages: BTreeSet<Language> = if copied { both } else { sentences.iter().map(|s| s.language).collect() };
        let mut proposals: Vec<Proposal> = Vec::new();
        for (sentence, places) in sentences.iter().zip(resembling) {
            let mut taken = false;
            for (s, r) in places {
                let (source, requirement) = (&self.sources[s], &self.sources[s].card.requirements[r]);
                let from = format!("copied {}.{}", source.card.name, requirement.id);
                if let Some(same) = proposals.iter_mut().find(|p| p.source == from) {
                    same.sentences.push(sentence.text.clone());
                    taken = true;
                    continue;
                }
                // Another requirement of that name would be two in one scorecard.
                let free = proposals.iter().all(|p| p.id != requirement.id);
                let Some(yaml) = block(&source.text, &requirement.id).filter(|_| free) else { continue };
                taken = true;
                proposals.push(Proposal {
                    id: requirement.id.clone(),
                    dimension: requirement.dimension.clone(),
                    required: requirement.kind() == ItemKind::Required,
                    languages: source.card.languages.iter().copied().collect(),
                    yaml,
                    source: from,
                    sentences: vec![sentence.text.clone()],
                });
            }
            if !taken {
                let ids: Vec<&str> = proposals.iter().map(|p| p.id.as_str()).collect();
                let id = free_id(&sentence.id(), &ids);
                match self.own(sentence, &id, languages.len() > 1) {
                    Some(proposal) => proposals.push(proposal),
                    None => eprintln!("warning: no requirement could be made of: {}", sentence.text),
                }
            }
        }
        proposals
    }

    /// The requirements that find in the sentence what they look for and of which a phrase or an example means about the same. One alone
    /// is not enough: "you may withdraw within fourteen days" has a date, as a next step has, and is none.
    fn resembling(&self, sentence: &Sentence) -> Vec<At> {
        let (kind, expect) = match sentence.forbidden {
            true => (ItemKind::Forbidden, Outcome::Violated),
            false => (ItemKind::Required, Outcome::Met),
        };
        let mut found: Vec<At> = Vec::new();
        let mut ids = BTreeSet::new();
        let text = std::slice::from_ref(&sentence.text);
        let said = self.encoders.embed(sentence.language, text).ok().flatten().and_then(|said| said.into_iter().next());
        for (at, requirement) in self.requirements() {
            if requirement.kind() != kind || requirement.is_manual() || ids.contains(&requirement.id) {
                continue;
            }
            // Without an encoder the words have to do.
            if said.as_ref().is_some_and(|said| !self.means_the_same(at, said, sentence.language)) {
                continue;
            }
            let example = of_sentence(&sentence.text, expect);
            let result = outcomes(&self.sources[at.0].card, requirement, vec![example], &self.encoders);
            // Without a quote it is met by something that is not in the sentence.
            if result.iter().any(|(outcome, quote)| is_found(*outcome) && !quote.is_empty()) {
                ids.insert(requirement.id.clone());
                found.push(at);
            }
        }
        found
    }

    fn means_the_same(&self, at: At, said: &Embedding, language: Language) -> bool {
        let known = self.meanings.get(&language).map_or(&[][..], Vec::as_slice);
        let own = known.iter().filter(|(of, _)| *of == at);
        let best = own.map(|(_, meant)| meant.similarity_permille(said)).max();
        best.is_some_and(|best| best >= resembles_permille(language))
    }

    /// A requirement of its own that passes its examples: with words that must be heard, else without.
    fn own(&self, sentence: &Sentence, id: &str, several_languages: bool) -> Option<Proposal> {
        let dimension = match (sentence.forbidden, sentence.place, sentence.is_question) {
            (true, ..) => "compliance",
            (_, Place::End, _) => "close",
            (_, Place::Anywhere, true) => "discovery",
            _ => "script_flow",
        };
        let candidates = [sentence.must.as_slice(), &[]];
        let mut tried = candidates.into_iter().map(|must| own_yaml(sentence, id, dimension, must, several_languages));
        let yaml = tried.find(|yaml| self.passes(yaml, dimension, sentence.language, several_languages))?;
        Some(Proposal {
            id: id.to_string(),
            dimension: dimension.to_string(),
            required: !sentence.forbidden,
            languages: [sentence.language].into(),
            yaml,
            source: format!("new {id}"),
            sentences: vec![sentence.text.clone()],
        })
    }

    fn passes(&self, yaml: &str, dimension: &str, language: Language, several_languages: bool) -> bool {
        let languages = if several_languages { "en, zh" } else { language.code() };
        let whole = format!(
            "schema: 1\nname: trial\nlanguage: [{languages}]\nweights: {{{dimension}: 10}}\nrequirements:\n{yaml}"
        );
        let Ok(card) = Scorecard::parse(&whole) else { return false };
        let requirement = &card.requirements[0];
        let results = outcomes(&card, requirement, requirement.examples.clone(), &self.encoders);
        let as_expected =
            requirement.examples.iter().zip(results).all(|(example, (actual, _))| example.expect == actual);
        as_expected && !lint(&card).iter().any(|finding| finding.severity == LintSeverity::Warning)
    }
}

/// The phrases that a requirement looks for on the rep's side, and what the rep says in examples in which it is found.
fn phrases(requirement: &Requirement, language: Language) -> impl Iterator<Item = &str> {
    let own = requirement.matchers.values().filter(|m| m.role != Some(Role::Customer));
    let lists = own.filter_map(move |matcher| match &matcher.pattern {
        Pattern::Any(phrases) | Pattern::Meaning { phrases, .. } => Some(phrases.get(language)),
        _ => None,
    });
    let found = requirement.examples.iter().filter(|example| is_found(example.expect));
    let turns = found.flat_map(|example| &example.turns).filter(|turn| turn.role == Role::Rep);
    let said = turns.map(|turn| turn.text.as_str()).filter(move |text| Language::of_text(text) == Some(language));
    lists.flatten().map(String::as_str).chain(said)
}

/// The lines of a requirement in a scorecard's text, indented as callmark writes them; comments that follow it are not its.
fn block(text: &str, id: &str) -> Option<String> {
    let is_begin = |line: &str| line.trim_start().strip_prefix("- id:").is_some_and(|rest| rest.trim() == id);
    let lines: Vec<&str> = text.lines().collect();
    let begin = lines.iter().position(|line| is_begin(line))?;
    let indent = |line: &str| line.len() - line.trim_start().len();
    let depth = indent(lines[begin]);
    let rest = lines[begin + 1..].iter().take_while(|line| line.trim().is_empty() || indent(line) > depth);
    let mut out = String::new();
    for line in lines[begin..begin + 1].iter().chain(rest) {
        // Writing into a String cannot fail.
        let _ = writeln!(out, "  {}", line.get(depth..).unwrap_or_default());
    }
    Some(out.trim_end().lines().map(|line| format!("{}\n", line.trim_end())).collect())
}

fn free_id(wanted: &str, taken: &[&str]) -> String {
    let numbered = (2..).map(|n| format!("{wanted}_{n}"));
    let mut candidates = std::iter::once(wanted.to_string()).chain(numbered);
    candidates.find(|id| !taken.contains(&id.as_str())).unwrap_or_default()
}

/// Text in YAML; JSON's quotes are YAML's double quotes.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

/// Writing into a String cannot fail; the results of `writeln!` below are dropped for that reason.
fn own_yaml(sentence: &Sentence, id: &str, dimension: &str, must: &[String], several_languages: bool) -> String {
    let code = sentence.language.code();
    let zh = sentence.language == Language::Zh;
    let said = sentence.text.trim_end_matches(['.', '。', '!', '！']);
    let (what, why, coach) = match (sentence.forbidden, zh) {
        (false, false) => (
            format!("The rep says: {said}"),
            "It is part of the company's script.",
            format!("Say it in these words: {said}"),
        ),
        (false, true) => (format!("坐席说：{said}"), "这是公司话术的一部分。", format!("请这样说：{said}")),
        (true, false) => (
            format!("The rep does not say: {said}"),
            "The company's script forbids it.",
            "Leave it out, and say what is true instead.".to_string(),
        ),
        (true, true) => (format!("坐席没有说：{said}"), "公司话术禁止这样说。", "不要这样说，请如实说明。".to_string()),
    };
    let mut out = String::new();
    let _ = writeln!(out, "  - id: {id}");
    let _ = writeln!(out, "    what: {{{code}: {}}}", quoted(&what));
    let _ = writeln!(out, "    why: {{{code}: {}}}", quoted(why));
    let _ = writeln!(out, "    coach: {{{code}: {}}}", quoted(&coach));
    let _ = writeln!(out, "    dimension: {dimension}");
    let _ = writeln!(out, "    severity: {}", if sentence.forbidden { "major" } else { "minor" });
    let _ = writeln!(out, "    points: 10");
    if several_languages {
        let _ = writeln!(out, "    when: {{language: [{code}]}}");
    }
    let _ = writeln!(out, "    match:\n      said:");
    match &sentence.pattern {
        Some(pattern) => {
            let _ = writeln!(out, "        regex: {{{code}: [{}]}}", quoted(pattern));
        }
        None => {
            let _ = writeln!(out, "        any: {{{code}: {}}}", list(&sentence.phrases));
        }
    }
    if !must.is_empty() {
        let _ = writeln!(out, "        must: {{{code}: {}}}", list(must));
    }
    let within = match sentence.place {
        Place::Beginning => ", within: {first_s: 30, first_turns: 3}",
        Place::End => ", within: {last_s: 60, last_turns: 4}",
        Place::Anywhere => "",
    };
    let rule = if sentence.forbidden { "forbid" } else { "require" };
    let _ = writeln!(out, "    {rule}: {{expr: said, role: rep{within}}}");
    let (there, absent) = if sentence.forbidden { ("violated", "clear") } else { ("met", "missed") };
    let (text, other, answer) = match zh {
        false => (quoted(&sentence.text), "Let me see what I can do.", "Okay."),
        true => (quoted(&sentence.text), "我来看一下。", "好的。"),
    };
    let _ = writeln!(out, "    examples:");
    let _ = writeln!(out, "      - {{turns: [[rep, 0, {text}], [customer, 20, \"{answer}\"]], expect: {there}}}");
    let _ = writeln!(out, "      - {{turns: [[rep, 0, \"{other}\"], [customer, 20, \"{answer}\"]], expect: {absent}}}");
    let _ = writeln!(out, "      - {{turns: [[customer, 0, {text}], [rep, 20, \"{other}\"]], expect: {absent}}}");
    out
}

fn written(name: &str, proposals: &[Proposal], stages: &[String]) -> String {
    let required: BTreeSet<&str> = proposals.iter().filter(|p| p.required).map(|p| p.dimension.as_str()).collect();
    // A weight needs something that earns it: what only forbids is counted where something is asked for.
    let home =
        WEIGHTS.iter().map(|(name, _)| *name).chain(required.iter().copied()).find(|name| required.contains(name));
    let dimension_of = |p: &Proposal| match home {
        Some(home) if !required.contains(p.dimension.as_str()) => home.to_string(),
        _ => p.dimension.clone(),
    };
    let used: BTreeSet<String> = proposals.iter().map(dimension_of).collect();
    let known = WEIGHTS.iter().copied().filter(|(name, _)| used.contains(*name));
    let is_other = |name: &&String| !WEIGHTS.iter().any(|(known, _)| known == name);
    let others = used.iter().filter(is_other).map(|name| (name.as_str(), OTHER_WEIGHT));
    let weights: Vec<(&str, u32)> = known.chain(others).collect();
    // Shares in per cent; what rounding leaves goes to the first.
    let all: u32 = weights.iter().map(|(_, weight)| weight).sum();
    let mut shares: Vec<u32> = weights.iter().map(|(_, weight)| (weight * 100 / all.max(1)).max(1)).collect();
    let given: u32 = shares.iter().skip(1).sum();
    if let Some(first) = shares.first_mut() {
        *first = 100u32.saturating_sub(given).max(1);
    }
    let weights: Vec<String> =
        weights.iter().zip(&shares).map(|((name, _), share)| format!("{name}: {share}")).collect();
    let languages: BTreeSet<Language> = proposals.iter().flat_map(|p| p.languages.iter().copied()).collect();
    let languages: Vec<&str> = languages.iter().map(|l| l.code()).collect();
    let mut out = format!(
        "# Proposed by `callmark scorecard new` from the sentences of a script: read and correct every line. This is not legal advice.\n\
         schema: 1\nname: {}\nversion: 1\nlanguage: [{}]\nstages: [{}]\nweights: {{{}}}\nverdicts: {{pass: 85, coach: 70}}\n\nrequirements:\n",
        quoted(name),
        languages.join(", "),
        stages.join(", "),
        weights.join(", ")
    );
    for (index, proposal) in proposals.iter().enumerate() {
        let begin = if index == 0 { "" } else { "\n" };
        let moved = dimension_of(proposal);
        let yaml = proposal
            .yaml
            .replace(&format!("    dimension: {}\n", proposal.dimension), &format!("    dimension: {moved}\n"));
        out.push_str(begin);
        for sentence in &proposal.sentences {
            let _ = writeln!(out, "  # {}", sentence.replace(char::is_control, " "));
        }
        out.push_str(&yaml);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_cut_out_of_the_text() {
        let text = "requirements:\n  # ---- opening\n  - id: one\n    what: a\n    examples:\n      - {turns: []}\n\n  # ---- next\n  - id: two\n    what: b\n";
        assert_eq!(block(text, "one").unwrap(), "  - id: one\n    what: a\n    examples:\n      - {turns: []}\n");
        assert_eq!(block(text, "two").unwrap(), "  - id: two\n    what: b\n");
        assert_eq!(block("requirements:\n- id: two\n  what: b\n", "two").unwrap(), "  - id: two\n    what: b\n");
        assert_eq!(block(text, "three"), None);
    }

    #[test]
    fn ids_are_free() {
        assert_eq!(free_id("hello", &["hello", "hello_2"]), "hello_3");
        assert_eq!(free_id("hello", &[]), "hello");
    }

    #[test]
    fn what_only_forbids_is_counted_where_something_is_asked_for() {
        let proposal = |id: &str, dimension: &str, required| Proposal {
            id: id.into(),
            dimension: dimension.into(),
            required,
            languages: [Language::En].into(),
            yaml: format!("  - id: {id}\n    dimension: {dimension}\n"),
            source: String::new(),
            sentences: vec!["x".into()],
        };
        let yaml = written("n", &[proposal("a", "close", true), proposal("b", "compliance", false)], &[]);
        assert!(yaml.contains("weights: {close: 100}") && !yaml.contains("compliance"), "{yaml}");
    }
}
