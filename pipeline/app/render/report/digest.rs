//! First pass over the calls of a report: what every page but the call's own needs, small enough for 20,000 calls.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use callmark_core::performance::sums::PeriodSums;
use callmark_core::performance::{
    self, CallSummary, Difference, GroupGaps, HourRow, Inflation, PassLineHeap, PeriodKind, RepRow, Trend, UNASSIGNED,
};
use callmark_core::record::{
    CallRecord, Decision, LedgerRow, MatchType, Outcome, Review, RowKind, Severity, Status, UnscoredReason, Verdict,
};
use callmark_core::recording::Language;
use callmark_core::scorecard::Scorecard;
use callmark_core::statistics::{Moments, mean_interval};
use callmark_core::transcript::{Medium, Transcript};
use callmark_store::Store;
use jiff::civil::{Date, DateTime, Time};

use crate::commands::explain;
use crate::read::metadata::reps::{Rep, Reps};
use crate::render::performance::stored_period;
use crate::render::report::{History, Scope};

/// Good examples kept per requirement: of different reps, so that everybody finds one of a colleague.
const EXAMPLES: usize = 3;
/// A recogniser this little above its floor is low confidence in the honesty panel, per mille.
const NEAR_FLOOR_PERMILLE: u16 = 50;

/// A mean with its 95 % interval, in the unit of its values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    pub n: u64,
    pub mean: f64,
    /// `None` for fewer than two values.
    pub interval: Option<(f64, f64)>,
}

impl Mean {
    pub fn of(moments: &Moments) -> Option<Mean> {
        let interval = mean_interval(moments).map(|interval| (interval.low, interval.high));
        Some(Mean { n: moments.n, mean: moments.mean()?, interval })
    }
}

/// A ledger row that cost points, violated something, or waits for a decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlagAt {
    /// Index into [`Digest::requirements`].
    pub requirement: usize,
    /// Index of the row in the call's ledger: the anchor of links.
    pub row: usize,
    /// `None`: a window that was searched, or the call at large.
    pub begin_ms: Option<i64>,
    pub outcome: Outcome,
    severity: Severity,
}

/// One call in lists and charts.
#[derive(Clone, Debug)]
pub struct CallDigest {
    /// Index into [`Digest::reps`].
    pub rep: usize,
    /// As written in the start stamp.
    pub start: Option<DateTime>,
    /// `None` for text without times.
    pub duration_ms: Option<i64>,
    pub reason: Option<UnscoredReason>,
    pub verdict: Option<Verdict>,
    pub fatal_confirmed: bool,
    pub flags: Vec<FlagAt>,
}

/// A met row of somebody who may serve as an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    pub rep: usize,
    pub call_id: String,
    pub row: usize,
    pub language: Option<Language>,
    pub confidence_permille: u16,
}

/// What became of one requirement or metric over all scored calls.
#[derive(Clone, Debug)]
pub struct RequirementDigest {
    pub id: String,
    pub dimension: String,
    pub severity: Severity,
    pub metric: bool,
    pub met: u64,
    /// Missed or violated.
    pub failed: u64,
    pub not_applicable: u64,
    pub unknown: u64,
    pub lost_millipoints: i64,
    /// Findings that reviewers agreed with, findings reviewed.
    pub agreed: u64,
    pub reviewed: u64,
    /// Calls that failed it: index of the call, index into its flags.
    pub failures: Vec<(usize, usize)>,
    pub examples: Vec<Example>,
}

/// One rep over the whole report.
#[derive(Clone, Debug)]
pub struct RepDigest {
    pub id: String,
    pub row: RepRow,
    pub trend: Option<Trend>,
    pub parts: RepParts,
}

/// What is added up over a rep's calls.
#[derive(Clone, Debug, Default)]
pub struct RepParts {
    /// Newest first; calls without a start last.
    pub calls: Vec<usize>,
    pub scores: Moments,
    /// Dimension → shares in per mille.
    pub dimensions: BTreeMap<String, Moments>,
    /// Recognisers of the counted calls that were heard.
    pub recognisers: BTreeSet<String>,
}

/// One team over the whole report.
#[derive(Clone, Debug, Default)]
pub struct TeamDigest {
    pub reps: BTreeSet<usize>,
    pub calls: u64,
    pub scores: Moments,
    pub flags: u64,
    pub dimensions: BTreeMap<String, Moments>,
}

/// Calls that began in one hour of one weekday.
#[derive(Clone, Debug, Default)]
pub struct HourDigest {
    pub calls: Vec<usize>,
    pub scores: Moments,
}

/// Everything that the pages around the calls show.
#[derive(Debug, Default)]
pub struct Digest {
    /// Sorted by call id; the same indices as `calls`.
    pub summaries: Vec<CallSummary>,
    pub calls: Vec<CallDigest>,
    pub reps: Vec<RepDigest>,
    pub teams: BTreeMap<String, TeamDigest>,
    pub requirements: Vec<RequirementDigest>,
    /// [Monday = 0][hour]
    pub hours: Vec<Vec<HourDigest>>,
    /// Hours that are worse whoever works in them, all teams together.
    pub dips: Vec<HourRow>,
    /// Reps whose scores heap just above the pass line of their scorecard.
    pub heaps: Vec<PassLineHeap>,
    pub inflation: Option<Inflation>,
    pub recognition_gap: Option<Difference>,
    pub language_gap: Option<Difference>,
    /// Between groups that the site named.
    pub groups: Option<GroupGaps>,
    pub all: TeamDigest,
    pub unscored: BTreeMap<UnscoredReason, Vec<usize>>,
    pub pending: Vec<usize>,
    pub auto_failed: Vec<usize>,
    /// In the order of the first scorecard that has them.
    pub dimensions: Vec<String>,
    /// How often a requirement holds a call back, or confirmed its auto-fail.
    pub pending_requirements: BTreeMap<String, u64>,
    pub fatal_requirements: BTreeMap<String, u64>,
    pub failed_calls: u64,
    pub first: Option<Date>,
    pub last: Option<Date>,
    pub near_floor: u64,
    pub recogniser_hashes: BTreeSet<String>,
    pub scorecards: BTreeSet<String>,
    /// What the pages of the calls will weigh in bytes, about, without clips.
    pub estimated_bytes: u64,
    /// Flagged places that a clip can be cut for.
    pub estimated_clips: u64,
}

/// Final decisions by call, in the order they were made.
pub type Reviews = BTreeMap<String, Vec<Review>>;

/// Reviews of all calls, by call id.
pub fn reviews(store: &dyn Store) -> Result<Reviews> {
    let mut by_call = Reviews::new();
    for review in store.all_reviews().map_err(explain)? {
        by_call.entry(review.call_id.clone()).or_default().push(review);
    }
    Ok(by_call)
}

/// The civil date and time that a start stamp shows.
pub fn civil(start_ts: Option<&str>) -> Option<DateTime> {
    let pieces = jiff::fmt::temporal::Pieces::parse(start_ts?.trim()).ok()?;
    Some(pieces.date().to_datetime(pieces.time().unwrap_or(Time::midnight())))
}

/// Whether a row is a finding: it cost points, violated something, or missed a fatal.
pub fn is_finding(row: &LedgerRow) -> bool {
    let failed = matches!(row.result, Outcome::Missed | Outcome::Violated);
    row.kind == RowKind::Item && failed && !matches!(row.severity, Severity::Bonus | Severity::Advisory)
}

/// Whether the row's place is a moment of the call, and not the window that was searched or the call as a whole.
pub fn is_moment(row: &LedgerRow, transcript: &Transcript) -> bool {
    let length_ms = row.end_ms - row.begin_ms;
    let timed = transcript.medium == Medium::Speech && (1..transcript.duration_ms).contains(&length_ms);
    timed && !matches!(row.match_type, MatchType::Window | MatchType::Manual)
}

/// A metric's own name: items that share one carry their language.
pub fn metric_of(id: &str) -> Option<callmark_core::signals::Metric> {
    use callmark_core::signals::Metric;
    Metric::parse(id).or_else(|| Metric::parse(id.strip_suffix("_en").or_else(|| id.strip_suffix("_zh"))?))
}

fn overturned(row: &LedgerRow, reviews: &[Review]) -> Option<Decision> {
    let last = reviews
        .iter()
        .rev()
        .find(|r| r.requirement_id == row.requirement_id && r.is_final && r.decision != Decision::Comment);
    last.map(|review| review.decision)
}

impl Digest {
    /// Reads the calls one by one. Calls that another process removed meanwhile are left out.
    pub fn collect(store: &dyn Store, scope: &Scope, scorecards: &[Scorecard], reviews: &Reviews) -> Result<Digest> {
        let ids: BTreeSet<&String> = scope.calls.iter().collect();
        let mut digest = Digest { hours: vec![vec![HourDigest::default(); 24]; 7], ..Digest::default() };
        let mut found = Index::default();
        for id in ids {
            let Some(stored) = store.get_call(id).map_err(explain)? else { continue };
            let record = stored.record;
            let day = || civil(record.metadata.start_ts.as_deref()).map(|start| start.date());
            if scope.until.is_some_and(|until| day().is_none_or(|day| day > until)) {
                continue;
            }
            digest.add(&record, reviews.get(id).map_or(&[], Vec::as_slice), &mut found);
        }
        digest.finish(found, scope.history, store)?;
        let lines = scorecards.iter().map(|card| (card.hash.as_str(), card.verdicts.pass)).collect();
        digest.groups = digest.group_gaps(scope.reps);
        digest.heaps = performance::pass_line_heaps(&digest.summaries, &lines);
        Ok(digest)
    }

    fn add(&mut self, record: &CallRecord, reviews: &[Review], found: &mut Index) {
        let index = self.calls.len();
        let summary = CallSummary::from_record(record);
        let rep_id = summary.rep_id.as_deref().map(str::trim).filter(|rep| !rep.is_empty()).unwrap_or(UNASSIGNED);
        let rep = *found.reps.entry(rep_id.to_string()).or_insert_with(|| {
            found.parts.push(RepParts::default());
            found.parts.len() - 1
        });
        let evaluation = &record.evaluation;
        let counted = matches!(evaluation.status, Status::Scored | Status::PendingReview);
        for dimension in &evaluation.dimensions {
            if !self.dimensions.contains(&dimension.dimension) {
                self.dimensions.push(dimension.dimension.clone());
            }
        }
        let mut flags = Vec::new();
        for (row_index, row) in evaluation.ledger.iter().enumerate().filter(|(_, row)| row.kind == RowKind::Item) {
            let requirement = *found.requirements.entry(row.requirement_id.clone()).or_insert_with(|| {
                self.requirements.push(RequirementDigest::new(row));
                self.requirements.len() - 1
            });
            let about = &mut self.requirements[requirement];
            let decided = overturned(row, reviews);
            match row.result {
                Outcome::Met | Outcome::Clear => {
                    about.met += 1;
                    let example = Example {
                        rep,
                        call_id: record.call_id.clone(),
                        row: row_index,
                        language: record.transcript.language,
                        confidence_permille: if about.metric { row.value_permille } else { row.confidence_permille },
                    };
                    if row.result == Outcome::Met && decided != Some(Decision::Overturn) {
                        about.offer(example);
                    }
                }
                Outcome::Missed | Outcome::Violated => {
                    about.failed += 1;
                    if let Some(decision) = decided {
                        about.reviewed += 1;
                        about.agreed += u64::from(decision == Decision::Agree);
                    }
                }
                Outcome::NotApplicable => about.not_applicable += 1,
                Outcome::Unknown => about.unknown += 1,
            }
            let waits = evaluation.pending.contains(&row.requirement_id);
            if (is_finding(row) || waits) && decided != Some(Decision::Overturn) {
                let moment = is_moment(row, &record.transcript);
                self.estimated_clips += u64::from(moment);
                flags.push(FlagAt {
                    requirement,
                    row: row_index,
                    begin_ms: moment.then_some(row.begin_ms),
                    outcome: row.result,
                    severity: row.severity,
                });
            }
        }
        for loss in summary.losses.iter().filter(|_| counted) {
            if let Some(requirement) = found.requirements.get(&loss.requirement_id) {
                self.requirements[*requirement].lost_millipoints += loss.millipoints;
            }
        }
        // The gravest first: a list shows only a few of them.
        flags.sort_by_key(|flag| (flag.severity, flag.outcome != Outcome::Violated, flag.begin_ms, flag.row));
        for (position, flag) in flags.iter().enumerate() {
            if matches!(flag.outcome, Outcome::Missed | Outcome::Violated) {
                self.requirements[flag.requirement].failures.push((index, position));
            }
        }
        let start = civil(summary.start_ts.as_deref());
        if let Some(start) = start {
            self.first = Some(self.first.map_or(start.date(), |first| first.min(start.date())));
            self.last = Some(self.last.map_or(start.date(), |last| last.max(start.date())));
            let weekday = usize::from(start.date().weekday().to_monday_zero_offset().unsigned_abs());
            let hour = &mut self.hours[weekday][usize::from(start.hour().unsigned_abs())];
            hour.calls.push(index);
            add_known(&mut hour.scores, summary.score.filter(|_| counted));
        }
        match evaluation.status {
            Status::PendingReview => {
                self.pending.push(index);
                for id in &evaluation.pending {
                    *self.pending_requirements.entry(id.clone()).or_default() += 1;
                }
            }
            Status::Failed => self.failed_calls += 1,
            Status::Unscored => {
                let reason = evaluation.reason.unwrap_or(UnscoredReason::NoConversation);
                self.unscored.entry(reason).or_default().push(index);
            }
            Status::Scored => {}
        }
        if evaluation.fatal_count > 0 {
            self.auto_failed.push(index);
            // A cap row of a decision comes after the item's own; one per requirement either way.
            let capped =
                evaluation.ledger.iter().filter(|row| row.kind == RowKind::Cap && row.severity == Severity::Fatal);
            for id in capped.map(|row| &row.requirement_id).collect::<BTreeSet<_>>() {
                *self.fatal_requirements.entry(id.clone()).or_default() += 1;
            }
        }
        let teams = summary.team.clone().map(|team| self.teams.entry(team).or_default());
        for team in teams.into_iter().chain([&mut self.all]) {
            team.reps.insert(rep);
            team.calls += 1;
            if counted {
                add_known(&mut team.scores, summary.score);
                team.flags += u64::from(summary.flags);
                for (dimension, share) in &summary.dimensions {
                    team.dimensions.entry(dimension.clone()).or_default().add(i64::from(*share));
                }
            }
        }
        let of_rep = &mut found.parts[rep];
        of_rep.calls.push(index);
        let recogniser = record.provenance.models.get("recogniser").filter(|hash| !hash.is_empty());
        self.recogniser_hashes.extend(recogniser.cloned());
        if counted {
            of_rep.recognisers.extend(recogniser.cloned());
            add_known(&mut of_rep.scores, summary.score);
            for (dimension, share) in &summary.dimensions {
                of_rep.dimensions.entry(dimension.clone()).or_default().add(i64::from(*share));
            }
        }
        let transcript = &record.transcript;
        found.confidence_permille.push(transcript.recogniser_confidence_permille);
        found.languages.push(transcript.language);
        if let (Some(confidence), Some(floor)) =
            (transcript.recogniser_confidence_permille, transcript.confidence_floor_permille)
        {
            self.near_floor += u64::from(confidence < floor.saturating_add(NEAR_FLOOR_PERMILLE));
        }
        if counted {
            self.scorecards.insert(format!("{} {}", evaluation.scorecard, evaluation.scorecard_version));
        }
        let words: usize = transcript.everybody().iter().map(|(_, turn)| turn.text.len() + 420).sum();
        let quotes: usize = evaluation.ledger.iter().map(|row| row.quote.len() + 640).sum();
        self.estimated_bytes += (words + quotes + 6_000) as u64;
        self.calls.push(CallDigest {
            rep,
            start,
            duration_ms: (transcript.medium == Medium::Speech).then_some(transcript.duration_ms),
            reason: evaluation.reason,
            verdict: evaluation.verdict,
            fatal_confirmed: evaluation.fatal_count > 0,
            flags,
        });
        self.summaries.push(summary);
    }

    fn finish(&mut self, mut found: Index, history: History, store: &dyn Store) -> Result<()> {
        let mut trends = match period(self.first, self.last) {
            None => BTreeMap::new(),
            Some((kind, period)) => match history {
                History::Report => trends(performance::rep_period(&self.summaries, kind), &period),
                History::Calls(known) => trends(performance::rep_period(known, kind), &period),
                History::Stored => trends(stored_period(store, kind, &period)?, &period),
            },
        };
        let all = PeriodKind::All;
        let sums = PeriodSums::of(&self.summaries);
        self.dips = performance::hour_rows(all, all.id(), &sums);
        self.dips.retain(|row| row.dip && row.team.is_none());
        self.inflation = performance::inflation(&self.summaries);
        let sure = self.summaries.iter().zip(&found.confidence_permille);
        self.recognition_gap =
            performance::recognition_gap(sure.filter_map(|(call, confidence)| Some((call, (*confidence)?))));
        let spoken = self.summaries.iter().zip(&found.languages);
        self.language_gap = performance::language_gap(spoken.filter_map(|(call, language)| Some((call, (*language)?))));
        let rows = performance::rep_period(&self.summaries, all).into_iter();
        let mut rows: BTreeMap<String, RepRow> = rows.map(|row| (row.rep_id.clone(), row)).collect();
        let mut ids: Vec<(String, usize)> = found.reps.into_iter().collect();
        ids.sort_by_key(|(_, index)| *index);
        for (id, index) in ids {
            // Every rep has a row: the period of all calls holds every call.
            let Some(row) = rows.remove(&id) else { continue };
            let mut parts = std::mem::take(&mut found.parts[index]);
            parts.calls.sort_by_key(|call| (std::cmp::Reverse(self.calls[*call].start), *call));
            let trend = trends.remove(&id);
            self.reps.push(RepDigest { id, row, trend, parts });
        }
        Ok(())
    }

    fn group_gaps(&self, reps: &[Rep]) -> Option<GroupGaps> {
        let known = Reps::new(reps);
        let of_rep = self.reps.iter().filter_map(|rep| Some((rep.id.as_str(), known.group(&rep.id)?)));
        performance::group_gaps(&self.summaries, &of_rep.collect())
    }

    /// Counted calls: scored ones and those that wait for a decision.
    pub fn n_scored(&self) -> u64 {
        self.calls.len() as u64 - self.failed_calls - self.pending.len() as u64 - self.n_unscored()
    }

    pub fn n_unscored(&self) -> u64 {
        self.unscored.values().map(|calls| calls.len() as u64).sum()
    }

    /// Reps that a rep is ranked among: of his or her team when it has four with scores, else of all smaller teams.
    pub fn ranked_among(&self, rep: &RepDigest) -> u64 {
        let mut sizes: BTreeMap<Option<&str>, u64> = BTreeMap::new();
        for rep in self.reps.iter().filter(|rep| rep.id != UNASSIGNED && rep.parts.scores.n > 0) {
            *sizes.entry(rep.row.team.as_deref()).or_default() += 1;
        }
        let own = sizes.get(&rep.row.team.as_deref()).copied().unwrap_or(0);
        if own >= 4 { own } else { sizes.values().filter(|size| **size < 4).sum() }
    }

    /// The team of a rep's calls, or everybody.
    pub fn team_of(&self, rep: &RepDigest) -> &TeamDigest {
        rep.row.team.as_ref().and_then(|team| self.teams.get(team)).unwrap_or(&self.all)
    }
}

/// The last period of the report, whose trend against the one before it shows: days in a report of one day, weeks in one of up
/// to ten weeks, months in a longer one.
fn period(first: Option<Date>, last: Option<Date>) -> Option<(PeriodKind, String)> {
    let (first, last) = (first?, last?);
    let days = first.until(last).map_or(0, |span| span.get_days());
    let kind = match days {
        0 => PeriodKind::Day,
        1..=70 => PeriodKind::Week,
        _ => PeriodKind::Month,
    };
    Some((kind, kind.period(Some(&last.to_string()))?))
}

fn trends(rows: Vec<RepRow>, period: &str) -> BTreeMap<String, Trend> {
    rows.into_iter().filter(|row| row.period == period).filter_map(|row| Some((row.rep_id, row.trend?))).collect()
}

/// Where a rep or requirement lies in the digest's lists.
#[derive(Default)]
struct Index {
    reps: BTreeMap<String, usize>,
    parts: Vec<RepParts>,
    requirements: BTreeMap<String, usize>,
    /// The recogniser's, of every call.
    confidence_permille: Vec<Option<u16>>,
    /// Of every call.
    languages: Vec<Option<Language>>,
}

impl RequirementDigest {
    fn new(row: &LedgerRow) -> RequirementDigest {
        RequirementDigest {
            id: row.requirement_id.clone(),
            dimension: row.dimension.clone(),
            severity: row.severity,
            metric: metric_of(&row.requirement_id).is_some(),
            met: 0,
            failed: 0,
            not_applicable: 0,
            unknown: 0,
            lost_millipoints: 0,
            agreed: 0,
            reviewed: 0,
            failures: Vec::new(),
            examples: Vec::new(),
        }
    }

    /// Keeps the surest example of each of a few reps per language; earlier call ids win among equals.
    fn offer(&mut self, example: Example) {
        let language = example.language;
        let same = |e: &Example| e.rep == example.rep && e.language == language;
        if let Some(own) = self.examples.iter_mut().find(|e| same(e)) {
            if example.confidence_permille > own.confidence_permille {
                *own = example;
            }
        } else {
            self.examples.push(example);
        }
        self.examples.sort_by_key(|e| std::cmp::Reverse(e.confidence_permille));
        let mut kept = 0;
        self.examples.retain(|e| {
            kept += usize::from(e.language == language);
            e.language != language || kept <= EXAMPLES
        });
    }

    /// The best example of another rep, in the language of the moments that it stands beside if there is one.
    pub fn example_for(&self, rep: usize, language: Option<Language>) -> Option<&Example> {
        let others = || self.examples.iter().filter(|e| e.rep != rep);
        others().find(|e| e.language == language).or_else(|| others().next())
    }
}

fn add_known(moments: &mut Moments, value: Option<i64>) {
    if let Some(value) = value {
        moments.add(value);
    }
}
