//! Measures tolerant matching: how many phrases survive a recogniser's errors, how often unrelated talk is taken for one, and how long it takes.
//!
//!     models/evaluation/make_matching_sets.py --text ../shared/data/text --out SETS
//!     cargo run --release -p callmark-core --example matching_report -- recall
//!     cargo run --release -p callmark-core --example matching_report -- false-matches SETS/en/*.txt SETS/zh/crosswoz.txt
//!     cargo run --release -p callmark-core --example matching_report -- requirements SETS/en/*.txt SETS/zh/crosswoz.txt
//!     cargo run --release -p callmark-core --example matching_report -- show ID SETS/…
//!     cargo run --release -p callmark-core --example matching_report -- grid SETS/…
//!     cargo run --release -p callmark-core --example matching_report -- time 200
//!
//! SHOW=ID before `requirements` prints what was found for one. Run it in the root of the repository. `grid` looks at every second sentence and phrase, `requirements` at all, the other commands at those that `grid` leaves out.

// A tool: it reads files, looks at the clock and prints, which core itself must not.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use callmark_core::acts::ActLexicon;
use callmark_core::adherence::{CallEvidence, assess};
use callmark_core::matching::{CallText, Finder, How, MustWord, PhraseBook, PhraseId, Tolerance};
use callmark_core::recogniser_noise::misheard as misheard_by_anybody;
use callmark_core::record::{ItemResult, Outcome};
use callmark_core::recording::{Language, Metadata};
use callmark_core::scorecard::{Pattern, Scorecard};
use callmark_core::signals;
use callmark_core::statistics::SplitMix64;
use callmark_core::transcript::{Medium, Role, RoleMethod, Transcript, Turn, TurnScores};

const SCORECARDS: &[&str] = &["scorecards/telesales.yaml", "scorecards/support.yaml", "scorecards/collections.yaml"];
const HOMOPHONES: &str = "models/evaluation/homophones_zh.tsv";
const HOMOPHONE_ERRORS_PERMILLE: usize = 200;
const WORD_ERRORS_PERMILLE: u16 = 150;
const SENTENCES_PER_CALL: usize = 100;
/// Turns of a made-up call of unrelated sentences.
const TURNS: usize = 20;

/// One matcher of a requirement.
struct Group {
    requirement: String,
    phrases: Vec<String>,
    ids: Vec<PhraseId>,
    must: Vec<MustWord>,
    not: Vec<PhraseId>,
}

/// The phrases of all scorecards in one language.
struct Groups {
    book: PhraseBook,
    groups: Vec<Group>,
}

fn scorecards() -> Vec<Scorecard> {
    SCORECARDS.iter().map(|path| Scorecard::parse(&std::fs::read_to_string(path).unwrap()).unwrap()).collect()
}

fn groups(language: Language, tolerance: Tolerance) -> Groups {
    let mut book = PhraseBook::with_tolerance(tolerance);
    let mut groups = Vec::new();
    for card in scorecards() {
        for requirement in &card.requirements {
            for matcher in requirement.matchers.values().chain(&requirement.except) {
                let (Pattern::Any(list) | Pattern::All(list) | Pattern::None(list) | Pattern::AtLeast { of: list, .. }) =
                    &matcher.pattern
                else {
                    continue;
                };
                let phrases = list.get(language).to_vec();
                groups.push(Group {
                    requirement: format!("{}/{}", card.name, requirement.id),
                    ids: phrases.iter().filter_map(|p| book.add(p, language)).collect(),
                    must: matcher.must.get(language).iter().filter_map(|w| MustWord::new(w, language)).collect(),
                    not: matcher.not.get(language).iter().filter_map(|p| book.add(p, language)).collect(),
                    phrases,
                });
            }
        }
    }
    Groups { book, groups }
}

/// A text call whose turns nobody is known to say, so that no phrase runs over two of them.
fn call(language: Language, sentences: &[String]) -> Transcript {
    let turn = |text: &String| Turn {
        role: Role::Unknown,
        begin_ms: 0,
        end_ms: 0,
        text: text.clone(),
        words: vec![],
        confidence_permille: 1000,
    };
    Transcript {
        medium: Medium::Text,
        language: Some(language),
        duration_ms: 0,
        role_method: RoleMethod::Labelled,
        role_confidence_permille: 1000,
        turns: sentences.iter().map(turn).collect(),
        ..Transcript::default()
    }
}

/// How the best hit of a group in a turn was found.
fn found(group: &Group, finder: &Finder, text: &CallText, turn: usize) -> Option<(u16, How)> {
    let hits = group.ids.iter().flat_map(|id| finder.find(*id, turn, None));
    let sure = hits.filter(|hit| group.must.is_empty() || text.has_one_of(hit.span, &group.must));
    let best = sure.filter(|hit| !finder.vetoed(hit, &group.not)).max_by_key(|hit| hit.similarity_permille)?;
    Some((best.similarity_permille, best.how))
}

/// Per requirement and way of matching: the sentences that were taken for it.
fn false_matches(
    groups: &Groups,
    language: Language,
    sentences: &[String],
) -> BTreeMap<(String, How), BTreeSet<String>> {
    let mut hits: BTreeMap<(String, How), BTreeSet<String>> = BTreeMap::new();
    for part in sentences.chunks(SENTENCES_PER_CALL) {
        let transcript = call(language, part);
        let text = CallText::new(&transcript);
        let finder = Finder::new(&groups.book, &text);
        for (turn, sentence) in part.iter().enumerate() {
            for group in &groups.groups {
                if let Some((_, how)) = found(group, &finder, &text, turn) {
                    hits.entry((group.requirement.clone(), how)).or_default().insert(sentence.clone());
                }
            }
        }
    }
    hits
}

/// Characters by sound, of a table that has nothing to do with the matcher's.
fn homophones() -> BTreeMap<char, Vec<char>> {
    let table = std::fs::read_to_string(HOMOPHONES).unwrap();
    let mut alike = BTreeMap::new();
    for line in table.lines() {
        let all: Vec<char> = line.split_once('\t').unwrap().1.chars().collect();
        for c in &all {
            alike.insert(*c, all.iter().copied().filter(|other| other != c).collect());
        }
    }
    alike
}

fn misheard(text: &str, alike: &BTreeMap<char, Vec<char>>, random: &mut SplitMix64) -> String {
    text.chars()
        .map(|c| match alike.get(&c).filter(|others| !others.is_empty()) {
            Some(others) if random.below(1000) < HOMOPHONE_ERRORS_PERMILLE => others[random.below(others.len())],
            _ => c,
        })
        .collect()
}

/// Share of phrases, per mille, that are found after a recogniser's errors in a sentence around them: by looking for the characters, by matching.
fn recall(groups: &Groups, language: Language, half: Option<usize>) -> (usize, usize, usize) {
    let alike = homophones();
    let mut random = SplitMix64::new(11);
    let (mut exact, mut ours, mut all) = (0, 0, 0);
    for (number, (group, phrase)) in
        groups.groups.iter().flat_map(|g| g.phrases.iter().map(move |p| (g, p))).enumerate()
    {
        for draw in 0..5 {
            let said = match language {
                Language::Zh => misheard(&format!("好的那么{phrase}您看可以吗"), &alike, &mut random),
                Language::En => {
                    let seed = (number * 5 + draw) as u64;
                    misheard_by_anybody(
                        &format!("okay so {phrase} all right then"),
                        language,
                        WORD_ERRORS_PERMILLE,
                        seed,
                    )
                }
            };
            if half.is_some_and(|half| number % 2 != half) {
                continue;
            }
            let transcript = call(language, std::slice::from_ref(&said));
            let text = CallText::new(&transcript);
            let finder = Finder::new(&groups.book, &text);
            all += 1;
            exact += usize::from(group.phrases.iter().any(|p| said.to_lowercase().contains(&p.to_lowercase())));
            ours += usize::from(found(group, &finder, &text, 0).is_some());
        }
    }
    (exact * 1000 / all, ours * 1000 / all, all)
}

/// The sentences of the files, or every second one, by language.
fn sentences(files: &[String], half: Option<usize>) -> BTreeMap<Language, Vec<String>> {
    let mut by_language: BTreeMap<Language, Vec<String>> = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let language = Language::of_text(&text).unwrap();
        let kept = text
            .lines()
            .enumerate()
            .filter(|(i, _)| half.is_none_or(|half| i % 2 == half))
            .map(|(_, line)| line.to_string());
        by_language.entry(language).or_default().extend(kept);
    }
    by_language
}

fn print_false_matches(files: &[String]) {
    for (language, sentences) in sentences(files, Some(1)) {
        let groups = groups(language, Tolerance::default());
        let hits = false_matches(&groups, language, &sentences);
        println!("{} sentences, {}: hits per 10,000 | exact | by sound | tolerant", sentences.len(), language.code());
        let ids: BTreeSet<&String> = groups.groups.iter().map(|g| &g.requirement).collect();
        let (mut above, mut without) = (0, 0);
        for id in &ids {
            let of =
                |how| hits.get(&((*id).clone(), how)).map_or(0.0, |s| s.len() as f64 * 1e4 / sentences.len() as f64);
            let (exact, sound, tolerant) = (of(How::Exact), of(How::BySound), of(How::Tolerant));
            above += usize::from(sound + tolerant > 5.0);
            without += usize::from(exact + sound + tolerant == 0.0);
            if exact + sound + tolerant > 0.0 {
                println!("{id:55} {exact:7.1} {sound:7.1} {tolerant:7.1}");
            }
        }
        println!("{} requirements, {without} without a hit, {above} with more than 5 that are not exact\n", ids.len());
        let acts = ActLexicon::built_in();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for part in sentences.chunks(SENTENCES_PER_CALL) {
            for act in acts.label(&call(language, part)).into_iter().flatten().filter(|(_, p)| *p < 1000) {
                *counts.entry(act.0).or_default() += 1;
            }
        }
        for (act, n) in counts {
            println!("act {act:51} {:7.1} not exact", n as f64 * 1e4 / sentences.len() as f64);
        }
    }
}

fn show(id: &str, files: &[String]) {
    for (language, sentences) in sentences(files, Some(1)) {
        for ((requirement, how), texts) in false_matches(&groups(language, Tolerance::default()), language, &sentences)
        {
            if requirement.ends_with(id) {
                texts.iter().take(15).for_each(|text| println!("{how:?}\t{text}"));
            }
        }
    }
}

fn grid(files: &[String]) {
    let sentences = sentences(files, Some(0));
    println!("threshold short equal near | zh: recall, false, most | en: recall, false, most (not exact, per 10,000)");
    for threshold_permille in [700, 750, 800] {
        for short_threshold_permille in [800, 850] {
            for (equal_sound_permille, near_sound_permille) in [(200, 500), (350, 500), (350, 650), (500, 700)] {
                let tolerance = Tolerance {
                    threshold_permille,
                    short_threshold_permille,
                    equal_sound_permille,
                    near_sound_permille,
                };
                print!("{threshold_permille} {short_threshold_permille} {equal_sound_permille} {near_sound_permille}");
                for (language, sentences) in sentences.iter().rev() {
                    let groups = groups(*language, tolerance);
                    let hits = false_matches(&groups, *language, sentences);
                    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
                    for ((id, _), texts) in hits.iter().filter(|((_, how), _)| *how != How::Exact) {
                        *counts.entry(id).or_default() += texts.len();
                    }
                    let rate = |n: usize| n as f64 * 1e4 / sentences.len() as f64;
                    let most = counts.values().copied().max().unwrap_or(0);
                    let (_, ours, _) = recall(&groups, *language, Some(0));
                    print!(" | {ours} {:.1} {:.1}", rate(counts.values().sum()), rate(most));
                }
                println!();
            }
        }
    }
}

/// Rep and customer speak in turn.
fn in_turn(transcript: &mut Transcript) {
    for (i, turn) in transcript.turns.iter_mut().enumerate() {
        turn.role = if i % 2 == 0 { Role::Rep } else { Role::Customer };
    }
}

fn judged(card: &Scorecard, transcript: &Transcript, acts: &[BTreeMap<String, u16>]) -> Vec<ItemResult> {
    let signals = signals::compute(transcript, &[], acts, &vec![BTreeSet::new(); acts.len()], &card.stages);
    let evidence = CallEvidence {
        transcript,
        metadata: &Metadata::default(),
        signals: &signals,
        scores: &TurnScores::default(),
        sentiment: &[],
        acts,
        lexicon: ActLexicon::built_in(),
        phrase_embeddings: &BTreeMap::new(),
    };
    assess(card, &evidence)
}

/// Whole requirements on calls of unrelated sentences: how many calls of 10,000 sentences break a rule, or are taken to do what is asked for.
/// What is asked for may well be there (a greeting, a question); what is forbidden hardly is. Asked for under a condition and missed: the
/// condition was found.
fn requirements(files: &[String]) {
    for (language, sentences) in sentences(files, None) {
        println!("{} sentences, {}: calls per 10,000 sentences", sentences.len(), language.code());
        println!("| requirement | violated | met | condition found, missed |\n|---|---:|---:|---:|");
        for card in scorecards() {
            let mut counts: BTreeMap<String, [usize; 3]> = BTreeMap::new();
            for part in sentences.chunks(TURNS) {
                let mut transcript = call(language, part);
                in_turn(&mut transcript);
                let acts = ActLexicon::built_in().label(&transcript);
                for item in judged(&card, &transcript, &acts) {
                    let requirement = card.requirements.iter().find(|requirement| requirement.id == item.id);
                    let conditional = requirement.is_some_and(|requirement| requirement.when.expr.is_some());
                    let column = match item.outcome {
                        Outcome::Violated => 0,
                        Outcome::Met if requirement.is_some() => 1,
                        Outcome::Missed if conditional => 2,
                        _ => continue,
                    };
                    if std::env::var("SHOW").is_ok_and(|id| id == item.id) {
                        println!("{column} {:?}", item.evidence.iter().map(|e| &e.quote).collect::<Vec<_>>());
                    }
                    counts.entry(item.id).or_default()[column] += 1;
                }
            }
            for (id, counts) in counts {
                let [violated, met, missed] = counts.map(|n| n as f64 * 1e4 / sentences.len() as f64);
                println!("| {}.{id} | {violated:.1} | {met:.1} | {missed:.1} |", card.name);
            }
        }
    }
}

/// Calls of 80 turns with 12 words each, drawn from the words of the scorecards' examples, labelled and assessed.
fn time(calls: usize) {
    let cards = scorecards();
    for language in [Language::En, Language::Zh] {
        let texts = cards.iter().flat_map(|c| &c.requirements).flat_map(|r| &r.examples).flat_map(|e| &e.turns);
        let texts: Vec<&str> =
            texts.map(|t| t.text.as_str()).filter(|t| Language::of_text(t) == Some(language)).collect();
        let words: Vec<String> = match language {
            Language::En => texts.iter().flat_map(|t| t.split_whitespace()).map(|w| format!("{w} ")).collect(),
            Language::Zh => texts.iter().flat_map(|t| t.chars()).map(String::from).collect(),
        };
        let mut random = SplitMix64::new(3);
        let mut spent = [0.0; 2];
        let mut turns = 0;
        for _ in 0..calls {
            let sentences: Vec<String> = (0..80)
                .map(|_| {
                    let begin = random.below(words.len() - 12);
                    words[begin..begin + 12].concat()
                })
                .collect();
            let mut transcript = call(language, &sentences);
            in_turn(&mut transcript);
            turns += transcript.turns.len();
            let begun = Instant::now();
            let acts = ActLexicon::built_in().label(&transcript);
            spent[0] += begun.elapsed().as_secs_f64();
            let begun = Instant::now();
            std::hint::black_box(judged(&cards[0], &transcript, &acts));
            spent[1] += begun.elapsed().as_secs_f64();
        }
        let ms = |seconds: f64| seconds * 1e6 / turns as f64;
        println!("{}: ms per 1,000 turns: acts {:.2}, scorecard {:.2}", language.code(), ms(spent[0]), ms(spent[1]));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first().map(|(command, rest)| (command.as_str(), rest)) {
        Some(("false-matches", files)) => print_false_matches(files),
        Some(("requirements", files)) => requirements(files),
        Some(("show", [id, files @ ..])) => show(id, files),
        Some(("grid", files)) => grid(files),
        Some(("time", [calls])) => time(calls.parse().unwrap()),
        Some(("recall", [])) => {
            for language in [Language::En, Language::Zh] {
                let (exact, ours, all) = recall(&groups(language, Tolerance::default()), language, Some(1));
                println!("{}: {all} phrases: exact {exact} ‰, matching {ours} ‰", language.code());
            }
        }
        _ => println!("see the first lines of matching_report.rs"),
    }
}
