//! A scorecard applied to one call: which requirements were met, missed or violated, and where. No points are given here.

pub mod coverage;

use std::cell::{LazyCell, OnceCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::acts::ActLexicon;
use crate::matching::{CallText, Finder, Hit, How, Passage, PatternBook, PatternTurns, PhraseBook, pattern_text};
use crate::operator::{self, Conclusion, Found, Occurrence, Truth, Turns};
use crate::record::{Evidence, ItemKind, ItemResult, MatchType, Outcome};
use crate::recording::{Language, Metadata};
use crate::scorecard::{
    Bounds, Compiled, Example, Matcher, MetricItem, Pattern, Period, Requirement, Scorecard, When, Within,
};
use crate::signals::{self, Metric, Signals};
use crate::transcript::{
    ActReadings, Embedding, Medium, Role, RoleMethod, Sentiment, Sound, SoundKind, Span, Transcript, Turn, TurnScores,
    VoiceSpan,
};

/// Mean recogniser confidence of the searched window below which "not found" proves nothing. An engineering guess.
const WINDOW_FLOOR_PERMILLE: i64 = 400;
/// Requirements are few when there are so many times as many in the scorecard.
const FEW: usize = 2;
/// More places than this are not kept per item.
const MOST_PLACES: usize = 20;

/// Embeddings of `meaning` phrases, by language.
pub type PhraseEmbeddings = BTreeMap<Language, BTreeMap<String, Embedding>>;

/// Everything that is known about a call before it is judged; vectors have one entry per turn.
pub struct CallEvidence<'a> {
    pub transcript: &'a Transcript,
    pub metadata: &'a Metadata,
    pub signals: &'a Signals,
    pub scores: &'a TurnScores,
    /// The sentiment that counts: [`TurnScores::moods`].
    pub sentiment: &'a [Option<Sentiment>],
    pub acts: &'a [BTreeMap<String, u16>],
    pub lexicon: &'a ActLexicon,
    /// Embeddings of the scorecard's `meaning` phrases; a missing one makes its matcher unknown.
    pub phrase_embeddings: &'a PhraseEmbeddings,
}

/// Judges every metric and requirement of the scorecard, metrics first, each group in the file's order.
pub fn assess(scorecard: &Scorecard, call: &CallEvidence) -> Vec<ItemResult> {
    assess_rest(scorecard, call, BTreeMap::new())
}

/// As [`assess`], but takes results that are known to hold (by item id), and looks into the call for the others only.
pub fn assess_rest(
    scorecard: &Scorecard,
    call: &CallEvidence,
    mut known: BTreeMap<String, ItemResult>,
) -> Vec<ItemResult> {
    let text = LazyCell::new(|| CallText::new(call.transcript));
    let asked: Vec<&Requirement> = scorecard.requirements.iter().filter(|r| !known.contains_key(&r.id)).collect();
    // Most of what a new version of a scorecard asks for was known to its former one.
    let few = (asked.len() * FEW <= scorecard.requirements.len()).then_some(asked);
    let judge = LazyCell::new(|| Judge { asked: few, ..Judge::new(scorecard, call, &text) });
    let mut items = Vec::with_capacity(scorecard.metrics.len() + scorecard.requirements.len());
    for item in &scorecard.metrics {
        items.push(known.remove(&item.id).unwrap_or_else(|| judge.metric(item)));
    }
    for requirement in &scorecard.requirements {
        items.push(known.remove(&requirement.id).unwrap_or_else(|| judge.requirement(requirement)));
    }
    items
}

struct Judge<'a> {
    /// The requirements that will be asked for, when these are few.
    asked: Option<Vec<&'a Requirement>>,
    call: &'a CallEvidence<'a>,
    text: &'a CallText<'a>,
    language: Language,
    speaks_language: bool,
    book: &'a PhraseBook,
    // Made when something is looked for: comparing two vocabularies is the largest part of judging a call.
    phrases: OnceCell<Finder<'a>>,
    acts: OnceCell<Finder<'a>>,
    roles: Vec<Role>,
    /// Each turn as patterns see it, with the source byte of each byte.
    pattern_texts: OnceCell<Vec<(String, Vec<usize>)>>,
    pattern_book: &'a PatternBook,
    pattern_turns: OnceCell<PatternTurns>,
    first_ms: i64,
    last_ms: i64,
}

impl<'a> Judge<'a> {
    fn new(scorecard: &'a Scorecard, call: &'a CallEvidence<'a>, text: &'a CallText<'a>) -> Judge<'a> {
        let turns = &call.transcript.turns;
        Judge {
            asked: None,
            call,
            text,
            language: text.language(),
            speaks_language: scorecard.languages.contains(&text.language()),
            book: &scorecard.book,
            phrases: OnceCell::new(),
            acts: OnceCell::new(),
            roles: turns.iter().map(|t| t.role).collect(),
            pattern_texts: OnceCell::new(),
            pattern_book: &scorecard.pattern_book,
            pattern_turns: OnceCell::new(),
            // Ringing before and silence after the conversation do not count into "the first / last n seconds".
            first_ms: turns.iter().map(|t| t.begin_ms).min().unwrap_or(0),
            last_ms: turns.iter().map(|t| t.end_ms).max().unwrap_or(0),
        }
    }

    fn phrases(&self) -> &Finder<'a> {
        self.phrases.get_or_init(|| match &self.asked {
            Some(asked) => {
                Finder::few(self.book, self.text, asked.iter().flat_map(|asked| asked.phrases(self.language)))
            }
            None => Finder::new(self.book, self.text),
        })
    }

    fn acts(&self) -> &Finder<'a> {
        self.acts.get_or_init(|| Finder::new(self.call.lexicon.book(), self.text))
    }

    fn pattern_text(&self, turn: usize) -> &(String, Vec<usize>) {
        let all = || self.call.transcript.turns.iter().map(|t| pattern_text(&t.text)).collect();
        &self.pattern_texts.get_or_init(all)[turn]
    }

    fn pattern_turns(&self) -> &PatternTurns {
        let turns = self.call.transcript.turns.len();
        self.pattern_turns.get_or_init(|| PatternTurns::new(self.pattern_book, turns, self.language))
    }

    fn metric(&self, item: &MetricItem) -> ItemResult {
        let in_language = item.languages.is_empty() || item.languages.contains(&self.language);
        let applies = self.speaks_language && in_language && self.applies(&item.when, &BTreeMap::new());
        let value = self.call.signals.metric(item.metric).filter(|_| applies);
        let value_permille = value.map_or(0, |v| item.trapezoid.value_permille(v));
        let outcome = match value {
            None => Outcome::NotApplicable,
            Some(_) if value_permille == 0 => Outcome::Missed,
            Some(_) => Outcome::Met,
        };
        ItemResult {
            id: item.id.clone(),
            version: item.version,
            kind: ItemKind::Metric,
            dimension: item.dimension.clone(),
            severity: crate::record::Severity::Minor,
            points: item.points,
            outcome,
            value_permille,
            metric_value: value,
            violations: 0,
            evidence: value.map(|_| self.metric_places(item.metric)).unwrap_or_default(),
            manual: false,
            warned: value.zip(item.warn).is_some_and(|(v, warn)| warn.contains(v)),
        }
    }

    /// The moments that a metric's value comes from, longest or earliest first; the whole call where it has none of its own.
    fn metric_places(&self, metric: Metric) -> Vec<Evidence> {
        let signals = self.call.signals;
        let at = |begin_ms, end_ms| Evidence { begin_ms, end_ms, ..self.whole_call(MatchType::Metric) };
        let mut places: Vec<Evidence> = match metric {
            Metric::LongestUnexcusedSilenceMs | Metric::UnexcusedSilencePermille => {
                let mut open: Vec<_> = signals.silences.iter().filter(|s| !s.explained).collect();
                open.sort_by_key(|s| (s.begin_ms - s.end_ms, s.begin_ms));
                open.into_iter().map(|s| at(s.begin_ms, s.end_ms)).collect()
            }
            Metric::InterruptionsRepPer10minMilli => {
                self.interruptions(Role::Rep).map(|o| at(o.begin_ms, o.end_ms)).collect()
            }
            Metric::InterruptionsCustomerPer10minMilli => {
                self.interruptions(Role::Customer).map(|o| at(o.begin_ms, o.end_ms)).collect()
            }
            Metric::NeedsQuestions => self.places_of_act(|act| act == "needs_question"),
            Metric::NeedsRestated => self.places_of_act(|act| act == "needs_restated"),
            Metric::DatedNextSteps => self.places_of_act(|act| act == "dated_next_step"),
            Metric::EmpathyPhrases => self.places_of_act(|act| act == "empathy"),
            Metric::ObjectionsAnsweredPermille => self.places_of_act(|act| act.ends_with("objection")),
            _ => Vec::new(),
        };
        if places.is_empty() {
            places.push(self.whole_call(MatchType::Metric));
        }
        places.truncate(MOST_PLACES);
        places
    }

    fn interruptions(&self, by: Role) -> impl Iterator<Item = &signals::Overlap> {
        self.call.signals.overlaps.iter().filter(move |o| o.interruption && o.by == by)
    }

    /// Where acts with such names are expressed, at most one place per turn.
    fn places_of_act(&self, wanted: impl Fn(&str) -> bool) -> Vec<Evidence> {
        let found = |(turn, acts): (usize, &BTreeMap<String, u16>)| {
            let act = acts.keys().find(|act| wanted(act))?;
            Some(self.act_place(act, turn).evidence)
        };
        self.call.acts.iter().enumerate().filter_map(found).collect()
    }

    fn requirement(&self, requirement: &Requirement) -> ItemResult {
        let (outcome, evidence, violations) = self.outcome(requirement);
        ItemResult {
            id: requirement.id.clone(),
            version: requirement.version,
            kind: requirement.kind(),
            dimension: requirement.dimension.clone(),
            severity: requirement.severity,
            points: requirement.points,
            outcome,
            value_permille: if matches!(outcome, Outcome::Met | Outcome::Clear) { 1000 } else { 0 },
            metric_value: None,
            violations,
            evidence,
            manual: requirement.is_manual(),
            warned: false,
        }
    }

    /// Outcome, places (best first), and how often a forbidden thing counts.
    fn outcome(&self, requirement: &Requirement) -> (Outcome, Vec<Evidence>, u32) {
        let nothing = |outcome| (outcome, Vec::new(), 0);
        let found: BTreeMap<&str, Found> =
            requirement.matchers.iter().map(|(name, matcher)| (name.as_str(), self.find(matcher))).collect();
        if !self.speaks_language || !self.applies(&requirement.when, &found) {
            return nothing(Outcome::NotApplicable);
        }
        if requirement.except.iter().any(|matcher| self.find(matcher).truth == Truth::True) {
            return nothing(Outcome::NotApplicable);
        }
        let Some(rule) = &requirement.rule else {
            return (Outcome::Unknown, vec![self.whole_call(MatchType::Manual)], 0);
        };
        let Conclusion { truth, occurrences } = self.conclude(&rule.parsed, &found);
        let forbidden = rule.kind == ItemKind::Forbidden;
        let outcome = match (truth, forbidden) {
            (Truth::NotApplicable, _) => return nothing(Outcome::NotApplicable),
            (Truth::Unknown, _) => Outcome::Unknown,
            (Truth::True, false) => Outcome::Met,
            (Truth::False, false) => Outcome::Missed,
            (Truth::True, true) => Outcome::Violated,
            (Truth::False, true) => Outcome::Clear,
        };
        let places: BTreeSet<(usize, i64)> = occurrences.iter().map(|o| (o.turn, o.evidence.begin_ms)).collect();
        let violations = match outcome {
            Outcome::Violated if rule.each => (places.len() as u32).clamp(1, rule.at_most.unwrap_or(u32::MAX)),
            Outcome::Violated => 1,
            _ => 0,
        };
        let mut evidence: Vec<Evidence> = occurrences.into_iter().map(|o| o.evidence).collect();
        match outcome {
            Outcome::Violated => evidence.sort_by_key(|e| (e.begin_ms, e.end_ms)),
            Outcome::Missed if rule.parsed.is_about_sequence() && !evidence.is_empty() => {}
            Outcome::Met => most_telling_first(&mut evidence),
            _ => evidence.clear(),
        }
        if evidence.is_empty() {
            let named = rule.parsed.names();
            let searched = named.iter().filter_map(|name| requirement.matchers.get(*name));
            evidence.push(self.window(searched));
        }
        evidence.truncate(MOST_PLACES);
        (outcome, evidence, violations)
    }

    fn conclude(&self, expr: &operator::Expr, found: &BTreeMap<&str, Found>) -> Conclusion {
        // Names were checked when the scorecard was read; an unknown one decides nothing.
        let missing = Found { truth: Truth::Unknown, occurrences: Vec::new() };
        let turns = Turns { roles: &self.roles, timed: self.call.transcript.medium == Medium::Speech };
        operator::evaluate(expr, &|name| found.get(name).unwrap_or(&missing), turns)
    }

    fn applies(&self, when: &When, found: &BTreeMap<&str, Found>) -> bool {
        let (about, transcript) = (self.call.metadata, self.call.transcript);
        let among = |list: &[String], value: &Option<String>| {
            list.is_empty() || value.as_ref().is_some_and(|v| list.iter().any(|l| l.eq_ignore_ascii_case(v)))
        };
        among(&when.call_types, &about.call_type)
            && among(&when.campaigns, &about.campaign)
            && (when.directions.is_empty() || about.direction.is_some_and(|d| when.directions.contains(&d)))
            && (when.languages.is_empty() || when.languages.contains(&self.language))
            && (when.media.is_empty() || when.media.contains(&transcript.medium))
            && when
                .duration_ms
                .is_none_or(|d| transcript.medium == Medium::Speech && d.contains(transcript.duration_ms))
            && (when.first_contact.is_none() || when.first_contact == about.first_contact)
            && when.parsed.as_ref().is_none_or(|expr| self.conclude(expr, found).truth == Truth::True)
    }

    /// Looks for one matcher in its window.
    fn find(&self, matcher: &Matcher) -> Found {
        let none = Compiled::default();
        let compiled = matcher.compiled.get(&self.language);
        if matcher.pattern.phrases().is_some_and(|phrases| phrases.get(self.language).is_empty()) {
            return Found { truth: Truth::NotApplicable, occurrences: vec![] };
        }
        let compiled = compiled.unwrap_or(&none);
        let within = &matcher.within;
        let needs_clock = (within.first_ms.is_some() && within.first_turns.is_none())
            || (within.last_ms.is_some() && within.last_turns.is_none());
        if needs_clock && self.call.transcript.medium == Medium::Text {
            return Found { truth: Truth::NotApplicable, occurrences: vec![] };
        }
        let turns = self.turns(matcher);
        match &matcher.pattern {
            Pattern::Any(_) => {
                let hits = turns.iter().filter_map(|t| self.best_hit(matcher, compiled, &compiled.phrases, *t));
                self.found_or_doubtful(hits.collect(), &turns)
            }
            Pattern::All(_) => self.at_least(matcher, compiled, &turns, compiled.phrases.len()),
            Pattern::AtLeast { n, .. } => self.at_least(matcher, compiled, &turns, *n as usize),
            Pattern::None(_) => {
                let said = turns.iter().any(|t| self.best_hit(matcher, compiled, &compiled.phrases, *t).is_some());
                let doubtful = !said && self.doubtful(&turns);
                let truth = if doubtful { Truth::Unknown } else { (!said).into() };
                Found { truth, occurrences: vec![] }
            }
            Pattern::Regex(_) => {
                let hits = turns.iter().filter_map(|t| self.regex_hit(matcher, compiled, *t));
                self.found_or_doubtful(hits.collect(), &turns)
            }
            Pattern::Meaning { phrases, similarity_permille } => {
                self.meaning(phrases.get(self.language), similarity_permille, &turns)
            }
            Pattern::Act { act, permille } => {
                let least = permille.unwrap_or(0);
                let said = |t: &&usize| self.call.acts.get(**t).and_then(|a| a.get(act)).is_some_and(|p| *p >= least);
                let hits = turns.iter().filter(said).map(|t| self.act_place(act, *t)).collect();
                self.found_or_doubtful(hits, &turns)
            }
            Pattern::Stage(stage) => {
                let of = |t: &usize| self.call.acts.get(*t).map(|acts| self.call.lexicon.stages(acts));
                let hits = turns.iter().filter(|t| of(t).is_some_and(|s| s.contains(stage.as_str())));
                self.found_or_doubtful(hits.map(|t| self.stage_place(stage, *t)).collect(), &turns)
            }
            Pattern::Sentiment { bounds, period } => self.sentiment(matcher.role, *bounds, *period, &turns),
            Pattern::Silence { gte_ms, explained } => self.silences(matcher, *gte_ms, *explained),
            Pattern::Overlap { gte_ms } => self.overlaps(matcher, *gte_ms),
            Pattern::Metric { metric, bounds } => {
                self.of_whole_call(self.call.signals.metric(*metric).map(|value| bounds.contains(value)))
            }
            Pattern::Pace { bounds, period } => match bounds.get(&self.language) {
                None => Found { truth: Truth::NotApplicable, occurrences: vec![] },
                Some(bounds) => {
                    let transcript = self.call.transcript;
                    let speech = |role| signals::speech_of(transcript, role);
                    let (rep, customer) = (speech(Role::Rep), speech(Role::Customer));
                    let pace = |role, window| match role {
                        Role::Rep => signals::pace_in(transcript, role, &rep, window),
                        Role::Customer => signals::pace_in(transcript, role, &customer, window),
                        _ => None,
                    };
                    let change = |before: i64, after: i64| signals::ratio(1000 * (after - before), before);
                    self.measured(matcher.role, *bounds, *period, &turns, &pace, &change)
                }
            },
            Pattern::Loudness { bounds, period } => {
                let loudness = |role, window| signals::loudness_centi_dbfs(self.call.transcript, role, window);
                let change = |before: i64, after: i64| Some(after - before);
                self.measured(matcher.role, *bounds, *period, &turns, &loudness, &change)
            }
            Pattern::Duration { bounds, period: Period::Turn } => {
                let length =
                    |t: &usize| self.call.transcript.turns[*t].end_ms - self.call.transcript.turns[*t].begin_ms;
                let long = turns.iter().filter(|t| bounds.contains(length(t)));
                let place = |t: &usize| {
                    let turn = &self.call.transcript.turns[*t];
                    (*t, Some(*t), turn.begin_ms, turn.end_ms, MatchType::Metric)
                };
                self.timed(long.map(place).collect())
            }
            Pattern::Duration { bounds, .. } => {
                self.of_whole_call(self.call.signals.duration_ms.map(|ms| bounds.contains(ms)))
            }
            Pattern::HangUp(side) => {
                // Nothing is known when both lines stay open to the end of the recording.
                let Some(by) = self.call.signals.hung_up_by else {
                    return Found { truth: Truth::NotApplicable, occurrences: vec![] };
                };
                let is_end = |s: &&Sound| s.kind == SoundKind::Closed && s.role == by;
                let end = self.call.transcript.sounds.iter().find(is_end);
                let at = end.map_or((self.last_ms, self.last_ms), |s| (s.begin_ms, s.end_ms));
                let last = self.roles.len().saturating_sub(1);
                let place = (by == *side).then_some((last, None, at.0, at.1, MatchType::Metric));
                self.timed(place.into_iter().collect())
            }
            Pattern::Repeat { words, times, turns: reach } => {
                self.repeats(*words as usize, *times as usize, reach.map(|n| n as usize), &turns)
            }
            Pattern::LocalTime { from_minute: from, to_minute: to, clock } => {
                let holds = |at: i64| if from < to { (*from..*to).contains(&at) } else { at >= *from || at < *to };
                self.of_whole_call(self.call.metadata.start_minute_of_day(*clock).map(holds))
            }
        }
    }

    /// What a role's sound measures over turns or parts of the call; `of` gives the value in a window, `change` compares two.
    fn measured(
        &self,
        role: Option<Role>,
        bounds: Bounds<i64>,
        period: Period,
        turns: &[usize],
        of: &dyn Fn(Role, Span) -> Option<i64>,
        change: &dyn Fn(i64, i64) -> Option<i64>,
    ) -> Found {
        let nothing = Found { truth: Truth::NotApplicable, occurrences: vec![] };
        let transcript = self.call.transcript;
        if transcript.medium == Medium::Text {
            return nothing;
        }
        if matches!(period, Period::Turn | Period::TurnChange) {
            let value = |t: usize| {
                let turn = &transcript.turns[t];
                of(turn.role, Span { begin_ms: turn.begin_ms, end_ms: turn.end_ms })
            };
            return self.per_turn(bounds, period, turns, &value, change, MatchType::Metric);
        }
        let Some(role) = role else { return nothing };
        let duration_ms = self.call.signals.duration_ms.unwrap_or(transcript.duration_ms);
        let whole = Span { begin_ms: 0, end_ms: duration_ms };
        let [first, .., last] = signals::quarters(duration_ms);
        let (value, span) = match period {
            Period::FirstQuarter => (of(role, first), first),
            Period::LastQuarter => (of(role, last), last),
            Period::Shift => (of(role, first).zip(of(role, last)).and_then(|(a, b)| change(a, b)), whole),
            _ => (of(role, whole), whole),
        };
        self.over(span, value.map(|value| bounds.contains(value)), MatchType::Metric)
    }

    /// Turns whose value, or its change since the same role's turn before, is within bounds; not applicable when no turn has one.
    fn per_turn(
        &self,
        bounds: Bounds<i64>,
        period: Period,
        turns: &[usize],
        value: &dyn Fn(usize) -> Option<i64>,
        change: &dyn Fn(i64, i64) -> Option<i64>,
        match_type: MatchType,
    ) -> Found {
        let mut before: BTreeMap<Role, i64> = BTreeMap::new();
        let mut measured: BTreeMap<usize, i64> = BTreeMap::new();
        for turn in 0..self.roles.len() {
            let Some(now) = value(turn) else { continue };
            let last = before.insert(self.roles[turn], now);
            let result = if period == Period::Turn { Some(now) } else { last.and_then(|last| change(last, now)) };
            if let Some(result) = result.filter(|_| turns.contains(&turn)) {
                measured.insert(turn, result);
            }
        }
        if measured.is_empty() {
            return Found { truth: Truth::NotApplicable, occurrences: vec![] };
        }
        let within = measured.iter().filter(|(_, value)| bounds.contains(**value));
        let place = |(t, _): (&usize, &i64)| self.place(*t, 0, self.text.whole_turn(*t), match_type, 1000);
        let occurrences: Vec<Occurrence> = within.map(place).collect();
        Found { truth: (!occurrences.is_empty()).into(), occurrences }
    }

    /// What is known of a stretch of the call; `None` where it cannot be known.
    fn over(&self, span: Span, holds: Option<bool>, match_type: MatchType) -> Found {
        let Some(holds) = holds else { return Found { truth: Truth::NotApplicable, occurrences: vec![] } };
        let evidence = Evidence { begin_ms: span.begin_ms, end_ms: span.end_ms, ..self.whole_call(match_type) };
        let occurrence = Occurrence { turn: self.turn_at(span.begin_ms), position: 0, evidence };
        Found { truth: holds.into(), occurrences: if holds { vec![occurrence] } else { vec![] } }
    }

    /// Turns that share a run of words with others of the same role.
    fn repeats(&self, words: usize, times: usize, reach: Option<usize>, turns: &[usize]) -> Found {
        let said: Vec<Vec<String>> = self.call.transcript.turns.iter().map(|t| signals::words(&t.text)).collect();
        let mut runs: BTreeMap<(Role, &[String]), Vec<usize>> = BTreeMap::new();
        for turn in turns {
            for run in said[*turn].windows(words) {
                let found = runs.entry((self.roles[*turn], run)).or_default();
                if found.last() != Some(turn) {
                    found.push(*turn);
                }
            }
        }
        let mut repeating: BTreeSet<usize> = BTreeSet::new();
        for ((role, _), found) in &runs {
            for row in found.windows(times) {
                let own = (row[0] + 1..=row[times - 1]).filter(|t| self.roles[*t] == *role).count();
                if reach.is_none_or(|reach| own <= reach) {
                    repeating.extend(row);
                }
            }
        }
        let place = |t: &usize| self.place(*t, 0, self.text.whole_turn(*t), MatchType::Exact, 1000);
        self.found_or_doubtful(repeating.iter().map(place).collect(), turns)
    }

    /// What is known of the call as a whole; `None` where it cannot be known.
    fn of_whole_call(&self, holds: Option<bool>) -> Found {
        let Some(holds) = holds else { return Found { truth: Truth::NotApplicable, occurrences: vec![] } };
        let evidence = self.whole_call(MatchType::Metric);
        let occurrences = if holds { vec![Occurrence { turn: 0, position: 0, evidence }] } else { vec![] };
        Found { truth: holds.into(), occurrences }
    }

    /// The turns in which a matcher looks: of its role, overlapping its window.
    fn turns(&self, matcher: &Matcher) -> Vec<usize> {
        let turns = &self.call.transcript.turns;
        let own: Vec<usize> = (0..turns.len()).filter(|t| matcher.role.is_none_or(|r| self.roles[*t] == r)).collect();
        let within = &matcher.within;
        let timed = self.call.transcript.medium == Medium::Speech;
        let by_time = |t: &usize| {
            within.first_ms.is_none_or(|ms| turns[*t].begin_ms < self.first_ms + ms)
                && within.last_ms.is_none_or(|ms| turns[*t].end_ms > self.last_ms - ms)
        };
        // Where seconds are given and the channel has none, the turns are used; both together narrow nothing further.
        let first = within.first_turns.filter(|_| !timed || within.first_ms.is_none());
        let last = within.last_turns.filter(|_| !timed || within.last_ms.is_none());
        let from = last.map_or(0, |n| own.len().saturating_sub(n as usize));
        let to = first.map_or(own.len(), |n| own.len().min(n as usize));
        let kept = own.get(from..to.max(from)).unwrap_or_default();
        kept.iter().copied().filter(|t| !timed || by_time(t)).collect()
    }

    /// A turn may reach over an end of its window: what was found must begin before the first seconds are over, and end
    /// in the last ones.
    fn inside(&self, within: &Within, begin_ms: i64, end_ms: i64) -> bool {
        self.call.transcript.medium != Medium::Speech
            || (within.first_ms.is_none_or(|ms| begin_ms < self.first_ms + ms)
                && within.last_ms.is_none_or(|ms| end_ms > self.last_ms - ms))
    }

    fn best_hit(&self, matcher: &Matcher, compiled: &Compiled, phrases: &[u32], turn: usize) -> Option<Occurrence> {
        let mut best: Option<(Hit, Passage)> = None;
        for phrase in phrases {
            for hit in self.phrases().find(*phrase, turn, matcher.threshold_permille) {
                if best.as_ref().is_some_and(|(b, _)| b.similarity_permille >= hit.similarity_permille) {
                    continue;
                }
                let passage = self.text.passage(hit.span);
                if self.accepts(matcher, compiled, &hit, &passage) {
                    best = Some((hit, passage));
                }
            }
        }
        best.map(|(hit, passage)| self.phrase_place(&hit, passage))
    }

    fn phrase_place(&self, hit: &Hit, passage: Passage) -> Occurrence {
        // Records have no type of their own for what was found by sound.
        let match_type = if hit.how == How::Exact { MatchType::Exact } else { MatchType::Tolerant };
        self.place(hit.span.turn, hit.span.begin, passage, match_type, i64::from(hit.similarity_permille))
    }

    fn at_least(&self, matcher: &Matcher, compiled: &Compiled, turns: &[usize], n: usize) -> Found {
        if let Some(gap) = matcher.near_words {
            let close = turns.iter().filter_map(|t| self.close_together(matcher, compiled, *t, n, gap as usize));
            return self.found_or_doubtful(close.collect(), turns);
        }
        let first = |phrase: &u32| turns.iter().find_map(|t| self.best_hit(matcher, compiled, &[*phrase], *t));
        let mut occurrences: Vec<Occurrence> = compiled.phrases.iter().filter_map(first).collect();
        occurrences.sort_by_key(|o| (o.turn, o.position));
        let enough = occurrences.len() >= n;
        let truth = if !enough && self.doubtful(turns) { Truth::Unknown } else { enough.into() };
        Found { truth, occurrences }
    }

    /// `n` of the phrases in one turn with at most `gap` tokens between one and the next.
    fn close_together(
        &self,
        matcher: &Matcher,
        compiled: &Compiled,
        turn: usize,
        n: usize,
        gap: usize,
    ) -> Option<Occurrence> {
        let mut hits: Vec<(u32, Hit)> = Vec::new();
        for phrase in &compiled.phrases {
            for hit in self.phrases().find(*phrase, turn, matcher.threshold_permille) {
                if hit.span.turn == hit.span.end_turn
                    && self.accepts(matcher, compiled, &hit, &self.text.passage(hit.span))
                {
                    hits.push((*phrase, hit));
                }
            }
        }
        hits.sort_by_key(|(_, hit)| (hit.span.begin, hit.span.end));
        let mut row: Vec<(u32, Hit)> = Vec::new();
        for (phrase, hit) in hits {
            let end = row.iter().map(|(_, hit)| hit.span.end).max().unwrap_or(0);
            if !row.is_empty() && hit.span.begin > end + gap {
                row.clear();
            }
            row.push((phrase, hit));
            let distinct: BTreeSet<u32> = row.iter().map(|(phrase, _)| *phrase).collect();
            if distinct.len() >= n {
                let end = row.iter().map(|(_, hit)| hit.span.end).max()?;
                let similarity_permille = row.iter().map(|(_, hit)| hit.similarity_permille).min()?;
                let how = row.iter().map(|(_, hit)| hit.how).max()?;
                let whole = Hit { span: crate::matching::TokenSpan { end, ..row[0].1.span }, similarity_permille, how };
                return Some(self.phrase_place(&whole, self.text.passage(whole.span)));
            }
        }
        None
    }

    /// True when a hit has a `must` word, lies in the window and is not taken back.
    fn accepts(&self, matcher: &Matcher, compiled: &Compiled, hit: &Hit, passage: &Passage) -> bool {
        (compiled.must.is_empty() || self.text.has_one_of(hit.span, &compiled.must))
            && self.inside(&matcher.within, passage.begin_ms, passage.end_ms)
            && !self.phrases().vetoed(hit, &compiled.not)
            && self.is_meant(matcher, hit.span.turn, self.text.bytes_in_turn(hit.span))
    }

    /// False when what stands at these bytes of a turn is only reported, denied or asked about and the matcher cares.
    fn is_meant(&self, matcher: &Matcher, turn: usize, (begin, end): (usize, usize)) -> bool {
        let text = &self.call.transcript.turns[turn].text;
        let (before, after) = (text.get(..begin).unwrap_or_default(), text.get(end..).unwrap_or_default());
        !matcher.unless.iter().any(|stance| stance.is_taken(before, after, self.language))
    }

    /// Where a pattern first counts in the turn as it was recognised, or, when it matches nowhere there, as it is mended towards the patterns.
    fn regex_hit(&self, matcher: &Matcher, compiled: &Compiled, turn: usize) -> Option<Occurrence> {
        let (said, source) = self.pattern_text(turn);
        let places = |text: &str| {
            let found = compiled.regexes.iter().flat_map(|r| r.find_iter(text));
            let mut places: Vec<(usize, usize)> = found.map(|m| (m.start(), m.end())).collect();
            places.sort_unstable();
            places
        };
        let vetoed = |text: &str| compiled.not_regexes.iter().any(|r| r.is_match(text));
        let found = places(said);
        if !found.is_empty() {
            if vetoed(said) {
                return None;
            }
            return found.into_iter().find_map(|place| self.regex_place(matcher, turn, source, place, 1000));
        }
        let least = matcher.threshold_permille?;
        let mended = self.pattern_turns().mended(compiled.mended?, turn, said)?;
        let mut found = places(&mended.text);
        found.retain(|(begin, end)| mended.similarity_permille(*begin, *end) >= least);
        if found.is_empty() || vetoed(&mended.text) || vetoed(said) {
            return None;
        }
        found.into_iter().find_map(|(begin, end)| {
            let similarity = mended.similarity_permille(begin, end);
            // Up to where the next word begins: what was put in stands for nothing.
            let (begin, end) = (*mended.source.get(begin)?, *mended.source.get(end)?);
            let end = begin + said.get(begin..end)?.trim_end().len();
            self.regex_place(matcher, turn, source, (begin, end.max(begin + 1)), similarity)
        })
    }

    /// The place of a pattern's match between two bytes of the turn as patterns see it; `None` outside the matcher's window or when it is not meant.
    fn regex_place(
        &self,
        matcher: &Matcher,
        turn: usize,
        source: &[usize],
        (position, end): (usize, usize),
        similarity: u16,
    ) -> Option<Occurrence> {
        let text = &self.call.transcript.turns[turn].text;
        let begin = *source.get(position)?;
        let last = *source.get(end.saturating_sub(1))?;
        let end = last + text.get(last..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let begin = begin.min(end);
        let passage = self.text.bytes(turn, begin, end);
        let counts = self.inside(&matcher.within, passage.begin_ms, passage.end_ms)
            && self.is_meant(matcher, turn, (begin, end));
        counts.then(|| self.place(turn, position, passage, MatchType::Regex, i64::from(similarity)))
    }

    fn meaning(&self, phrases: &[String], least: &BTreeMap<Language, i64>, turns: &[usize]) -> Found {
        let known = self.call.phrase_embeddings.get(&self.language);
        let meant: Vec<Option<&Embedding>> = phrases.iter().map(|p| known?.get(p)).collect();
        let least = least.get(&self.language).copied().unwrap_or(1000);
        let mut unknown = meant.iter().any(Option::is_none) || self.doubtful(turns);
        let mut occurrences = Vec::new();
        for turn in turns {
            let Some(Some(said)) = self.call.scores.embeddings.get(*turn) else {
                unknown = true;
                continue;
            };
            let similarity = meant.iter().flatten().map(|m| m.similarity_permille(said)).max().unwrap_or(0);
            if similarity >= least {
                occurrences.push(self.place(*turn, 0, self.text.whole_turn(*turn), MatchType::Meaning, similarity));
            }
        }
        let truth = match (occurrences.is_empty(), unknown) {
            (false, _) => Truth::True,
            (true, true) => Truth::Unknown,
            (true, false) => Truth::False,
        };
        Found { truth, occurrences }
    }

    fn act_place(&self, act: &str, turn: usize) -> Occurrence {
        let permille = self.call.acts.get(turn).and_then(|acts| acts.get(act)).copied().unwrap_or(0);
        let hit = self.call.lexicon.locate(self.acts(), self.language, act, turn);
        let (position, passage) = match hit {
            Some(hit) => (hit.span.begin, self.text.passage(hit.span)),
            None => (0, self.text.whole_turn(turn)),
        };
        let how = if self.is_by_model(act, turn) { MatchType::ModelAct } else { MatchType::Act };
        self.place(turn, position, passage, how, i64::from(permille))
    }

    /// The whole of a turn that belongs to a stage. A phrase decides that; where the model alone says so, it is as sure as the model is.
    fn stage_place(&self, stage: &str, turn: usize) -> Occurrence {
        let of_stage = |act: &&String| self.call.lexicon.stage_of(act) == Some(stage);
        let acts = self.call.acts.get(turn).into_iter().flatten().filter(|(act, _)| of_stage(act));
        let by_model = |(act, permille): (&String, &u16)| self.is_by_model(act, turn).then_some(*permille);
        let (how, permille) = match acts.map(by_model).collect::<Option<Vec<u16>>>() {
            Some(probabilities) => (MatchType::ModelAct, probabilities.into_iter().max().unwrap_or(0)),
            None => (MatchType::Act, 1000),
        };
        self.place(turn, 0, self.text.whole_turn(turn), how, i64::from(permille))
    }

    fn is_by_model(&self, act: &str, turn: usize) -> bool {
        self.call.lexicon.is_read(act, self.roles[turn], self.call.scores.acts.as_ref())
    }

    fn sentiment(&self, role: Option<Role>, bounds: Bounds<i64>, period: Period, turns: &[usize]) -> Found {
        let signals = self.call.signals;
        let value = match period {
            Period::Turn | Period::TurnChange => {
                let value = |t: usize| self.call.sentiment.get(t).copied().flatten().map(Sentiment::milli);
                let change = |before: i64, after: i64| Some(after - before);
                return self.per_turn(bounds, period, turns, &value, &change, MatchType::Sentiment);
            }
            // Only the customer's sentiment is followed over the call (SCORING.md: never the rep's).
            _ if role != Some(Role::Customer) => None,
            Period::FirstQuarter => signals.sentiment_customer_quarters_milli[0],
            Period::LastQuarter => signals.sentiment_customer_quarters_milli[3],
            Period::Call => signals.sentiment_customer_milli,
            Period::Shift => signals.sentiment_customer_shift_milli,
        };
        let duration = self.last_ms - self.first_ms;
        let (begin_ms, end_ms) = match period {
            Period::FirstQuarter => (self.first_ms, self.first_ms + duration / 4),
            Period::LastQuarter => (self.last_ms - duration / 4, self.last_ms),
            _ => (self.first_ms, self.last_ms),
        };
        self.over(Span { begin_ms, end_ms }, value.map(|value| bounds.contains(value)), MatchType::Sentiment)
    }

    fn silences(&self, matcher: &Matcher, gte_ms: i64, explained: Option<bool>) -> Found {
        let gaps = self.call.signals.silences.iter().filter(|s| {
            s.end_ms - s.begin_ms >= gte_ms
                && explained.is_none_or(|e| s.explained == e)
                && self.inside(&matcher.within, s.begin_ms, s.end_ms)
        });
        self.timed(gaps.map(|s| (self.turn_at(s.begin_ms), None, s.begin_ms, s.end_ms, MatchType::Silence)).collect())
    }

    fn overlaps(&self, matcher: &Matcher, gte_ms: i64) -> Found {
        let overlaps = self.call.signals.overlaps.iter().filter(|o| {
            o.interruption
                && o.end_ms - o.begin_ms >= gte_ms
                && matcher.role.is_none_or(|role| o.by == role)
                && self.inside(&matcher.within, o.begin_ms, o.end_ms)
        });
        let place = |o: &signals::Overlap| {
            let begun = |t: &usize| (self.call.transcript.turns[*t].begin_ms - o.begin_ms).abs();
            let turn = (0..self.roles.len()).filter(|t| self.roles[*t] == o.by).min_by_key(begun);
            (turn.unwrap_or(0), turn, o.begin_ms, o.end_ms, MatchType::Overlap)
        };
        self.timed(overlaps.map(place).collect())
    }

    /// Findings from the clock: not applicable where there is none.
    fn timed(&self, places: Vec<(usize, Option<usize>, i64, i64, MatchType)>) -> Found {
        if self.call.transcript.medium == Medium::Text {
            return Found { truth: Truth::NotApplicable, occurrences: vec![] };
        }
        let occurrence = |(turn, cited, begin_ms, end_ms, match_type): (usize, Option<usize>, i64, i64, MatchType)| {
            let quote = String::new();
            let turn_id = cited.map(|t| t as u32);
            let evidence = Evidence { turn: turn_id, begin_ms, end_ms, quote, match_type, confidence_permille: 1000 };
            Occurrence { turn, position: usize::MAX, evidence }
        };
        let occurrences: Vec<Occurrence> = places.into_iter().map(occurrence).collect();
        Found { truth: (!occurrences.is_empty()).into(), occurrences }
    }

    /// The last turn that had begun by then.
    fn turn_at(&self, ms: i64) -> usize {
        self.call.transcript.turns.iter().rposition(|t| t.begin_ms <= ms).unwrap_or(0)
    }

    fn place(
        &self,
        turn: usize,
        position: usize,
        passage: Passage,
        match_type: MatchType,
        similarity: i64,
    ) -> Occurrence {
        let confidence = similarity.clamp(0, 1000) * i64::from(passage.confidence_permille) / 1000;
        let evidence = Evidence {
            turn: Some(turn as u32),
            begin_ms: passage.begin_ms,
            end_ms: passage.end_ms,
            quote: passage.quote,
            match_type,
            confidence_permille: confidence as u16,
        };
        Occurrence { turn, position, evidence }
    }

    fn found_or_doubtful(&self, occurrences: Vec<Occurrence>, turns: &[usize]) -> Found {
        let truth = match occurrences.is_empty() {
            false => Truth::True,
            true if self.doubtful(turns) => Truth::Unknown,
            true => Truth::False,
        };
        Found { truth, occurrences }
    }

    /// True when the recogniser's words in these turns are too unsure for "it was not said".
    fn doubtful(&self, turns: &[usize]) -> bool {
        let weighed = turns.iter().map(|t| &self.call.transcript.turns[*t]).map(|t| {
            let weight = (t.end_ms - t.begin_ms).max(1);
            (i64::from(t.confidence_permille) * weight, weight)
        });
        let (sum, weight) = weighed.fold((0, 0), |(s, w), (sum, weight)| (s + sum, w + weight));
        weight > 0 && sum / weight < WINDOW_FLOOR_PERMILLE
    }

    fn whole_call(&self, match_type: MatchType) -> Evidence {
        Evidence {
            turn: None,
            begin_ms: 0,
            end_ms: self.call.transcript.duration_ms.max(self.last_ms),
            quote: String::new(),
            match_type,
            confidence_permille: 1000,
        }
    }

    /// The stretch of the call that was searched without finding anything.
    fn window<'m>(&self, matchers: impl Iterator<Item = &'m Matcher>) -> Evidence {
        let turns: BTreeSet<usize> = matchers.flat_map(|m| self.turns(m)).collect();
        let of = |t: &usize| &self.call.transcript.turns[*t];
        let whole = self.whole_call(MatchType::Window);
        let begin_ms = turns.iter().map(|t| of(t).begin_ms).min().unwrap_or(whole.begin_ms);
        let end_ms = turns.iter().map(|t| of(t).end_ms).max().unwrap_or(whole.end_ms);
        Evidence { begin_ms, end_ms, ..whole }
    }
}

/// Of the places that are about as sure as the surest (four fifths of its confidence), the one that quotes most comes first: "this
/// call is recorded" says more than "call", of which the recogniser may be a little surer.
fn most_telling_first(evidence: &mut [Evidence]) {
    let surest = evidence.iter().map(|e| u32::from(e.confidence_permille)).max().unwrap_or(0);
    evidence.sort_by_key(|e| {
        let is_unsure = u32::from(e.confidence_permille) * 5 < surest * 4;
        (is_unsure, Reverse(e.quote.chars().count()), Reverse(e.confidence_permille), e.begin_ms)
    });
}

/// How one example of a scorecard came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleResult {
    pub requirement_id: String,
    /// Place in the requirement's list, from 0.
    pub index: usize,
    pub expected: Outcome,
    pub actual: Outcome,
    /// What supports the outcome; empty when nothing does.
    pub detail: String,
    pub passed: bool,
}

/// What reads examples, as calls are read. A function that gives embeddings is one that hears no acts.
pub trait ExampleReader {
    /// One embedding per text of a language; `None` without an encoder of that language.
    fn embed(&self, language: Language, texts: &[String]) -> Vec<Option<Embedding>>;

    /// The acts that a model hears in an example; `None`: phrases alone.
    fn read_acts(&self, _: &Transcript) -> Option<ActReadings> {
        None
    }
}

impl<F: Fn(Language, &[String]) -> Vec<Option<Embedding>>> ExampleReader for F {
    fn embed(&self, language: Language, texts: &[String]) -> Vec<Option<Embedding>> {
        self(language, texts)
    }
}

/// Runs the examples of all requirements. Acts that an example names are there beside what is heard.
pub fn run_examples(scorecard: &Scorecard, lexicon: &ActLexicon, reader: &dyn ExampleReader) -> Vec<ExampleResult> {
    let embedded = |language| {
        let phrases: Vec<String> = scorecard.meaning_phrases(language);
        let embeddings = reader.embed(language, &phrases);
        (language, phrases.into_iter().zip(embeddings).filter_map(|(phrase, e)| Some((phrase, e?))).collect())
    };
    let phrase_embeddings: PhraseEmbeddings = Language::ALL.into_iter().map(embedded).collect();
    let mut results = Vec::new();
    for requirement in &scorecard.requirements {
        for (index, example) in requirement.examples.iter().enumerate() {
            let item = run_example(scorecard, requirement, example, lexicon, &phrase_embeddings, reader);
            let quotes: Vec<&str> = item.evidence.iter().map(|e| e.quote.as_str()).filter(|q| !q.is_empty()).collect();
            results.push(ExampleResult {
                requirement_id: requirement.id.clone(),
                index,
                expected: example.expect,
                actual: item.outcome,
                detail: quotes.join(" | "),
                passed: item.outcome == example.expect,
            });
        }
    }
    results
}

fn run_example(
    scorecard: &Scorecard,
    requirement: &Requirement,
    example: &Example,
    lexicon: &ActLexicon,
    phrase_embeddings: &PhraseEmbeddings,
    reader: &dyn ExampleReader,
) -> ItemResult {
    let transcript = example_transcript(requirement, example);
    let readings = reader.read_acts(&transcript);
    let mut acts = lexicon.hear(&transcript, readings.as_ref());
    for (turn, labels) in example.turns.iter().zip(&mut acts) {
        labels.extend(turn.acts.iter().map(|act| (act.clone(), 1000)));
    }
    let sentiment: Vec<Option<Sentiment>> =
        example.turns.iter().map(|t| t.sentiment_milli.map(example_sentiment)).collect();
    let stages: Vec<BTreeSet<String>> =
        acts.iter().map(|a| lexicon.stages(a).into_iter().map(str::to_string).collect()).collect();
    let signals = signals::compute(&transcript, &sentiment, &acts, &stages, &scorecard.stages);
    let texts: Vec<String> = transcript.turns.iter().map(|t| t.text.clone()).collect();
    let embeddings =
        transcript.language.map_or_else(|| vec![None; texts.len()], |language| reader.embed(language, &texts));
    // An example that does not say what kind of call it is, is one that the requirement is for.
    let when = &requirement.when;
    let metadata = Metadata {
        call_type: example.call_type.clone().or_else(|| when.call_types.first().cloned()),
        campaign: example.campaign.clone().or_else(|| when.campaigns.first().cloned()),
        direction: example.direction.or_else(|| when.directions.first().copied()),
        first_contact: example.first_contact.or(when.first_contact),
        start_ts: example.start_ts.clone(),
        tz: example.tz.clone(),
        customer_tz: example.customer_tz.clone(),
        ..Metadata::default()
    };
    let scores = TurnScores { embeddings, acts: readings, ..TurnScores::default() };
    let call = CallEvidence {
        transcript: &transcript,
        metadata: &metadata,
        signals: &signals,
        scores: &scores,
        sentiment: &sentiment,
        acts: &acts,
        lexicon,
        phrase_embeddings,
    };
    let text = CallText::new(&transcript);
    Judge::new(scorecard, &call, &text).requirement(requirement)
}

/// Probabilities that give this sentiment.
fn example_sentiment(milli: i64) -> Sentiment {
    let share = |points: i64| (points.clamp(0, 5000) / 5) as u16;
    let (negative_permille, positive_permille) = (share(-milli), share(milli));
    Sentiment { negative_permille, neutral_permille: 1000 - negative_permille - positive_permille, positive_permille }
}

/// Turns with the times that the example gives; a turn without an end lasts 0.3 s a word or until the next one begins.
fn example_transcript(requirement: &Requirement, example: &Example) -> Transcript {
    let all: String = example.turns.iter().flat_map(|t| [t.text.as_str(), " "]).collect();
    let language = example.language.or_else(|| Language::of_text(&all));
    let begins: Vec<i64> = example.turns.iter().map(|t| t.begin_ms).collect();
    let turn = |(index, turn): (usize, &crate::scorecard::ExampleTurn)| {
        let spoken = match language {
            Some(Language::Zh) => 200 * turn.text.chars().count() as i64,
            _ => 300 * turn.text.split_whitespace().count() as i64,
        };
        let next = begins.get(index + 1).copied().filter(|next| *next > turn.begin_ms);
        let natural = turn.begin_ms + spoken.max(500);
        Turn {
            role: turn.role,
            begin_ms: turn.begin_ms,
            end_ms: turn.end_ms.unwrap_or_else(|| next.map_or(natural, |next| natural.min(next))),
            text: turn.text.clone(),
            words: Vec::new(),
            confidence_permille: 1000,
        }
    };
    let turns: Vec<Turn> = example.turns.iter().enumerate().map(turn).collect();
    let voice = |(turn, example): (&Turn, &crate::scorecard::ExampleTurn)| {
        let level_centi_dbfs = example.level_centi_dbfs? as i32;
        let (role, begin_ms, end_ms) = (turn.role, turn.begin_ms, turn.end_ms);
        Some(VoiceSpan {
            role,
            begin_ms,
            end_ms,
            level_centi_dbfs,
            voiced_ms: 0,
            pitch_cents: 0,
            pitch_spread_cents: 0,
        })
    };
    let voice: Vec<VoiceSpan> = turns.iter().zip(&example.turns).filter_map(voice).collect();
    let span = |t: &Turn| crate::transcript::RoleSpan { role: t.role, begin_ms: t.begin_ms, end_ms: t.end_ms };
    let said_ms = turns.iter().map(|t| t.end_ms).max().unwrap_or(0);
    let least_ms = requirement.when.duration_ms.and_then(|d| d.gte).unwrap_or(0);
    let duration_ms = said_ms.max(least_ms);
    let closed = |role| Sound { kind: SoundKind::Closed, role, begin_ms: said_ms, end_ms: duration_ms };
    Transcript {
        medium: Medium::Speech,
        language,
        duration_ms,
        role_method: RoleMethod::Labelled,
        role_confidence_permille: 1000,
        speech: turns.iter().map(span).collect(),
        turns,
        sounds: example.hung_up_by.map(closed).into_iter().collect(),
        voice,
        ..Transcript::default()
    }
}
