//! What a scorecard would do to stored calls before it ships: the difference to another one, what it covers, and local quantiles
//! for its trapezoids. Call by call in, one report out; points are millipoints (100,000 = 100 points).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::adherence::coverage::RequirementUse;
use crate::performance::UNASSIGNED;
use crate::record::{Evaluation, ItemKind, ItemResult, Outcome, RowKind, Status};
use crate::recording::Language;
use crate::scorecard::{MetricItem, Scorecard, Trapezoid};

/// Calls that a difference names.
const NAMED_CALLS: usize = 20;
/// Fewer values carry no quantile at the tenth: ten calls lie beyond it at this number. Engineering guess.
pub const MIN_VALUES: usize = 100;

// ---------------------------------------------------------------- difference

/// What changes when one scorecard replaces another, collected call by call.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    calls: u64,
    changed: u64,
    verdicts: BTreeMap<(String, String), u64>,
    both: Means,
    requirements: BTreeMap<String, RequirementDifference>,
    reps: BTreeMap<String, Means>,
    largest: Vec<CallDifference>,
}

/// Sums over calls that have a score under both.
#[derive(Clone, Copy, Debug, Default)]
struct Means {
    n: u64,
    old: i64,
    new: i64,
}

impl Means {
    fn add(&mut self, old: i64, new: i64) {
        self.n += 1;
        self.old += old;
        self.new += new;
    }

    fn mean(&self, sum: i64) -> Option<i64> {
        (self.n > 0).then(|| sum / self.n as i64)
    }
}

/// One requirement, metric or other row of the ledger over all calls with a score under both.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RequirementDifference {
    pub requirement_id: String,
    /// `added`, `removed` or `kept`.
    pub presence: &'static str,
    /// Mean change per call, millipoints.
    pub mean_change: i64,
    /// Calls in which its points changed.
    pub calls: u64,
    /// `missed → met`: how many calls.
    pub results: BTreeMap<String, u64>,
    #[serde(skip)]
    sum: i64,
}

/// One rep over the calls that have a score under both.
#[derive(Clone, Debug, Serialize)]
pub struct RepDifference {
    pub rep_id: String,
    pub n: u64,
    pub mean_old: Option<i64>,
    pub mean_new: Option<i64>,
}

/// One call whose score changes.
#[derive(Clone, Debug, Serialize)]
pub struct CallDifference {
    pub call_id: String,
    pub rep_id: String,
    pub old: i64,
    pub new: i64,
    /// The row that changed most in the direction of the change, by how much, and from which result to which.
    pub because: String,
    pub because_change: i64,
    pub because_results: String,
}

/// From one verdict to another.
#[derive(Clone, Debug, Serialize)]
pub struct VerdictChange {
    pub old: String,
    pub new: String,
    pub calls: u64,
}

/// The whole difference.
#[derive(Clone, Debug, Serialize)]
pub struct DifferenceReport {
    pub calls: u64,
    /// Calls whose score or verdict changes.
    pub changed: u64,
    /// Calls with a score under both.
    pub scored_by_both: u64,
    pub mean_old: Option<i64>,
    pub mean_new: Option<i64>,
    /// Every pair that occurs, unchanged ones included.
    pub verdicts: Vec<VerdictChange>,
    /// Those that change anything, largest mean change first.
    pub requirements: Vec<RequirementDifference>,
    /// By rep id.
    pub reps: Vec<RepDifference>,
    /// The calls that change most.
    pub largest: Vec<CallDifference>,
}

/// A call's verdict in a word: the verdict of a scored call, else its status.
fn verdict(evaluation: &Evaluation) -> String {
    let name = |value: serde_json::Value| value.as_str().unwrap_or_default().to_string();
    match evaluation.verdict {
        Some(verdict) => name(serde_json::json!(verdict)),
        None => name(serde_json::json!(evaluation.status)),
    }
}

/// What each row of the ledger contributes to the score, and its last result; `None`: the row is about no item.
fn contributions(evaluation: &Evaluation) -> BTreeMap<&str, (i64, Option<Outcome>)> {
    let mut by_id: BTreeMap<&str, (i64, Option<Outcome>)> = BTreeMap::new();
    for row in &evaluation.ledger {
        let entry = by_id.entry(&row.requirement_id).or_default();
        entry.0 += row.points;
        if matches!(row.kind, RowKind::Item | RowKind::Review) {
            entry.1 = Some(row.result);
        }
    }
    by_id
}

fn outcome_name(outcome: Option<Outcome>) -> String {
    let name = outcome.map(|outcome| serde_json::json!(outcome));
    name.and_then(|name| name.as_str().map(str::to_string)).unwrap_or_else(|| "–".to_string())
}

impl Difference {
    /// Adds a call's two evaluations.
    pub fn add(&mut self, call_id: &str, rep_id: Option<&str>, old: &Evaluation, new: &Evaluation) {
        self.calls += 1;
        let verdicts = (verdict(old), verdict(new));
        self.changed += u64::from(verdicts.0 != verdicts.1 || old.score != new.score);
        *self.verdicts.entry(verdicts).or_default() += 1;
        let (Some(old_score), Some(new_score)) = (old.score, new.score) else { return };
        let rep_id = rep_id.unwrap_or(UNASSIGNED);
        self.both.add(old_score, new_score);
        self.reps.entry(rep_id.to_string()).or_default().add(old_score, new_score);
        let (before, after) = (contributions(old), contributions(new));
        let ids: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        let direction = (new_score - old_score).signum();
        let mut because = (0, "", String::new());
        for id in ids {
            let (was, is) = (before.get(id).copied(), after.get(id).copied());
            let change = is.map_or(0, |i| i.0) - was.map_or(0, |w| w.0);
            let (was, is) = (was.and_then(|w| w.1), is.and_then(|i| i.1));
            let results = format!("{} → {}", outcome_name(was), outcome_name(is));
            if change != 0 || was != is {
                let entry = self.requirements.entry(id.to_string()).or_default();
                entry.sum += change;
                entry.calls += u64::from(change != 0);
                if was != is {
                    *entry.results.entry(results.clone()).or_default() += 1;
                }
            }
            if change * direction > because.0 * direction {
                because = (change, id, results);
            }
        }
        if old_score != new_score {
            self.largest.push(CallDifference {
                call_id: call_id.to_string(),
                rep_id: rep_id.to_string(),
                old: old_score,
                new: new_score,
                because: because.1.to_string(),
                because_change: because.0,
                because_results: because.2,
            });
            if self.largest.len() > 50 * NAMED_CALLS {
                self.keep_largest();
            }
        }
    }

    fn keep_largest(&mut self) {
        self.largest.sort_by(|a, b| {
            let size = |c: &CallDifference| (c.new - c.old).abs();
            size(b).cmp(&size(a)).then_with(|| a.call_id.cmp(&b.call_id))
        });
        self.largest.truncate(NAMED_CALLS);
    }

    /// The report over all calls that were added.
    pub fn report(mut self, old: &Scorecard, new: &Scorecard) -> DifferenceReport {
        self.keep_largest();
        let ids = |scorecard: &Scorecard| -> BTreeSet<String> { item_ids(scorecard).map(str::to_string).collect() };
        let (before, after) = (ids(old), ids(new));
        let n = self.both.n.max(1) as i64;
        let mut requirements: Vec<RequirementDifference> = self
            .requirements
            .into_iter()
            .map(|(id, entry)| RequirementDifference {
                presence: match (before.contains(&id), after.contains(&id)) {
                    (false, true) => "added",
                    (true, false) => "removed",
                    _ => "kept",
                },
                mean_change: entry.sum / n,
                requirement_id: id,
                ..entry
            })
            .collect();
        requirements.sort_by_key(|r| (-r.mean_change.abs(), r.requirement_id.clone()));
        let rep = |(rep_id, means): (String, Means)| RepDifference {
            rep_id,
            n: means.n,
            mean_old: means.mean(means.old),
            mean_new: means.mean(means.new),
        };
        DifferenceReport {
            calls: self.calls,
            changed: self.changed,
            scored_by_both: self.both.n,
            mean_old: self.both.mean(self.both.old),
            mean_new: self.both.mean(self.both.new),
            verdicts: self.verdicts.into_iter().map(|((old, new), calls)| VerdictChange { old, new, calls }).collect(),
            requirements,
            reps: self.reps.into_iter().map(rep).collect(),
            largest: self.largest,
        }
    }
}

fn item_ids(scorecard: &Scorecard) -> impl Iterator<Item = &str> {
    let metrics = scorecard.metrics.iter().map(|m| m.id.as_str());
    metrics.chain(scorecard.requirements.iter().map(|r| r.id.as_str()))
}

// ---------------------------------------------------------------- coverage

/// How often each result came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OutcomeCounts {
    pub met: u64,
    pub missed: u64,
    pub violated: u64,
    pub clear: u64,
    pub not_applicable: u64,
    pub unknown: u64,
}

impl OutcomeCounts {
    fn add(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Met => &mut self.met,
            Outcome::Missed => &mut self.missed,
            Outcome::Violated => &mut self.violated,
            Outcome::Clear => &mut self.clear,
            Outcome::NotApplicable => &mut self.not_applicable,
            Outcome::Unknown => &mut self.unknown,
        };
        *count += 1;
    }

    /// Calls in which it came out one way or the other.
    pub fn decided(&self) -> u64 {
        self.met + self.missed + self.violated + self.clear
    }

    /// Calls in which what it looks for was there.
    pub fn fired(&self) -> u64 {
        self.met + self.violated
    }
}

/// What is noteworthy about how often an item fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Firing {
    Sometimes,
    Never,
    Always,
    /// Never decided: not applicable or unknown in every call.
    NeverDecided,
}

/// One item over all calls.
#[derive(Clone, Debug, Serialize)]
pub struct ItemCoverage {
    pub id: String,
    pub kind: ItemKind,
    pub firing: Firing,
    pub all: OutcomeCounts,
    /// Calls that fired / calls decided, per mille.
    pub fired_permille: Option<u64>,
    pub by_language: BTreeMap<&'static str, OutcomeCounts>,
    /// Why it was not applicable: how many calls.
    pub not_applicable: BTreeMap<&'static str, u64>,
    /// Matchers that found something in no call. With calls of its languages only.
    pub silent_matchers: Vec<String>,
    /// Matcher and phrase that no call says, of languages that calls have.
    pub silent_phrases: Vec<SilentPhrase>,
}

/// A phrase that no call says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SilentPhrase {
    pub matcher: String,
    pub language: &'static str,
    pub phrase: String,
}

/// What a scorecard covers, collected call by call.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    languages: BTreeMap<&'static str, u64>,
    items: BTreeMap<String, (OutcomeCounts, BTreeMap<&'static str, OutcomeCounts>)>,
    reasons: BTreeMap<String, BTreeMap<&'static str, u64>>,
    matchers: BTreeSet<(String, String)>,
    phrases: BTreeSet<(String, String, String)>,
}

/// The whole coverage.
#[derive(Clone, Debug, Serialize)]
pub struct CoverageReport {
    /// Calls that can be scored, by language.
    pub languages: BTreeMap<&'static str, u64>,
    /// In scorecard order.
    pub items: Vec<ItemCoverage>,
}

impl Coverage {
    /// True when a call has said the phrase already.
    pub fn has_phrase(&self, requirement: &str, matcher: &str, phrase: &str) -> bool {
        self.phrases.contains(&(requirement.to_string(), matcher.to_string(), phrase.to_string()))
    }

    /// Adds a call that can be scored.
    pub fn add(&mut self, language: Language, items: &[ItemResult], uses: &[RequirementUse]) {
        *self.languages.entry(language.code()).or_default() += 1;
        for item in items {
            let (all, by_language) = self.items.entry(item.id.clone()).or_default();
            all.add(item.outcome);
            by_language.entry(language.code()).or_default().add(item.outcome);
        }
        for used in uses {
            if let Some(reason) = used.not_applicable {
                *self.reasons.entry(used.requirement_id.to_string()).or_default().entry(reason).or_default() += 1;
            }
            for matcher in &used.matchers {
                let pair = (used.requirement_id.to_string(), matcher.name.clone());
                let phrases = matcher.phrases.iter().map(|p| (pair.0.clone(), pair.1.clone(), p.to_string()));
                self.phrases.extend(phrases);
                if matcher.found {
                    self.matchers.insert(pair);
                }
            }
        }
    }

    /// The report over all calls that were added.
    pub fn report(self, scorecard: &Scorecard) -> CoverageReport {
        let metrics = scorecard.metrics.iter().map(|m| (m.id.as_str(), ItemKind::Metric));
        let requirements = scorecard.requirements.iter().map(|r| (r.id.as_str(), r.kind()));
        let items = metrics.chain(requirements).map(|(id, kind)| {
            let (all, by_language) = self.items.get(id).cloned().unwrap_or_default();
            let (silent_matchers, silent_phrases) = self.silent(scorecard, id);
            let firing = match (all.decided(), all.fired()) {
                (0, _) => Firing::NeverDecided,
                (_, 0) => Firing::Never,
                (decided, fired) if decided == fired => Firing::Always,
                _ => Firing::Sometimes,
            };
            ItemCoverage {
                id: id.to_string(),
                kind,
                firing,
                all,
                fired_permille: (1000 * all.fired()).checked_div(all.decided()),
                by_language,
                not_applicable: self.reasons.get(id).cloned().unwrap_or_default(),
                silent_matchers,
                silent_phrases,
            }
        });
        CoverageReport { items: items.collect(), languages: self.languages.clone() }
    }

    fn silent(&self, scorecard: &Scorecard, id: &str) -> (Vec<String>, Vec<SilentPhrase>) {
        let Some(requirement) = scorecard.requirements.iter().find(|r| r.id == id) else { return Default::default() };
        let (mut matchers, mut phrases) = (Vec::new(), Vec::new());
        let spoken = [Language::En, Language::Zh].into_iter().filter(|l| self.languages.contains_key(l.code()));
        let spoken: Vec<Language> = spoken.collect();
        let named = requirement.matchers.iter().map(|(name, matcher)| (name.clone(), matcher));
        let except = (1..).zip(&requirement.except).map(|(n, matcher)| (format!("except {n}"), matcher));
        for (name, matcher) in named.chain(except) {
            let of = |language: Language| matcher.pattern.phrases().map_or(&[][..], |p| p.get(language));
            let can_find = matcher.pattern.phrases().is_none() || spoken.iter().any(|l| !of(*l).is_empty());
            if can_find && !self.matchers.contains(&(id.to_string(), name.clone())) {
                matchers.push(name.clone());
            }
            for language in &spoken {
                let silent = of(*language).iter().filter(|phrase| !self.has_phrase(id, &name, phrase));
                phrases.extend(silent.map(|phrase| SilentPhrase {
                    matcher: name.clone(),
                    language: language.code(),
                    phrase: phrase.clone(),
                }));
            }
        }
        (matchers, phrases)
    }
}

// ---------------------------------------------------------------- quantiles

/// Quantiles of a metric over calls, in the metric's unit (nearest rank).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    pub n: usize,
    pub p10: i64,
    pub p25: i64,
    pub p50: i64,
    pub p75: i64,
    pub p90: i64,
}

impl Quantiles {
    /// `None` without values.
    pub fn of(values: &[i64]) -> Option<Quantiles> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let at = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).max(1) - 1).copied();
        Some(Quantiles { n: sorted.len(), p10: at(10)?, p25: at(25)?, p50: at(50)?, p75: at(75)?, p90: at(90)? })
    }

    /// A trapezoid of the same shape as `present` from these quantiles. Open on one side: full from the median on, nothing beyond
    /// the outer tenth. Closed on both: full for the middle half, nothing in the outer tenth on either side. `None` when there are
    /// too few values or the quantiles coincide.
    pub fn trapezoid(&self, present: &Trapezoid) -> Option<Trapezoid> {
        if self.n < MIN_VALUES {
            return None;
        }
        let both = present.full_from.is_some() && present.full_to.is_some();
        let (low, high) = if both { (self.p25, self.p75) } else { (self.p50, self.p50) };
        let fitted = Trapezoid {
            zero_below: present.zero_below.map(|_| self.p10),
            full_from: present.full_from.map(|_| low),
            full_to: present.full_to.map(|_| high),
            zero_above: present.zero_above.map(|_| self.p90),
        };
        let rises = fitted.zero_below.zip(fitted.full_from).is_none_or(|(zero, full)| zero < full);
        let falls = fitted.full_to.zip(fitted.zero_above).is_none_or(|(full, zero)| full < zero);
        (rises && falls).then_some(fitted)
    }
}

/// Metric values of a scorecard's items where they apply, collected call by call.
#[derive(Clone, Debug, Default)]
pub struct MetricValues {
    all: BTreeMap<String, Vec<i64>>,
    groups: BTreeMap<String, BTreeMap<(String, &'static str), Vec<i64>>>,
}

/// Quantiles of one metric item, over all calls and by kind of call.
#[derive(Clone, Debug, Serialize)]
pub struct Fit {
    pub id: String,
    pub all: Option<Quantiles>,
    /// Call type and language, where there are at least [`MIN_VALUES`].
    pub groups: Vec<GroupQuantiles>,
    pub present: Trapezoid,
    pub fitted: Option<Trapezoid>,
}

#[derive(Clone, Debug, Serialize)]
pub struct GroupQuantiles {
    pub call_type: String,
    pub language: &'static str,
    pub quantiles: Quantiles,
}

impl MetricValues {
    /// Adds the values that a call's items have.
    pub fn add(&mut self, call_type: Option<&str>, language: Language, items: &[ItemResult]) {
        for item in items {
            let Some(value) = item.metric_value else { continue };
            self.all.entry(item.id.clone()).or_default().push(value);
            let group = (call_type.unwrap_or("–").to_string(), language.code());
            self.groups.entry(item.id.clone()).or_default().entry(group).or_default().push(value);
        }
    }

    /// One entry per metric item, in scorecard order.
    pub fn fits(&self, scorecard: &Scorecard) -> Vec<Fit> {
        let fit = |item: &MetricItem| {
            let all = self.all.get(&item.id).and_then(|values| Quantiles::of(values));
            let groups = self.groups.get(&item.id).into_iter().flatten().filter(|(_, v)| v.len() >= MIN_VALUES);
            let groups = groups.filter_map(|((call_type, language), values)| {
                let quantiles = Quantiles::of(values)?;
                Some(GroupQuantiles { call_type: call_type.clone(), language, quantiles })
            });
            Fit {
                id: item.id.clone(),
                groups: groups.collect(),
                present: item.trapezoid,
                fitted: all.and_then(|quantiles| quantiles.trapezoid(&item.trapezoid)),
                all,
            }
        };
        scorecard.metrics.iter().map(fit).collect()
    }
}

/// Whether a call's evaluation says anything about its items.
pub fn is_judged(evaluation: &Evaluation) -> bool {
    matches!(evaluation.status, Status::Scored | Status::PendingReview)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::UnscoredReason;
    use crate::scoring::{ScorecardId, ScoringRules, score, unscored};

    fn item(id: &str, met: bool) -> ItemResult {
        ItemResult {
            id: id.to_string(),
            version: 1,
            kind: ItemKind::Required,
            dimension: "compliance".to_string(),
            severity: crate::record::Severity::Major,
            points: 10,
            outcome: if met { Outcome::Met } else { Outcome::Missed },
            value_permille: if met { 1000 } else { 0 },
            metric_value: None,
            violations: 0,
            evidence: vec![],
            manual: false,
            warned: false,
        }
    }

    fn evaluation(items: &[ItemResult]) -> Evaluation {
        let scored = score(&ScoringRules::default(), items, &BTreeMap::new());
        let empty = unscored(UnscoredReason::NoScorecard, Some(ScorecardId { name: "card", version: 1, hash: "" }));
        Evaluation {
            status: scored.status,
            reason: None,
            verdict: scored.verdict,
            score: scored.score,
            ledger: scored.ledger,
            ..empty
        }
    }

    fn card(ids: &[&str]) -> Scorecard {
        let line = |id: &&str| {
            format!(
                "  - {{id: {id}, dimension: compliance, match: {{a: {{any: {{en: [hello there]}}}}}}, require: {{expr: a}}}}\n"
            )
        };
        let items: String = ids.iter().map(line).collect();
        Scorecard::parse(&format!(
            "schema: 1\nname: card\nlanguage: [en]\nweights: {{compliance: 1}}\nrequirements:\n{items}"
        ))
        .unwrap()
    }

    #[test]
    fn a_difference_adds_up() {
        let mut difference = Difference::default();
        let (all, half) =
            (evaluation(&[item("a", true), item("b", true)]), evaluation(&[item("a", true), item("b", false)]));
        let added = evaluation(&[item("a", true), item("b", true), item("c", false)]);
        let none = unscored(UnscoredReason::TooShort, None);
        difference.add("1", Some("r1"), &all, &half);
        difference.add("2", Some("r2"), &all, &added);
        difference.add("3", None, &half, &half);
        difference.add("4", Some("r1"), &all, &none);
        let report = difference.report(&card(&["a", "b"]), &card(&["a", "b", "c"]));
        assert_eq!((report.calls, report.changed, report.scored_by_both), (4, 3, 3));
        assert_eq!((report.mean_old, report.mean_new), (Some(250_000 / 3), Some((50_000 + 66_667 + 50_000) / 3)));
        let verdicts: Vec<(&str, &str, u64)> =
            report.verdicts.iter().map(|v| (v.old.as_str(), v.new.as_str(), v.calls)).collect();
        assert_eq!(verdicts, [("flag", "flag", 1), ("pass", "flag", 2), ("pass", "unscored", 1)]);
        let of = |id: &str| report.requirements.iter().find(|r| r.requirement_id == id).unwrap();
        assert_eq!((of("b").presence, of("b").results.get("met → missed")), ("kept", Some(&1)));
        assert_eq!((of("c").presence, of("c").results.get("– → missed")), ("added", Some(&1)));
        let reps: Vec<(&str, u64)> = report.reps.iter().map(|r| (r.rep_id.as_str(), r.n)).collect();
        assert_eq!(reps, [("r1", 1), ("r2", 1), ("unassigned", 1)]);
        let largest: Vec<(&str, &str)> =
            report.largest.iter().map(|c| (c.call_id.as_str(), c.because.as_str())).collect();
        assert_eq!(largest[0], ("1", "b"));
        assert_eq!(largest.len(), 2);
    }

    #[test]
    fn quantiles_by_nearest_rank_and_trapezoids_of_the_same_shape() {
        assert_eq!(Quantiles::of(&[]), None);
        let quantiles = Quantiles::of(&(1..=200).rev().collect::<Vec<i64>>()).unwrap();
        assert_eq!(quantiles, Quantiles { n: 200, p10: 20, p25: 50, p50: 100, p75: 150, p90: 180 });
        let shape =
            |zero_below, full_from, full_to, zero_above| Trapezoid { zero_below, full_from, full_to, zero_above };
        let cases = [
            (shape(Some(1), Some(2), Some(3), Some(4)), shape(Some(20), Some(50), Some(150), Some(180))),
            (shape(Some(1), Some(2), None, None), shape(Some(20), Some(100), None, None)),
            (shape(None, None, Some(3), Some(4)), shape(None, None, Some(100), Some(180))),
        ];
        for (present, fitted) in cases {
            assert_eq!(quantiles.trapezoid(&present), Some(fitted));
        }
        let shape = shape(None, None, Some(3), Some(4));
        assert_eq!(Quantiles::of(&[7; 500]).unwrap().trapezoid(&shape), None, "quantiles coincide");
        assert_eq!(Quantiles::of(&(1..=99).collect::<Vec<i64>>()).unwrap().trapezoid(&shape), None, "too few");
    }

    #[test]
    fn coverage_counts_and_names_what_is_silent() {
        let scorecard = card(&["a", "b"]);
        let mut coverage = Coverage::default();
        let uses = |phrases: Vec<&'static str>, reason| RequirementUse {
            requirement_id: "a",
            not_applicable: reason,
            matchers: vec![crate::adherence::coverage::MatcherUse {
                name: "a".to_string(),
                found: !phrases.is_empty(),
                phrases,
            }],
        };
        coverage.add(Language::En, &[item("a", true), item("b", false)], &[uses(vec!["hello there"], None)]);
        coverage.add(Language::En, &[item("a", true), item("b", false)], &[uses(vec![], Some("except"))]);
        assert!(coverage.has_phrase("a", "a", "hello there"));
        let report = coverage.report(&scorecard);
        assert_eq!(report.languages, BTreeMap::from([("en", 2)]));
        let (a, b) = (&report.items[0], &report.items[1]);
        assert_eq!((a.firing, a.fired_permille, a.all.met), (Firing::Always, Some(1000), 2));
        assert_eq!((b.firing, b.fired_permille, b.all.missed), (Firing::Never, Some(0), 2));
        assert_eq!(a.not_applicable, BTreeMap::from([("except", 1)]));
        assert!(a.silent_matchers.is_empty() && a.silent_phrases.is_empty());
        assert_eq!((b.silent_matchers.as_slice(), b.silent_phrases.len()), (&["a".to_string()][..], 1));
    }
}
