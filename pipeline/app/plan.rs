//! What each found file needs: hashes what is new, joins metadata, leaves out what is known to be broken or there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, anyhow};
use callmark_core::acts::ActLexicon;
use callmark_core::recording::{self, Metadata, sha256_hex};
use callmark_models::manifest::ModelFile;
use callmark_store::{FailureRow, Store};
use rayon::prelude::*;

use crate::batch::{Job, OtherSide};
use crate::call::{CallError, MAX_RECORDING_BYTES, Stage};
use crate::channel_map::ChannelMap;
use crate::commands::explain;
use crate::config::Config;
use crate::discover::Candidate;
use crate::read::metadata::MetadataSources;
use crate::render::outputs;
use crate::run_summary::{Failure, RunSummary};
use crate::sides::{self, Pair};
use crate::sound_networks::SoundNetworkFiles;

pub const PROGRAM_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Key of the metadata's extra fields with the recording's own channel map.
const CHANNELS: &str = "channels";

/// What transcripts are made with.
pub struct Engines<'a> {
    pub model: &'a ModelFile,
    pub channels: ChannelMap,
    /// The command line named the channels: the configuration's sources do not count.
    pub channels_by_flag: bool,
    pub config: &'a Config,
    /// `None` where they cannot be found; then nothing is transcribed.
    pub networks: Option<&'a SoundNetworkFiles>,
}

impl Engines<'_> {
    /// Which channel of a recording carries whom: by the flag, else its metadata, its source, the configuration.
    fn channels_of(&self, recording: &Path, about: &Metadata) -> Result<ChannelMap> {
        if self.channels_by_flag {
            return Ok(self.channels);
        }
        if let Some(own) = about.extra.get(CHANNELS) {
            return ChannelMap::parse(own);
        }
        let source = self.config.sources.iter().find(|source| source.holds(recording));
        Ok(source.map_or(self.channels, |source| source.channels))
    }

    /// Everything that can change a transcript: models, vocabulary, language, channel map, the other side, text-reader version;
    /// a file's name where it may say what the bytes are.
    fn model_key(
        &self,
        language: Option<&str>,
        channels: ChannelMap,
        file_name: &str,
        other: Option<&OtherSide>,
    ) -> String {
        let parts = [
            "transcript 7", // 2: two speakers of one channel are told apart, 3: word by word, 4: babble, 5: words dated by their letters, 6 and 7: babble again
            &self.model.sha256,
            &self.network_hashes().map(|(_, hash)| hash).collect::<Vec<_>>().join(" "),
            &self.config.transcription_key(),
            &channels.key(),
            &format!("{:?}", self.model.recogniser_settings()),
            // Inferred roles hang on the acts.
            &if channels == ChannelMap::Auto { ActLexicon::built_in_hash() } else { String::new() },
            language.unwrap_or(""),
            &other.map_or(String::new(), OtherSide::key),
            callmark_audio::headerless_format(file_name).unwrap_or(""),
        ];
        sha256_hex(parts.join("\n").as_bytes())
    }

    pub fn hashes(&self) -> BTreeMap<String, String> {
        let recogniser = std::iter::once(("recogniser", self.model.sha256.as_str()));
        recogniser.chain(self.network_hashes()).map(|(role, hash)| (role.to_string(), hash.to_string())).collect()
    }

    /// Role and SHA-256 of the networks that listen: the voice activity and, where they are used, the others.
    fn network_hashes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let files = self.networks.map(|networks| {
            [
                ("voice_activity", Some(&networks.voice_activity)),
                ("speaker_encoder", networks.speaker_encoder.as_ref()),
                ("overlap_detector", networks.overlap_detector.as_ref()),
            ]
        });
        files.into_iter().flatten().filter_map(|(role, file)| Some((role, file?.sha256.as_str())))
    }
}

/// What a batch does.
pub struct Plan {
    pub jobs: Vec<Job>,
    /// Calls of this batch that need no work, but belong into its tables.
    pub known: BTreeSet<String>,
}

/// How to look at what the store knows already.
#[derive(Debug, Clone, Copy)]
pub struct Diligence {
    pub rehash: bool,
    pub retry_failed: bool,
}

pub fn plan(
    candidates: &[Candidate],
    metadata: &mut MetadataSources,
    store: &dyn Store,
    engines: &Engines,
    diligence: Diligence,
    out: &Path,
    report: &mut RunSummary,
) -> Result<Plan> {
    let identified: Vec<Result<String, String>> =
        candidates.par_iter().map(|c| identify(c, store, diligence.rehash).map_err(|e| e.to_string())).collect();
    let about: Vec<Metadata> = candidates.iter().map(|candidate| metadata.of(&candidate.path)).collect();
    // Both sides with the same bytes are one recording that came twice.
    let differ = |pair: &Pair| matches!((&identified[pair.first], &identified[pair.second]), (Ok(a), Ok(b)) if a != b);
    let pairs: BTreeMap<usize, Pair> =
        sides::pairs(candidates, &about).into_iter().filter(differ).map(|pair| (pair.first, pair)).collect();
    let seconds: BTreeSet<usize> = pairs.values().map(|pair| pair.second).collect();
    let mut plan = Plan { jobs: vec![], known: BTreeSet::new() };
    let (mut seen, mut taken) = (BTreeSet::new(), BTreeMap::new());
    for (place, candidate) in candidates.iter().enumerate().filter(|(place, _)| !seconds.contains(place)) {
        let refuse = |key: &str, cause: String, hint: &str, report: &mut RunSummary| -> Result<()> {
            fail(store, key, &candidate.file_name, &CallError::new(Stage::Read, cause, hint), report)
        };
        let recording_id = match &identified[place] {
            // All empty files have the same bytes, and each is a call that was lost.
            Ok(_) if candidate.stamp.size == 0 => sha256_hex(format!("empty file {}", candidate.stamp.path).as_bytes()),
            Ok(id) => id.clone(),
            Err(cause) => {
                let hint = "check that the file can be read by this user";
                refuse(&candidate.path.to_string_lossy(), cause.clone(), hint, report)?;
                continue;
            }
        };
        let pair = pairs.get(&place);
        let other = pair.and_then(|pair| {
            let (path, stamp) = (candidates[pair.second].path.clone(), candidates[pair.second].stamp.clone());
            let recording_id = identified[pair.second].as_ref().ok()?.clone();
            Some(OtherSide { path, stamp, recording_id, begins_ms: pair.second_begins_ms })
        });
        let ids: Vec<String> =
            std::iter::once(&recording_id).chain(other.iter().map(|other| &other.recording_id)).cloned().collect();
        if ids.iter().any(|id| seen.contains(id)) {
            report.duplicates += ids.len();
            continue;
        }
        seen.extend(ids.iter().cloned());
        let mut formers = BTreeSet::new();
        for id in &ids {
            formers.extend(store.calls_of_recording(id).map_err(explain)?);
        }
        if other.is_none()
            && let Some(whole) = call_of_both_sides(store, &formers)?
        {
            report.warnings.push(format!(
                "{} is one side of the call {whole}, which has both; to score it alone, forget that call first",
                candidate.file_name
            ));
            plan.known.insert(whole);
            continue;
        }
        let mut about = match pair {
            None => about[place].clone(),
            Some(pair) => sides::metadata_of_call(&about[pair.first], &about[pair.second]),
        };
        if about.call_id.is_none()
            && let Some(same) = call_of(store, &formers, &ids)?
            && let Some(stored) = store.get_call(&same).map_err(explain)?
        {
            // A renamed or re-delivered recording stays the call that it was (a side that was a call of its own does not); new
            // metadata win over stored ones.
            about = metadata.over_stored(about, stored.record.metadata);
        }
        let call_id = recording::call_id(&about, &ids);
        let mut forgotten = false;
        for id in &ids {
            forgotten |= store.tombstone(&call_id, id).map_err(explain)?.is_some();
        }
        if forgotten {
            report.forgotten += 1;
            continue;
        }
        if !diligence.retry_failed
            && let Some(row) = store.get_failure(&recording_id, PROGRAM_VERSION).map_err(explain)?
        {
            let file = candidate.file_name.clone();
            report.failed.push(Failure { file, stage: row.stage, cause: row.cause, hint: row.hint, known: true });
            plan.known.insert(call_id);
            continue;
        }
        let others = store.recordings(&call_id).map_err(explain)?;
        let refused = match taken.insert(call_id.clone(), candidate.file_name.clone()) {
            Some(other) => Some(format!("its call id is also that of {other}")),
            None if others.is_empty() || others.iter().any(|o| ids.contains(&o.recording_id)) => None,
            None => Some("another recording with its call id is in the store".to_string()),
        };
        if let Some(cause) = refused {
            let hint = "give each recording its own call_id in the metadata, or, when they are the two sides of one call, \
                        a column `side` (rep, customer); or use another --store";
            refuse(&recording_id, cause, hint, report)?;
            continue;
        }
        // A recording that got another call id (late metadata, its other side) leaves the one that it had; its reviews go with it.
        for former in formers.iter().filter(|id| **id != call_id) {
            store.rename_call(former, &call_id).map_err(explain)?;
            outputs::remove_call(out, former)?;
        }
        let channels = match pair {
            Some(pair) if pair.roles_known => ChannelMap::sides(0, 1),
            Some(_) => ChannelMap::Auto,
            None => match engines.channels_of(&candidate.path, &about) {
                Ok(channels) => channels,
                Err(error) => {
                    let text = error.to_string();
                    let (cause, hint) = text.split_once("\nhint: ").unwrap_or((&text, ""));
                    refuse(&recording_id, format!("the metadata's `{CHANNELS}`: {cause}"), hint, report)?;
                    continue;
                }
            },
        };
        let model_key = engines.model_key(about.language.as_deref(), channels, &candidate.file_name, other.as_ref());
        let stored_transcript = store.get_analysis(&recording_id, &model_key).map_err(explain)?;
        plan.jobs.push(Job {
            path: candidate.path.clone(),
            file_name: candidate.file_name.clone(),
            stamp: candidate.stamp.clone(),
            cached: stored_transcript.is_some_and(|stored| engines.config.redaction.can_use(&stored)),
            recording_id,
            call_id,
            metadata: about,
            model_key,
            channels,
            other,
        });
    }
    report.warnings.extend(metadata.warnings());
    Ok(plan)
}

/// The first of these calls that was made from just these recordings.
fn call_of(store: &dyn Store, calls: &BTreeSet<String>, recordings: &[String]) -> Result<Option<String>> {
    for call in calls {
        let links = store.recordings(call).map_err(explain)?;
        if links.len() == recordings.len() && links.iter().all(|link| recordings.contains(&link.recording_id)) {
            return Ok(Some(call.clone()));
        }
    }
    Ok(None)
}

/// The first of these calls that was made from two recordings.
fn call_of_both_sides(store: &dyn Store, calls: &BTreeSet<String>) -> Result<Option<String>> {
    for call in calls {
        if store.recordings(call).map_err(explain)?.len() > 1 {
            return Ok(Some(call.clone()));
        }
    }
    Ok(None)
}

/// SHA-256 of the file's bytes, from the cache when path, size, time and inode are unchanged.
fn identify(candidate: &Candidate, store: &dyn Store, rehash: bool) -> Result<String> {
    if !rehash && let Some(id) = store.get_file(&candidate.stamp).map_err(explain)? {
        return Ok(id);
    }
    if candidate.stamp.size > MAX_RECORDING_BYTES {
        // It will be refused; reading it whole to name it would take minutes.
        return Ok(sha256_hex(format!("too large {:?}", candidate.stamp).as_bytes()));
    }
    let id = callmark_models::manifest::file_sha256(&candidate.path).map_err(|e| anyhow!("{e}"))?;
    store.put_file(&candidate.stamp, &id).map_err(explain)?;
    Ok(id)
}

/// Reports a recording that failed, and remembers it when its own bytes are the cause.
pub fn fail(store: &dyn Store, key: &str, file_name: &str, error: &CallError, report: &mut RunSummary) -> Result<()> {
    let failure = Failure::new(file_name, error);
    tracing::info!(file = file_name, stage = failure.stage, cause = failure.cause, "a recording failed");
    if error.lasting {
        let row = FailureRow {
            key: key.to_string(),
            file_name: file_name.to_string(),
            stage: failure.stage.clone(),
            cause: failure.cause.clone(),
            hint: failure.hint.clone(),
            program_version: PROGRAM_VERSION.to_string(),
        };
        store.put_failure(&row).map_err(explain)?;
    }
    report.failed.push(failure);
    Ok(())
}
