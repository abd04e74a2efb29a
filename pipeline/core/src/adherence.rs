//! Applies a scorecard to one call: what each item found, where, and with what confidence.
//!
//! Logic is three-valued (operator.rs). A matcher that cannot exist in this call (no phrases in its language, times in a
//! text, a metric without a value) is not applicable; `meaning` without an encoder and sentiment without a model are
//! unknown. A required thing that was not found is `unknown`, not `missed`, when the recogniser's mean word confidence in
//! the searched window is below the transcript's floor.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::acts::ActLexicon;
use crate::matching::{CallText, Finder, Hit, PhraseId, call_language, pattern_text};
use crate::operator::{Conclusion, Expr, Found, Occurrence, Truth, evaluate};
use crate::record::{Evidence, ItemKind, ItemResult, MatchType, Outcome, Severity};
use crate::recording::{Language, Metadata};
use crate::scorecard::{
    Bounds, Compiled, Example, Matcher, MetricItem, Pattern, Period, Requirement, Scorecard, When, Within,
};
use crate::signals::{self, Metric, Signals};
use crate::transcript::{Embedding, Medium, Role, RoleMethod, RoleSpan, Sentiment, Transcript, Turn, TurnScores};

/// Floor of the recogniser's confidence when the model has none of its own (an engineering guess).
const DEFAULT_FLOOR_PERMILLE: u16 = 400;
/// How long an example's turn lasts when the author does not say: per English word or Chinese character.
const EXAMPLE_WORD_MS: i64 = 350;
const EXAMPLE_CHARACTER_MS: i64 = 220;

/// Everything that is known about a call when it is judged. The slices have one entry per turn.
pub struct CallEvidence<'a> {
    pub transcript: &'a Transcript,
    pub metadata: &'a Metadata,
    pub signals: &'a Signals,
    pub scores: &'a TurnScores,
    pub acts: &'a [BTreeMap<String, u16>],
    pub lexicon: &'a ActLexicon,
    /// `meaning` phrase → its embedding by the encoder that embedded the turns.
    pub phrase_embeddings: &'a BTreeMap<String, Embedding>,
}

/// Judges every item of the scorecard: metrics, then requirements, both in the file's order.
pub fn assess(scorecard: &Scorecard, call: &CallEvidence<'_>) -> Vec<ItemResult> {
    let text = CallText::new(call.transcript);
    let search = Search::new(scorecard, call, &text);
    let metrics = scorecard.metrics.iter().map(|item| search.metric(item));
    let requirements = scorecard.requirements.iter().map(|requirement| search.requirement(requirement));
    metrics.chain(requirements).collect()
}

/// One call with what is needed to search it.
struct Search<'a> {
    call: &'a CallEvidence<'a>,
    text: &'a CallText<'a>,
    phrases: Finder<'a>,
    /// Only calls with acts to cite pay for this.
    acts: OnceCell<Finder<'a>>,
    patterns: OnceCell<Vec<(String, Vec<usize>)>>,
    language: Language,
    roles: Vec<Role>,
    begin_ms: i64,
    end_ms: i64,
}

/// The part of a call that a matcher looks at.
struct Window {
    turns: Vec<usize>,
    begin_ms: i64,
    end_ms: i64,
    confidence_permille: u16,
}

impl<'a> Search<'a> {
    fn new(scorecard: &'a Scorecard, call: &'a CallEvidence<'a>, text: &'a CallText<'a>) -> Search<'a> {
        let turns = &call.transcript.turns;
        Search {
            call,
            text,
            phrases: Finder::new(&scorecard.book, text),
            acts: OnceCell::new(),
            patterns: OnceCell::new(),
            language: text.language(),
            roles: turns.iter().map(|t| t.role).collect(),
            // Ringing before the first word is no part of "the first 30 seconds".
            begin_ms: turns.iter().map(|t| t.begin_ms).min().unwrap_or(0),
            end_ms: turns.iter().map(|t| t.end_ms).max().unwrap_or(call.transcript.duration_ms),
        }
    }

    fn timed(&self) -> bool {
        self.call.transcript.medium == Medium::Speech
    }

    // ------------------------------------------------------------ windows

    /// The turns of `role` inside `within`; `None` when the limits need times that a text does not have.
    fn window(&self, role: Option<Role>, within: &Within) -> Option<Window> {
        let turns = &self.call.transcript.turns;
        let mut chosen: Vec<usize> = (0..turns.len()).filter(|t| role.is_none_or(|r| turns[*t].role == r)).collect();
        let (mut begin_ms, mut end_ms) = (self.begin_ms, self.end_ms);
        match (within.first_ms.filter(|_| self.timed()), within.first_turns) {
            (Some(first), _) => {
                end_ms = self.begin_ms.saturating_add(first);
                chosen.retain(|t| turns[*t].begin_ms < end_ms);
            }
            (None, Some(count)) => {
                chosen.truncate(count as usize);
                end_ms = chosen.last().map_or(begin_ms, |t| turns[*t].end_ms);
            }
            (None, None) if within.first_ms.is_some() => return None,
            (None, None) => {}
        }
        match (within.last_ms.filter(|_| self.timed()), within.last_turns) {
            (Some(last), _) => {
                begin_ms = begin_ms.max(self.end_ms.saturating_sub(last));
                chosen.retain(|t| turns[*t].end_ms > begin_ms);
            }
            (None, Some(count)) => {
                chosen.drain(..chosen.len().saturating_sub(count as usize));
                begin_ms = chosen.first().map_or(end_ms, |t| turns[*t].begin_ms);
            }
            (None, None) if within.last_ms.is_some() => return None,
            (None, None) => {}
        }
        let confidence_permille = self.confidence(&chosen);
        Some(Window { turns: chosen, begin_ms, end_ms: end_ms.min(self.end_ms).max(begin_ms), confidence_permille })
    }

    /// Mean word confidence over turns (turns without words count by their own); 1000 without turns.
    fn confidence(&self, turns: &[usize]) -> u16 {
        let (mut sum, mut count) = (0u64, 0u64);
        for turn in turns.iter().map(|t| &self.call.transcript.turns[*t]) {
            if turn.words.is_empty() {
                let words = turn.text.split_whitespace().count().max(1) as u64;
                sum += words * u64::from(turn.confidence_permille);
                count += words;
            } else {
                sum += turn.words.iter().map(|w| u64::from(w.confidence_permille)).sum::<u64>();
                count += turn.words.len() as u64;
            }
        }
        sum.checked_div(count).unwrap_or(1_000) as u16
    }

    /// True when a place that begins and ends then is inside the matcher's limits (a turn may straddle them).
    fn in_time(&self, within: &Within, begin_ms: i64, end_ms: i64) -> bool {
        if !self.timed() {
            return true;
        }
        within.first_ms.is_none_or(|first| begin_ms < self.begin_ms.saturating_add(first))
            && within.last_ms.is_none_or(|last| end_ms > self.end_ms.saturating_sub(last))
    }

    // ------------------------------------------------------------ matchers

    fn find(&self, matcher: &Matcher) -> Found {
        let absent = |truth| Found { truth, occurrences: Vec::new() };
        let Some(window) = self.window(matcher.role, &matcher.within) else { return absent(Truth::NotApplicable) };
        let compiled = matcher.compiled.get(&self.language);
        let occurrences = match (&matcher.pattern, compiled) {
            (Pattern::Any(_) | Pattern::All(_) | Pattern::None(_) | Pattern::AtLeast { .. }, Some(compiled)) => {
                return self.find_phrases(matcher, compiled, &window);
            }
            (Pattern::Regex(_), Some(compiled)) => self.find_patterns(matcher, compiled, &window),
            (Pattern::Meaning { phrases, similarity_permille }, Some(_)) => {
                match self.find_meaning(phrases.get(self.language), *similarity_permille, &window) {
                    Some(occurrences) => occurrences,
                    None => return absent(Truth::Unknown),
                }
            }
            (pattern, None) if pattern.phrases().is_some() => return absent(Truth::NotApplicable),
            (Pattern::Act { act, permille }, _) => self.find_act(act, *permille, &window),
            (Pattern::Stage(stage), _) => self.find_stage(stage, &window),
            (Pattern::Sentiment { bounds, period }, _) => match self.find_sentiment(bounds, *period, &window) {
                Ok(occurrences) => occurrences,
                Err(truth) => return absent(truth),
            },
            (Pattern::Silence { .. } | Pattern::Overlap { .. }, _) if !self.timed() => {
                return absent(Truth::NotApplicable);
            }
            (Pattern::Silence { gte_ms, explained }, _) => self.find_silence(*gte_ms, *explained, &matcher.within),
            (Pattern::Overlap { gte_ms }, _) => self.find_overlap(*gte_ms, matcher.role, &matcher.within),
            (Pattern::Metric { metric, bounds }, _) => match self.call.signals.metric(*metric) {
                None => return absent(Truth::NotApplicable),
                Some(value) if bounds.contains(value) => self.metric_places(*metric),
                Some(_) => Vec::new(),
            },
            _ => return absent(Truth::NotApplicable),
        };
        let mut occurrences = occurrences;
        occurrences.retain(|o| self.in_time(&matcher.within, o.evidence.begin_ms, o.evidence.end_ms));
        occurrences.sort_by_key(|o| (o.turn, o.position));
        Found { truth: (!occurrences.is_empty()).into(), occurrences }
    }

    fn find_phrases(&self, matcher: &Matcher, compiled: &Compiled, window: &Window) -> Found {
        if compiled.phrases.is_empty() {
            return Found { truth: Truth::NotApplicable, occurrences: Vec::new() };
        }
        let mut said = 0;
        let mut hits: Vec<Hit> = Vec::new();
        for phrase in &compiled.phrases {
            let before = hits.len();
            for turn in &window.turns {
                hits.extend(self.phrase_hits(*phrase, *turn, matcher, compiled));
            }
            said += u32::from(hits.len() > before);
        }
        let truth = match &matcher.pattern {
            Pattern::All(_) => said as usize == compiled.phrases.len(),
            Pattern::AtLeast { n, .. } => said >= *n,
            Pattern::None(_) => said == 0,
            _ => said > 0,
        };
        // Phrases of one matcher that hit the same words are one place: the best stays.
        hits.sort_by_key(|h| (std::cmp::Reverse(h.similarity_permille), h.span));
        let mut kept: Vec<Hit> = Vec::new();
        for hit in hits {
            let overlaps = |k: &Hit| {
                k.span.turn == hit.span.turn
                    && (k.span.end_turn != k.span.turn || hit.span.begin < k.span.end)
                    && (hit.span.end_turn != hit.span.turn || k.span.begin < hit.span.end)
            };
            if !kept.iter().any(overlaps) {
                kept.push(hit);
            }
        }
        kept.sort_by_key(|h| h.span);
        let occurrences = if truth || matches!(matcher.pattern, Pattern::None(_)) {
            kept.iter().map(|hit| self.place(hit)).collect()
        } else {
            Vec::new()
        };
        Found { truth: truth.into(), occurrences }
    }

    fn phrase_hits(&self, phrase: PhraseId, turn: usize, matcher: &Matcher, compiled: &Compiled) -> Vec<Hit> {
        let mut hits = self.phrases.find(phrase, turn, matcher.threshold_permille);
        hits.retain(|hit| {
            let passage = self.text.passage(hit.span);
            self.in_time(&matcher.within, passage.begin_ms, passage.end_ms)
                && (compiled.must.is_empty() || self.text.has_one_of(hit.span, &compiled.must))
                && !self.phrases.vetoed(hit, &compiled.not)
        });
        hits
    }

    fn place(&self, hit: &Hit) -> Occurrence {
        let passage = self.text.passage(hit.span);
        let exact = hit.similarity_permille == 1_000;
        let evidence = Evidence {
            turn: Some(hit.span.turn as u32),
            begin_ms: passage.begin_ms,
            end_ms: passage.end_ms,
            quote: passage.quote,
            match_type: if exact { MatchType::Exact } else { MatchType::Tolerant },
            confidence_permille: product(hit.similarity_permille, passage.confidence_permille),
        };
        Occurrence { turn: hit.span.turn, position: hit.span.begin, evidence }
    }

    fn find_patterns(&self, _matcher: &Matcher, compiled: &Compiled, window: &Window) -> Vec<Occurrence> {
        let turns = &self.call.transcript.turns;
        let texts = self.patterns.get_or_init(|| turns.iter().map(|t| pattern_text(&t.text)).collect());
        let mut out: Vec<Occurrence> = Vec::new();
        for turn in &window.turns {
            let (text, source) = &texts[*turn];
            if compiled.not_regexes.iter().any(|regex| regex.is_match(text)) {
                continue;
            }
            for found in compiled.regexes.iter().filter_map(|regex| regex.find(text)).filter(|m| !m.is_empty()) {
                // The last matched character's source byte, then to the end of that character.
                let begin = source[found.start()];
                let last = source[found.end() - 1];
                let raw = &turns[*turn].text;
                let end = last + raw[last..].chars().next().map_or(0, char::len_utf8);
                let passage = self.text.bytes(*turn, begin, end);
                let evidence = Evidence {
                    turn: Some(*turn as u32),
                    begin_ms: passage.begin_ms,
                    end_ms: passage.end_ms,
                    quote: passage.quote,
                    match_type: MatchType::Regex,
                    confidence_permille: passage.confidence_permille,
                };
                if !out.iter().any(|o| o.evidence == evidence) {
                    out.push(Occurrence { turn: *turn, position: begin, evidence });
                }
            }
        }
        out
    }

    /// `None`: there is no encoder for this language, or it did not embed the phrases or any turn.
    fn find_meaning(&self, phrases: &[String], least: i64, window: &Window) -> Option<Vec<Occurrence>> {
        let wanted: Vec<&Embedding> = phrases.iter().filter_map(|p| self.call.phrase_embeddings.get(p)).collect();
        let embeddings = &self.call.scores.embeddings;
        if wanted.is_empty() || !embeddings.iter().any(Option::is_some) {
            return None;
        }
        let mut out = Vec::new();
        for turn in &window.turns {
            let Some(Some(said)) = embeddings.get(*turn) else { continue };
            let Some(best) = wanted.iter().map(|w| w.similarity_permille(said)).max() else { continue };
            if best >= least {
                out.push(self.turn_place(*turn, MatchType::Meaning, best.clamp(0, 1_000) as u16));
            }
        }
        Some(out)
    }

    /// A whole turn as evidence.
    fn turn_place(&self, turn: usize, match_type: MatchType, permille: u16) -> Occurrence {
        let passage = self.text.whole_turn(turn);
        let evidence = Evidence {
            turn: Some(turn as u32),
            begin_ms: passage.begin_ms,
            end_ms: passage.end_ms,
            quote: passage.quote,
            match_type,
            confidence_permille: product(permille, passage.confidence_permille),
        };
        Occurrence { turn, position: 0, evidence }
    }

    /// An act as evidence: the words that express it, else the whole turn.
    fn act_place(&self, act: &str, permille: u16, turn: usize) -> Occurrence {
        let finder = self.acts.get_or_init(|| Finder::new(self.call.lexicon.book(), self.text));
        match self.call.lexicon.locate(finder, self.language, act, turn) {
            None => self.turn_place(turn, MatchType::Act, permille),
            Some(hit) => {
                let mut place = self.place(&hit);
                place.evidence.match_type = MatchType::Act;
                place
            }
        }
    }

    fn find_act(&self, act: &str, least: u16, window: &Window) -> Vec<Occurrence> {
        let permille = |turn: usize| self.call.acts.get(turn).and_then(|acts| acts.get(act)).copied();
        let said = window.turns.iter().filter_map(|t| Some((*t, permille(*t).filter(|p| *p >= least)?)));
        said.map(|(turn, permille)| self.act_place(act, permille, turn)).collect()
    }

    fn find_stage(&self, stage: &str, window: &Window) -> Vec<Occurrence> {
        let mut out = Vec::new();
        for turn in &window.turns {
            let Some(acts) = self.call.acts.get(*turn) else { continue };
            if self.call.lexicon.stages(acts).contains(stage) {
                let of_stage = acts.iter().filter(|(act, _)| self.call.lexicon.stage_of(act) == Some(stage));
                if let Some((act, permille)) = of_stage.max_by_key(|(_, permille)| **permille) {
                    out.push(self.act_place(act, *permille, *turn));
                }
            }
        }
        out
    }

    fn find_sentiment(&self, bounds: &Bounds<i64>, period: Period, window: &Window) -> Result<Vec<Occurrence>, Truth> {
        let sentiment = |turn: usize| self.call.scores.sentiment.get(turn).copied().flatten();
        if !self.call.scores.sentiment.iter().any(Option::is_some) {
            return Err(Truth::Unknown);
        }
        let known: Vec<(usize, Sentiment)> = window
            .turns
            .iter()
            .filter(|t| self.in_period(**t, period))
            .filter_map(|t| Some((*t, sentiment(*t)?)))
            .collect();
        let cite = |(turn, s): &(usize, Sentiment)| {
            // How sure the model is: the larger of the two poles.
            self.turn_place(*turn, MatchType::Sentiment, s.negative_permille.max(s.positive_permille))
        };
        if period == Period::Turn {
            return Ok(known.iter().filter(|(_, s)| bounds.contains(s.milli())).map(cite).collect());
        }
        if known.is_empty() {
            return Err(Truth::Unknown);
        }
        let mean = known.iter().map(|(_, s)| s.milli()).sum::<i64>() / known.len() as i64;
        if !bounds.contains(mean) {
            return Ok(Vec::new());
        }
        // The turn that shows it best: the most negative one for an upper bound, else the most positive one.
        let direction = if bounds.lte.is_some() { 1 } else { -1 };
        Ok(known.iter().min_by_key(|(turn, s)| (direction * s.milli(), *turn)).map(cite).into_iter().collect())
    }

    /// Quarters by time in speech, by number of turns in text.
    fn in_period(&self, turn: usize, period: Period) -> bool {
        let turns = &self.call.transcript.turns;
        let (at, whole) = if self.timed() {
            (turns[turn].begin_ms - self.begin_ms, (self.end_ms - self.begin_ms).max(1))
        } else {
            (turn as i64, turns.len() as i64)
        };
        match period {
            Period::Call | Period::Turn => true,
            Period::FirstQuarter => at * 4 < whole,
            Period::LastQuarter => at * 4 >= whole * 3,
        }
    }

    /// The turn before a moment: the last that began at or before it.
    fn turn_at(&self, ms: i64) -> usize {
        self.call.transcript.turns.iter().rposition(|t| t.begin_ms <= ms).unwrap_or(0)
    }

    /// A stretch of time as evidence.
    fn stretch(&self, begin_ms: i64, end_ms: i64, match_type: MatchType) -> Occurrence {
        let turn = self.turn_at(begin_ms);
        let cited = (turn < self.call.transcript.turns.len()).then_some(turn as u32);
        let evidence = Evidence {
            turn: cited,
            begin_ms,
            end_ms,
            quote: String::new(),
            match_type,
            confidence_permille: 1_000,
        };
        // After all words of the turn.
        Occurrence { turn, position: usize::MAX, evidence }
    }

    fn find_silence(&self, gte_ms: i64, explained: Option<bool>, within: &Within) -> Vec<Occurrence> {
        let silences = self.call.signals.silences.iter();
        silences
            .filter(|s| s.end_ms - s.begin_ms >= gte_ms && explained.is_none_or(|e| e == s.explained))
            .filter(|s| self.in_time(within, s.begin_ms, s.end_ms))
            .map(|s| self.stretch(s.begin_ms, s.end_ms, MatchType::Silence))
            .collect()
    }

    fn find_overlap(&self, gte_ms: i64, by: Option<Role>, within: &Within) -> Vec<Occurrence> {
        let overlaps = self.call.signals.overlaps.iter();
        overlaps
            .filter(|o| o.interruption && o.end_ms - o.begin_ms >= gte_ms && by.is_none_or(|role| role == o.by))
            .filter(|o| self.in_time(within, o.begin_ms, o.end_ms))
            .map(|o| {
                let mut place = self.stretch(o.begin_ms, o.end_ms, MatchType::Overlap);
                let speaking = |t: &Turn| t.role == o.by && t.begin_ms <= o.end_ms && t.end_ms >= o.begin_ms;
                if let Some(turn) = self.call.transcript.turns.iter().position(speaking) {
                    place.turn = turn;
                    place.position = 0;
                    place.evidence.turn = Some(turn as u32);
                }
                place
            })
            .collect()
    }

    /// Where a metric's value can be seen: its longest gap, its interruptions, else the whole call.
    fn metric_places(&self, metric: Metric) -> Vec<Occurrence> {
        let signals = self.call.signals;
        let places: Vec<Occurrence> = match metric {
            Metric::LongestUnexcusedSilenceMs | Metric::UnexcusedSilencePermille => {
                let open = signals.silences.iter().filter(|s| !s.explained);
                let longest = open.max_by_key(|s| (s.end_ms - s.begin_ms, std::cmp::Reverse(s.begin_ms)));
                longest.map(|s| self.stretch(s.begin_ms, s.end_ms, MatchType::Metric)).into_iter().collect()
            }
            Metric::InterruptionsRepPer10minMilli | Metric::InterruptionsCustomerPer10minMilli => {
                let by =
                    if metric == Metric::InterruptionsRepPer10minMilli { Role::Rep } else { Role::Customer };
                let of_role = signals.overlaps.iter().filter(|o| o.interruption && o.by == by);
                of_role.map(|o| self.stretch(o.begin_ms, o.end_ms, MatchType::Metric)).collect()
            }
            _ => Vec::new(),
        };
        if !places.is_empty() {
            return places;
        }
        let mut whole = self.stretch(self.begin_ms, self.end_ms, MatchType::Metric);
        whole.evidence.turn = None;
        vec![whole]
    }

    // ------------------------------------------------------------ items

    /// Whether the conditions hold. Metadata that is missing fulfils no condition.
    fn applies(&self, when: &When, found: &BTreeMap<&str, Found>) -> Truth {
        let metadata = self.call.metadata;
        let named = |wanted: &[String], value: &Option<String>| {
            let is = |value: &String| wanted.iter().any(|w| w.trim().eq_ignore_ascii_case(value.trim()));
            wanted.is_empty() || value.as_ref().is_some_and(is)
        };
        let duration = |bounds: &Bounds<i64>| self.timed() && bounds.contains(self.call.transcript.duration_ms);
        let holds = named(&when.call_types, &metadata.call_type)
            && named(&when.campaigns, &metadata.campaign)
            && (when.directions.is_empty() || metadata.direction.is_some_and(|d| when.directions.contains(&d)))
            && (when.languages.is_empty() || when.languages.contains(&self.language))
            && (when.media.is_empty() || when.media.contains(&self.call.transcript.medium))
            && when.duration_ms.as_ref().is_none_or(duration);
        match &when.parsed {
            _ if !holds => Truth::False,
            None => Truth::True,
            Some(expr) => self.evaluate(expr, found).truth,
        }
    }

    fn evaluate(&self, expr: &Expr, found: &BTreeMap<&str, Found>) -> Conclusion {
        // Names were checked when the scorecard was read; a name that is not there would be not applicable.
        let missing = Found { truth: Truth::NotApplicable, occurrences: Vec::new() };
        evaluate(expr, &|name| found.get(name).unwrap_or(&missing), &self.roles)
    }

    fn metric(&self, item: &MetricItem) -> ItemResult {
        let speaks = item.languages.is_empty() || item.languages.contains(&self.language);
        let applies = speaks && self.applies(&item.when, &BTreeMap::new()) == Truth::True;
        let value = self.call.signals.metric(item.metric);
        let scored = value.filter(|_| applies);
        let value_permille = scored.map_or(0, |x| item.trapezoid.value_permille(x));
        let warned = scored.is_some_and(|x| {
            // `warn` names a zone: inside it, the value deserves a look.
            item.warn.as_ref().is_some_and(|zone| zone.contains(x))
        });
        ItemResult {
            id: item.id.clone(),
            version: item.version,
            kind: ItemKind::Metric,
            dimension: item.dimension.clone(),
            severity: Severity::Minor,
            points: item.points,
            outcome: match scored {
                None => Outcome::NotApplicable,
                // Partial values are `met` in part: the value says how far.
                Some(_) if value_permille > 0 => Outcome::Met,
                Some(_) => Outcome::Missed,
            },
            value_permille,
            metric_value: value,
            violations: 0,
            evidence: if scored.is_some() { evidence_of(self.metric_places(item.metric)) } else { Vec::new() },
            manual: false,
            warned,
        }
    }

    fn requirement(&self, requirement: &Requirement) -> ItemResult {
        let mut result = ItemResult {
            id: requirement.id.clone(),
            version: requirement.version,
            kind: requirement.kind(),
            dimension: requirement.dimension.clone(),
            severity: requirement.severity,
            points: requirement.points,
            outcome: Outcome::NotApplicable,
            value_permille: 0,
            metric_value: None,
            violations: 0,
            evidence: Vec::new(),
            manual: requirement.is_manual(),
            warned: false,
        };
        let found: BTreeMap<&str, Found> =
            requirement.matchers.iter().map(|(name, matcher)| (name.as_str(), self.find(matcher))).collect();
        match self.applies(&requirement.when, &found) {
            Truth::True => {}
            Truth::Unknown => {
                result.outcome = Outcome::Unknown;
                return result;
            }
            Truth::False | Truth::NotApplicable => return result,
        }
        let Some(rule) = &requirement.rule else {
            result.outcome = Outcome::Unknown;
            return result;
        };
        if let Some(reason) = requirement.except.iter().map(|m| self.find(m)).find(|f| f.truth == Truth::True) {
            result.evidence = evidence_of(reason.occurrences);
            return result;
        }
        let conclusion = self.evaluate(&rule.parsed, &found);
        let window = self.searched(requirement, &rule.parsed, &found);
        let floor = self.call.transcript.confidence_floor_permille.unwrap_or(DEFAULT_FLOOR_PERMILLE);
        let doubtful = self.timed() && window.confidence_permille < floor;
        result.outcome = match (rule.kind, conclusion.truth) {
            (_, Truth::NotApplicable) => Outcome::NotApplicable,
            (_, Truth::Unknown) => Outcome::Unknown,
            (ItemKind::Forbidden, Truth::True) => Outcome::Violated,
            (ItemKind::Forbidden, Truth::False) => Outcome::Clear,
            (_, Truth::True) => Outcome::Met,
            (_, Truth::False) if doubtful => Outcome::Unknown,
            (_, Truth::False) => Outcome::Missed,
        };
        let mut places = conclusion.occurrences;
        if rule.parsed.is_about_sequence() {
            places.sort_by_key(|o| (o.evidence.begin_ms, o.turn, o.position));
        } else {
            let best = |o: &Occurrence| std::cmp::Reverse(o.evidence.confidence_permille);
            places.sort_by_key(|o| (best(o), o.evidence.begin_ms, o.turn, o.position));
        }
        match result.outcome {
            Outcome::Met | Outcome::Violated => {
                if result.outcome == Outcome::Violated {
                    let mut turns: Vec<usize> = places.iter().map(|o| o.turn).collect();
                    turns.sort_unstable();
                    turns.dedup();
                    let counted = if rule.each { turns.len().max(1) as u32 } else { 1 };
                    result.violations = counted.min(rule.at_most.unwrap_or(u32::MAX));
                } else {
                    result.value_permille = 1_000;
                }
                result.evidence = evidence_of(places);
                if result.evidence.is_empty() {
                    result.evidence.push(window_evidence(&window));
                }
            }
            Outcome::Clear => {
                result.value_permille = 1_000;
                result.evidence.push(window_evidence(&window));
            }
            Outcome::Missed | Outcome::Unknown => result.evidence.push(window_evidence(&window)),
            Outcome::NotApplicable => {}
        }
        result
    }

    /// The union of the windows that the rule's matchers without a match looked at (of all, when each has one).
    fn searched(&self, requirement: &Requirement, expr: &Expr, found: &BTreeMap<&str, Found>) -> Window {
        let windows = |all: bool| {
            let named = expr.names().into_iter().filter(move |n| {
                all || found.get(n).is_some_and(|f| [Truth::False, Truth::Unknown].contains(&f.truth))
            });
            let matchers = named.filter_map(|name| requirement.matchers.get(name));
            matchers.filter_map(|m| self.window(m.role, &m.within)).collect::<Vec<_>>()
        };
        let mut parts = windows(false);
        if parts.is_empty() {
            parts = windows(true);
        }
        let mut turns: Vec<usize> = parts.iter().flat_map(|w| w.turns.iter().copied()).collect();
        turns.sort_unstable();
        turns.dedup();
        Window {
            begin_ms: parts.iter().map(|w| w.begin_ms).min().unwrap_or(self.begin_ms),
            end_ms: parts.iter().map(|w| w.end_ms).max().unwrap_or(self.end_ms),
            confidence_permille: self.confidence(&turns),
            turns,
        }
    }
}

/// The place that was searched.
fn window_evidence(window: &Window) -> Evidence {
    Evidence {
        turn: window.turns.first().map(|t| *t as u32),
        begin_ms: window.begin_ms,
        end_ms: window.end_ms,
        quote: String::new(),
        match_type: MatchType::Window,
        confidence_permille: window.confidence_permille,
    }
}

fn evidence_of(places: Vec<Occurrence>) -> Vec<Evidence> {
    let mut out: Vec<Evidence> = Vec::new();
    for place in places {
        if !out.contains(&place.evidence) {
            out.push(place.evidence);
        }
    }
    out
}

/// a · b, both per mille, rounded to nearest.
fn product(a: u16, b: u16) -> u16 {
    ((u32::from(a) * u32::from(b) + 500) / 1_000).min(1_000) as u16
}

// ---------------------------------------------------------------- examples

/// What came of one example of a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleResult {
    pub requirement_id: String,
    /// From 0, in the file's order.
    pub index: usize,
    pub expected: Outcome,
    pub actual: Outcome,
    /// What was cited, or why there is nothing to cite.
    pub detail: String,
    pub passed: bool,
}

/// Runs every example of every requirement. `embed` gives sentence embeddings (`None`: no encoder for that text's
/// language); it is only called for requirements with a `meaning` matcher.
pub fn run_examples(
    scorecard: &Scorecard,
    lexicon: &ActLexicon,
    embed: &dyn Fn(&[String]) -> Vec<Option<Embedding>>,
) -> Vec<ExampleResult> {
    let mut results = Vec::new();
    for requirement in &scorecard.requirements {
        for (index, example) in requirement.examples.iter().enumerate() {
            let item = run_example(scorecard, requirement, example, lexicon, embed);
            let quotes: Vec<String> = item
                .evidence
                .iter()
                .map(|e| format!("{:?} {}…{} ms \"{}\"", e.match_type, e.begin_ms, e.end_ms, e.quote))
                .collect();
            results.push(ExampleResult {
                requirement_id: requirement.id.clone(),
                index,
                expected: example.expect,
                actual: item.outcome,
                detail: if quotes.is_empty() { "no evidence".to_string() } else { quotes.join("; ") },
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
    embed: &dyn Fn(&[String]) -> Vec<Option<Embedding>>,
) -> ItemResult {
    let transcript = example_transcript(example);
    let language = call_language(&transcript);
    // An example is a call for which the requirement is meant, unless it says otherwise.
    let metadata = Metadata {
        call_type: example.call_type.clone().or_else(|| requirement.when.call_types.first().cloned()),
        campaign: example.campaign.clone().or_else(|| requirement.when.campaigns.first().cloned()),
        direction: example.direction.or_else(|| requirement.when.directions.first().copied()),
        ..Metadata::default()
    };
    let mut acts = lexicon.label(&transcript);
    for (labels, turn) in acts.iter_mut().zip(&example.turns) {
        labels.extend(turn.acts.iter().map(|act| (act.clone(), 1_000)));
    }
    let sentiment: Vec<Option<Sentiment>> =
        example.turns.iter().map(|t| t.sentiment_milli.map(example_sentiment)).collect();
    let meaning: Vec<String> = requirement
        .matchers
        .values()
        .chain(&requirement.except)
        .filter_map(|m| match &m.pattern {
            Pattern::Meaning { phrases, .. } => Some(phrases.get(language).to_vec()),
            _ => None,
        })
        .flatten()
        .collect();
    let mut embeddings = vec![None; transcript.turns.len()];
    let mut phrase_embeddings = BTreeMap::new();
    if !meaning.is_empty() {
        let texts: Vec<String> = transcript.turns.iter().map(|t| t.text.clone()).collect();
        embeddings = embed(&texts);
        let known = meaning.iter().cloned().zip(embed(&meaning));
        phrase_embeddings = known.filter_map(|(phrase, e)| Some((phrase, e?))).collect();
    }
    let stages: Vec<_> =
        acts.iter().map(|acts| lexicon.stages(acts).into_iter().map(str::to_string).collect()).collect();
    let signals = signals::compute(&transcript, &sentiment, &acts, &stages, &scorecard.stages);
    let scores = TurnScores { sentiment, embeddings };
    let call = CallEvidence {
        transcript: &transcript,
        metadata: &metadata,
        signals: &signals,
        scores: &scores,
        acts: &acts,
        lexicon,
        phrase_embeddings: &phrase_embeddings,
    };
    let text = CallText::new(&transcript);
    Search::new(scorecard, &call, &text).requirement(requirement)
}

/// Points → probabilities: −3 points are 600 ‰ negative, 400 ‰ neutral.
fn example_sentiment(milli: i64) -> Sentiment {
    let strength = (milli.abs() / 5).min(1_000) as u16;
    let (negative_permille, positive_permille) = if milli < 0 { (strength, 0) } else { (0, strength) };
    Sentiment { negative_permille, neutral_permille: 1_000 - strength, positive_permille }
}

/// A spoken call as the example's author describes it. A turn without an end lasts as long as its words take to say, but
/// not into the next turn.
fn example_transcript(example: &Example) -> Transcript {
    let text: String = example.turns.iter().map(|t| t.text.as_str()).collect();
    let language = example.language.or_else(|| Language::of_text(&text)).unwrap_or(Language::En);
    let mut turns = Vec::new();
    for (i, turn) in example.turns.iter().enumerate() {
        let spoken = match language {
            Language::En => turn.text.split_whitespace().count() as i64 * EXAMPLE_WORD_MS,
            Language::Zh => turn.text.chars().filter(|c| c.is_alphanumeric()).count() as i64 * EXAMPLE_CHARACTER_MS,
        };
        let next = example.turns.get(i + 1).map_or(i64::MAX, |next| next.begin_ms);
        let end = turn.begin_ms.saturating_add(spoken.max(300)).min(next.max(turn.begin_ms + 1));
        turns.push(Turn {
            role: turn.role,
            begin_ms: turn.begin_ms,
            end_ms: turn.end_ms.unwrap_or(end),
            text: turn.text.clone(),
            words: Vec::new(),
            confidence_permille: 1_000,
        });
    }
    let speech = turns.iter().map(|t| RoleSpan { role: t.role, begin_ms: t.begin_ms, end_ms: t.end_ms }).collect();
    Transcript {
        medium: Medium::Speech,
        language: Some(language),
        duration_ms: turns.iter().map(|t| t.end_ms).max().unwrap_or(0),
        role_method: RoleMethod::Labelled,
        role_confidence_permille: 1_000,
        recogniser_confidence_permille: None,
        confidence_floor_permille: None,
        turns,
        speech,
        dropped: BTreeMap::new(),
        warnings: Vec::new(),
    }
}
