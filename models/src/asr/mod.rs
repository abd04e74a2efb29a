//! Speech spans → words: Whisper, without the silence between them, with guards against what it invents, and a measure of trust.
//!
//! A [`Recogniser`] holds the weights once; every worker takes a [`Lane`] with its own state. The result for a clip
//! depends on the clip alone: no text context, no temperature fallback (whisper.cpp does not re-seed its random
//! generator between calls). So it is equal on every lane and in every order.

mod letters;
mod times;
mod trust;
mod windows;
mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use callmark_core::recording::Language;
use callmark_core::transcript::{Span, Word};
use thiserror::Error;
use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState, get_lang_id, get_lang_str,
};

pub use trust::Trust;
use windows::{Clip, SAMPLES_PER_MS};
use words::WordBuilder;
pub use words::join_words;

use crate::ggml::WhisperShape;
use crate::guards;
use crate::manifest::{ModelError, ModelFile, RecogniserSettings, verify_whisper};

/// Whether this build computes on a graphics card.
pub const GPU: bool = cfg!(any(feature = "cuda", feature = "vulkan", feature = "metal"));
/// Language is detected in so many windows of this length, spread over the call's speech.
const LANGUAGE_WINDOWS: i64 = 3;
const LANGUAGE_WINDOW_MS: i64 = 30_000;
/// Speech per channel that is always decoded twice, and the share of longer speech, per mille.
const SECOND_ALWAYS_MS: i64 = 10_000;
const SECOND_SHARE_PERMILLE: i64 = 100;

/// Why a channel could not be transcribed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AsrError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("the recogniser cannot load {name}: {cause}")]
    Load { name: String, cause: String },
    #[error("the recogniser failed at {at_ms} ms: {cause}")]
    Failed { at_ms: i64, cause: String },
    #[error("the sound is not usable at {at_ms} ms: a sample is no number")]
    NotANumber { at_ms: i64 },
    #[error("{name} is an English-only model; the call's language is {language}")]
    Language { name: String, language: &'static str },
    #[error("the transcription was cancelled")]
    Cancelled,
}

impl AsrError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            AsrError::Model(error) => error.hint(),
            AsrError::Load { .. } => "check the free memory; if there is enough, fetch the model file again",
            AsrError::Failed { .. } => "check the free memory; run again with fewer lanes",
            AsrError::NotANumber { .. } => "decode the recording with callmark-audio, which replaces such samples",
            AsrError::Language { .. } => "use a multilingual model, for example large-v3-turbo",
            AsrError::Cancelled => "run again to go on",
        }
    }
}

/// What is known before listening.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AsrOptions {
    /// `None`: a multilingual model finds out; an English-only model takes English.
    pub language: Option<Language>,
    /// Names and terms that are likely to be said.
    pub initial_prompt: Option<String>,
}

/// One stretch of recognised speech.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub span: Span,
    pub text: String,
    pub words: Vec<Word>,
    /// Mean over the words.
    pub mean_probability_permille: u16,
}

/// A span that was not decoded, or a segment that was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The guard's name.
    pub guard: &'static str,
    pub span: Span,
}

/// What the recogniser made of one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelTranscript {
    /// In time order.
    pub segments: Vec<Segment>,
    /// In time order; what was too quiet to decode comes first.
    pub removed: Vec<Removed>,
    pub trust: Trust,
}

/// What language a call is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetectedLanguage {
    /// English or Chinese, whichever is likelier.
    pub decode_in: Language,
    /// `None`: a language that callmark does not know is likelier than both.
    pub heard: Option<Language>,
    /// The likeliest language's code, and its mean probability.
    pub code: String,
    pub probability_permille: u16,
}

/// The instruction sets that the recogniser was built to use, by ggml's names (`AVX2`, `FMA`, …).
pub fn built_for() -> Vec<String> {
    let info = whisper_rs::print_system_info();
    let parts = info.split(['|', ':']).filter_map(|part| part.split_once('='));
    parts.filter(|(_, value)| value.trim() == "1").map(|(name, _)| name.trim().to_string()).collect()
}

/// Which spans of a channel (16 kHz) are decoded together, long ones in parts: each clip costs one pass of the encoder.
pub fn clips(samples_16k: &[f32], spans: &[Span], settings: &RecogniserSettings) -> Vec<Vec<Span>> {
    let clips = windows::plan(samples_16k, spans, settings, |_| true);
    clips.into_iter().map(|clip| clip.iter().map(|piece| piece.span).collect()).collect()
}

/// A loaded model; cheap to clone, shared by all lanes.
#[derive(Clone)]
pub struct Recogniser {
    context: Arc<WhisperContext>,
    shape: WhisperShape,
    settings: RecogniserSettings,
    name: String,
}

impl Recogniser {
    /// Checks the file's structure once more, then loads it.
    ///
    /// # Errors
    /// The file changed since it was found, or there is not enough memory.
    pub fn load(model: &ModelFile) -> Result<Recogniser, AsrError> {
        // whisper.cpp writes to stderr unless its messages are taken over.
        whisper_rs::install_logging_hooks();
        let shape = verify_whisper(&model.path)?;
        let settings = model.recogniser_settings();
        let mut parameters = WhisperContextParameters::new();
        parameters.use_gpu(GPU);
        let context = WhisperContext::new_with_params(&model.path, parameters)
            .map_err(|error| AsrError::Load { name: model.name.clone(), cause: error.to_string() })?;
        Ok(Recogniser { context: Arc::new(context), shape, settings, name: model.name.clone() })
    }

    pub fn multilingual(&self) -> bool {
        self.shape.multilingual()
    }

    pub fn settings(&self) -> RecogniserSettings {
        self.settings
    }

    /// A worker's own state, computing on so many threads. The words do not depend on their number.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn lane(&self, threads: usize) -> Result<Lane, AsrError> {
        let state = self
            .context
            .create_state()
            .map_err(|error| AsrError::Load { name: self.name.clone(), cause: error.to_string() })?;
        Ok(Lane {
            recogniser: self.clone(),
            state,
            threads: threads.max(1),
            configured: None,
            cancel: None,
            tokens_per_second: None,
        })
    }
}

/// One worker's state. Feeding it spans in any order, after any others, gives the same words.
pub struct Lane {
    recogniser: Recogniser,
    state: WhisperState,
    threads: usize,
    /// The native parameters leak their strings, so they are made again only when the options change.
    configured: Option<(AsrOptions, FullParams<'static, 'static>)>,
    cancel: Option<Arc<AtomicBool>>,
    tokens_per_second: Option<u32>,
}

/// What one decoding of one clip gave.
struct Decoded {
    segments: Vec<Segment>,
    no_speech_permille: u16,
}

impl Lane {
    /// Stops at the next clip once the flag is set.
    pub fn cancel_on(&mut self, flag: Arc<AtomicBool>) {
        self.cancel = Some(flag);
    }

    /// Ends every decoding after so many tokens per second of its speech. For capacity tests with random weights, which never
    /// end by themselves; a real model decides this itself.
    pub fn limit_tokens(&mut self, per_second: Option<u32>) {
        self.tokens_per_second = per_second;
    }

    /// Recognises the spans of one channel (16 kHz samples in −1…1; spans sorted and not overlapping).
    ///
    /// # Errors
    /// The language is not the model's, a sample is no number, the run was cancelled, or native code failed.
    pub fn transcribe(
        &mut self,
        samples_16k: &[f32],
        spans: &[Span],
        options: &AsrOptions,
    ) -> Result<ChannelTranscript, AsrError> {
        if let Some(index) = samples_16k.iter().position(|sample| !sample.is_finite()) {
            return Err(AsrError::NotANumber { at_ms: index as i64 / SAMPLES_PER_MS });
        }
        let mut out = ChannelTranscript::default();
        let language = match (self.recogniser.multilingual(), options.language) {
            (false, Some(Language::Zh)) => {
                let (name, language) = (self.recogniser.name.clone(), Language::Zh.code());
                return Err(AsrError::Language { name, language });
            }
            (false, _) => Language::En,
            (true, Some(language)) => language,
            (true, None) => {
                let detected = self.detect_language(&[(samples_16k, spans)])?;
                return self.transcribe(
                    samples_16k,
                    spans,
                    &AsrOptions { language: Some(detected.decode_in), ..options.clone() },
                );
            }
        };
        self.configure(&AsrOptions { language: Some(language), ..options.clone() });

        let settings = self.recogniser.settings;
        let clips = windows::plan(samples_16k, spans, &settings, |span| {
            let guard = guards::before(windows::part(samples_16k, span));
            out.removed.extend(guard.map(|guard| Removed { guard: guard.name(), span }));
            guard.is_none()
        });
        let mut heard: Vec<(Segment, u16, Option<guards::Guard>)> = Vec::new();
        for clip in &clips {
            if self.cancel.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                return Err(AsrError::Cancelled);
            }
            let samples = windows::cut(samples_16k, clip);
            let decoded = self.decode(&samples, clip)?;
            let speech_ms = windows::speech_ms(clip);
            out.trust.speech_ms += speech_ms;
            let due = SECOND_ALWAYS_MS.max(out.trust.speech_ms * SECOND_SHARE_PERMILLE / 1000);
            if settings.second_speed_permille > 0 && out.trust.compared_ms < due {
                // Its times are those of faster sound; only its words are looked at.
                let second = self.decode(&trust::change_speed(&samples, settings.second_speed_permille), clip)?;
                let (first, second) = (decoded.plain_words(), second.plain_words());
                out.trust.compared_ms += speech_ms;
                out.trust.compared_words += (first.len() + second.len()) as u32;
                out.trust.agreeing_words += trust::common_words(&first, &second) as u32;
            }
            for segment in decoded.segments {
                // Everything that was said counts towards trust, also what a guard removes.
                out.trust.words += segment.words.len() as u32;
                out.trust.probability_sum_permille +=
                    segment.words.iter().map(|word| u64::from(word.confidence_permille)).sum::<u64>();
                let guard = guards::after(&segment, decoded.no_speech_permille);
                heard.push((segment, decoded.no_speech_permille, guard));
            }
        }
        let segments: Vec<(&Segment, u16)> = heard.iter().map(|(segment, permille, _)| (segment, *permille)).collect();
        let babble = guards::babble(&segments, settings.babble_permille, |span| windows::part(samples_16k, span));
        for ((segment, _, guard), babble) in heard.into_iter().zip(babble) {
            match guard.or(babble.then_some(guards::Guard::Babble)) {
                Some(guard) => out.removed.push(Removed { guard: guard.name(), span: segment.span }),
                None => out.segments.push(segment),
            }
        }
        Ok(out)
    }

    /// The language of a call, heard in up to three windows of 30 s spread over the speech of all its channels. An
    /// English-only model hears English.
    ///
    /// # Errors
    /// Native code failed.
    pub fn detect_language(&mut self, channels: &[(&[f32], &[Span])]) -> Result<DetectedLanguage, AsrError> {
        let mut out = DetectedLanguage {
            decode_in: Language::En,
            heard: Some(Language::En),
            code: "en".into(),
            probability_permille: 0,
        };
        if !self.recogniser.multilingual() {
            return Ok(out);
        }
        let length = |spans: &[Span]| spans.iter().map(|span| span.end_ms - span.begin_ms).sum::<i64>();
        let speech_ms: i64 = channels.iter().map(|(_, spans)| length(spans)).sum();
        if speech_ms == 0 {
            out.heard = None;
            return Ok(out);
        }
        let failed = |error: whisper_rs::WhisperError| AsrError::Failed { at_ms: 0, cause: error.to_string() };
        let windows = (speech_ms / LANGUAGE_WINDOW_MS).clamp(1, LANGUAGE_WINDOWS);
        let mut sums: Vec<f32> = Vec::new();
        for window in 0..windows {
            let last = (speech_ms - LANGUAGE_WINDOW_MS).max(0);
            let begin_ms = if windows > 1 { last * window / (windows - 1) } else { 0 };
            let speech = windows::speech_between(channels, begin_ms, begin_ms + LANGUAGE_WINDOW_MS);
            self.state.pcm_to_mel(&speech, self.threads).map_err(failed)?;
            let (_, probabilities) = self.state.lang_detect(0, self.threads).map_err(failed)?;
            sums.resize(probabilities.len(), 0.0);
            sums.iter_mut().zip(&probabilities).for_each(|(sum, p)| *sum += p);
        }
        let of = |code: &str| get_lang_id(code).and_then(|id| sums.get(id as usize).copied()).unwrap_or(0.0);
        let best = (0..sums.len()).max_by(|a, b| sums[*a].total_cmp(&sums[*b])).unwrap_or(0);
        out.code = get_lang_str(best as i32).unwrap_or("").to_string();
        out.probability_permille = permille(sums.get(best).copied().unwrap_or(0.0) / windows as f32);
        out.heard = Language::parse(&out.code);
        out.decode_in = if of("zh") > of("en") { Language::Zh } else { Language::En };
        Ok(out)
    }

    fn configure(&mut self, options: &AsrOptions) {
        if self.configured.as_ref().is_some_and(|(known, _)| known == options) {
            return;
        }
        let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
        parameters.set_n_threads(i32::try_from(self.threads).unwrap_or(1));
        // English is the native default: setting it would leak a string for nothing.
        if options.language == Some(Language::Zh) {
            parameters.set_language(Some("zh"));
        }
        if let Some(prompt) = options.initial_prompt.as_deref().filter(|prompt| !prompt.trim().is_empty()) {
            parameters.set_initial_prompt(&prompt.replace('\0', " "));
        }
        parameters.set_no_context(true);
        parameters.set_temperature(0.0);
        // Fallback would draw from a generator that earlier spans have moved on.
        parameters.set_temperature_inc(0.0);
        parameters.set_suppress_blank(true);
        // Segments are judged here, where they can be counted.
        parameters.set_no_speech_thold(2.0);
        parameters.set_print_special(false);
        parameters.set_print_progress(false);
        parameters.set_print_realtime(false);
        parameters.set_print_timestamps(false);
        self.configured = Some((options.clone(), parameters));
    }

    /// Decodes one clip.
    fn decode(&mut self, samples: &[f32], clip: &Clip) -> Result<Decoded, AsrError> {
        let at_ms = clip.first().map_or(0, |piece| piece.span.begin_ms);
        let failed = |cause: String| AsrError::Failed { at_ms, cause };
        let Some((_, parameters)) = &self.configured else {
            return Err(failed("the lane is not configured".to_string()));
        };
        let mut parameters = parameters.clone();
        let settings = self.recogniser.settings;
        if settings.short_audio_context {
            parameters.set_audio_ctx(windows::audio_context(samples.len()) as i32);
        }
        if let Some(per_second) = self.tokens_per_second {
            let tokens = windows::speech_ms(clip) * i64::from(per_second) / 1000;
            parameters.set_max_tokens(tokens.clamp(1, 200) as i32);
            parameters.set_single_segment(true);
        }
        self.state.full(parameters, samples).map_err(|error| failed(error.to_string()))?;

        let end_of_text = self.recogniser.context.token_eot();
        let mut out = Decoded { segments: Vec::new(), no_speech_permille: 0 };
        let mut heard: Vec<(Span, Vec<words::Spoken>)> = Vec::new();
        for segment in self.state.as_iter() {
            out.no_speech_permille = out.no_speech_permille.max(permille(segment.no_speech_probability()));
            let mut builder = WordBuilder::default();
            for index in 0..segment.n_tokens() {
                let Some(token) = segment.get_token(index) else { continue };
                let data = token.token_data();
                // Everything from the end-of-text token on is a mark, not text.
                if data.id >= end_of_text {
                    continue;
                }
                let bytes = token.to_bytes().map_err(|error| failed(error.to_string()))?;
                builder.push(bytes, permille(data.p));
            }
            let ms = |centiseconds: i64| centiseconds * 10;
            let said = Span { begin_ms: ms(segment.start_timestamp()), end_ms: ms(segment.end_timestamp()) };
            heard.push((said, builder.finish()));
        }
        let clip_ms = samples.len() as i64 / SAMPLES_PER_MS;
        for index in 0..heard.len() {
            let (said, words) = (heard[index].0, std::mem::take(&mut heard[index].1));
            let free = Span {
                begin_ms: index.checked_sub(1).map_or(0, |before| heard[before].0.end_ms),
                end_ms: heard.get(index + 1).map_or(clip_ms, |(after, _)| after.begin_ms),
            };
            out.segments.extend(words::place(times::give_times(words, said, free, samples), clip));
        }
        Ok(out)
    }
}

impl Decoded {
    fn plain_words(&self) -> Vec<String> {
        trust::plain_words(self.segments.iter().flat_map(|segment| &segment.words))
    }
}

fn permille(probability: f32) -> u16 {
    // NaN becomes 0.
    (probability.clamp(0.0, 1.0) * 1000.0).round() as u16
}
