//! From what is written to what is meant: names that exist, patterns that compile, numbers in their range.

use std::collections::{BTreeMap, BTreeSet};

use regex::{Regex, RegexBuilder};
use serde_saphyr::Spanned;

use super::written::{
    RawAtLeast, RawDuration, RawExample, RawLocalTime, RawMatcher, RawMetric, RawPace, RawRange, RawRepeat,
    RawRequirement, RawScorecard, RawSource, RawWhen, RawWithin, thousandths,
};
use super::{
    Bounds, Compiled, Example, Matcher, MetricItem, Pattern, Period, Phrases, Place, Requirement, Rule, Scorecard,
    ScorecardError, Trapezoid, Verdicts, When, Within, did_you_mean, read_yaml,
};
use crate::acts::ActLexicon;
use crate::matching::{MustWord, PatternBook, PhraseBook, PhraseId};
use crate::operator::{self, Expr};
use crate::record::{ItemKind, Severity};
use crate::recording::{Language, sha256_hex};
use crate::signals::Metric;
use crate::transcript::Role;

/// What all matchers look for.
#[derive(Default)]
struct Books {
    phrases: PhraseBook,
    patterns: PatternBook,
}

/// Compiled size of one pattern.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// What the parts of a scorecard may refer to.
struct Names<'a> {
    dimensions: Vec<String>,
    stages: Vec<String>,
    languages: Vec<Language>,
    lexicon: &'a ActLexicon,
}

impl Scorecard {
    /// Reads and checks a scorecard; acts are those of the built-in list.
    pub fn parse(yaml: &str) -> Result<Scorecard, ScorecardError> {
        Scorecard::parse_with(yaml, ActLexicon::built_in())
    }

    /// Reads and checks the bytes of a file, which must be UTF-8 (a byte order mark may stand before it).
    pub fn parse_bytes(bytes: &[u8]) -> Result<Scorecard, ScorecardError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let (line, column) = (
                before.matches('\n').count() as u64 + 1,
                before.chars().rev().take_while(|c| *c != '\n').count() as u64 + 1,
            );
            let hint = Some("save the file as UTF-8".to_string());
            ScorecardError::new(line, column, "this is no UTF-8").hint(hint)
        })?;
        Scorecard::parse(text.trim_start_matches('\u{FEFF}'))
    }

    /// Reads and checks a scorecard whose acts are those of `lexicon`.
    pub fn parse_with(yaml: &str, lexicon: &ActLexicon) -> Result<Scorecard, ScorecardError> {
        let raw: RawScorecard = read_yaml(yaml)?;
        if raw.schema.value != 1 {
            let message = format!("schema {} is not known to this program (it reads 1)", raw.schema.value);
            return Err(ScorecardError::at(&raw.schema, message));
        }
        let names = Names {
            dimensions: raw.weights.0.iter().map(|(name, _)| name.value.clone()).collect(),
            stages: raw.stages.iter().map(|s| s.value.clone()).collect(),
            languages: raw.language.clone(),
            lexicon,
        };
        if raw.language.is_empty() {
            return Err(ScorecardError::at(&raw.name, "`language` names no language".to_string()));
        }
        let mut seen = BTreeSet::new();
        for stage in &raw.stages {
            if !seen.insert(&stage.value) {
                return Err(ScorecardError::at(stage, format!("stage `{}` is listed twice", stage.value)));
            }
            let known = lexicon.stage_names();
            if !known.contains(&stage.value.as_str()) {
                // It could never be seen, and every call would lack it.
                let hint = nearest_or_all(&stage.value, &known, "acts have the stages");
                return Err(ScorecardError::at(stage, format!("no act has the stage `{}`", stage.value)).hint(hint));
            }
        }
        let mut weights = Vec::new();
        let weights_place = raw.weights.0.first().map_or(Place::default(), |(name, _)| Place::of(name));
        for (name, weight) in &raw.weights.0 {
            if weight.value == 0 || weight.value > 10_000 {
                return Err(ScorecardError::at(weight, format!("the weight of `{}` must be 1 … 10000", name.value)));
            }
            weights.push((name.value.clone(), weight.value));
        }
        if weights.is_empty() {
            return Err(ScorecardError::at(&raw.name, "`weights` is empty".to_string()));
        }
        let verdicts = match &raw.verdicts {
            Some(given) if given.value.coach > given.value.pass || given.value.pass > 100 => {
                return Err(ScorecardError::at(given, "verdicts need coach ≤ pass ≤ 100".to_string()));
            }
            Some(given) => given.value,
            None => Verdicts { pass: 85, coach: 70 },
        };
        if let Some(cap) = raw.fatal_cap.as_ref().filter(|cap| cap.value > 100) {
            return Err(ScorecardError::at(cap, "fatal_cap is more than 100 points".to_string()));
        }
        let mut books = Books::default();
        let metrics = metrics(raw.metrics, &names)?;
        let mut ids: BTreeSet<String> = metrics.iter().map(|m| m.id.clone()).collect();
        let mut requirements = Vec::new();
        for requirement in raw.requirements {
            let id = &requirement.id;
            if id.value.is_empty() || !id.value.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) {
                let message = format!("id `{}` may only have letters, digits, `_`, `-` and `.`", id.value);
                return Err(ScorecardError::at(id, message));
            }
            if !ids.insert(id.value.clone()) {
                return Err(ScorecardError::at(id, format!("id `{}` is used twice", id.value)));
            }
            requirements.push(requirement.check(&names, &mut books)?);
        }
        let mut scorecard = Scorecard {
            name: raw.name.value,
            version: raw.version,
            languages: raw.language,
            stages: names.stages,
            weights,
            verdicts,
            fatal_cap: raw.fatal_cap.map_or(0, |cap| cap.value),
            metrics,
            requirements,
            hash: String::new(),
            weights_place,
            book: books.phrases,
            pattern_book: books.patterns,
        };
        // Cannot fail: only strings, integers and maps with string keys.
        #[allow(clippy::expect_used)]
        let canonical = serde_json::to_vec(&scorecard).expect("a scorecard serialises");
        scorecard.hash = sha256_hex(&canonical);
        Ok(scorecard)
    }

    /// All `meaning` phrases of a language that need an embedding; sorted, distinct.
    pub fn meaning_phrases(&self, language: Language) -> Vec<String> {
        let matchers = self.requirements.iter().flat_map(|r| r.matchers.values().chain(&r.except));
        let phrases = matchers.filter_map(|m| match &m.pattern {
            Pattern::Meaning { phrases, .. } => Some(phrases.get(language)),
            _ => None,
        });
        phrases.flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// Least similarity of a `meaning` that names none. Each encoder has its own scale: at these, one phrase finds one of 10,000
/// turns of unrelated talk (the model cards give the tables).
fn usual_similarity(language: Language) -> f64 {
    match language {
        Language::En => 0.75,
        Language::Zh => 0.65,
    }
}

/// The name that is meant, or all that there are.
fn nearest_or_all(written: &str, known: &[&str], all: &str) -> Option<String> {
    did_you_mean(written, known.iter().copied()).or_else(|| Some(format!("{all}: {}", known.join(", "))))
}

fn unknown_act<T>(place: &Spanned<T>, act: &str, lexicon: &ActLexicon) -> ScorecardError {
    let known: Vec<&str> = lexicon.names().collect();
    ScorecardError::at(place, format!("unknown act `{act}`")).hint(nearest_or_all(act, &known, "acts"))
}

fn dimension(written: &Spanned<String>, names: &Names<'_>) -> Result<String, ScorecardError> {
    if names.dimensions.contains(&written.value) {
        return Ok(written.value.clone());
    }
    let hint = did_you_mean(&written.value, names.dimensions.iter().map(String::as_str))
        .or_else(|| Some("dimensions are the keys of `weights`".to_string()));
    Err(ScorecardError::at(written, format!("unknown dimension `{}`", written.value)).hint(hint))
}

fn metric(written: &Spanned<String>) -> Result<Metric, ScorecardError> {
    Metric::parse(&written.value).ok_or_else(|| {
        let hint = did_you_mean(&written.value, Metric::ALL.iter().map(|m| m.id()));
        ScorecardError::at(written, format!("unknown metric `{}`", written.value)).hint(hint)
    })
}

const CROSSED: &str = "`gte` is above `lte`: no value is both";
const WHOLE_PERMILLE: i64 = 1_000;

/// Whether a metric is a part of a whole, in per mille; changes in per mille may be larger.
pub(super) fn is_share(metric: Metric) -> bool {
    metric.id().ends_with("_permille") && !metric.id().ends_with("_change_permille")
}

fn more_than_all(metric: Metric) -> String {
    format!("`{}` is never above {WHOLE_PERMILLE} per mille", metric.id())
}

fn metrics(raw: Vec<RawMetric>, names: &Names<'_>) -> Result<Vec<MetricItem>, ScorecardError> {
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for entry in &raw {
        *uses.entry(entry.metric.value.clone()).or_default() += 1;
    }
    let mut ids = BTreeSet::new();
    let mut items = Vec::new();
    for entry in raw {
        let metric = metric(&entry.metric)?;
        let languages: Vec<&str> = entry.language.iter().map(|l| l.code()).collect();
        let id = match &entry.id {
            Some(id) => id.value.clone(),
            None if uses[&entry.metric.value] > 1 && !languages.is_empty() => {
                format!("{}_{}", metric.id(), languages.join("_"))
            }
            None => metric.id().to_string(),
        };
        if !ids.insert(id.clone()) {
            let hint = Some("give one of them an `id`".to_string());
            return Err(ScorecardError::at(&entry.metric, format!("metric id `{id}` is used twice")).hint(hint));
        }
        if let Some(warn) = entry.warn.as_ref().filter(|warn| warn.value.are_crossed()) {
            return Err(ScorecardError::at(warn, CROSSED.to_string()));
        }
        let full = entry.full.value;
        if is_share(metric) && full.low.into_iter().chain(full.high).any(|limit| limit > WHOLE_PERMILLE) {
            return Err(ScorecardError::at(&entry.full, more_than_all(metric)));
        }
        items.push(MetricItem {
            id,
            version: entry.version,
            metric,
            dimension: dimension(&entry.dimension, names)?,
            points: entry.points,
            trapezoid: trapezoid(&entry.full, entry.zero)?,
            warn: entry.warn.map(|warn| warn.value),
            when: entry.when.check(&BTreeMap::new())?,
            languages: entry.language,
            place: Place::of(&entry.metric),
        });
    }
    Ok(items)
}

/// `full` and `zero` as the four corners; a one-sided `full: {lte: c}` goes with `zero: {gte: d}`, and the reverse.
fn trapezoid(full: &Spanned<RawRange>, zero: RawRange) -> Result<Trapezoid, ScorecardError> {
    let wrong = |message: &str| Err(ScorecardError::at(full, message.to_string()));
    let range = full.value;
    let (zero_below, zero_above) = if zero.from_list { (zero.low, zero.high) } else { (zero.high, zero.low) };
    let corners = Trapezoid { zero_below, full_from: range.low, full_to: range.high, zero_above };
    if range.low.is_some() != zero_below.is_some() || range.high.is_some() != zero_above.is_some() {
        return wrong(
            "`zero` lies outside of `full`, on the same sides: full: [350, 500], zero: [200, 800]; full: {gte: 2}, zero: {lte: 0}; full: {lte: 100}, zero: {gte: 300}",
        );
    }
    if range.low.is_none() && range.high.is_none() {
        return wrong("`full` has no limit");
    }
    let corner = [corners.zero_below, corners.full_from, corners.full_to, corners.zero_above];
    let given: Vec<i64> = corner.into_iter().flatten().collect();
    if given.windows(2).any(|pair| pair[0] > pair[1]) {
        return wrong("the corners must rise: zero ≤ full ≤ full ≤ zero");
    }
    // a = b or c = d opens that side (SCORING.md §1).
    let open_low = corners.zero_below == corners.full_from;
    let open_high = corners.zero_above == corners.full_to;
    Ok(Trapezoid {
        zero_below: corners.zero_below.filter(|_| !open_low),
        full_from: corners.full_from.filter(|_| !open_low),
        full_to: corners.full_to.filter(|_| !open_high),
        zero_above: corners.zero_above.filter(|_| !open_high),
    })
}

/// Parses an expression and checks that its names are matchers.
fn expression(written: &Spanned<String>, matchers: &BTreeMap<String, Matcher>) -> Result<Expr, ScorecardError> {
    let parsed = operator::parse(&written.value).map_err(|e| ScorecardError::at(written, e.to_string()))?;
    for name in parsed.names() {
        if !matchers.contains_key(name) {
            let hint = did_you_mean(name, matchers.keys().map(String::as_str)).or_else(|| {
                Some(format!("known matchers: {}", matchers.keys().cloned().collect::<Vec<_>>().join(", ")))
            });
            return Err(ScorecardError::at(written, format!("`{name}` is not under `match`")).hint(hint));
        }
    }
    Ok(parsed)
}

impl RawWhen {
    fn check(self, matchers: &BTreeMap<String, Matcher>) -> Result<When, ScorecardError> {
        let parsed = self.expr.as_ref().map(|expr| expression(expr, matchers)).transpose()?;
        if let Some(duration) = self.duration_s.as_ref().filter(|duration| duration.value.are_crossed()) {
            return Err(ScorecardError::at(duration, CROSSED.to_string()));
        }
        let milliseconds = |Bounds { gte, lte }| Bounds { gte: gte.map(thousandths), lte: lte.map(thousandths) };
        Ok(When {
            call_types: self.call_type,
            campaigns: self.campaign,
            directions: self.direction,
            languages: self.language,
            media: self.medium,
            duration_ms: self.duration_s.map(|duration| milliseconds(duration.value)),
            first_contact: self.first_contact,
            expr: self.expr.map(|expr| expr.value),
            parsed,
        })
    }
}

impl RawRequirement {
    fn check(self, names: &Names<'_>, books: &mut Books) -> Result<Requirement, ScorecardError> {
        let wrong = |message: String| Err(ScorecardError::at(&self.id, format!("`{}`: {message}", self.id.value)));
        let (kind, rule) = match (self.require, self.forbid) {
            (Some(_), Some(_)) => return wrong("has both `require` and `forbid`".to_string()),
            (Some(rule), None) => (ItemKind::Required, Some(rule)),
            (None, Some(rule)) => (ItemKind::Forbidden, Some(rule)),
            (None, None) => (ItemKind::Required, None),
        };
        match (&rule, self.source) {
            (None, RawSource::Auto) => {
                return wrong("needs `require` or `forbid` (or `source: manual`)".to_string());
            }
            (Some(_), RawSource::Manual) => {
                return wrong("is `source: manual` and has a rule".to_string());
            }
            _ => {}
        }
        if self.points > 1_000 {
            return wrong("has more than 1000 points".to_string());
        }
        if kind == ItemKind::Required && (self.each || self.at_most.is_some()) {
            return wrong("`each` and `at_most` go with `forbid`".to_string());
        }
        if self.at_most == Some(0) || (self.at_most.is_some() && !self.each) {
            return wrong("`at_most` goes with `each: true` and is at least 1".to_string());
        }
        if let Some(cap) = self.cap.as_ref().filter(|cap| cap.value > 100) {
            return Err(ScorecardError::at(cap, "cap is more than 100 points".to_string()));
        }
        if self.cap.is_some() && self.severity != Severity::Fatal {
            return wrong("`cap` goes with `severity: fatal`".to_string());
        }
        if self.severity == Severity::Bonus && kind == ItemKind::Forbidden {
            return wrong("a bonus cannot be forbidden".to_string());
        }
        let dimension = dimension(&self.dimension, names)?;
        let role = rule.as_ref().and_then(|r| r.role);
        let within = rule.as_ref().and_then(|r| r.within);
        let mut matchers = BTreeMap::new();
        for (name, raw) in self.r#match.0 {
            if !operator::is_name(&name.value) {
                let message = format!("`{}` cannot name a matcher (a letter, then letters, digits, `_`)", name.value);
                return Err(ScorecardError::at(&name, message));
            }
            let says_it_itself = raw.unless.is_some();
            let mut matcher = raw.check(&name, names, books, role, within)?;
            if !says_it_itself && matcher.role == Some(Role::Rep) && matcher.pattern.is_of_words() {
                matcher.unless.clone_from(&self.unless);
            }
            matchers.insert(name.value, matcher);
        }
        let mut except = Vec::new();
        for raw in self.except {
            let place = Spanned::new("except".to_string(), raw.referenced, raw.defined);
            except.push(raw.value.check(&place, names, books, None, None)?);
        }
        let when = self.when.check(&matchers)?;
        let rule = match rule {
            None => None,
            Some(raw) => {
                let (expr, parsed) = match &raw.expr {
                    Some(written) => (written.value.clone(), expression(written, &matchers)?),
                    None if matchers.is_empty() => {
                        return Err(ScorecardError::at(&self.id, format!("`{}` has no matcher", self.id.value)));
                    }
                    // Without an expression any matcher will do.
                    None => (
                        matchers.keys().cloned().collect::<Vec<_>>().join(" or "),
                        Expr::Or(matchers.keys().cloned().map(Expr::Name).collect()),
                    ),
                };
                let place = raw.expr.as_ref().map_or(Place::of(&self.id), Place::of);
                Some(Rule { place, kind, expr, each: self.each, at_most: self.at_most, parsed })
            }
        };
        let mut examples = Vec::new();
        for raw in self.examples {
            examples.push(raw.check(names)?);
        }
        let place = Place::of(&self.id);
        Ok(Requirement {
            id: self.id.value,
            version: self.version,
            name: self.name,
            what: self.what,
            why: self.why,
            coach: self.coach,
            dimension,
            severity: self.severity,
            points: self.points,
            cap: self.cap.map(|cap| cap.value),
            when,
            matchers,
            rule,
            except,
            examples,
            place,
        })
    }
}

impl RawExample {
    fn check(self, names: &Names<'_>) -> Result<Example, ScorecardError> {
        use crate::record::Outcome;
        let outcomes = [
            ("met", Outcome::Met),
            ("missed", Outcome::Missed),
            ("violated", Outcome::Violated),
            ("clear", Outcome::Clear),
            ("n/a", Outcome::NotApplicable),
            ("not_applicable", Outcome::NotApplicable),
            ("unknown", Outcome::Unknown),
        ];
        let Some((_, expect)) = outcomes.iter().find(|(name, _)| *name == self.expect.value) else {
            let hint = did_you_mean(&self.expect.value, outcomes.iter().map(|(name, _)| *name))
                .or_else(|| Some("met, missed, violated, clear, n/a or unknown".to_string()));
            return Err(ScorecardError::at(&self.expect, format!("unknown result `{}`", self.expect.value)).hint(hint));
        };
        for act in self.turns.iter().flat_map(|t| &t.acts) {
            if !names.lexicon.names().any(|known| known == act) {
                return Err(unknown_act(&self.expect, act, names.lexicon));
            }
        }
        Ok(Example {
            turns: self.turns,
            expect: *expect,
            call_type: self.call_type,
            campaign: self.campaign,
            direction: self.direction,
            language: self.language,
            hung_up_by: self.hung_up_by,
            start_ts: self.start_ts,
            tz: self.tz,
            customer_tz: self.customer_tz,
            first_contact: self.first_contact,
        })
    }
}

/// `HH:MM` as minutes of the day; 24:00 is the end of it.
fn minute_of_day(written: &Spanned<String>) -> Result<i64, ScorecardError> {
    let parts = written.value.split_once(':').and_then(|(h, m)| Some((h.parse::<u8>().ok()?, m.parse::<u8>().ok()?)));
    match parts {
        Some((hour, minute)) if minute < 60 && (hour < 24 || (hour, minute) == (24, 0)) => {
            Ok(i64::from(hour) * 60 + i64::from(minute))
        }
        _ => Err(ScorecardError::at(written, format!("`{}` is no time of day like \"08:00\"", written.value))),
    }
}

impl RawMatcher {
    fn check(
        self,
        name: &Spanned<String>,
        names: &Names<'_>,
        books: &mut Books,
        role: Option<Role>,
        within: Option<RawWithin>,
    ) -> Result<Matcher, ScorecardError> {
        let wrong = |message: &str| Err(ScorecardError::at(name, format!("matcher `{}` {message}", name.value)));
        let permille = |value: Option<f64>, default: f64| {
            let value = value.unwrap_or(default);
            if (0.0..=1.0).contains(&value) { Ok(thousandths(value) as u16) } else { wrong_share(name) }
        };
        let kinds = [
            ("any", self.any.is_some()),
            ("all", self.all.is_some()),
            ("none", self.none.is_some()),
            ("n_of", self.n_of.is_some()),
            ("regex", self.regex.is_some()),
            ("meaning", self.meaning.is_some()),
            ("act", self.act.is_some()),
            ("stage", self.stage.is_some()),
            ("sentiment", self.sentiment.is_some()),
            ("silence", self.silence.is_some()),
            ("overlap", self.overlap.is_some()),
            ("metric", self.metric.is_some()),
            ("pace", self.pace.is_some()),
            ("loudness", self.loudness.is_some()),
            ("duration", self.duration.is_some()),
            ("hangup", self.hangup.is_some()),
            ("repeat", self.repeat.is_some()),
            ("local_time", self.local_time.is_some()),
        ];
        let given: Vec<&str> = kinds.iter().filter(|(_, there)| *there).map(|(kind, _)| *kind).collect();
        let [kind] = given[..] else {
            let all: Vec<&str> = kinds.iter().map(|(kind, _)| *kind).collect();
            let message = format!("needs exactly one of {}; it has {}", all.join(", "), given.len());
            return wrong(&message);
        };
        let by_phrase = ["any", "all", "none", "n_of"].contains(&kind);
        // A qualifier that the kind does not read would be silently without effect.
        for (qualifier, there, allowed) in [
            ("must", self.must.is_some(), by_phrase),
            ("not", self.not.is_some(), by_phrase || kind == "regex"),
            ("unless", self.unless.is_some(), by_phrase || kind == "regex"),
            ("threshold", self.threshold.is_some(), by_phrase || kind == "regex"),
            ("similarity", self.similarity.is_some(), kind == "meaning"),
            ("p", self.p.is_some(), kind == "act"),
            ("near", self.near.is_some(), kind == "all" || kind == "n_of"),
            ("period", self.period.is_some(), ["sentiment", "pace", "loudness", "duration"].contains(&kind)),
            ("explained", self.explained.is_some(), kind == "silence"),
            ("gte", self.gte.is_some(), kind == "metric"),
            ("lte", self.lte.is_some(), kind == "metric"),
        ] {
            if there && !allowed {
                return wrong(&format!("has `{qualifier}`, which means nothing with `{kind}`"));
            }
        }
        if self.role == Some(Role::Unknown) {
            return wrong("has role `unknown`; it is rep or customer");
        }
        let crossed = self.sentiment.is_some_and(|bounds| bounds.are_crossed())
            || self.loudness.is_some_and(|bounds| bounds.are_crossed())
            || self.duration.as_ref().is_some_and(|d| Bounds { gte: d.gte_s, lte: d.lte_s }.are_crossed())
            || self.pace.as_ref().is_some_and(|pace| {
                let everywhere = Bounds { gte: pace.gte, lte: pace.lte };
                [Some(everywhere), pace.en, pace.zh].into_iter().flatten().any(|bounds| bounds.are_crossed())
            })
            || Bounds { gte: self.gte, lte: self.lte }.are_crossed();
        if crossed {
            return wrong(&format!("cannot be found: {CROSSED}"));
        }
        let mut regex_place = None;
        let period = self.period.unwrap_or(Period::Turn);
        let is_change = matches!(period, Period::TurnChange | Period::Shift);
        let of_one_role = !matches!(period, Period::Turn | Period::TurnChange);
        if of_one_role && (kind == "pace" || kind == "loudness") && self.role.or(role).is_none() {
            return wrong(&format!("needs a `role`: `{kind}` over a part of the call is one side's"));
        }
        let pattern = if let Some(phrases) = self.any {
            Pattern::Any(phrases)
        } else if let Some(phrases) = self.all {
            Pattern::All(phrases)
        } else if let Some(phrases) = self.none {
            Pattern::None(phrases)
        } else if let Some(RawAtLeast { n, of }) = self.n_of {
            if n == 0 || of.0.values().any(|list| (list.0.len() as u32) < n) {
                return wrong("has `n` of 0, or more than there are phrases");
            }
            Pattern::AtLeast { n, of }
        } else if let Some(patterns) = self.regex {
            regex_place = Some(Spanned::new((), patterns.referenced, patterns.defined));
            Pattern::Regex(patterns.value)
        } else if let Some(phrases) = self.meaning {
            let of = |language| Ok((language, i64::from(permille(self.similarity, usual_similarity(language))?)));
            let similarity_permille = Language::ALL.into_iter().map(of).collect::<Result<_, _>>()?;
            Pattern::Meaning { phrases, similarity_permille }
        } else if let Some(act) = self.act {
            if !names.lexicon.names().any(|known| known == act.value) {
                return Err(unknown_act(&act, &act.value, names.lexicon));
            }
            Pattern::Act { act: act.value, permille: self.p.map(|p| permille(Some(p), p)).transpose()? }
        } else if let Some(stage) = self.stage {
            if !names.stages.contains(&stage.value) {
                let listed: Vec<&str> = names.stages.iter().map(String::as_str).collect();
                let known = names.lexicon.stage_names();
                // A stage that acts have counts only where the scorecard lists it.
                let hint = if known.contains(&stage.value.as_str()) {
                    Some(format!("add it to `stages`, here [{}]", listed.join(", ")))
                } else {
                    nearest_or_all(&stage.value, &known, "acts have the stages")
                };
                return Err(ScorecardError::at(&stage, format!("unknown stage `{}`", stage.value)).hint(hint));
            }
            Pattern::Stage(stage.value)
        } else if let Some(bounds) = self.sentiment {
            let points = Bounds { gte: bounds.gte.map(thousandths), lte: bounds.lte.map(thousandths) };
            let most = if matches!(period, Period::TurnChange | Period::Shift) { 10_000 } else { 5_000 };
            if points == Bounds::default() || points.gte.into_iter().chain(points.lte).any(|v| v.abs() > most) {
                return wrong("needs `gte` or `lte` between -5 and 5 (of a change, between -10 and 10)");
            }
            Pattern::Sentiment { bounds: points, period }
        } else if let Some(silence) = self.silence {
            Pattern::Silence { gte_ms: thousandths(silence.gte_s), explained: self.explained }
        } else if let Some(overlap) = self.overlap {
            Pattern::Overlap { gte_ms: overlap.gte_ms }
        } else if let Some(written) = self.metric {
            let bounds = Bounds { gte: self.gte, lte: self.lte };
            if bounds == Bounds::default() {
                return wrong("needs `gte` or `lte`");
            }
            let metric = metric(&written)?;
            if is_share(metric) && bounds.gte.into_iter().chain(bounds.lte).any(|limit| limit > WHOLE_PERMILLE) {
                return Err(ScorecardError::at(&written, more_than_all(metric)));
            }
            Pattern::Metric { metric, bounds }
        } else if let Some(RawPace { gte, lte, en, zh }) = self.pace {
            let everywhere = Bounds { gte, lte };
            let of_language = |own: Option<Bounds<i64>>| own.unwrap_or(everywhere);
            if (everywhere != Bounds::default()) == (en.is_some() || zh.is_some()) {
                return wrong("needs either `gte` or `lte`, or bounds per language");
            }
            let tenfold = |b: Bounds<i64>| Bounds {
                gte: b.gte.map(|v| v.saturating_mul(10)),
                lte: b.lte.map(|v| v.saturating_mul(10)),
            };
            let bounds = [(Language::En, of_language(en)), (Language::Zh, of_language(zh))];
            let bounds = bounds.into_iter().filter(|(_, b)| *b != Bounds::default());
            // A change is written in per cent.
            Pattern::Pace { bounds: bounds.map(|(l, b)| (l, if is_change { tenfold(b) } else { b })).collect(), period }
        } else if let Some(bounds) = self.loudness {
            let centi = |v: f64| thousandths(v) / 10;
            let bounds = Bounds { gte: bounds.gte.map(centi), lte: bounds.lte.map(centi) };
            if bounds == Bounds::default() {
                return wrong("needs `gte` or `lte`");
            }
            Pattern::Loudness { bounds, period }
        } else if let Some(RawDuration { gte_s, lte_s }) = self.duration {
            let bounds = Bounds { gte: gte_s.map(thousandths), lte: lte_s.map(thousandths) };
            if bounds == Bounds::default() {
                return wrong("needs `gte_s` or `lte_s`");
            }
            let period = self.period.unwrap_or(Period::Call);
            if !matches!(period, Period::Call | Period::Turn) {
                return wrong("has a `period` that no `duration` has; it is call or turn");
            }
            Pattern::Duration { bounds, period }
        } else if let Some(side) = self.hangup {
            Pattern::HangUp(side)
        } else if let Some(RawRepeat { words, times, turns }) = self.repeat {
            if words == 0 || times < 2 {
                return wrong("needs `words` of at least 1 and `times` of at least 2");
            }
            Pattern::Repeat { words, times, turns }
        } else if let Some(RawLocalTime { from, to, zone }) = self.local_time {
            let (from_minute, to_minute) = (minute_of_day(&from)?, minute_of_day(&to)?);
            if from_minute == to_minute {
                return Err(ScorecardError::at(&to, "`from` and `to` are the same time".to_string()));
            }
            Pattern::LocalTime { from_minute, to_minute, clock: zone }
        } else {
            return wrong("is empty");
        };
        let must = self.must.unwrap_or_default();
        let not = self.not.unwrap_or_default();
        if pattern.phrases().is_some_and(Phrases::is_empty) {
            return wrong("has no phrase");
        }
        let mut compiled: BTreeMap<Language, Compiled> = BTreeMap::new();
        if let Some(phrases) = pattern.phrases() {
            for language in phrases.0.keys() {
                if !names.languages.contains(language) {
                    let message =
                        format!("has phrases in `{}`, which is not a `language` of the scorecard", language.code());
                    return wrong(&message);
                }
                let mut part = Compiled::default();
                if kind == "regex" {
                    let place = regex_place.as_ref().map_or(name.referenced, |p| p.referenced);
                    part.regexes = compile_patterns(phrases.get(*language), name, place)?;
                    part.not_regexes = compile_patterns(not.get(*language), name, place)?;
                    if self.threshold.is_some() {
                        part.mended = Some(books.patterns.add(phrases.get(*language), *language));
                    }
                } else if by_phrase {
                    let mut add = |list: &[String]| -> Result<Vec<PhraseId>, ScorecardError> {
                        let ids: Option<Vec<PhraseId>> = list.iter().map(|p| books.phrases.add(p, *language)).collect();
                        let empty =
                            || ScorecardError::at(name, format!("matcher `{}` has an empty phrase", name.value));
                        ids.ok_or_else(empty)
                    };
                    part.phrases = add(phrases.get(*language))?;
                    part.not = add(not.get(*language))?;
                    part.must = must.get(*language).iter().filter_map(|w| MustWord::new(w, *language)).collect();
                }
                compiled.insert(*language, part);
            }
        }
        let within = self.within.or(within).map_or(Within::default(), |w| Within {
            first_ms: w.first_s.map(thousandths),
            first_turns: w.first_turns,
            last_ms: w.last_s.map(thousandths),
            last_turns: w.last_turns,
        });
        let threshold_permille = self.threshold.map(|t| permille(Some(t), t)).transpose()?;
        // Sentiment is the customer's unless the scorecard says otherwise; an act's speaker is the lexicon's.
        let default_role = match &pattern {
            Pattern::Sentiment { .. } => role.or(Some(Role::Customer)),
            Pattern::Act { act, .. } => names.lexicon.role_of(act).or(role),
            _ => role,
        };
        Ok(Matcher {
            pattern,
            must,
            not,
            unless: self.unless.unwrap_or_default(),
            role: self.role.or(default_role),
            within,
            threshold_permille,
            near_words: self.near,
            place: Place::of(name),
            compiled,
        })
    }
}

fn wrong_share(name: &Spanned<String>) -> Result<u16, ScorecardError> {
    Err(ScorecardError::at(name, format!("matcher `{}`: probabilities and thresholds are between 0 and 1", name.value)))
}

fn compile_patterns(
    patterns: &[String],
    name: &Spanned<String>,
    place: serde_saphyr::Location,
) -> Result<Vec<Regex>, ScorecardError> {
    let compile = |pattern: &String| {
        let built = RegexBuilder::new(pattern)
            .case_insensitive(true)
            .size_limit(MAX_PATTERN_BYTES)
            // What a lazy automaton may keep of its states, for each thread and pattern: there are hundreds.
            .dfa_size_limit(MAX_PATTERN_BYTES / 8)
            .build();
        let regex = built.map_err(|error| {
            let reason = match error {
                regex::Error::CompiledTooBig(_) => "it is too large when compiled".to_string(),
                // The last line of a syntax error says what is wrong; those before draw the pattern.
                other => other.to_string().lines().last().unwrap_or_default().trim().to_string(),
            };
            let message = format!("matcher `{}`: bad pattern: {reason}", name.value);
            ScorecardError::new(place.line(), place.column(), &message)
        })?;
        if regex.is_match("") {
            let message = format!("matcher `{}`: the pattern matches empty text", name.value);
            return Err(ScorecardError::new(place.line(), place.column(), &message));
        }
        Ok(regex)
    };
    patterns.iter().map(compile).collect()
}
