//! The sufficient statistics of the tables: per period, rep and team everything a table needs, in whole numbers that add up.
//!
//! A store keeps the [`PeriodSums`] of every period. A batch is [`Sums::of`] its calls: the store merges it into what it has,
//! takes away the sums of calls that were scored again, and computes anew only the tables of the periods that the batch
//! touches. [`Rollup`] makes everything anew in one pass over the calls, in bounded memory when they come by date.
//! Points are millipoints, dimensions per mille, metrics in the unit of their name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::additive::{Additive, NotHeld, additive};
use super::period::{PeriodKind, Slot};
use super::summary::CallSummary;
use crate::record::{Outcome, Status, Verdict};
use crate::statistics::Moments;

/// Version of [`RepSums`] as stored: raise it when a field or its meaning changes, and make stored sums again from summaries.
pub const SUMS_SCHEMA: u32 = 3;
/// Rows of calls without a rep have this rep id.
pub const UNASSIGNED: &str = "unassigned";

/// A rep and the team at the time of the call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seat {
    pub rep_id: String,
    pub team: Option<String>,
}

/// What makes calls harder or easier whoever takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stratum {
    pub campaign: Option<String>,
    pub call_type: Option<String>,
}

/// What a score was made by: scores of different ones are not compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Basis {
    pub scorecard: String,
    pub scorecard_version: u32,
    pub scorecard_hash: String,
    pub model_hash: String,
}

/// Moments of one measure, apart by stratum, so that campaign and call type can be adjusted for without the calls.
pub type Cells = BTreeMap<Stratum, Moments>;

additive! {
    /// One requirement or metric over counted calls to which it applied.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct RequirementSums {
        /// Calls with a decided result (met, missed, violated, clear), after reviews.
        pub n: u64,
        /// Met or clear.
        pub passed: u64,
        pub violated: u64,
        /// Calls whose evidence did not decide.
        pub unknown: u64,
        /// Findings that a reviewer judged, and how many of them were upheld.
        pub judged: u64,
        pub upheld: u64,
        /// Calls that lost points on it.
        pub losing: u64,
        /// Millipoints lost per call, 0 included; Σ over `n` calls and those that lost points otherwise.
        pub lost: Moments,
    }
}

additive! {
    /// One rep in one team and one period.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct RepSums {
        pub n_scored: u64,
        pub n_unscored: u64,
        pub n_pending: u64,
        pub n_failed: u64,
        pub n_without_start: u64,
        /// Scored calls with the verdict `pass`.
        pub n_passed: u64,
        /// Of counted calls, as everything below.
        pub flags: u64,
        pub fatals: u64,
        #[serde(with = "entries")]
        pub bases: BTreeMap<Basis, u64>,
        /// Scores, millipoints.
        #[serde(with = "entries")]
        pub scores: Cells,
        /// Dimension → shares, per mille.
        #[serde(with = "cells_by_name")]
        pub dimensions: BTreeMap<String, Cells>,
        pub requirements: BTreeMap<String, RequirementSums>,
        /// Metric → value / [`metric_bin_width`], rounded down → calls.
        #[serde(with = "histograms")]
        pub metric_histograms: BTreeMap<String, BTreeMap<i64, u64>>,
        /// Scores by hour of the week; empty for periods that are too short for it.
        #[serde(with = "slots")]
        pub slots: BTreeMap<Slot, Cells>,
    }
}

/// Width of a bin of a metric's histogram, in the metric's unit: a hundredth of a share, a tenth of a second, one of what is counted.
pub fn metric_bin_width(metric: &str) -> i64 {
    if metric.ends_with("_permille") {
        10
    } else if metric.ends_with("_ms") {
        100
    } else if metric.contains("_milli") {
        500
    } else {
        1
    }
}

impl RepSums {
    /// Calls that count in means.
    pub fn n_counted(&self) -> u64 {
        self.bases.values().sum()
    }

    pub fn n_calls(&self) -> u64 {
        self.n_scored + self.n_unscored + self.n_pending + self.n_failed
    }

    /// All scores together.
    pub fn score_moments(&self) -> Moments {
        total(&self.scores)
    }

    /// Includes calls and scores, but nothing by dimension, requirement, metric or hour.
    pub(super) fn include_scores(&mut self, other: &RepSums) {
        self.n_scored += other.n_scored;
        self.n_unscored += other.n_unscored;
        self.n_pending += other.n_pending;
        self.n_failed += other.n_failed;
        self.n_without_start += other.n_without_start;
        self.n_passed += other.n_passed;
        self.flags += other.flags;
        self.fatals += other.fatals;
        self.bases.include(&other.bases);
        self.scores.include(&other.scores);
    }

    fn add(&mut self, call: &CallSummary) {
        match call.status {
            Status::Scored => self.n_scored += 1,
            Status::Unscored => self.n_unscored += 1,
            Status::PendingReview => self.n_pending += 1,
            Status::Failed => self.n_failed += 1,
        }
        let start_ts = call.start_ts.as_deref();
        self.n_without_start += u64::from(PeriodKind::Day.period(start_ts).is_none());
        self.n_passed += u64::from(call.verdict == Some(Verdict::Pass));
        let Some(score) = call.counted_score() else { return };
        self.flags += u64::from(call.flags);
        self.fatals += u64::from(call.fatals);
        let basis = Basis {
            scorecard: call.scorecard.clone(),
            scorecard_version: call.scorecard_version,
            scorecard_hash: call.scorecard_hash.clone(),
            model_hash: call.model_hash.clone(),
        };
        *self.bases.entry(basis).or_default() += 1;
        let stratum = Stratum { campaign: call.campaign.clone(), call_type: call.call_type.clone() };
        let add = |cells: &mut Cells, x: i64| cells.entry(stratum.clone()).or_default().add(x);
        add(&mut self.scores, score);
        for (name, share) in &call.dimensions {
            add(self.dimensions.entry(name.clone()).or_default(), i64::from(*share));
        }
        for (id, sum) in requirements(call).into_iter().filter(|(_, sum)| !sum.is_empty()) {
            self.requirements.entry(id).or_default().include(&sum);
        }
        for (metric, value) in &call.metrics {
            let histogram = self.metric_histograms.entry(metric.clone()).or_default();
            *histogram.entry(value.div_euclid(metric_bin_width(metric))).or_default() += 1;
        }
        if let Some(slot) = Slot::of(start_ts) {
            add(self.slots.entry(slot).or_default(), score);
        }
    }
}

/// All strata together.
pub fn total(cells: &Cells) -> Moments {
    let mut all = Moments::default();
    cells.values().for_each(|cell| all.merge(cell));
    all
}

fn requirements(call: &CallSummary) -> BTreeMap<String, RequirementSums> {
    let mut sums: BTreeMap<String, RequirementSums> = BTreeMap::new();
    for (outcome, ids) in &call.results {
        for id in ids {
            let sum = sums.entry(id.clone()).or_default();
            match outcome {
                Outcome::Met | Outcome::Clear => (sum.n, sum.passed) = (1, 1),
                Outcome::Missed => sum.n = 1,
                Outcome::Violated => (sum.n, sum.violated) = (1, 1),
                Outcome::Unknown => sum.unknown = 1,
                Outcome::NotApplicable => {}
            }
        }
    }
    let mut lost: BTreeMap<&str, i64> = BTreeMap::new();
    for loss in &call.losses {
        *lost.entry(&loss.requirement_id).or_default() += loss.millipoints;
    }
    for id in lost.keys() {
        sums.entry(id.to_string()).or_default();
    }
    for (id, sum) in &mut sums {
        let lost = lost.get(id.as_str()).copied().unwrap_or(0);
        sum.losing = u64::from(lost > 0);
        if sum.n > 0 || lost > 0 {
            sum.lost.add(lost);
        }
        if let Some(upheld) = call.judged.get(id) {
            (sum.judged, sum.upheld) = (1, u64::from(*upheld));
        }
    }
    sums
}

/// One period: its reps in their teams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodSums(#[serde(with = "entries")] pub BTreeMap<Seat, RepSums>);

impl PeriodSums {
    /// Of these calls, taken as those of one period.
    pub fn of<'a>(calls: impl IntoIterator<Item = &'a CallSummary>) -> PeriodSums {
        let mut sums = PeriodSums::default();
        calls.into_iter().for_each(|call| sums.add(call));
        sums
    }

    pub fn add(&mut self, call: &CallSummary) {
        let rep = call.rep_id.as_deref().map(str::trim).filter(|rep| !rep.is_empty()).unwrap_or(UNASSIGNED);
        let seat = Seat { rep_id: rep.to_string(), team: call.team.clone() };
        self.0.entry(seat).or_default().add(call);
    }

    /// Each rep in all teams together, with the team of most of the calls (the first by name of equals), and how many teams.
    pub(super) fn reps(&self) -> BTreeMap<&str, RepTotal<'_>> {
        let mut seats: BTreeMap<&str, Vec<(&Seat, &RepSums)>> = BTreeMap::new();
        for (seat, sums) in &self.0 {
            seats.entry(&seat.rep_id).or_default().push((seat, sums));
        }
        seats.into_iter().map(|(rep, seats)| (rep, RepTotal::of(&seats))).collect()
    }

    fn forget_slots(&mut self) {
        self.0.values_mut().for_each(|rep| rep.slots.clear());
    }
}

impl Additive for PeriodSums {
    fn include(&mut self, other: &PeriodSums) {
        self.0.include(&other.0);
    }

    fn absorb(&mut self, other: PeriodSums) {
        self.0.absorb(other.0);
    }

    fn take_away(&mut self, other: &PeriodSums) -> Result<(), NotHeld> {
        self.0.take_away(&other.0)
    }
}

/// All parts in one; a single one is not copied.
pub(super) fn together<'a>(mut parts: impl Iterator<Item = &'a RepSums>) -> Cow<'a, RepSums> {
    let first = parts.next().map_or_else(Cow::default, Cow::Borrowed);
    parts.fold(first, |mut all, part| {
        all.to_mut().include(part);
        all
    })
}

/// A rep of a period, whatever the team.
#[derive(Clone, Debug)]
pub(super) struct RepTotal<'a> {
    pub sums: Cow<'a, RepSums>,
    /// The team of most of the calls.
    pub team: Option<String>,
    pub teams: usize,
}

impl<'a> RepTotal<'a> {
    /// Of one rep in his or her teams, by name.
    fn of(seats: &[(&'a Seat, &'a RepSums)]) -> RepTotal<'a> {
        let teams = seats.iter().filter_map(|(seat, sums)| Some((seat.team.as_ref()?, sums.n_calls())));
        RepTotal {
            sums: together(seats.iter().map(|(_, sums)| *sums)),
            // max_by_key alone would take the last of equals.
            team: teams.clone().rev().max_by_key(|(_, n)| *n).map(|(team, _)| team.clone()),
            teams: teams.count(),
        }
    }
}

/// All periods of all kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(pub BTreeMap<(PeriodKind, String), PeriodSums>);

impl Sums {
    /// Of these calls, in every kind of period.
    pub fn of<'a>(calls: impl IntoIterator<Item = &'a CallSummary>) -> Sums {
        Sums::of_kinds(calls, PeriodKind::ALL)
    }

    /// Of these calls, in the periods of these kinds only.
    pub fn of_kinds<'a>(calls: impl IntoIterator<Item = &'a CallSummary>, kinds: &[PeriodKind]) -> Sums {
        let mut sums = Sums::default();
        let mut rollup = Rollup::new(kinds);
        for call in calls {
            sums.take_in(rollup.push(call));
        }
        sums.take_in(rollup.finish());
        sums
    }

    /// Merges what a [`Rollup`] hands out.
    pub fn take_in(&mut self, parts: Vec<PeriodPart>) {
        for part in parts {
            self.0.entry((part.kind, part.period)).or_default().absorb(part.sums);
        }
    }

    /// The periods of a kind, earliest first.
    pub fn periods(&self, kind: PeriodKind) -> impl DoubleEndedIterator<Item = (&str, &PeriodSums)> {
        self.0.iter().filter(move |((k, _), _)| *k == kind).map(|((_, period), sums)| (period.as_str(), sums))
    }
}

impl Additive for Sums {
    fn include(&mut self, other: &Sums) {
        self.0.include(&other.0);
    }

    fn take_away(&mut self, other: &Sums) -> Result<(), NotHeld> {
        self.0.take_away(&other.0)
    }
}

/// The sums of a period, or of a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodPart {
    pub kind: PeriodKind,
    pub period: String,
    pub sums: PeriodSums,
}

/// Makes the sums of all periods in one pass. A period is handed out as soon as a call of another one comes, so that calls in
/// the order of their dates need the memory of one period of each kind. Any other order gives the same: a period is then
/// handed out in parts, which the receiver merges.
pub struct Rollup {
    kinds: Vec<PeriodKind>,
    /// The date of `day`, if it has one.
    date: Option<String>,
    day: PeriodSums,
    week: Option<PeriodPart>,
    /// Months, quarters and everything, each with one of its dates; `None` for calls without a date.
    long: BTreeMap<PeriodKind, (Option<String>, PeriodPart)>,
}

impl Rollup {
    pub fn new(kinds: &[PeriodKind]) -> Rollup {
        let day = PeriodSums::default();
        Rollup { kinds: kinds.to_vec(), date: None, day, week: None, long: BTreeMap::new() }
    }

    #[must_use = "periods that end are handed out once"]
    pub fn push(&mut self, call: &CallSummary) -> Vec<PeriodPart> {
        let ended = self.turn_to(PeriodKind::Day.period(call.start_ts.as_deref()));
        self.day.add(call);
        ended
    }

    /// Adds calls of one date, or of none.
    #[must_use = "periods that end are handed out once"]
    pub fn add(&mut self, date: Option<String>, sums: PeriodSums) -> Vec<PeriodPart> {
        let ended = self.turn_to(date);
        self.day.absorb(sums);
        ended
    }

    pub fn finish(mut self) -> Vec<PeriodPart> {
        let mut ended = self.close_day();
        ended.extend(self.week.take());
        while let Some((_, (date, part))) = self.long.pop_first() {
            self.merge_after(date.as_deref(), &part, &mut ended);
            ended.push(part);
        }
        ended
    }

    fn turn_to(&mut self, date: Option<String>) -> Vec<PeriodPart> {
        let ended = if date == self.date { Vec::new() } else { self.close_day() };
        self.date = date;
        ended
    }

    /// Merges the day into its week and the longer periods; gives what ended: the day, and those that are other ones than before.
    fn close_day(&mut self) -> Vec<PeriodPart> {
        let mut day = std::mem::take(&mut self.day);
        let mut ended = Vec::new();
        if day.is_empty() {
            return ended;
        }
        let date = self.date.take();
        let shortest = self.kinds.iter().copied().filter(|kind| kind.compares_hours()).min();
        if let Some(kind) = shortest {
            self.merge_long(kind, date.as_deref(), &day, &mut ended);
        }
        day.forget_slots();
        if self.kinds.contains(&PeriodKind::Week)
            && let Some(period) = PeriodKind::Week.period(date.as_deref())
        {
            match &mut self.week {
                Some(week) if week.period == period => week.sums.include(&day),
                week => {
                    ended.extend(week.replace(PeriodPart { kind: PeriodKind::Week, period, sums: day.clone() }));
                }
            }
        }
        if self.kinds.contains(&PeriodKind::Day)
            && let Some(period) = PeriodKind::Day.period(date.as_deref())
        {
            ended.push(PeriodPart { kind: PeriodKind::Day, period, sums: day });
        }
        ended
    }

    /// Merges into the period of a kind that holds the date; the one that was open before goes into the next longer one.
    fn merge_long(&mut self, kind: PeriodKind, date: Option<&str>, sums: &PeriodSums, ended: &mut Vec<PeriodPart>) {
        let Some(period) = kind.period(date) else {
            if let Some(longer) = self.longer(kind) {
                self.merge_long(longer, date, sums, ended);
            }
            return;
        };
        match self.long.get_mut(&kind) {
            Some((_, open)) if open.period == period => open.sums.include(sums),
            _ => {
                let open = PeriodPart { kind, period, sums: sums.clone() };
                if let Some((date, former)) = self.long.insert(kind, (date.map(str::to_string), open)) {
                    self.merge_after(date.as_deref(), &former, ended);
                    ended.push(former);
                }
            }
        }
    }

    /// Merges a period that ended into the next longer one.
    fn merge_after(&mut self, date: Option<&str>, part: &PeriodPart, ended: &mut Vec<PeriodPart>) {
        if let Some(longer) = self.longer(part.kind) {
            self.merge_long(longer, date, &part.sums, ended);
        }
    }

    fn longer(&self, kind: PeriodKind) -> Option<PeriodKind> {
        self.kinds.iter().copied().filter(|other| *other > kind).min()
    }
}

/// Maps with keys that are no text, as lists of pairs: JSON has text keys only.
mod entries {
    use super::*;
    use serde::{Deserializer, Serializer};

    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub fn deserialize<'de, K, V, D>(from: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Ord + Deserialize<'de>,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(from)?.into_iter().collect())
    }
}

/// [`entries`] one level down.
macro_rules! nested_entries {
    ($module:ident, $outer:ty, $inner:ty) => {
        mod $module {
            use super::*;
            use serde::{Deserializer, Serializer};

            #[derive(Serialize)]
            struct Borrowed<'a>(#[serde(with = "entries")] &'a $inner);

            #[derive(Deserialize)]
            struct Owned(#[serde(with = "entries")] $inner);

            pub fn serialize<S: Serializer>(map: &BTreeMap<$outer, $inner>, to: S) -> Result<S::Ok, S::Error> {
                to.collect_seq(map.iter().map(|(key, inner)| (key, Borrowed(inner))))
            }

            pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<$outer, $inner>, D::Error> {
                let pairs = Vec::<($outer, Owned)>::deserialize(from)?;
                Ok(pairs.into_iter().map(|(key, inner)| (key, inner.0)).collect())
            }
        }
    };
}
nested_entries!(cells_by_name, String, Cells);
nested_entries!(histograms, String, BTreeMap<i64, u64>);
nested_entries!(slots, Slot, Cells);
