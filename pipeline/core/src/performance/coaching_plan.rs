//! Coaching plans: what happened to them is a list of events that is only appended to; a plan is what its events make of it.
//!
//! warning → diagnosis → training → accompanied calls → re-check, and back to diagnosis when the re-check says that it did not help.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::coaching::{BeforeAfter, CoachingEffect, CoachingVerdict, coaching_effect};
use super::period::PeriodKind;
use super::summary::CallSummary;
use super::sums::{Cells, Stratum};
use crate::record::Outcome;

/// Days before and after that are compared when nobody says otherwise: whole weeks, long enough for some dozens of calls. Engineering guess.
pub const WINDOW_DAYS: i32 = 28;

/// What shall get better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The score, in millipoints.
    Score,
    /// A dimension: share of its possible points, per mille.
    Dimension(String),
    /// A requirement: met or clear counts 1000, missed or violated 0 (per mille).
    Requirement(String),
    /// A metric, which gives part of its points: what it costs a call, negative, in millipoints.
    Metric(String),
}

impl Target {
    /// The smallest effect worth having, in the target's unit. Engineering guess: two points, five per cent, half a point.
    pub fn worthwhile(&self) -> i64 {
        match self {
            Target::Score => 2_000,
            Target::Dimension(_) | Target::Requirement(_) => 50,
            Target::Metric(_) => 500,
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Target::Score => "score",
            Target::Dimension(_) => "dimension",
            Target::Requirement(_) => "requirement",
            Target::Metric(_) => "metric",
        }
    }

    /// Of the dimension, requirement or metric; `None`: the score.
    pub fn name(&self) -> Option<&str> {
        match self {
            Target::Score => None,
            Target::Dimension(name) | Target::Requirement(name) | Target::Metric(name) => Some(name),
        }
    }

    /// The call's value, if it has one.
    pub fn value(&self, call: &CallSummary) -> Option<i64> {
        let score = call.counted_score()?;
        match self {
            Target::Score => Some(score),
            Target::Dimension(name) => call.dimensions.get(name).map(|share| i64::from(*share)),
            Target::Metric(id) => call.metrics.contains_key(id).then(|| {
                let lost = call.losses.iter().filter(|loss| loss.requirement_id == *id);
                -lost.map(|loss| loss.millipoints).sum::<i64>()
            }),
            Target::Requirement(id) => {
                let mut results = call.results.iter().filter(|(_, ids)| ids.contains(id)).map(|(outcome, _)| *outcome);
                match results.next()? {
                    Outcome::Met | Outcome::Clear => Some(1000),
                    Outcome::Missed | Outcome::Violated => Some(0),
                    Outcome::Unknown | Outcome::NotApplicable => None,
                }
            }
        }
    }
}

/// Where a plan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Warning,
    Diagnosis,
    Training,
    AccompaniedCalls,
    Recheck,
    Closed,
}

impl Stage {
    /// Its name in tables, and in the store.
    pub fn id(self) -> &'static str {
        match self {
            Stage::Warning => "warning",
            Stage::Diagnosis => "diagnosis",
            Stage::Training => "training",
            Stage::AccompaniedCalls => "accompanied_calls",
            Stage::Recheck => "recheck",
            Stage::Closed => "closed",
        }
    }
}

/// What happened to a plan, on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum CoachingEvent {
    Planned {
        day: Date,
        rep_id: String,
        target: Target,
        /// Reps of whom nothing is wanted, named before anything is known of what they do afterwards; empty: the rest of the team.
        control: Vec<String>,
        by: String,
        note: String,
    },
    Moved {
        day: Date,
        stage: Stage,
        by: String,
        note: String,
    },
    Checked {
        day: Date,
        windows: Windows,
        verdict: CoachingVerdict,
        effect: i64,
        low: i64,
        high: i64,
    },
}

/// First and last days that a re-check compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    pub before: (Date, Date),
    pub after: (Date, Date),
}

/// A plan as its events made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CoachingPlan {
    pub plan_id: String,
    pub rep_id: String,
    pub target: Target,
    pub control: Vec<String>,
    pub by: String,
    pub stage: Stage,
    /// First day of the plan, and of each stage that it reached last.
    pub since: Date,
    pub entered: BTreeMap<Stage, Date>,
    /// The last re-check: day, verdict, effect, its interval.
    pub last_check: Option<(Date, CoachingVerdict, i64, i64, i64)>,
    /// Re-checks that said that it did not help.
    pub failed_checks: u32,
    pub notes: Vec<(Date, String)>,
}

impl CoachingPlan {
    /// The plans that these events make, in the order in which they were planned; `Err` names the plan whose events make none.
    pub fn all(events: &[(String, CoachingEvent)]) -> Result<Vec<CoachingPlan>, String> {
        let mut plans: Vec<CoachingPlan> = Vec::new();
        for (plan_id, event) in events {
            match (plans.iter_mut().find(|plan| plan.plan_id == *plan_id), event) {
                (None, CoachingEvent::Planned { day, rep_id, target, control, by, note }) => {
                    let mut plan = CoachingPlan {
                        plan_id: plan_id.clone(),
                        rep_id: rep_id.clone(),
                        target: target.clone(),
                        control: control.clone(),
                        by: by.clone(),
                        stage: Stage::Warning,
                        since: *day,
                        entered: BTreeMap::new(),
                        last_check: None,
                        failed_checks: 0,
                        notes: Vec::new(),
                    };
                    plan.enter(Stage::Warning, *day, note);
                    plans.push(plan);
                }
                (Some(plan), CoachingEvent::Moved { day, stage, note, .. }) => plan.enter(*stage, *day, note),
                (Some(plan), CoachingEvent::Checked { day, verdict, effect, low, high, .. }) => {
                    plan.last_check = Some((*day, *verdict, *effect, *low, *high));
                    let stage = match verdict {
                        CoachingVerdict::DidNotHelp => {
                            plan.failed_checks += 1;
                            Stage::Diagnosis
                        }
                        // What was closed stays so, unless it turns out that it did not help.
                        CoachingVerdict::Helped | CoachingVerdict::NoEvidenceYet => plan.stage.max(Stage::Recheck),
                    };
                    plan.enter(stage, *day, "");
                }
                (None, _) | (Some(_), CoachingEvent::Planned { .. }) => return Err(plan_id.clone()),
            }
        }
        Ok(plans)
    }

    fn enter(&mut self, stage: Stage, day: Date, note: &str) {
        self.stage = stage;
        self.entered.insert(stage, day);
        if !note.is_empty() {
            self.notes.push((day, note.to_string()));
        }
    }

    pub fn is_open(&self) -> bool {
        self.stage != Stage::Closed
    }

    /// The day on which coaching began: of the last training, else of the plan.
    pub fn coached_from(&self) -> Date {
        self.entered.get(&Stage::Training).copied().unwrap_or(self.since)
    }

    /// The last day of coaching: of the last training or accompanied calls, else the plan's first day. Calls after it count as after.
    fn coached_until(&self) -> Date {
        let steps = [Stage::Training, Stage::AccompaniedCalls].iter().filter_map(|stage| self.entered.get(stage));
        steps.max().copied().unwrap_or(self.since)
    }

    /// What a re-check compares: `days` before coaching began, and the days after its last step up to `until`.
    /// `None` while nothing lies between them.
    pub fn windows(&self, days: i32, until: Date) -> Option<Windows> {
        let begin = self.coached_from();
        let before = (begin.checked_sub(days.days()).ok()?, begin.yesterday().ok()?);
        let after = (self.coached_until().tomorrow().ok()?, until);
        (after.0 <= after.1).then_some(Windows { before, after })
    }

    /// The day on which enough is likely to be known for a re-check.
    pub fn recheck_due(&self) -> Option<Date> {
        self.coached_until().checked_add(WINDOW_DAYS.days()).ok()
    }

    /// Whether the coaching helped, from these calls; `None` without calls of the rep before and after. Controls are those that the plan
    /// names, else the rep's team mates without a plan in these days (`busy` are the reps with one).
    pub fn check(
        &self,
        calls: &[CallSummary],
        windows: &Windows,
        busy: &[String],
        worthwhile: i64,
    ) -> Option<CoachingEffect> {
        let mut people: BTreeMap<&str, (BeforeAfter, Option<&str>)> = BTreeMap::new();
        for call in calls {
            let (Some(rep), Some(value)) = (call.rep_id.as_deref().map(str::trim), self.target.value(call)) else {
                continue;
            };
            let day: Option<Date> = PeriodKind::Day.period(call.start_ts.as_deref()).and_then(|day| day.parse().ok());
            let Some(day) = day.filter(|_| !rep.is_empty()) else { continue };
            let within = |window: (Date, Date)| window.0 <= day && day <= window.1;
            let (person, team) = people.entry(rep).or_default();
            let cells: &mut Cells = match (within(windows.before), within(windows.after)) {
                (true, _) => &mut person.before,
                (_, true) => &mut person.after,
                _ => continue,
            };
            *team = call.team.as_deref().or(*team);
            let stratum = Stratum { campaign: call.campaign.clone(), call_type: call.call_type.clone() };
            cells.entry(stratum).or_default().add(value);
        }
        let (coached, team) = people.remove(self.rep_id.as_str())?;
        let is_control = |rep: &str, of: Option<&str>| match self.control.as_slice() {
            [] => of == team && !busy.iter().any(|other| other == rep),
            named => named.iter().any(|name| name == rep),
        };
        let (control, others): (Vec<_>, Vec<_>) = people.into_iter().partition(|(rep, (cells, of))| {
            is_control(rep, *of) && !cells.before.is_empty() && !cells.after.is_empty()
        });
        let control: Vec<BeforeAfter> = control.into_iter().map(|(_, (cells, _))| cells).collect();
        let others: Vec<Cells> =
            others.into_iter().map(|(_, (cells, _))| cells.before).filter(|before| !before.is_empty()).collect();
        coaching_effect(&[coached], &control, &others, worthwhile)
    }
}
