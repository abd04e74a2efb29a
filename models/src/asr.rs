//! Speech spans → words: Whisper, one span at a time, with guards against what it invents, and a measure of trust.
//!
//! A [`Recogniser`] holds the weights once; every worker takes a [`Lane`] with its own state. The result for a span
//! depends on the span alone: no text context, no temperature fallback (whisper.cpp does not re-seed its random
//! generator between calls), one thread order. So it is equal on every lane and in every order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use callmark_core::recording::{Language, is_han};
use callmark_core::transcript::{Span, Word};
use thiserror::Error;
use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState, get_lang_id, get_lang_str,
};

use crate::ggml::WhisperShape;
use crate::guards;
use crate::manifest::{ModelError, ModelFile, RecogniserSettings, verify_whisper};

const RATE_HZ: i64 = 16_000;
const SAMPLES_PER_MS: i64 = RATE_HZ / 1000;
/// Sound given in front of and behind a span, as far as there is any.
const LEAD_MS: i64 = 250;
const TRAIL_MS: i64 = 350;
/// Shorter clips are filled up with silence: whisper.cpp gives nothing below 0.1 s and little below 1 s.
const MIN_CLIP_SAMPLES: usize = 18_000;
/// Encoder positions per second of sound, and of a whole 30 s window.
const CONTEXT_PER_S: usize = 50;
const FULL_CONTEXT: usize = 1_500;
/// Seconds of speech per channel that are always decoded twice, and the share of the rest, per mille.
const SECOND_ALWAYS_MS: i64 = 10_000;
const SECOND_SHARE_PERMILLE: i64 = 400;

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
    /// Guard → segments (or spans) that it removed.
    pub dropped: BTreeMap<String, u32>,
    /// The same one by one, in time order.
    pub removed: Vec<Removed>,
    /// Given, or detected by a multilingual model. `None`: it heard a language that callmark does not know.
    pub language: Option<Language>,
    /// The detected language's code and probability, when it was detected.
    pub detected: Option<(String, u16)>,
    pub trust: Trust,
}

/// What speaks for and against the words, to be added up over channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    pub words: u32,
    /// Sum of the words' probabilities.
    pub probability_sum_permille: u64,
    /// Words of both decodings of the speech that was decoded twice …
    pub compared_words: u32,
    /// … and those that both have in the same order.
    pub agreeing_words: u32,
    pub speech_ms: i64,
    pub compared_ms: i64,
}

impl std::ops::AddAssign for Trust {
    fn add_assign(&mut self, other: Trust) {
        self.words += other.words;
        self.probability_sum_permille += other.probability_sum_permille;
        self.compared_words += other.compared_words;
        self.agreeing_words += other.agreeing_words;
        self.speech_ms += other.speech_ms;
        self.compared_ms += other.compared_ms;
    }
}

impl Trust {
    /// Mean word probability; 0 without words.
    pub fn mean_probability_permille(&self) -> u16 {
        (self.probability_sum_permille / u64::from(self.words.max(1))) as u16
    }

    /// Share of words that both decodings agree on (twice the common words / the words of both); `None` when nothing
    /// was decoded twice.
    pub fn agreement_permille(&self) -> Option<u16> {
        (self.compared_ms > 0)
            .then(|| (u64::from(self.agreeing_words) * 2000 / u64::from(self.compared_words.max(1))).min(1000) as u16)
    }

    /// How far a whole call's words can be trusted: the geometric mean of mean word probability and agreement, or the
    /// mean word probability alone when nothing was decoded twice. To be compared with the model's floor.
    pub fn confidence_permille(&self) -> u16 {
        let mean = u64::from(self.mean_probability_permille());
        match self.agreement_permille() {
            None => mean as u16,
            Some(agreement) => (mean * u64::from(agreement)).isqrt() as u16,
        }
    }
}

/// The instruction sets that the recogniser was built to use, by ggml's names (`AVX2`, `FMA`, …).
pub fn built_for() -> Vec<String> {
    let info = whisper_rs::print_system_info();
    let parts = info.split(['|', ':']).filter_map(|part| part.split_once('='));
    parts.filter(|(_, value)| value.trim() == "1").map(|(name, _)| name.trim().to_string()).collect()
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
        let mut parameters = WhisperContextParameters::new();
        parameters.use_gpu(false);
        let context = WhisperContext::new_with_params(&model.path, parameters)
            .map_err(|error| AsrError::Load { name: model.name.clone(), cause: error.to_string() })?;
        let settings = model.recogniser_settings();
        Ok(Recogniser { context: Arc::new(context), shape, settings, name: model.name.clone() })
    }

    pub fn multilingual(&self) -> bool {
        self.shape.multilingual()
    }

    pub fn settings(&self) -> RecogniserSettings {
        self.settings
    }

    /// A worker's own state, on one thread.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn lane(&self) -> Result<Lane, AsrError> {
        let state = self
            .context
            .create_state()
            .map_err(|error| AsrError::Load { name: self.name.clone(), cause: error.to_string() })?;
        Ok(Lane { recogniser: self.clone(), state, configured: None, cancel: None, tokens_per_second: None })
    }
}

/// One worker's state. Feeding it spans in any order, after any others, gives the same words.
pub struct Lane {
    recogniser: Recogniser,
    state: WhisperState,
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
    /// Stops at the next span once the flag is set.
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
        let language = self.language(samples_16k, spans, options, &mut out)?;
        self.configure(&AsrOptions { language: Some(language), initial_prompt: options.initial_prompt.clone() });

        let settings = self.recogniser.settings;
        let max_ms = settings.max_span_ms.clamp(1_000, 29_000 - LEAD_MS - TRAIL_MS);
        let parts: Vec<Span> = spans.iter().flat_map(|span| split_at_quiet(samples_16k, *span, max_ms)).collect();
        for (index, &span) in parts.iter().enumerate() {
            if self.cancel.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                return Err(AsrError::Cancelled);
            }
            let part = part(samples_16k, span);
            if part.is_empty() {
                continue;
            }
            let mut drop = |guard: guards::Guard, span: Span| {
                *out.dropped.entry(guard.name().to_string()).or_default() += 1;
                out.removed.push(Removed { guard: guard.name(), span });
            };
            if let Some(guard) = guards::before(part) {
                drop(guard, span);
                continue;
            }
            // The neighbours' speech stays out, or words at a cut would be heard twice.
            let free = Span {
                begin_ms: index.checked_sub(1).and_then(|before| parts.get(before)).map_or(0, |before| before.end_ms),
                end_ms: parts.get(index + 1).map_or(i64::MAX, |after| after.begin_ms),
            };
            let (clip, clip_begin_ms) = clip(samples_16k, span, free);
            let decoded = self.decode(&clip, clip_begin_ms, span, 1000)?;
            let span_ms = span.end_ms - span.begin_ms;
            out.trust.speech_ms += span_ms;
            let due = SECOND_ALWAYS_MS.max(out.trust.speech_ms * SECOND_SHARE_PERMILLE / 1000);
            if settings.second_speed_permille > 0 && out.trust.compared_ms < due {
                let speed = settings.second_speed_permille;
                let second = self.decode(&change_speed(&clip, speed), clip_begin_ms, span, speed)?;
                let (first, second) = (words_of(&decoded), words_of(&second));
                out.trust.compared_ms += span_ms;
                out.trust.compared_words += (first.len() + second.len()) as u32;
                out.trust.agreeing_words += common_words(&first, &second) as u32;
            }
            for segment in decoded.segments {
                // Everything that was said counts towards trust, also what a guard removes.
                out.trust.words += segment.words.len() as u32;
                out.trust.probability_sum_permille +=
                    segment.words.iter().map(|word| u64::from(word.confidence_permille)).sum::<u64>();
                match guards::after(&segment, decoded.no_speech_permille) {
                    Some(guard) => drop(guard, segment.span),
                    None => out.segments.push(segment),
                }
            }
        }
        Ok(out)
    }

    /// The language to decode in. Detection listens to the first 30 s of speech; between English and Chinese the likelier
    /// one decodes, and the result says if neither was heard.
    fn language(
        &mut self,
        samples: &[f32],
        spans: &[Span],
        options: &AsrOptions,
        out: &mut ChannelTranscript,
    ) -> Result<Language, AsrError> {
        if !self.recogniser.multilingual() {
            return match options.language {
                None | Some(Language::En) => {
                    out.language = Some(Language::En);
                    Ok(Language::En)
                }
                Some(other) => Err(AsrError::Language { name: self.recogniser.name.clone(), language: other.code() }),
            };
        }
        if let Some(language) = options.language {
            out.language = Some(language);
            return Ok(language);
        }
        let mut speech: Vec<f32> = Vec::new();
        for span in spans {
            speech.extend_from_slice(part(samples, *span));
            if speech.len() >= 30 * RATE_HZ as usize {
                speech.truncate(30 * RATE_HZ as usize);
                break;
            }
        }
        if speech.is_empty() {
            return Ok(Language::En);
        }
        speech.resize(speech.len().max(MIN_CLIP_SAMPLES), 0.0);
        let failed = |error: whisper_rs::WhisperError| AsrError::Failed { at_ms: 0, cause: error.to_string() };
        self.state.pcm_to_mel(&speech, 1).map_err(failed)?;
        let (best, probabilities) = self.state.lang_detect(0, 1).map_err(failed)?;
        let of = |code: &str| get_lang_id(code).and_then(|id| probabilities.get(id as usize).copied()).unwrap_or(0.0);
        let code = get_lang_str(best).unwrap_or("").to_string();
        let probability = probabilities.get(best as usize).copied().unwrap_or(0.0);
        out.language = Language::parse(&code);
        out.detected = Some((code, permille(probability)));
        Ok(if of("zh") > of("en") { Language::Zh } else { Language::En })
    }

    fn configure(&mut self, options: &AsrOptions) {
        if self.configured.as_ref().is_some_and(|(known, _)| known == options) {
            return;
        }
        let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
        parameters.set_n_threads(1);
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
        parameters.set_token_timestamps(true);
        parameters.set_suppress_blank(true);
        // Segments are judged here, where they can be counted.
        parameters.set_no_speech_thold(2.0);
        parameters.set_print_special(false);
        parameters.set_print_progress(false);
        parameters.set_print_realtime(false);
        parameters.set_print_timestamps(false);
        self.configured = Some((options.clone(), parameters));
    }

    /// Decodes one clip. Times are scaled back by `speed_permille` and held inside the span and its padding.
    fn decode(
        &mut self,
        clip: &[f32],
        clip_begin_ms: i64,
        span: Span,
        speed_permille: u16,
    ) -> Result<Decoded, AsrError> {
        let failed = |cause: String| AsrError::Failed { at_ms: span.begin_ms, cause };
        let Some((_, parameters)) = &self.configured else {
            return Err(failed("the lane is not configured".to_string()));
        };
        let mut parameters = parameters.clone();
        if self.recogniser.settings.short_audio_context {
            parameters.set_audio_ctx(audio_context(clip.len()) as i32);
        }
        if let Some(per_second) = self.tokens_per_second {
            let tokens = (span.end_ms - span.begin_ms) * i64::from(per_second) / 1000;
            parameters.set_max_tokens(tokens.clamp(1, 200) as i32);
            parameters.set_single_segment(true);
        }
        self.state.full(parameters, clip).map_err(|error| failed(error.to_string()))?;

        let end_of_text = self.recogniser.context.token_eot();
        let time = |centiseconds: i64| {
            (clip_begin_ms + centiseconds * 10 * i64::from(speed_permille) / 1000).clamp(span.begin_ms, span.end_ms)
        };
        let mut out = Decoded { segments: Vec::new(), no_speech_permille: 0 };
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
                builder.push(bytes, permille(data.p), time(data.t0), time(data.t1));
            }
            let words = builder.finish();
            if words.is_empty() {
                continue;
            }
            let (begin_ms, end_ms) = (time(segment.start_timestamp()), time(segment.end_timestamp()));
            out.segments.push(make_segment(words, begin_ms, end_ms));
        }
        Ok(out)
    }
}

fn make_segment(mut words: Vec<Word>, begin_ms: i64, end_ms: i64) -> Segment {
    // Words stay in order and inside their segment, whatever the token times say.
    let end_ms = end_ms.max(begin_ms + 1);
    let mut last = begin_ms;
    for word in &mut words {
        word.begin_ms = word.begin_ms.clamp(last, end_ms);
        word.end_ms = word.end_ms.clamp(word.begin_ms, end_ms);
        last = word.end_ms;
    }
    let sum: u32 = words.iter().map(|word| u32::from(word.confidence_permille)).sum();
    Segment {
        span: Span { begin_ms, end_ms },
        text: join(&words),
        mean_probability_permille: (sum / words.len().max(1) as u32) as u16,
        words,
    }
}

/// Words with spaces between them, except beside Chinese characters.
fn join(words: &[Word]) -> String {
    let mut text = String::new();
    for word in words {
        let tight = text.chars().last().is_none_or(is_wide) || word.text.chars().next().is_none_or(is_wide);
        if !tight {
            text.push(' ');
        }
        text.push_str(&word.text);
    }
    text
}

/// Han characters and full-width punctuation: written without spaces.
fn is_wide(c: char) -> bool {
    is_han(c) || matches!(c, '\u{3000}'..='\u{303F}' | '\u{FF00}'..='\u{FFEF}')
}

/// Puts tokens together: a leading space starts a word, a Han character is a word, bytes may be split over tokens.
#[derive(Default)]
struct WordBuilder {
    words: Vec<Word>,
    pending: Vec<u8>,
    probabilities: Vec<u16>,
    begin_ms: i64,
    end_ms: i64,
}

impl WordBuilder {
    fn push(&mut self, bytes: &[u8], probability_permille: u16, begin_ms: i64, end_ms: i64) {
        let whole = std::str::from_utf8(&self.pending).is_ok();
        let wide = |text: &[u8], last: bool| {
            let text = String::from_utf8_lossy(text);
            let edge = if last { text.chars().last() } else { text.chars().next() };
            edge.is_some_and(is_han)
        };
        // Punctuation that follows a Han character stands alone; a sign such as " $" opens a word instead.
        let text = String::from_utf8_lossy(&self.pending);
        let mark = !text.is_empty() && !text.starts_with(' ') && !text.chars().any(char::is_alphanumeric);
        if whole && (mark || bytes.first() == Some(&b' ') || wide(bytes, false) || wide(&self.pending, true)) {
            self.flush();
        }
        if self.pending.is_empty() {
            self.begin_ms = begin_ms;
        }
        self.end_ms = end_ms;
        self.pending.extend_from_slice(bytes);
        self.probabilities.push(probability_permille);
    }

    fn flush(&mut self) {
        let text = String::from_utf8_lossy(&self.pending).trim().to_string();
        let count = self.probabilities.len().max(1) as u32;
        let mean = self.probabilities.iter().map(|p| u32::from(*p)).sum::<u32>() / count;
        self.pending.clear();
        self.probabilities.clear();
        if text.is_empty() {
            return;
        }
        let is_word = text.chars().any(char::is_alphanumeric);
        match self.words.last_mut() {
            // Punctuation belongs to the word before it.
            Some(word) if !is_word => word.text.push_str(&text),
            None if !is_word => {}
            _ => self.words.push(Word {
                text,
                begin_ms: self.begin_ms,
                end_ms: self.end_ms,
                confidence_permille: mean as u16,
            }),
        }
    }

    fn finish(mut self) -> Vec<Word> {
        self.flush();
        self.words
    }
}

/// The span's own samples.
fn part(samples: &[f32], span: Span) -> &[f32] {
    let index = |ms: i64| ((ms.max(0) * SAMPLES_PER_MS) as usize).min(samples.len());
    samples.get(index(span.begin_ms)..index(span.end_ms)).unwrap_or(&[])
}

/// The span with the sound around it as far as `free` reaches, and the time of its first sample.
fn clip(samples: &[f32], span: Span, free: Span) -> (Vec<f32>, i64) {
    let begin_ms = (span.begin_ms - LEAD_MS).max(free.begin_ms).clamp(0, span.begin_ms.max(0));
    let end_ms = (span.end_ms + TRAIL_MS).min(free.end_ms).max(span.end_ms);
    let mut clip = part(samples, Span { begin_ms, end_ms }).to_vec();
    clip.resize(clip.len().max(MIN_CLIP_SAMPLES), 0.0);
    (clip, begin_ms)
}

/// Encoder positions for a clip: steps of 128 with 0.1 s to spare, so that few different sizes occur.
fn audio_context(samples: usize) -> usize {
    let needed = (samples + RATE_HZ as usize / 10) * CONTEXT_PER_S / RATE_HZ as usize;
    (needed.div_ceil(128) * 128).clamp(256, FULL_CONTEXT)
}

/// Plays a clip faster (> 1000) or slower by linear interpolation; pitch moves with it.
fn change_speed(clip: &[f32], speed_permille: u16) -> Vec<f32> {
    let length = clip.len() * 1000 / usize::from(speed_permille.max(1));
    let mut out: Vec<f32> = (0..length)
        .map(|n| {
            let place = n as u64 * u64::from(speed_permille);
            let (index, rest) = ((place / 1000) as usize, (place % 1000) as f32 / 1000.0);
            let at = |index: usize| clip.get(index).copied().unwrap_or(0.0);
            at(index) * (1.0 - rest) + at(index + 1) * rest
        })
        .collect();
    out.resize(out.len().max(MIN_CLIP_SAMPLES), 0.0);
    out
}

/// Cuts a span until no part is longer than `max_ms`, at the quietest 100 ms of its middle half.
fn split_at_quiet(samples: &[f32], span: Span, max_ms: i64) -> Vec<Span> {
    let length = span.end_ms - span.begin_ms;
    if length <= max_ms {
        return vec![span];
    }
    const STEP_MS: i64 = 20;
    const WINDOW_MS: i64 = 100;
    let energy = |centre: i64| {
        let window = Span { begin_ms: centre - WINDOW_MS / 2, end_ms: centre + WINDOW_MS / 2 };
        part(samples, window).iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>()
    };
    let (from, to) = (span.begin_ms + length / 4, span.end_ms - length / 4);
    let steps = (to - from) / STEP_MS;
    let cut = (0..=steps)
        .map(|step| from + step * STEP_MS)
        .min_by(|a, b| energy(*a).total_cmp(&energy(*b)))
        .unwrap_or(span.begin_ms + length / 2);
    let mut parts = split_at_quiet(samples, Span { begin_ms: span.begin_ms, end_ms: cut }, max_ms);
    parts.extend(split_at_quiet(samples, Span { begin_ms: cut, end_ms: span.end_ms }, max_ms));
    parts
}

/// Lower-case words without punctuation, for comparing decodings.
fn words_of(decoded: &Decoded) -> Vec<String> {
    let plain = |word: &Word| word.text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    decoded.segments.iter().flat_map(|segment| &segment.words).map(plain).collect()
}

/// Length of the longest common subsequence.
fn common_words(first: &[String], second: &[String]) -> usize {
    let mut row = vec![0usize; second.len() + 1];
    for a in first {
        let mut diagonal = 0;
        for (index, b) in second.iter().enumerate() {
            let above = row[index + 1];
            row[index + 1] = if a == b { diagonal + 1 } else { above.max(row[index]) };
            diagonal = above;
        }
    }
    row[second.len()]
}

fn permille(probability: f32) -> u16 {
    // NaN becomes 0.
    (probability.clamp(0.0, 1.0) * 1000.0).round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_become_words() {
        let mut builder = WordBuilder::default();
        for (token, begin) in [(" Hel", 0), ("lo", 10), (",", 20), (" you", 30), ("'re", 40), (" 3", 50), (".", 60)] {
            builder.push(token.as_bytes(), 800, begin, begin + 10);
        }
        let words = builder.finish();
        let text: Vec<&str> = words.iter().map(|w| w.text.as_str()).collect();
        assert_eq!(text, ["Hello,", "you're", "3."]);
        assert_eq!((words[0].begin_ms, words[0].end_ms, words[1].begin_ms), (0, 30, 30));
    }

    #[test]
    fn chinese_characters_are_words_even_when_split_over_tokens() {
        let mut builder = WordBuilder::default();
        let ni = "您".as_bytes();
        for token in [&ni[..1], &ni[1..], "好".as_bytes(), "\u{ff0c}".as_bytes(), "OK".as_bytes(), "请".as_bytes()] {
            builder.push(token, 900, 0, 10);
        }
        let words = builder.finish();
        let text: Vec<&str> = words.iter().map(|w| w.text.as_str()).collect();
        assert_eq!(text, ["您", "好\u{ff0c}", "OK", "请"]);
        assert_eq!(join(&words), "您好\u{ff0c}OK请");
    }

    #[test]
    fn common_words_ignore_what_only_one_heard() {
        let words = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
        assert_eq!(common_words(&words("this call is recorded"), &words("this call was recorded")), 3);
        assert_eq!(common_words(&words("a b"), &words("c d")), 0);
        assert_eq!(common_words(&[], &words("c d")), 0);
    }

    #[test]
    fn long_spans_are_cut_at_the_quietest_moment() {
        let mut samples = vec![0.5f32; 16_000 * 20];
        samples[16_000 * 9..16_000 * 9 + 3_200].fill(0.0);
        let parts = split_at_quiet(&samples, Span { begin_ms: 0, end_ms: 20_000 }, 12_000);
        assert_eq!(parts.len(), 2);
        assert!((9_000..=9_200).contains(&parts[0].end_ms), "{parts:?}");
        assert_eq!(parts[0].end_ms, parts[1].begin_ms);
    }

    #[test]
    fn trust_adds_up() {
        let one = Trust {
            words: 10,
            probability_sum_permille: 9_000,
            compared_words: 20,
            agreeing_words: 9,
            speech_ms: 5_000,
            compared_ms: 5_000,
        };
        assert_eq!((one.mean_probability_permille(), one.agreement_permille()), (900, Some(900)));
        assert_eq!(one.confidence_permille(), 900);
        let mut both = one;
        both += Trust { words: 10, probability_sum_permille: 3_000, ..Trust::default() };
        assert_eq!(both.mean_probability_permille(), 600);
        assert_eq!(Trust::default().confidence_permille(), 0);
        // Speech that was decoded twice without a word in either is no agreement.
        let silent = Trust { compared_ms: 5_000, speech_ms: 5_000, ..Trust::default() };
        assert_eq!(silent.confidence_permille(), 0);
    }

    #[test]
    fn context_covers_the_clip() {
        for seconds in [1, 3, 7, 12, 30] {
            let samples = seconds * 16_000;
            assert!(audio_context(samples) * 320 >= samples.min(480_000), "{seconds}");
        }
        assert_eq!(audio_context(16_000 * 40), 1_500);
        assert_eq!(change_speed(&vec![0.25; 32_000], 1_250).len(), 25_600);
    }
}
