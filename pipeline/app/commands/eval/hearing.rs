//! Recognises the recordings of labelled sets on the program's own path, in this process: decoder, voice activity, recogniser
//! lanes, guards, roles.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, anyhow};
use callmark_audio::Limits;
use callmark_core::acts::ActLexicon;
use callmark_core::recording::Metadata;
use callmark_core::transcript::{Role, RoleMethod, Transcript};
use callmark_models::asr::{Lane, Recogniser, Removed};
use callmark_models::manifest::{Manifest, ModelFile};
use callmark_models::runtime;

use super::labelled::LabelledRecording;
use crate::call::{self, CallError, RecogniseOptions, Stage, StageClock};
use crate::channel_map::ChannelMap;
use crate::config::Config;
use crate::install::Install;
use crate::progress::Progress;
use crate::session::model_languages;
use crate::sound_networks::{SoundNetworkFiles, SoundNetworkPaths, SoundNetworks};
use crate::work_time::{Stopwatch, WorkTime};

/// What the program made of one recording.
pub struct Heard {
    pub transcript: Transcript,
    /// What guards removed, with the role that the transcript gives to its channel.
    pub removed: Vec<(Role, Removed)>,
    pub decode: WorkTime,
    pub voice_activity: WorkTime,
    pub recognise: WorkTime,
}

/// The recogniser with everything around it, ready to listen.
pub struct Hearing {
    pub model: ModelFile,
    recogniser: Recogniser,
    networks: SoundNetworkPaths,
    channels: ChannelMap,
    options: RecogniseOptions,
    limits: Limits,
    /// The sets' languages are not told.
    detect_language: bool,
}

impl Hearing {
    /// # Errors
    /// A model is missing or cannot be loaded.
    pub fn open(model: Option<&str>, config: &Config, detect_language: bool) -> Result<Hearing> {
        let install = Install::find()?;
        let manifest = Manifest::built_in().context("the built-in model manifest is damaged")?;
        let folders = install.model_folders();
        let find = |name: &str| manifest.find_model(name, &folders).map_err(|e| anyhow!("{e}\nhint: {}", e.hint()));
        let name = model.or(config.model.as_deref()).unwrap_or_else(|| manifest.default_recogniser(&folders));
        let model = find(name)?;
        let networks = SoundNetworkFiles::find(&manifest, &folders, config);
        let networks = networks.map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?.paths();
        runtime::onnx_runtime(install.onnx_runtime().as_deref()).map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?;
        let recogniser = Recogniser::load(&model).map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?;
        let options = RecogniseOptions {
            vocabulary: config.vocabulary.clone(),
            lexicon: ActLexicon::built_in(),
            confidence_floor_permille: model.recogniser_settings().confidence_floor_permille,
            model_languages: model_languages(&model),
        };
        let limits = Limits { max_duration_s: config.max_duration_s, ..Limits::default() };
        let channels = config.channels;
        Ok(Hearing { model, recogniser, networks, channels, options, limits, detect_language })
    }

    pub fn confidence_floor_permille(&self) -> u16 {
        self.options.confidence_floor_permille
    }

    /// Listens to all recordings on some lanes; results in their order.
    ///
    /// # Errors
    /// There is not enough memory for the lanes. A recording that cannot be heard is in the results.
    pub fn listen(
        &self,
        recordings: &[&LabelledRecording],
        lanes: usize,
        quiet: bool,
    ) -> Result<Vec<Result<Heard, CallError>>> {
        let engine = || -> Result<(Lane, SoundNetworks)> {
            let lane = self.recogniser.lane(1).map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?;
            let networks = SoundNetworks::load(&self.networks);
            Ok((lane, networks.map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?))
        };
        let engines: Vec<_> = (0..lanes.min(recordings.len()).max(1)).map(|_| engine()).collect::<Result<_>>()?;
        let next = AtomicUsize::new(0);
        let results: Mutex<Vec<Option<Result<Heard, CallError>>>> =
            Mutex::new(recordings.iter().map(|_| None).collect());
        let size = |r: &&LabelledRecording| std::fs::metadata(&r.path).map_or(0, |facts| facts.len());
        let progress = Mutex::new(Progress::start(recordings.len(), recordings.iter().map(size).sum(), quiet));
        std::thread::scope(|scope| {
            for (mut lane, mut networks) in engines {
                let (next, results, progress) = (&next, &results, &progress);
                scope.spawn(move || {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(recording) = recordings.get(index) else { return };
                        let heard = call::guarded(Stage::Recognise, || self.hear(recording, &mut lane, &mut networks));
                        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
                        progress.heard(heard.as_ref().map_or(0, |h| h.transcript.duration_ms));
                        progress.advance(size(recording));
                        results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(heard);
                    }
                });
            }
        });
        progress.into_inner().unwrap_or_else(PoisonError::into_inner).finish();
        Ok(results.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().flatten().collect())
    }

    fn hear(
        &self,
        recording: &LabelledRecording,
        lane: &mut Lane,
        networks: &mut SoundNetworks,
    ) -> Result<Heard, CallError> {
        let bytes = call::read_file(&recording.path, call::MAX_RECORDING_BYTES)?;
        let clock = StageClock::default();
        let prepared = call::prepare(&bytes, &recording.path, &self.limits, networks, &clock)?;
        let language = (!self.detect_language).then(|| recording.reference.language.code().to_string());
        let metadata = Metadata { language, ..Metadata::default() };
        let mut removed = Vec::new();
        let began = Stopwatch::start();
        let transcript =
            call::recognise_with(&prepared, self.channels, &metadata, &self.options, lane, |role, spans| {
                removed.extend(spans.iter().map(|span| (role, *span)));
            })?;
        let recognise = began.elapsed();
        // Inference may have turned the channels around.
        let first = match &prepared.speakers {
            Some(speakers) => speakers.spans[0].as_slice(),
            None => prepared.channels.first().map(|channel| channel.spans.as_slice()).unwrap_or_default(),
        };
        let rep = transcript.speech.iter().filter(|s| s.role == Role::Rep).map(|s| (s.begin_ms, s.end_ms));
        let turned =
            transcript.role_method == RoleMethod::Inferred && !rep.eq(first.iter().map(|s| (s.begin_ms, s.end_ms)));
        for (role, _) in removed.iter_mut().filter(|_| turned) {
            *role = other(*role);
        }
        let (decode, voice_activity) = (clock.decode.time(), clock.voice_activity.time());
        Ok(Heard { transcript, removed, decode, voice_activity, recognise })
    }
}

/// The other party.
pub fn other(role: Role) -> Role {
    match role {
        Role::Rep => Role::Customer,
        Role::Customer => Role::Rep,
        Role::Unknown | Role::Ivr | Role::Supervisor | Role::TransferTarget => role,
    }
}
