//! Transcript → record: text models, signals, acts and scorecard in parallel, then the score. Used by `run`, `score` and `review`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};
use callmark_core::acts::ActLexicon;
use callmark_core::adherence::coverage::{self, RequirementUse};
use callmark_core::adherence::{self, CallEvidence, PhraseEmbeddings};
use callmark_core::record::{
    CallRecord, Decision, Evaluation, ItemResult, Outcome, Provenance, RECORD_SCHEMA, Review, RowKind, UnscoredReason,
    record_schema,
};
use callmark_core::recording::{Language, Metadata, sha256_hex};
use callmark_core::reuse::{self, Fingerprints};
use callmark_core::scorecard::Scorecard;
use callmark_core::scoring::{self, ScorecardId, ScoringRules, eligibility};
use callmark_core::signals::{self, Signals};
use callmark_core::transcript::{Sentiment, Transcript, TurnScores};

use callmark_store::Store;
use rayon::prelude::*;

use crate::call::transcript_hash;
use crate::commands::explain;
use crate::config::{Config, Route};
use crate::install::Install;
use crate::stored_calls::Input;
use crate::text_encoders::TextModelHashes;

/// An evaluation with what it was made from.
pub struct Judged {
    pub acts: Vec<BTreeMap<String, u16>>,
    /// Of each turn in its call.
    pub sentiment: Vec<Option<Sentiment>>,
    pub signals: Signals,
    /// Empty when the call is not scored.
    pub items: Vec<ItemResult>,
    pub evaluation: Evaluation,
}

/// Everything about a call that is known before scoring.
#[derive(Debug, Clone)]
pub struct Analysed {
    pub call_id: String,
    pub metadata: Metadata,
    pub transcript: Transcript,
    pub scores: TurnScores,
    /// The models that made `scores`, when some did.
    pub text_models: Option<TextModelHashes>,
    pub recording_ids: Vec<String>,
    /// Hashes of the models that made the transcript.
    pub models: BTreeMap<String, String>,
    pub configuration: String,
    pub reviews: Vec<Review>,
}

/// Scorecards, lexicon and phrase embeddings of one run.
pub struct Analyst {
    pub lexicon: &'static ActLexicon,
    /// Fatal requirement → (findings that reviewers agreed with, findings reviewed).
    precision: BTreeMap<String, (u32, u32)>,
    routes: Vec<(Route, usize)>,
    scorecards: Vec<Scorecard>,
    forced: bool,
    /// Embeddings of the scorecards' `meaning` phrases.
    pub phrases: PhraseEmbeddings,
    /// By scorecard hash: those of this run, and those that the store remembers.
    fingerprints: BTreeMap<String, Fingerprints>,
}

/// What a stored evaluation says that need not be found out again.
#[derive(Debug, Default)]
pub struct Known {
    /// The call can be scored.
    eligible: bool,
    acts: Option<Vec<BTreeMap<String, u16>>>,
    signals: Option<Signals>,
    /// By item id.
    items: BTreeMap<String, ItemResult>,
}

impl Analyst {
    /// Loads the scorecard for all calls, or those of the configured routes.
    pub fn load(scorecard: Option<&Path>, config: &Config, install: &Install) -> Result<Analyst> {
        let lexicon = ActLexicon::built_in();
        let mut files: Vec<PathBuf> = Vec::new();
        let mut index_of = |path: PathBuf| {
            files.iter().position(|file| *file == path).unwrap_or_else(|| {
                files.push(path);
                files.len() - 1
            })
        };
        let mut routes = Vec::new();
        if let Some(path) = scorecard {
            let everything =
                Route { campaign: None, call_type: None, direction: None, language: None, scorecard: String::new() };
            routes.push((everything, index_of(resolve(&path.to_string_lossy(), Path::new("."), install)?)));
        } else {
            for route in &config.routes {
                let path = resolve(&route.scorecard, &config.folder, install)?;
                routes.push((route.clone(), index_of(path)));
            }
        }
        // Compiling the patterns of a large scorecard takes most of a second.
        let read: Vec<Result<Scorecard>> = files.par_iter().map(|file| read_scorecard(file)).collect();
        let scorecards = read.into_iter().collect::<Result<Vec<Scorecard>>>()?;
        let fingerprints = scorecards.iter().map(|s: &Scorecard| (s.hash.clone(), Fingerprints::of(s))).collect();
        Ok(Analyst {
            lexicon,
            precision: BTreeMap::new(),
            routes,
            scorecards,
            forced: scorecard.is_some(),
            phrases: PhraseEmbeddings::new(),
            fingerprints,
        })
    }

    /// Learns what the stored evaluations were made with.
    pub fn load_fingerprints(&mut self, store: &dyn Store) -> Result<()> {
        for (hash, json) in store.scorecards().map_err(explain)? {
            // Fingerprints of another shape are those of another program: everything is judged anew.
            if let Ok(fingerprints) = serde_json::from_str(&json) {
                self.fingerprints.entry(hash).or_insert(fingerprints);
            }
        }
        Ok(())
    }

    /// Learns what evaluations by another analyst's scorecards depend on.
    pub fn learn_from(&mut self, other: &Analyst) {
        let theirs = other.fingerprints.iter().map(|(hash, fingerprints)| (hash.clone(), fingerprints.clone()));
        self.fingerprints.extend(theirs);
    }

    /// Lets the store remember what evaluations by these scorecards depend on.
    pub fn remember_scorecards(&self, store: &dyn Store) -> Result<()> {
        for scorecard in &self.scorecards {
            if let Some(fingerprints) = self.fingerprints.get(&scorecard.hash) {
                store.put_scorecard(&scorecard.hash, &json(fingerprints)).map_err(explain)?;
            }
        }
        Ok(())
    }

    /// Learns from the stored reviews how precise the fatal requirements' findings are.
    pub fn load_precision(&mut self, store: &dyn Store) -> Result<()> {
        self.precision.clear();
        let mut decided: BTreeMap<(String, String), (i64, Decision)> = BTreeMap::new();
        for review in store.all_reviews().map_err(explain)? {
            if review.is_final && review.decision != Decision::Comment {
                decided.insert((review.call_id, review.requirement_id), (review.review_id, review.decision));
            }
        }
        // One decision per call and row, and only about findings: agreeing that nothing was wrong says nothing about them.
        for ((call_id, requirement), (review_id, decision)) in decided {
            let about = match store.get_call(&call_id).map_err(explain)? {
                Some(stored) => {
                    let mut rows = stored.record.evaluation.ledger.into_iter();
                    rows.find(|row| row.kind == RowKind::Item && row.requirement_id == requirement).map(|r| r.result)
                }
                // A forgotten call's decision keeps what it was about.
                None => store.reviewed_result(review_id).map_err(explain)?,
            };
            if matches!(about, Some(Outcome::Missed | Outcome::Violated)) {
                let (agreed, reviewed) = self.precision.entry(requirement).or_default();
                *agreed += u32::from(decision == Decision::Agree);
                *reviewed += 1;
            }
        }
        Ok(())
    }

    /// Fatal requirements precise enough to count without a review.
    fn trusted_fatals(&self) -> Vec<String> {
        let trusted = self.precision.iter().filter(|(_, counts)| scoring::precise_enough(**counts));
        trusted.map(|(id, _)| id.clone()).collect()
    }

    fn rules(&self, scorecard: &Scorecard) -> ScoringRules {
        let caps = scorecard.requirements.iter().filter_map(|r| Some((r.id.clone(), i64::from(r.cap?) * 1000)));
        ScoringRules {
            weights: scorecard.weights.clone(),
            pass_millipoints: i64::from(scorecard.verdicts.pass) * 1000,
            coach_millipoints: i64::from(scorecard.verdicts.coach) * 1000,
            fatal_cap_millipoints: i64::from(scorecard.fatal_cap) * 1000,
            fatal_caps: caps.collect(),
            precision: self.precision.clone(),
        }
    }

    fn scorecard_for(&self, metadata: &Metadata, language: Option<Language>) -> Option<&Scorecard> {
        let (_, index) = self.routes.iter().find(|(route, _)| self.forced || route.matches(metadata, language))?;
        self.scorecards.get(*index)
    }

    /// What the evaluation of a call depends on, as one hash: equal key, equal record.
    pub fn evaluation_key(&self, call: &Analysed) -> String {
        self.evaluation_key_of(call, &transcript_hash(&call.transcript))
    }

    /// The same, where the hash of the call's transcript is known.
    pub fn evaluation_key_of(&self, call: &Analysed, transcript: &str) -> String {
        let scorecard = self.scorecard_for(&call.metadata, call.transcript.language);
        self.key_under(scorecard.map_or("", |s| s.hash.as_str()), call, transcript)
    }

    fn key_under(&self, scorecard: &str, call: &Analysed, transcript: &str) -> String {
        let parts = [
            call.call_id.clone(),
            call.recording_ids.join(","),
            transcript.to_string(),
            if scorecard.is_empty() { "none" } else { scorecard }.to_string(),
            json(&call.metadata),
            json(&call.models),
            json(&call.reviews),
            call.text_models.as_ref().map(TextModelHashes::key).unwrap_or_default(),
            call.configuration.clone(),
            self.trusted_fatals().join(","),
            program_fingerprint(),
        ];
        sha256_hex(parts.join("\n").as_bytes())
    }

    /// Takes over the embeddings of `meaning` phrases that an encoder made earlier; the phrases that the store does not have.
    pub fn load_phrases(&mut self, language: Language, encoder_hash: &str, store: &dyn Store) -> Result<Vec<String>> {
        let texts: BTreeSet<String> = self.scorecards.iter().flat_map(|s| s.meaning_phrases(language)).collect();
        let texts: Vec<String> = texts.into_iter().collect();
        let stored = store.get_phrases(encoder_hash, &texts).map_err(explain)?;
        let (known, missing): (Vec<_>, Vec<_>) = texts.into_iter().zip(stored).partition(|(_, known)| known.is_some());
        let known = known.into_iter().filter_map(|(text, embedding)| Some((text, embedding?)));
        self.phrases.entry(language).or_default().extend(known);
        Ok(missing.into_iter().map(|(text, _)| text).collect())
    }

    /// The scorecard that a call gets: name and hash.
    pub fn scorecard_of(&self, metadata: &Metadata, language: Option<Language>) -> Option<(&str, &str)> {
        self.scorecard_for(metadata, language).map(|s| (s.name.as_str(), s.hash.as_str()))
    }

    /// The scorecards of all routes, in the order of the routes.
    pub fn scorecards(&self) -> &[Scorecard] {
        &self.scorecards
    }

    /// One scorecard was given for all calls.
    pub fn is_forced(&self) -> bool {
        self.forced
    }

    /// True when the stored evaluation differs from one of today at most by its scorecard.
    pub fn is_of_now(&self, input: &Input) -> bool {
        let former = &input.former;
        self.key_under(&former.evaluation.scorecard_hash, &input.call, &input.transcript_hash) == former.evaluation_key
    }

    /// What of a stored evaluation of the call still holds: nothing, unless all but the scorecard is as it was then.
    pub fn known(&self, input: &Input) -> Known {
        if !self.is_of_now(input) {
            return Known::default();
        }
        let (call, former) = (&input.call, &input.former.evaluation);
        let eligible = former.reason.is_none();
        let acts = Some(input.former.acts.clone());
        let scorecard = self.scorecard_for(&call.metadata, call.transcript.language);
        let now = scorecard.and_then(|s| Some((s, self.fingerprints.get(&s.hash)?)));
        let (Some((scorecard, now)), Some(earlier)) = (now, self.fingerprints.get(&former.scorecard_hash)) else {
            return Known { eligible, acts, ..Known::default() };
        };
        let signals = now.same_signals(earlier).then(|| input.former.signals.clone());
        Known { eligible, acts, signals, items: reuse::results_that_hold(scorecard, now, earlier, &former.ledger) }
    }

    /// Scores one call. Pure: the same inputs give the same record on every machine.
    pub fn evaluate(&self, call: &Analysed) -> CallRecord {
        self.evaluate_rest(call, Known::default())
    }

    /// As `evaluate`, finding out only what is not known.
    pub fn evaluate_rest(&self, call: &Analysed, known: Known) -> CallRecord {
        let Judged { acts, sentiment, signals, items: _, evaluation } = self.judge(call, known);
        let mut models = call.models.clone();
        if let Some(text_models) = &call.text_models {
            text_models.tell(&mut models);
        }
        let acts_by_model = self.lexicon.by_model(call.scores.acts.as_ref());
        CallRecord {
            schema_version: record_schema(&call.transcript, evaluation.reason, &acts_by_model),
            call_id: call.call_id.clone(),
            metadata: call.metadata.clone(),
            transcript: call.transcript.clone(),
            signals,
            sentiment,
            acts,
            acts_by_model,
            provenance: Provenance {
                program_version: env!("CARGO_PKG_VERSION").to_string(),
                audio: call.recording_ids.clone(),
                models,
                scorecard: evaluation.scorecard_hash.clone(),
                configuration: call.configuration.clone(),
            },
            evaluation,
        }
    }

    /// The evaluation alone, with what it was made from.
    pub fn judge(&self, call: &Analysed, known: Known) -> Judged {
        let transcript = &call.transcript;
        let scorecard = self.scorecard_for(&call.metadata, transcript.language);
        let acts = known.acts.unwrap_or_else(|| self.lexicon.hear(transcript, call.scores.acts.as_ref()));
        let sentiment = call.scores.moods(&transcript.turns);
        let signals = known.signals.unwrap_or_else(|| {
            let names = |acts| self.lexicon.stages(acts).into_iter().map(str::to_string).collect();
            let turn_stages: Vec<_> = acts.iter().map(names).collect();
            let stages: &[String] = scorecard.map_or(&[], |s| &s.stages);
            signals::compute(transcript, &sentiment, &acts, &turn_stages, stages)
        });
        let unscored_for = if known.eligible { None } else { eligibility(transcript) };
        // Nobody looks at the items of a call that is not scored.
        let judged = scorecard.filter(|_| unscored_for.is_none());
        let items = judged.map_or_else(Vec::new, |scorecard| {
            adherence::assess_rest(scorecard, &self.evidence(call, &acts, &sentiment, &signals), known.items)
        });
        let evaluation = match (scorecard, unscored_for) {
            (Some(scorecard), None) => {
                let decisions = final_decisions(&call.reviews);
                scoring::evaluate_eligible(&self.rules(scorecard), &items, &decisions, scorecard_id(scorecard))
            }
            (Some(scorecard), Some(reason)) => scoring::unscored(reason, Some(scorecard_id(scorecard))),
            (None, reason) => scoring::unscored(reason.unwrap_or(UnscoredReason::NoScorecard), None),
        };
        Judged { acts, sentiment, signals, items, evaluation }
    }

    /// Which matchers and phrases of the call's scorecard find anything in it; `skip` as in `coverage::uses`.
    pub fn uses(
        &self,
        call: &Analysed,
        judged: &Judged,
        skip: &dyn Fn(&str, &str, &str) -> bool,
    ) -> Vec<RequirementUse<'_>> {
        let scorecard = self.scorecard_for(&call.metadata, call.transcript.language);
        let evidence = self.evidence(call, &judged.acts, &judged.sentiment, &judged.signals);
        scorecard.map_or_else(Vec::new, |scorecard| coverage::uses(scorecard, &evidence, skip))
    }

    fn evidence<'a>(
        &'a self,
        call: &'a Analysed,
        acts: &'a [BTreeMap<String, u16>],
        sentiment: &'a [Option<Sentiment>],
        signals: &'a Signals,
    ) -> CallEvidence<'a> {
        CallEvidence {
            transcript: &call.transcript,
            metadata: &call.metadata,
            signals,
            scores: &call.scores,
            sentiment,
            acts,
            lexicon: self.lexicon,
            phrase_embeddings: &self.phrases,
        }
    }
}

fn scorecard_id(scorecard: &Scorecard) -> ScorecardId<'_> {
    ScorecardId { name: &scorecard.name, version: scorecard.version, hash: &scorecard.hash }
}

/// The last final decision about each row counts.
fn final_decisions(reviews: &[Review]) -> BTreeMap<String, Decision> {
    let decided = reviews.iter().filter(|r| r.is_final && r.decision != Decision::Comment);
    decided.map(|r| (r.requirement_id.clone(), r.decision)).collect()
}

/// Raised when roles, eligibility or signals are computed otherwise within one program version, so that stored calls are scored anew.
/// 2: roles by weighed cues, calls without a conversation, signals of voice and hold. 3: calls that nobody answers. 4: phrases
/// by sound and numbers in one form.
const RULES_EDITION: u32 = 4;

/// Program version and everything built into it that decides a score.
pub fn program_fingerprint() -> String {
    static ACTS: OnceLock<String> = OnceLock::new();
    let (version, acts) = (env!("CARGO_PKG_VERSION"), ACTS.get_or_init(ActLexicon::built_in_hash));
    format!("callmark {version} record {RECORD_SCHEMA} rules {RULES_EDITION} acts {acts}")
}

/// Reads and checks one scorecard file; the error names file, line and column.
pub fn read_scorecard(path: &Path) -> Result<Scorecard> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the scorecard {}", path.display()))?;
    Scorecard::parse_bytes(&bytes).map_err(|error| anyhow::anyhow!("{}:{error}", path.display()))
}

/// A file, or the name of a scorecard in the box.
pub fn resolve(name: &str, folder: &Path, install: &Install) -> Result<PathBuf> {
    for path in [folder.join(name), install.scorecards().join(format!("{name}.yaml"))] {
        if path.is_file() {
            return Ok(path);
        }
    }
    bail!("there is no scorecard `{name}`\nhint: give a file, or one in the box: telesales, support, collections")
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
