//! From items to a score: worth, ledger, limits, caps, reviews, verdict (the formula of SCORING.md §1, in integers).
//!
//! The unit is the millipoint: 100,000 = 100 points. The score is the sum of the ledger's rows, by definition. Rows, in
//! this order: the items in scorecard order, `limit`, caps of fatals confirmed by measured precision, then what people
//! decided. A decision never changes an earlier row: its own row carries the difference it makes.

use std::collections::{BTreeMap, BTreeSet};

use crate::conversation;
use crate::record::{
    Decision, DimensionScore, Evaluation, Evidence, ItemKind, ItemResult, LedgerRow, MatchType, Outcome, RowKind,
    Severity, Status, UnscoredReason, Verdict,
};
use crate::signals;
use crate::statistics;
use crate::transcript::{Medium, Role, RoleMethod, Transcript};

/// The most a call can score.
pub const FULL_SCORE: i64 = 100_000;
/// A call with less speech is not scored.
pub const MIN_TALK_MS: i64 = 30_000;
/// A text with fewer turns is not scored.
pub const MIN_TURNS: usize = 4;
/// Below this nobody can be sure who is the rep. Engineering guess of SCORING.md.
pub const MIN_ROLE_CONFIDENCE_PERMILLE: u16 = 800;
/// A fatal whose measured precision is at least this (lower Wilson bound) needs no confirmation. Engineering guess.
pub const TRUSTED_PRECISION: f64 = 0.80;

/// What a scorecard and its review history say about scoring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoringRules {
    /// Dimension and weight, in scorecard order.
    pub weights: Vec<(String, u32)>,
    /// Scores from here pass.
    pub pass_millipoints: i64,
    /// Scores from here to `pass_millipoints` are `coach`, lower ones `flag`.
    pub coach_millipoints: i64,
    /// A confirmed fatal brings the score down to this unless `fatal_caps` says otherwise.
    pub fatal_cap_millipoints: i64,
    /// Requirement id → its own cap.
    pub fatal_caps: BTreeMap<String, i64>,
    /// Requirement id → (violations that reviewers agreed with, violations reviewed).
    pub precision: BTreeMap<String, (u32, u32)>,
}

impl Default for ScoringRules {
    fn default() -> ScoringRules {
        let weights = [
            ("compliance", 30),
            ("script_flow", 15),
            ("discovery", 20),
            ("handling", 20),
            ("customer_emotion", 10),
            ("close", 5),
        ];
        ScoringRules {
            weights: weights.iter().map(|(name, weight)| (name.to_string(), *weight)).collect(),
            pass_millipoints: 85_000,
            coach_millipoints: 70_000,
            fatal_cap_millipoints: 0,
            fatal_caps: BTreeMap::new(),
            precision: BTreeMap::new(),
        }
    }
}

/// A score with everything that explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scored {
    pub status: Status,
    /// Only when unscored: nothing was applicable.
    pub reason: Option<UnscoredReason>,
    /// Only when scored.
    pub verdict: Option<Verdict>,
    /// Σ of the ledger's points; uncapped for unconfirmed fatals.
    pub score: Option<i64>,
    /// With all unknown items missed or violated.
    pub low: Option<i64>,
    /// With all unknown items met or clear.
    pub high: Option<i64>,
    pub ledger: Vec<LedgerRow>,
    pub dimensions: Vec<DimensionScore>,
    /// What a person must decide first: unconfirmed fatals, and unknown items when they decide the verdict.
    pub pending: Vec<String>,
    /// Confirmed fatals.
    pub fatal_count: u32,
}

/// Name, version and content hash of a scorecard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScorecardId<'a> {
    pub name: &'a str,
    pub version: u32,
    pub hash: &'a str,
}

/// Why a call cannot be scored; `None`: it can (SCORING.md §1, "Eligible"). What the call is comes first, how well it was
/// recognised last.
pub fn eligibility(transcript: &Transcript) -> Option<UnscoredReason> {
    let spoke = |role: Role| transcript.turns.iter().any(|turn| turn.role == role && !turn.text.trim().is_empty());
    let (rep, customer, unknown) = (spoke(Role::Rep), spoke(Role::Customer), spoke(Role::Unknown));
    if !rep && !customer && !unknown {
        // A call that was not even recognised has no confidence: the recogniser does not know its language.
        let not_recognised = transcript.medium == Medium::Speech && transcript.recogniser_confidence_permille.is_none();
        if not_recognised && transcript.language.is_none() {
            return Some(UnscoredReason::WrongLanguage);
        }
        return Some(conversation::without_words(transcript));
    }
    if let Some(reason) = conversation::no_conversation(transcript) {
        return Some(reason);
    }
    if transcript.role_method == RoleMethod::None || (unknown && !(rep && customer)) {
        return Some(UnscoredReason::MonoRolesUnknown);
    }
    if !(rep && customer) {
        return Some(UnscoredReason::OneSided);
    }
    if transcript.role_confidence_permille < MIN_ROLE_CONFIDENCE_PERMILLE {
        return Some(UnscoredReason::RoleUncertain);
    }
    if transcript.language.is_none() {
        return Some(UnscoredReason::WrongLanguage);
    }
    let too_short = match transcript.medium {
        Medium::Speech => signals::sides_talk_time_ms(transcript) < MIN_TALK_MS,
        Medium::Text => transcript.turns.iter().filter(|turn| !turn.text.trim().is_empty()).count() < MIN_TURNS,
    };
    if too_short {
        return Some(UnscoredReason::TooShort);
    }
    let floor = transcript.confidence_floor_permille.unwrap_or(0);
    transcript
        .recogniser_confidence_permille
        .is_some_and(|confidence| confidence < floor)
        .then_some(UnscoredReason::LowRecogniserConfidence)
}

/// Eligibility and score in one: the call's evaluation. `confirmed` holds the last final decision per requirement.
pub fn evaluate(
    transcript: &Transcript,
    rules: &ScoringRules,
    items: &[ItemResult],
    confirmed: &BTreeMap<String, Decision>,
    scorecard: ScorecardId,
) -> Evaluation {
    if let Some(reason) = eligibility(transcript) {
        return unscored(reason, Some(scorecard));
    }
    evaluate_eligible(rules, items, confirmed, scorecard)
}

/// As [`evaluate`], for a call of which it is known that it can be scored.
pub fn evaluate_eligible(
    rules: &ScoringRules,
    items: &[ItemResult],
    confirmed: &BTreeMap<String, Decision>,
    scorecard: ScorecardId,
) -> Evaluation {
    let scored = score(rules, items, confirmed);
    Evaluation {
        status: scored.status,
        reason: scored.reason,
        verdict: scored.verdict,
        score: scored.score,
        score_low: scored.low,
        score_high: scored.high,
        fatal_count: scored.fatal_count,
        pending: scored.pending,
        dimensions: scored.dimensions,
        ledger: scored.ledger,
        scorecard: scorecard.name.to_string(),
        scorecard_version: scorecard.version,
        scorecard_hash: scorecard.hash.to_string(),
    }
}

/// The evaluation of a call without a score. `scorecard` is `None` when no scorecard fits.
pub fn unscored(reason: UnscoredReason, scorecard: Option<ScorecardId>) -> Evaluation {
    Evaluation {
        status: Status::Unscored,
        reason: Some(reason),
        verdict: None,
        score: None,
        score_low: None,
        score_high: None,
        fatal_count: 0,
        pending: Vec::new(),
        dimensions: Vec::new(),
        ledger: Vec::new(),
        scorecard: scorecard.map_or(String::new(), |s| s.name.to_string()),
        scorecard_version: scorecard.map_or(0, |s| s.version),
        scorecard_hash: scorecard.map_or(String::new(), |s| s.hash.to_string()),
    }
}

/// Scores the items of one call.
///
/// A decision of a person about a requirement: `Agree` confirms the result, `Overturn` turns it round (missed ↔ met,
/// violated ↔ clear, a metric gets its full worth). An unknown item has no result to agree with: there `Agree` says met
/// or clear, `Overturn` missed or violated; this is how manual items are answered. `Comment` changes nothing.
pub fn score(rules: &ScoringRules, items: &[ItemResult], confirmed: &BTreeMap<String, Decision>) -> Scored {
    let mut state = State { rules, items: items.to_vec(), fatal: trusted_fatals(rules, items) };
    let worth = worths(rules, items);
    let mut ledger: Vec<LedgerRow> = items.iter().zip(&worth).map(|(item, worth)| item_row(item, *worth)).collect();
    let raw: i64 = ledger.iter().map(|row| row.points).sum();
    let limit = raw.clamp(0, FULL_SCORE) - raw;
    if limit != 0 {
        ledger.push(limit_row(limit));
    }
    let mut running = raw + limit;
    for item in items.iter().filter(|item| state.fatal.contains(&item.id)) {
        let points = (rules.cap(&item.id) - running).min(0);
        running += points;
        ledger.push(row(item, RowKind::Cap, points, 0));
    }
    for (i, item) in items.iter().enumerate() {
        let Some(kind) = state.decide(i, confirmed.get(&item.id).copied()) else { continue };
        let score = state.score();
        ledger.push(row(&state.items[i], kind, score - running, 0));
        running = score;
    }

    let applicable = worths(rules, &state.items).iter().any(|worth| worth.is_some());
    if !applicable {
        // Without a score a row moves nothing; but what was found stays to be seen, and to be decided.
        ledger.retain(|row| row.kind != RowKind::Limit);
        for row in &mut ledger {
            (row.points, row.possible) = (0, 0);
        }
        return Scored {
            status: Status::Unscored,
            reason: Some(UnscoredReason::NothingApplicable),
            verdict: None,
            score: None,
            low: None,
            high: None,
            ledger,
            dimensions: Vec::new(),
            pending: state.unconfirmed_fatals(confirmed),
            fatal_count: state.fatal.len() as u32,
        };
    }
    let (low, high) = (state.with_unknown(false), state.with_unknown(true));
    // An unknown fatal may be a failed one: `low` shows it among its suspects.
    let mut pending = state.unconfirmed_fatals(confirmed);
    let verdicts_differ = low.verdict() != high.verdict();
    let suspects = low.unconfirmed_fatals(confirmed);
    pending.extend(
        state.open_items().filter(|item| verdicts_differ || suspects.contains(&item.id)).map(|item| item.id.clone()),
    );
    let status = if pending.is_empty() { Status::Scored } else { Status::PendingReview };
    Scored {
        status,
        reason: None,
        verdict: (status == Status::Scored).then(|| state.verdict()),
        score: Some(running),
        low: Some(low.score()),
        high: Some(high.score()),
        dimensions: dimensions(rules, &state.items),
        ledger,
        pending,
        fatal_count: state.fatal.len() as u32,
    }
}

impl ScoringRules {
    fn cap(&self, id: &str) -> i64 {
        self.fatal_caps.get(id).copied().unwrap_or(self.fatal_cap_millipoints).clamp(0, FULL_SCORE)
    }

    fn verdict(&self, score: i64) -> Verdict {
        if score >= self.pass_millipoints {
            Verdict::Pass
        } else if score >= self.coach_millipoints {
            Verdict::Coach
        } else {
            Verdict::Flag
        }
    }
}

/// Items as decided so far, and the fatals that are confirmed.
#[derive(Clone)]
struct State<'a> {
    rules: &'a ScoringRules,
    items: Vec<ItemResult>,
    fatal: BTreeSet<String>,
}

impl<'a> State<'a> {
    /// The score these items have, from scratch.
    fn score(&self) -> i64 {
        let worth = worths(self.rules, &self.items);
        let raw: i64 = self.items.iter().zip(worth).map(|(item, worth)| points(item, worth.unwrap_or(0))).sum();
        self.fatal.iter().map(|id| self.rules.cap(id)).fold(raw.clamp(0, FULL_SCORE), i64::min)
    }

    fn verdict(&self) -> Verdict {
        if self.fatal.is_empty() { self.rules.verdict(self.score()) } else { Verdict::AutoFail }
    }

    /// Applies a person's decision to item `i`; the kind of the row it needs, if any.
    fn decide(&mut self, i: usize, decision: Option<Decision>) -> Option<RowKind> {
        let item = &mut self.items[i];
        let outcome = match (decision?, item.outcome, item.kind) {
            (Decision::Comment, _, _) | (_, Outcome::NotApplicable, _) => return None,
            (Decision::Agree, Outcome::Unknown, kind) => fulfilled(kind),
            (Decision::Overturn, Outcome::Unknown, kind) => failed(kind),
            (Decision::Agree, outcome, _) => {
                // Only a fatal needs a person's word; one that is capped already keeps its row.
                let confirms = is_failed_fatal(item, outcome) && self.fatal.insert(item.id.clone());
                return confirms.then_some(RowKind::Cap);
            }
            (Decision::Overturn, _, ItemKind::Metric) => Outcome::Met,
            (Decision::Overturn, Outcome::Met | Outcome::Clear, kind) => failed(kind),
            (Decision::Overturn, Outcome::Missed | Outcome::Violated, kind) => fulfilled(kind),
        };
        settle(item, outcome);
        if is_failed_fatal(item, outcome) {
            self.fatal.insert(item.id.clone());
        } else {
            self.fatal.remove(&item.id);
        }
        Some(RowKind::Review)
    }

    /// Unknown items that hold a call back: not manual ones, and none that cannot move the score.
    fn open_items(&self) -> impl Iterator<Item = &ItemResult> {
        let holds = |item: &&ItemResult| {
            item.outcome == Outcome::Unknown && !item.manual && item.severity != Severity::Advisory
        };
        self.items.iter().filter(holds)
    }

    /// The same call with every open item decided one way.
    fn with_unknown(&self, good: bool) -> State<'a> {
        let open: BTreeSet<String> = self.open_items().map(|item| item.id.clone()).collect();
        let mut state = self.clone();
        for item in state.items.iter_mut().filter(|item| open.contains(&item.id)) {
            let outcome = if good { fulfilled(item.kind) } else { failed(item.kind) };
            settle(item, outcome);
        }
        if !good {
            let trusted = trusted_fatals(self.rules, &state.items);
            state.fatal.extend(trusted.into_iter().filter(|id| open.contains(id)));
        }
        state
    }

    /// Suspected fatals that nobody decided and that could still lower the score.
    fn unconfirmed_fatals(&self, confirmed: &BTreeMap<String, Decision>) -> Vec<String> {
        let lowest = self.fatal.iter().map(|id| self.rules.cap(id)).min();
        let decided = |id: &str| matches!(confirmed.get(id), Some(Decision::Agree | Decision::Overturn));
        self.items
            .iter()
            .filter(|item| is_failed_fatal(item, item.outcome) && !self.fatal.contains(&item.id) && !decided(&item.id))
            .filter(|item| lowest.is_none_or(|lowest| self.rules.cap(&item.id) < lowest))
            .map(|item| item.id.clone())
            .collect()
    }
}

fn fulfilled(kind: ItemKind) -> Outcome {
    if kind == ItemKind::Forbidden { Outcome::Clear } else { Outcome::Met }
}

fn failed(kind: ItemKind) -> Outcome {
    if kind == ItemKind::Forbidden { Outcome::Violated } else { Outcome::Missed }
}

fn settle(item: &mut ItemResult, outcome: Outcome) {
    item.outcome = outcome;
    item.value_permille = if matches!(outcome, Outcome::Met | Outcome::Clear) { 1000 } else { 0 };
    item.violations = u32::from(outcome == Outcome::Violated);
}

fn is_failed_fatal(item: &ItemResult, outcome: Outcome) -> bool {
    item.severity == Severity::Fatal && matches!(outcome, Outcome::Missed | Outcome::Violated)
}

/// Whether (agreed, reviewed) prove a precision of at least [`TRUSTED_PRECISION`].
pub fn precise_enough((agreed, reviewed): (u32, u32)) -> bool {
    statistics::wilson(agreed.into(), reviewed.into(), statistics::Z95)
        .is_some_and(|interval| interval.low >= TRUSTED_PRECISION)
}

/// Failed fatals whose requirement proved precise enough in reviews to stand without a person.
fn trusted_fatals(rules: &ScoringRules, items: &[ItemResult]) -> BTreeSet<String> {
    let trusted = |id: &str| rules.precision.get(id).copied().is_some_and(precise_enough);
    items
        .iter()
        .filter(|item| is_failed_fatal(item, item.outcome) && trusted(&item.id))
        .map(|item| item.id.clone())
        .collect()
}

/// Whether the item shares in the 100 points: required and measured ones with a known result.
fn shares(item: &ItemResult) -> bool {
    item.kind != ItemKind::Forbidden
        && !matches!(item.severity, Severity::Bonus | Severity::Advisory)
        && !matches!(item.outcome, Outcome::NotApplicable | Outcome::Unknown)
}

/// What each item is worth: 100,000·w_d·u / (W·U_d), rounded by largest remainder, ties in scorecard order, so that the
/// worths sum to 100,000. `None` for items that do not share; all `None` when nothing is applicable.
fn worths(rules: &ScoringRules, items: &[ItemResult]) -> Vec<Option<i64>> {
    let mut in_dimension: BTreeMap<&str, u128> = BTreeMap::new();
    for item in items.iter().filter(|item| shares(item)) {
        *in_dimension.entry(&item.dimension).or_default() += u128::from(item.points);
    }
    let weight_of = |dimension: &str| {
        rules.weights.iter().find(|(name, _)| name == dimension).map_or(0, |(_, weight)| u128::from(*weight))
    };
    let weights: u128 = in_dimension.iter().filter(|(_, points)| **points > 0).map(|(name, _)| weight_of(name)).sum();
    if weights == 0 {
        return vec![None; items.len()];
    }
    let mut worth: Vec<Option<i64>> = vec![None; items.len()];
    // (index, remainder, U_d): the fraction cut off is remainder / (W·U_d), and W is common to all.
    let mut cut: Vec<(usize, u128, u128)> = Vec::new();
    for (i, item) in items.iter().enumerate().filter(|(_, item)| shares(item)) {
        let points = in_dimension[item.dimension.as_str()].max(1);
        let exact = FULL_SCORE as u128 * weight_of(&item.dimension) * u128::from(item.points);
        worth[i] = Some((exact / (weights * points)) as i64);
        cut.push((i, exact % (weights * points), points));
    }
    let missing = FULL_SCORE - worth.iter().flatten().sum::<i64>();
    cut.sort_by(|(i, a, u), (j, b, v)| (b * u).cmp(&(a * v)).then(i.cmp(j)));
    for (i, _, _) in cut.iter().take(missing.max(0) as usize) {
        worth[*i] = worth[*i].map(|worth| worth + 1);
    }
    worth
}

/// Points of an item's row.
fn points(item: &ItemResult, worth: i64) -> i64 {
    let u = 1000 * i64::from(item.points);
    match (item.kind, item.severity, item.outcome) {
        (_, Severity::Advisory, _) => 0,
        (ItemKind::Forbidden, Severity::Bonus, _) => 0,
        (ItemKind::Forbidden, _, Outcome::Violated) => -u * i64::from(item.violations.max(1)),
        (ItemKind::Forbidden, ..) => 0,
        (_, _, Outcome::NotApplicable | Outcome::Unknown) => 0,
        (_, Severity::Bonus, _) => u * i64::from(item.value_permille.min(1000)) / 1000,
        _ => worth * i64::from(item.value_permille.min(1000)) / 1000,
    }
}

fn item_row(item: &ItemResult, worth: Option<i64>) -> LedgerRow {
    let worth = worth.unwrap_or(0);
    row(item, RowKind::Item, points(item, worth), worth)
}

fn row(item: &ItemResult, kind: RowKind, points: i64, possible: i64) -> LedgerRow {
    let missing = Evidence {
        turn: None,
        begin_ms: 0,
        end_ms: 0,
        quote: String::new(),
        match_type: match item.kind {
            ItemKind::Metric => MatchType::Metric,
            _ if item.manual => MatchType::Manual,
            _ => MatchType::Window,
        },
        confidence_permille: 1000,
    };
    let first = item.evidence.first().unwrap_or(&missing);
    LedgerRow {
        kind,
        requirement_id: if kind == RowKind::Cap { format!("cap:{}", item.id) } else { item.id.clone() },
        version: item.version,
        dimension: item.dimension.clone(),
        severity: item.severity,
        result: item.outcome,
        points,
        possible,
        weight: item.points,
        value_permille: item.value_permille,
        metric_value: item.metric_value,
        confidence_permille: first.confidence_permille,
        begin_ms: first.begin_ms,
        end_ms: first.end_ms,
        quote: first.quote.clone(),
        match_type: if kind == RowKind::Review { MatchType::Review } else { first.match_type },
        evidence: item.evidence.clone(),
    }
}

fn limit_row(points: i64) -> LedgerRow {
    LedgerRow {
        kind: RowKind::Limit,
        requirement_id: "limit".to_string(),
        version: 0,
        dimension: String::new(),
        severity: Severity::Advisory,
        result: Outcome::NotApplicable,
        points,
        possible: 0,
        weight: 0,
        value_permille: 0,
        metric_value: None,
        confidence_permille: 1000,
        begin_ms: 0,
        end_ms: 0,
        quote: String::new(),
        match_type: MatchType::Window,
        evidence: Vec::new(),
    }
}

/// Earned and possible points per dimension after reviews, in the order of the weights.
fn dimensions(rules: &ScoringRules, items: &[ItemResult]) -> Vec<DimensionScore> {
    let worth = worths(rules, items);
    let mut names: Vec<&str> = rules.weights.iter().map(|(name, _)| name.as_str()).collect();
    for item in items {
        if !names.contains(&item.dimension.as_str()) {
            names.push(&item.dimension);
        }
    }
    let of = |name: &str| {
        let (mut earned, mut possible, mut deductions) = (0, 0, 0);
        for (item, worth) in items.iter().zip(&worth).filter(|(item, _)| item.dimension == name) {
            let points = points(item, worth.unwrap_or(0));
            possible += worth.unwrap_or(0);
            match worth {
                Some(_) => earned += points,
                None => deductions += points.min(0),
            }
        }
        let share = (possible > 0).then(|| (1000 * earned / possible) as u16);
        DimensionScore { dimension: name.to_string(), points: earned, possible, share_permille: share, deductions }
    };
    names.into_iter().map(of).collect()
}
