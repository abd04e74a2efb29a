//! One call, front to back: bytes → audio → speech spans → transcript → analysis → record. `batch.rs` runs the same steps as lanes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use anyhow::Result;
use callmark_audio::sides::{self, Joined};
use callmark_audio::speakers::{Speakers, Voices};
use callmark_audio::tones::{self, Tone, ToneKind};
use callmark_audio::voice::VoiceMeter;
use callmark_audio::{Audio, AudioError, ChannelRelation, Limits, channel_relation, spans};
use callmark_core::acts::ActLexicon;
use callmark_core::recording::{Language, Metadata, sha256_hex};
use callmark_core::roles;
use callmark_core::transcript::{
    Medium, Role, RoleMethod, RoleSegment, RoleSpan, Sound, SoundKind, Span, Transcript, VoiceSpan, Word,
    assemble_turns,
};
use callmark_core::warning::Warning;
use callmark_models::asr::{AsrError, AsrOptions, Lane, Removed, Segment, Trust, join_words};
use callmark_models::vad::VoiceActivity;
use serde::{Deserialize, Serialize};

use crate::channel_map::{ChannelMap, ChannelUse};
use crate::read;
use crate::sound_networks::SoundNetworks;
use crate::work_time::{Busy, Stopwatch, WorkTime};

/// Where in the pipeline a call failed; stored with the failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    Read,
    Decode,
    VoiceActivity,
    Recognise,
    Analyse,
}

impl Stage {
    pub fn name(self) -> &'static str {
        match self {
            Stage::Read => "read",
            Stage::Decode => "decode",
            Stage::VoiceActivity => "voice_activity",
            Stage::Recognise => "recognise",
            Stage::Analyse => "analyse",
        }
    }
}

/// A call that could not be processed: what failed, why, and what to do. Never quotes what was said.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
#[error("{}: {cause}", stage.name())]
pub struct CallError {
    pub stage: Stage,
    pub cause: String,
    pub hint: String,
    /// The recording's own bytes are the cause: trying again with this program version is in vain.
    pub lasting: bool,
}

impl CallError {
    pub fn new(stage: Stage, cause: impl std::fmt::Display, hint: impl Into<String>) -> CallError {
        CallError { stage, cause: cause.to_string(), hint: hint.into(), lasting: false }
    }

    fn in_the_bytes(self) -> CallError {
        CallError { lasting: true, ..self }
    }
}

/// Decoded speech of one call, ready for a recogniser lane.
#[derive(Debug)]
pub struct Prepared {
    pub channels: Vec<PreparedChannel>,
    /// The two speakers of the only channel, when their voices could be told apart.
    pub speakers: Option<Speakers>,
    pub duration_ms: i64,
    /// Of two recordings with one side each.
    pub second_side_begins_ms: Option<i64>,
    pub warnings: Vec<String>,
}

impl Prepared {
    /// A single channel at 16 kHz with its speech; speakers are not told apart yet.
    pub fn from_one_channel(samples: Vec<f32>, voice_activity: &mut VoiceActivity) -> Result<Prepared, CallError> {
        let duration_ms = samples.len() as i64 * 1000 / i64::from(callmark_audio::SPEECH_RATE_HZ);
        let channels = vec![PreparedChannel::new(samples, duration_ms, voice_activity)?];
        Ok(Prepared { channels, speakers: None, duration_ms, second_side_begins_ms: None, warnings: vec![] })
    }

    /// Memory of the samples.
    pub fn size_bytes(&self) -> u64 {
        self.channels.iter().map(|c| 4 * c.samples.len() as u64).sum()
    }
}

#[derive(Debug)]
pub struct PreparedChannel {
    /// 16 kHz mono.
    pub samples: Vec<f32>,
    pub spans: Vec<Span>,
    /// Tones, music and the closed line.
    pub tones: Vec<Tone>,
}

impl PreparedChannel {
    /// Finds the speech.
    fn new(
        samples: Vec<f32>,
        duration_ms: i64,
        voice_activity: &mut VoiceActivity,
    ) -> Result<PreparedChannel, CallError> {
        let probabilities = voice_activity
            .probabilities_permille(&samples)
            .map_err(|e| CallError::new(Stage::VoiceActivity, &e, e.hint()))?;
        let mut spans = spans::speech_spans(&probabilities, &spans::SpanRules::default());
        for span in &mut spans {
            // The last frame is padded: speech does not go on after the recording.
            span.end_ms = span.end_ms.min(duration_ms);
        }
        spans.retain(|span| span.begin_ms < span.end_ms);
        let speech: Vec<(i64, i64)> = spans.iter().map(|span| (span.begin_ms, span.end_ms)).collect();
        let tones = tones::tones(&samples, &speech);
        Ok(PreparedChannel { samples, spans, tones })
    }
}

/// Where a batch spends its time; for the summary only, never part of a record.
#[derive(Debug, Default)]
pub struct StageClock {
    pub decode: Busy,
    pub voice_activity: Busy,
    pub recognise: Busy,
    pub text_models: Busy,
    pub score: Busy,
}

impl StageClock {
    /// Stage → seconds of work by the clock.
    pub fn seconds(&self) -> BTreeMap<&'static str, f64> {
        self.each(WorkTime::wall_seconds)
    }

    /// Stage → seconds of the processor.
    pub fn cpu_seconds(&self) -> BTreeMap<&'static str, f64> {
        self.each(WorkTime::cpu_seconds)
    }

    fn each(&self, seconds: impl Fn(WorkTime) -> f64) -> BTreeMap<&'static str, f64> {
        let stages = [
            ("decode_and_resample", &self.decode),
            ("voice_activity", &self.voice_activity),
            ("recognise", &self.recognise),
            ("text_models", &self.text_models),
            ("score", &self.score),
        ];
        stages.into_iter().map(|(name, busy)| (name, seconds(busy.time()))).collect()
    }
}

/// Runs a stage so that a panic in it costs one call.
pub fn guarded<T>(stage: Stage, work: impl FnOnce() -> Result<T, CallError>) -> Result<T, CallError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let hint = "please report this recording's format";
        Err(CallError::new(stage, "the program met a state that it did not expect", hint))
    })
}

/// Larger files are refused before they are read: four hours of 16-bit stereo at 48 kHz are 2.8 GB.
pub const MAX_RECORDING_BYTES: u64 = 3 << 30;

/// The bytes of a file that is not larger than `limit_bytes`.
pub fn read_file(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, CallError> {
    let failed = |e: std::io::Error| CallError::new(Stage::Read, e, "check that the file can be read by this user");
    let file = File::open(path).map_err(failed)?;
    let too_large = || {
        let cause = format!("the file is larger than {} MB", limit_bytes >> 20);
        CallError::new(Stage::Read, cause, "cut the recording into calls").in_the_bytes()
    };
    if file.metadata().map_err(failed)?.len() > limit_bytes {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    // It may have grown meanwhile.
    file.take(limit_bytes + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit_bytes {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Reads an interaction that is text already; `None` when the file is something else. Sound is told from text by its first
/// bytes, so that it is not read twice.
pub fn read_text(path: &Path, file_name: &str, metadata: &Metadata) -> Result<Option<Transcript>, CallError> {
    let failed = |e: std::io::Error| CallError::new(Stage::Read, e, "check that the file can be read by this user");
    let mut head = Vec::new();
    File::open(path).and_then(|f| f.take(4096).read_to_end(&mut head)).map_err(failed)?;
    if !read::text::may_be_text(&head, file_name) {
        return Ok(None);
    }
    let bytes = read_file(path, read::text::MAX_BYTES as u64)?;
    let language = metadata.language.as_deref().and_then(Language::parse);
    let read = read::text::read(&bytes, file_name, language);
    let mut transcript = read.map_err(|e| CallError::new(Stage::Read, &e, e.hint()).in_the_bytes())?;
    if let Some(transcript) = transcript.as_mut().filter(|_| metadata.language.is_some() && language.is_none()) {
        // The metadata name a language that is not scored: a guess from the letters would score it as English.
        transcript.language = None;
    }
    Ok(transcript)
}

/// Decodes audio and finds speech in it. The name of the file at `path` says what sound without a header is.
pub fn prepare(
    bytes: &[u8],
    path: &Path,
    limits: &Limits,
    networks: &mut SoundNetworks,
    clock: &StageClock,
) -> Result<Prepared, CallError> {
    let mut prepared = prepare_channels(bytes, path, limits, &mut networks.voice_activity, clock)?;
    find_speakers(&mut prepared, networks, clock)?;
    Ok(prepared)
}

/// The same, but the speakers of a single channel are not told apart.
pub fn prepare_channels(
    bytes: &[u8],
    path: &Path,
    limits: &Limits,
    voice_activity: &mut VoiceActivity,
    clock: &StageClock,
) -> Result<Prepared, CallError> {
    let began = Stopwatch::start();
    let audio = callmark_audio::decode_named(bytes, &name_of(path), limits).map_err(|e| not_decoded(&e))?;
    clock.decode.add(&began);
    find_speech(&audio, None, voice_activity, clock)
}

/// The same for two recordings with one side of the call each; the second begins `begins_ms` after the first, or where it
/// can be heard.
pub fn prepare_sides(
    sides: [(&[u8], &Path); 2],
    begins_ms: Option<i64>,
    limits: &Limits,
    networks: &mut SoundNetworks,
    clock: &StageClock,
) -> Result<Prepared, CallError> {
    let began = Stopwatch::start();
    let joined = decode_sides(sides, begins_ms, limits).map_err(|e| not_decoded(&e))?;
    clock.decode.add(&began);
    let mut prepared = find_speech(&joined.audio, Some(joined.second_begins_ms), &mut networks.voice_activity, clock)?;
    find_speakers(&mut prepared, networks, clock)?;
    Ok(prepared)
}

/// Two recordings as the channels of one.
pub fn decode_sides(sides: [(&[u8], &Path); 2], begins_ms: Option<i64>, limits: &Limits) -> Result<Joined, AudioError> {
    let [first, second] = sides.map(|(bytes, path)| callmark_audio::decode_named(bytes, &name_of(path), limits));
    sides::join(first?, second?, begins_ms, limits)
}

fn name_of(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}

fn not_decoded(error: &AudioError) -> CallError {
    let retry = match error {
        AudioError::Limit { .. } => "; after raising it, run with --retry-failed",
        // The same bytes under another name.
        AudioError::NotAsNamed { .. } => "; then run with --retry-failed",
        _ => "",
    };
    CallError::new(Stage::Decode, error, format!("{}{retry}", error.hint())).in_the_bytes()
}

fn find_speech(
    audio: &Audio,
    second_side_begins_ms: Option<i64>,
    voice_activity: &mut VoiceActivity,
    clock: &StageClock,
) -> Result<Prepared, CallError> {
    let mut prepared = Prepared {
        channels: vec![],
        speakers: None,
        duration_ms: audio.duration_ms(),
        second_side_begins_ms,
        warnings: audio.warnings.clone(),
    };
    let mut channels = audio.channels.as_slice();
    if let [first, second] = channels {
        match channel_relation(first, second) {
            ChannelRelation::Separate => {}
            ChannelRelation::Leaking => prepared.warnings.push(Warning::Leaking.with(&[])),
            // Stereo in name only: two copies of one mix would be scored as a rep who echoes the customer.
            ChannelRelation::Same => {
                prepared.warnings.push(Warning::SameSound.with(&[]));
                channels = &channels[..1];
            }
        }
    }
    for samples in channels {
        let began = Stopwatch::start();
        let samples = callmark_audio::resample_to_16k(samples, audio.sample_rate_hz);
        clock.decode.add(&began);
        let began = Stopwatch::start();
        let channel = PreparedChannel::new(samples, prepared.duration_ms, voice_activity)?;
        clock.voice_activity.add(&began);
        prepared.channels.push(channel);
    }
    Ok(prepared)
}

/// Tells the speakers of a single channel apart.
fn find_speakers(prepared: &mut Prepared, networks: &mut SoundNetworks, clock: &StageClock) -> Result<(), CallError> {
    if let [only] = prepared.channels.as_slice() {
        let began = Stopwatch::start();
        let found = two_speakers(only, networks)?;
        clock.voice_activity.add(&began);
        if found.are_two() {
            prepared.warnings.push(Warning::MonoTwoSpeakers.with(&[]));
            prepared.speakers = Some(found);
        } else if !only.spans.is_empty() {
            prepared.warnings.push(Warning::MonoOneVoice.with(&[]));
        }
    }
    Ok(())
}

/// The two speakers of a channel by their voices.
pub fn two_speakers(channel: &PreparedChannel, networks: &mut SoundNetworks) -> Result<Speakers, CallError> {
    let voices = Voices::new(&channel.samples, &channel.spans);
    let encoded = networks.speaker_encoder.as_mut().map(|encoder| encoder.vectors(&voices.windows())).transpose();
    let vectors = encoded.map_err(|e| CallError::new(Stage::VoiceActivity, &e, e.hint()))?;
    let overlap = networks.overlap_detector.as_mut();
    let overlap = overlap.map(|detector| detector.probabilities_permille(&channel.samples, &channel.spans)).transpose();
    let overlap = overlap.map_err(|e| CallError::new(Stage::VoiceActivity, &e, e.hint()))?;
    Ok(voices.two_speakers(vectors.as_deref(), overlap.as_deref()))
}

/// What recognition needs to know beside the sound.
#[derive(Clone)]
pub struct RecogniseOptions {
    pub vocabulary: Option<String>,
    pub lexicon: &'static ActLexicon,
    pub confidence_floor_permille: u16,
    /// The languages that the model can follow; empty means all.
    pub model_languages: Vec<Language>,
}

/// Transcribes every channel and puts turns with roles together.
pub fn recognise(
    prepared: &Prepared,
    channels: ChannelMap,
    metadata: &Metadata,
    options: &RecogniseOptions,
    lane: &mut Lane,
) -> Result<Transcript, CallError> {
    recognise_with(prepared, channels, metadata, options, lane, |_, _| ())
}

/// The same; `removed` is told what guards removed from each channel's speech. Roles in it are those of the channel map, before
/// any inference.
pub fn recognise_with(
    prepared: &Prepared,
    channels: ChannelMap,
    metadata: &Metadata,
    options: &RecogniseOptions,
    lane: &mut Lane,
    mut removed: impl FnMut(Role, &[Removed]),
) -> Result<Transcript, CallError> {
    let wanted = metadata.language.as_deref();
    let language = wanted.and_then(Language::parse);
    let mut transcript = Transcript {
        medium: Medium::Speech,
        language,
        duration_ms: prepared.duration_ms,
        role_method: RoleMethod::None,
        role_confidence_permille: 0,
        recogniser_confidence_permille: Some(0),
        confidence_floor_permille: Some(options.confidence_floor_permille),
        warnings: prepared.warnings.clone(),
        second_side_begins_ms: prepared.second_side_begins_ms,
        ..Transcript::default()
    };
    let follows = |l: Language| options.model_languages.is_empty() || options.model_languages.contains(&l);
    if wanted.is_some_and(|_| !language.is_some_and(follows)) {
        // Eligibility turns this into `wrong_language`; nothing is gained by letting the wrong model guess.
        transcript.warnings.push(Warning::LanguageNotKnown.with(&[]));
        transcript.language = None;
        transcript.recogniser_confidence_permille = None;
        return Ok(transcript);
    }
    let failed = |e: AsrError| CallError::new(Stage::Recognise, &e, e.hint());
    let sides = sides(prepared, channels, &mut transcript)?;
    // One language per call: the channels of one call are not decoded in two.
    let decode_in = match language {
        Some(language) => language,
        None => {
            let channels: Vec<_> =
                sides.iter().filter(|side| side.role.is_side()).map(|side| (side.samples, side.speech)).collect();
            let detected = lane.detect_language(&channels).map_err(failed)?;
            transcript.language = detected.heard;
            detected.decode_in
        }
    };
    let (mut segments, mut of_others) = (Vec::new(), Vec::new());
    let mut trust = Trust::default();
    for side in &sides {
        let role = side.role;
        let asr = AsrOptions { language: Some(decode_in), initial_prompt: options.vocabulary.clone() };
        let heard = lane.transcribe(side.samples, side.speech, &asr).map_err(failed)?;
        removed(role, &heard.removed);
        for removed in &heard.removed {
            *transcript.dropped.entry(removed.guard.to_string()).or_default() += 1;
        }
        if !role.is_side() {
            let speech = |span: &Span| RoleSpan { role, begin_ms: span.begin_ms, end_ms: span.end_ms };
            transcript.speech.extend(side.speech.iter().map(speech));
            of_others.extend(heard.segments.into_iter().map(|segment| role_segment(segment, role)));
            continue;
        }
        trust += heard.trust;
        match side.speakers {
            None => {
                add_voice(&mut transcript, side.samples, side.speech, role);
                segments.extend(heard.segments.into_iter().map(|segment| role_segment(segment, role)));
            }
            Some(speakers) => {
                for (spans, role) in speakers.spans.iter().zip(SPEAKER_ROLES) {
                    add_voice(&mut transcript, side.samples, spans, role);
                }
                segments.extend(heard.segments.into_iter().flat_map(|segment| by_speaker(segment, speakers)));
            }
        }
    }
    transcript.recogniser_confidence_permille = Some(trust.confidence_permille());
    transcript.turns = assemble_turns(segments, transcript.language);
    transcript.other_turns = assemble_turns(of_others, transcript.language);
    transcript.speech.sort_by_key(|s| (s.begin_ms, s.role));
    transcript.sounds.sort_by_key(|s| (s.begin_ms, s.role, s.kind));
    transcript.voice.sort_by_key(|v| (v.begin_ms, v.role));
    if transcript.role_method == RoleMethod::Inferred {
        infer_roles(&mut transcript, options.lexicon);
        if let Some(speakers) = &prepared.speakers {
            // Who is whom cannot be surer than that there are two.
            let surest = speakers.confidence_permille;
            transcript.role_confidence_permille = transcript.role_confidence_permille.min(surest);
        }
    }
    Ok(transcript)
}

/// The tones of a channel.
fn add_sounds(transcript: &mut Transcript, channel: &PreparedChannel, role: Role) {
    transcript.sounds.extend(channel.tones.iter().map(|tone| Sound {
        kind: match tone.kind {
            ToneKind::Beep => SoundKind::Beep,
            ToneKind::Ringing => SoundKind::Ringing,
            ToneKind::Busy => SoundKind::Busy,
            ToneKind::Fax => SoundKind::Fax,
            ToneKind::Music => SoundKind::Music,
            ToneKind::Closed => SoundKind::Closed,
        },
        role,
        begin_ms: tone.begin_ms,
        end_ms: tone.end_ms,
    }));
}

/// When a party speaks, and how its voice sounds there.
fn add_voice(transcript: &mut Transcript, samples: &[f32], spans: &[Span], role: Role) {
    let speech = |span: &Span| RoleSpan { role, begin_ms: span.begin_ms, end_ms: span.end_ms };
    transcript.speech.extend(spans.iter().map(speech));
    let meter = VoiceMeter::default();
    transcript.voice.extend(spans.iter().map(|span| {
        let voice = meter.measure(samples, span.begin_ms, span.end_ms);
        VoiceSpan {
            role,
            begin_ms: span.begin_ms,
            end_ms: span.end_ms,
            level_centi_dbfs: voice.level_centi_dbfs,
            voiced_ms: voice.voiced_ms,
            pitch_cents: voice.pitch_cents,
            pitch_spread_cents: voice.pitch_spread_cents,
        }
    }));
}

fn role_segment(segment: Segment, role: Role) -> RoleSegment {
    RoleSegment {
        role,
        begin_ms: segment.span.begin_ms,
        end_ms: segment.span.end_ms,
        confidence_permille: segment.mean_probability_permille,
        text: segment.text,
        words: segment.words,
    }
}

/// What the two speakers of one channel are called until their words are weighed.
const SPEAKER_ROLES: [Role; 2] = [Role::Rep, Role::Customer];

/// Divides a segment where the speaker changes; a word outside both speakers' spans goes with the one before it.
fn by_speaker(segment: Segment, speakers: &Speakers) -> Vec<RoleSegment> {
    let mut parts: Vec<(usize, Vec<Word>)> = Vec::new();
    let begins = speakers.who_says(segment.span).unwrap_or(0);
    for word in segment.words {
        let before = parts.last().map_or(begins, |part| part.0);
        let who = speakers.who_says(Span { begin_ms: word.begin_ms, end_ms: word.end_ms }).unwrap_or(before);
        match parts.last_mut() {
            Some((last, words)) if *last == who => words.push(word),
            _ => parts.push((who, vec![word])),
        }
    }
    let part = |(who, words): (usize, Vec<Word>)| {
        let sum: u64 = words.iter().map(|word| u64::from(word.confidence_permille)).sum();
        RoleSegment {
            role: SPEAKER_ROLES[who],
            begin_ms: words.first().map_or(segment.span.begin_ms, |word| word.begin_ms),
            end_ms: words.last().map_or(segment.span.end_ms, |word| word.end_ms),
            confidence_permille: (sum / words.len().max(1) as u64) as u16,
            text: join_words(&words),
            words,
        }
    };
    parts.into_iter().map(part).collect()
}

/// What the recogniser listens to.
struct Side<'a> {
    role: Role,
    samples: &'a [f32],
    speech: &'a [Span],
    /// Two parties in one channel.
    speakers: Option<&'a Speakers>,
}

/// The channels that are listened to.
fn sides<'a>(prepared: &'a Prepared, map: ChannelMap, transcript: &mut Transcript) -> Result<Vec<Side<'a>>, CallError> {
    if let ([only], Some(speakers)) = (prepared.channels.as_slice(), &prepared.speakers) {
        transcript.role_method = RoleMethod::Inferred;
        add_sounds(transcript, only, Role::Unknown);
        let speakers = Some(speakers);
        return Ok(vec![Side { role: Role::Unknown, samples: &only.samples, speech: &only.spans, speakers }]);
    }
    let roles = channel_roles(&prepared.channels, map, transcript)?;
    if transcript.role_method != RoleMethod::None {
        transcript.channel_roles = roles.iter().map(|role| role.unwrap_or(Role::Unknown)).collect();
    }
    for (channel, role) in prepared.channels.iter().zip(&roles) {
        if let Some(role) = *role {
            add_sounds(transcript, channel, role);
        }
    }
    let side = |(channel, role): (&'a PreparedChannel, Option<Role>)| {
        Some(Side { role: role?, samples: &channel.samples, speech: &channel.spans, speakers: None })
    };
    Ok(prepared.channels.iter().zip(roles).filter_map(side).collect())
}

/// One role per channel, `None` for channels that are left out. `Auto` starts with the first of the two as the rep.
fn channel_roles(
    channels: &[PreparedChannel],
    map: ChannelMap,
    transcript: &mut Transcript,
) -> Result<Vec<Option<Role>>, CallError> {
    let count = channels.len();
    if count == 1 {
        return Ok(vec![Some(Role::Unknown)]);
    }
    let hint = "say which channels are whom with --channels rep=0,customer=1 (further ones: ivr, supervisor, transfer_target, ignore)";
    let refused = |cause: String| Err(CallError::new(Stage::Recognise, cause, hint));
    match map {
        ChannelMap::Auto => {
            // Whoever is silent all the time cannot be mistaken for one of the two.
            let speaking: Vec<usize> =
                if count == 2 { vec![0, 1] } else { (0..count).filter(|i| !channels[*i].spans.is_empty()).collect() };
            let [first, second] = speaking[..] else {
                return refused(format!(
                    "the recording has {count} channels, {} with speech: `auto` knows two",
                    speaking.len()
                ));
            };
            transcript.role_method = RoleMethod::Inferred;
            if count > 2 {
                transcript.warnings.push(Warning::ChannelsWithoutSpeech.with(&[&(count - 2)]));
            }
            let role = |i| if i == first { Some(Role::Rep) } else { (i == second).then_some(Role::Customer) };
            Ok((0..count).map(role).collect())
        }
        ChannelMap::Fixed(uses) => {
            let has = |role| uses.iter().take(count).any(|used| *used == ChannelUse::Carries(role));
            if !has(Role::Rep) || !has(Role::Customer) {
                return refused(format!("the channel map does not fit {count} channels"));
            }
            transcript.role_method = RoleMethod::ChannelMap;
            transcript.role_confidence_permille = 1000;
            let unnamed = uses.iter().take(count).filter(|used| **used == ChannelUse::Unnamed).count();
            if unnamed > 0 {
                transcript.warnings.push(Warning::ChannelsNotListenedTo.with(&[&unnamed]));
            }
            let role = |used: &ChannelUse| if let ChannelUse::Carries(role) = used { Some(*role) } else { None };
            Ok(uses.iter().take(count).map(role).collect())
        }
    }
}

fn infer_roles(transcript: &mut Transcript, lexicon: &ActLexicon) {
    let of = |role| -> Vec<_> { transcript.turns.iter().filter(|t| t.role == role).cloned().collect() };
    let inferred = roles::infer([&of(Role::Rep), &of(Role::Customer)], lexicon, transcript);
    if inferred.rep == 1 {
        roles::swap(transcript, inferred.confidence_permille);
    }
    transcript.role_confidence_permille = inferred.confidence_permille;
}

/// SHA-256 of the transcript's canonical JSON.
pub fn transcript_hash(transcript: &Transcript) -> String {
    sha256_hex(&serde_json::to_vec(transcript).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_to_who_speaks_at_their_time() {
        let span = |begin_ms, end_ms| Span { begin_ms, end_ms };
        let speakers = Speakers {
            spans: [vec![span(0, 1_000), span(2_000, 3_000)], vec![span(1_000, 2_000)]],
            overlaps: vec![],
            ..Speakers::default()
        };
        let word = |text: &str, begin_ms: i64, confidence_permille| Word {
            text: text.into(),
            begin_ms,
            end_ms: begin_ms + 200,
            confidence_permille,
        };
        let words = vec![
            word(" one", 100, 900),
            // Mostly the other one's.
            word(" two", 950, 800),
            word(" three", 1_500, 700),
            // In neither's span: with the word before it.
            word(" four", 5_000, 600),
        ];
        let segment =
            Segment { span: span(0, 5_200), text: " one two three four".into(), mean_probability_permille: 750, words };
        let parts = by_speaker(segment, &speakers);
        let seen: Vec<_> =
            parts.iter().map(|p| (p.role, p.begin_ms, p.end_ms, p.confidence_permille, p.words.len())).collect();
        assert_eq!(seen, [(Role::Rep, 100, 300, 900, 1), (Role::Customer, 950, 5_200, 700, 3)]);
    }
}
