//! Bytes of a recording → samples per channel at the recording's own rate.
//!
//! The content decides what a file is; only where it has no mark at all its name does, with a warning
//! ([`decode_named`]). A file that is cut or damaged gives what can be had, with a warning; one that gives nothing is an
//! error.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use callmark_core::warning::Warning;
use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_PCM_ALAW, CODEC_ID_PCM_MULAW};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::TimeBase;

use crate::error::AudioError;
use crate::gsm::{self, Framing};
use crate::headerless::{self, Headerless};
use crate::oki;
use crate::opus::{self, Presentation};
use crate::resample::{SPEECH_RATE_HZ, resample_to_16k};
use crate::rewrap;
use crate::sniff::{self, Kind};
use crate::wav::{self, Codec, Wav};
use crate::{amr, g722, matroska};

/// What a recording may ask for at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub max_duration_s: u32,
    pub max_channels: u16,
    pub min_rate_hz: u32,
    pub max_rate_hz: u32,
    /// Memory of the decoded samples, 4 bytes each, over all channels.
    pub max_decoded_bytes: u64,
}

impl Default for Limits {
    /// 4 hours, 8 channels, 4 to 192 kHz, 2 GiB.
    fn default() -> Self {
        Limits {
            max_duration_s: 4 * 3600,
            max_channels: 8,
            min_rate_hz: 4_000,
            max_rate_hz: 192_000,
            max_decoded_bytes: 2 << 30,
        }
    }
}

/// A decoded recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    pub sample_rate_hz: u32,
    /// Samples in −1…1, all channels equally long, at least one sample.
    pub channels: Vec<Vec<f32>>,
    /// What the file was: `WAV`, `MP3`, …
    pub container: &'static str,
    /// Short codec name: `pcm_s16`, `pcm_mulaw`, `mp3`, …
    pub codec: String,
    /// What had to be repaired or left out, for people.
    pub warnings: Vec<String>,
}

impl Audio {
    /// Length in whole milliseconds, rounded down.
    pub fn duration_ms(&self) -> i64 {
        let samples = self.channels.first().map_or(0, Vec::len) as u64;
        (samples * 1000 / u64::from(self.sample_rate_hz.max(1))) as i64
    }
}

/// Decodes a whole recording from memory, by its content alone.
///
/// # Errors
/// Everything that is not a usable recording, named as precisely as the bytes allow.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Audio, AudioError> {
    decode_named(bytes, "", limits)
}

/// The same; of bytes without any known mark, the ending of the file's name says what they are (see
/// [`headerless_format`](crate::headerless_format)), and a warning says that it did.
///
/// # Errors
/// Everything that is not a usable recording; what is named as sound without a header but cannot be that.
pub fn decode_named(bytes: &[u8], file_name: &str, limits: &Limits) -> Result<Audio, AudioError> {
    if bytes.is_empty() {
        return Err(AudioError::Empty);
    }
    let kind = sniff::kind(bytes);
    let mut audio = match Headerless::of(file_name) {
        Some(named) if headerless::has_no_mark(bytes, kind) => named.decode(bytes, limits)?,
        _ => decode_kind(bytes, kind, limits)?,
    };
    if audio.channels.first().is_none_or(Vec::is_empty) {
        return Err(AudioError::NoSamples { container: audio.container });
    }
    replace_non_finite(&mut audio);
    Ok(audio)
}

fn decode_kind(bytes: &[u8], kind: Kind, limits: &Limits) -> Result<Audio, AudioError> {
    Ok(match kind {
        Kind::Wave => decode_wave(bytes, limits)?,
        Kind::Au => Audio { container: "AU", ..decode_wave(&rewrap::au(bytes)?, limits)? },
        Kind::Rifx => Audio { container: "RIFX", ..decode_wave(&rewrap::rifx(bytes)?, limits)? },
        Kind::Wave64 => Audio { container: "Wave64", ..decode_wave(&rewrap::wave64(bytes)?, limits)? },
        Kind::Amr => amr::decode(bytes, limits)?,
        Kind::Probe(container) => probe(bytes, container, limits)?,
        Kind::Foreign(container) => return Err(AudioError::UnsupportedContainer { container }),
        Kind::NotAudio(found) => return Err(AudioError::NotAudio { found }),
        // MP3 with bytes before its first frame, for one.
        Kind::Unknown => probe(bytes, "unknown", limits)
            .map_err(|_| AudioError::NotAudio { found: "of no known format (no audio mark in its first bytes)" })?,
    })
}

pub(crate) fn decode_wave(bytes: &[u8], limits: &Limits) -> Result<Audio, AudioError> {
    let wave = wav::parse(bytes)?;
    check_format(wave.rate_hz, usize::from(wave.channels), limits)?;
    match (wave.codec, wave.bits) {
        (Codec::Pcm, _) | (Codec::Float, 32) => decode_pcm(&wave, limits),
        (Codec::Tag(tag @ (0x31 | 0x10 | 0x17)), _) => {
            if wave.channels != 1 {
                let codec = format!("{} in {} channels", wav::codec_name(tag), wave.channels);
                return Err(AudioError::UnsupportedCodec { container: "WAV", codec });
            }
            let audio = if tag == 0x31 {
                decode_gsm(wave.data, Framing::Pairs, wave.rate_hz, limits)?
            } else {
                decode_oki(wave.data, wave.rate_hz, limits)?
            };
            Ok(trim_to_fact(Audio { container: "WAV", ..audio }, &wave))
        }
        // MPEG audio in a WAV wrapper: the wrapper adds nothing.
        (Codec::Tag(0x50 | 0x55), _) => {
            let mut audio = probe(wave.data, "WAV", limits)?;
            audio.warnings.splice(0..0, wave.warnings);
            Ok(audio)
        }
        (Codec::Tag(0x65 | 0x28F), _) if wave.channels == 1 => {
            let mut audio = g722::decode(wave.data, "WAV", limits)?;
            audio.warnings = wave.warnings;
            Ok(audio)
        }
        (Codec::Tag(0x65 | 0x28F), _) => Err(AudioError::UnsupportedCodec {
            container: "WAV",
            codec: format!("G.722 with {} channels", wave.channels),
        }),
        (codec, _) => {
            let mut audio = probe(&wave.repaired_file(), "WAV", limits).map_err(|error| match (error, codec) {
                (AudioError::UnsupportedCodec { .. } | AudioError::Damaged { .. }, Codec::Tag(tag)) => {
                    AudioError::UnsupportedCodec { container: "WAV", codec: wav::codec_name(tag) }
                }
                (error, _) => error,
            })?;
            audio.warnings.splice(0..0, wave.warnings);
            Ok(audio)
        }
    }
}

/// GSM 06.10 frames, one channel.
pub(crate) fn decode_gsm(bytes: &[u8], framing: Framing, rate_hz: u32, limits: &Limits) -> Result<Audio, AudioError> {
    check_length(framing.samples_in(bytes.len()) as u64, rate_hz, 1, limits)?;
    let decoded = gsm::decode(bytes, framing);
    let mut warnings = Vec::new();
    if decoded.bad_frames > 0 {
        warnings.push(Warning::DamagedGsmFrames.with(&[&decoded.bad_frames]));
    }
    if decoded.is_cut {
        warnings.push(Warning::EndsInGsmFrame.with(&[]));
    }
    Ok(one_channel(&decoded.samples, rate_hz, "gsm", warnings))
}

/// OKI/Dialogic ADPCM, one channel.
pub(crate) fn decode_oki(bytes: &[u8], rate_hz: u32, limits: &Limits) -> Result<Audio, AudioError> {
    check_length((bytes.len() * oki::SAMPLES_A_BYTE) as u64, rate_hz, 1, limits)?;
    Ok(one_channel(&oki::decode(bytes), rate_hz, "adpcm_oki", Vec::new()))
}

fn one_channel(samples: &[i16], sample_rate_hz: u32, codec: &str, warnings: Vec<String>) -> Audio {
    let samples = samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    Audio { sample_rate_hz, channels: vec![samples], container: "headerless", codec: codec.to_string(), warnings }
}

/// Cuts the padding of the last block off where the `fact` chunk tells the true length, and adds the header's warnings.
fn trim_to_fact(mut audio: Audio, wave: &Wav) -> Audio {
    audio.warnings.splice(0..0, wave.warnings.iter().cloned());
    let promised = wave.fact.and_then(|fact| fact.get(..4)).map(|f| u32::from_le_bytes([f[0], f[1], f[2], f[3]]));
    for (channel, length) in audio.channels.iter_mut().zip(promised) {
        // A length that leaves out more than a block pads is a lie.
        if channel.len() - (length as usize).min(channel.len()) < gsm::PAIR_SAMPLES {
            channel.truncate(length as usize);
        }
    }
    audio
}

/// The fast path: hound on a header that is known to be true.
fn decode_pcm(wave: &Wav, limits: &Limits) -> Result<Audio, AudioError> {
    let damaged = |error: hound::Error| AudioError::Damaged { container: "WAV", cause: error.to_string() };
    let count = usize::from(wave.channels);
    let frames = wave.data.len() / (count * usize::from(wave.bits / 8));
    check_length(frames as u64, wave.rate_hz, count, limits)?;
    let mut channels = vec![Vec::with_capacity(frames); count];
    let mut reader = hound::WavReader::new(wave.canonical_pcm()).map_err(damaged)?;
    let mut place = 0;
    let mut push = |sample: f32| {
        channels[place].push(sample);
        place = if place + 1 == count { 0 } else { place + 1 };
    };
    if wave.codec == Codec::Float {
        for sample in reader.samples::<f32>() {
            push(sample.map_err(damaged)?);
        }
    } else if wave.bits == 16 {
        for sample in reader.samples::<i16>() {
            push(f32::from(sample.map_err(damaged)?) / 32_768.0);
        }
    } else {
        // hound gives 8-bit samples signed, too.
        let full_scale = (1u64 << (wave.bits - 1)) as f32;
        for sample in reader.samples::<i32>() {
            push(sample.map_err(damaged)? as f32 / full_scale);
        }
    }
    let kind = match (wave.codec, wave.bits) {
        (Codec::Float, _) => "f",
        (_, 8) => "u",
        _ => "s",
    };
    Ok(Audio {
        sample_rate_hz: wave.rate_hz,
        channels,
        container: "WAV",
        codec: format!("pcm_{kind}{}", wave.bits),
        warnings: wave.warnings.clone(),
    })
}

/// Encoders pad by no more than this; whatever else a header leaves out is the sound of another file, joined to this one.
const MOST_PADDING_PACKETS: u32 = 2;
/// Each costs a resampler; joined files have one or two.
const MOST_RATE_CHANGES: u32 = 16;
/// Of one file: damage must not cost a new decoder for every packet.
const MOST_NEW_DECODERS: u32 = 64;

/// Everything else: symphonia finds the container by its content. Its readers multiply what headers say, and our builds
/// check every sum: where that panics, the file is damaged.
fn probe(bytes: &[u8], container: &'static str, limits: &Limits) -> Result<Audio, AudioError> {
    // Nothing of a decoder outlives its panic.
    catch_unwind(AssertUnwindSafe(|| read_with_symphonia(bytes, container, limits))).unwrap_or_else(|_| {
        Err(AudioError::Damaged { container, cause: "its header holds numbers that cannot be true".to_string() })
    })
}

fn read_with_symphonia(bytes: &[u8], container: &'static str, limits: &Limits) -> Result<Audio, AudioError> {
    let damaged = |error: SymphoniaError| AudioError::Damaged { container, cause: error.to_string() };
    let repaired = matroska::repaired(bytes);
    let bytes = repaired.as_deref().unwrap_or(bytes);
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let mut reader = symphonia::default::get_probe()
        .probe(&Hint::new(), source, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| if is_speex(bytes) { unsupported(container, bytes, "Speex") } else { damaged(error) })?;
    let track = reader
        .default_track(TrackType::Audio)
        .ok_or_else(|| unsupported(container, bytes, "no audio track that it knows"))?;
    let (track_id, promised_frames, time_base) = (track.id, track.num_frames, track.time_base);
    let Some(CodecParameters::Audio(mut parameters)) = track.codec_params.clone() else {
        return Err(unsupported(container, bytes, "no audio track that it knows"));
    };
    // CAF's reader gives the width of the codes, which the decoder takes for that of the samples.
    if matches!(parameters.codec, CODEC_ID_PCM_ALAW | CODEC_ID_PCM_MULAW) {
        (parameters.bits_per_sample, parameters.bits_per_coded_sample) = (None, None);
    }
    let Presentation { skip, padding, gain } = opus::presentation(track, &mut parameters, container, bytes);
    // Where a stream was joined late, its clock does not begin at 0.
    let begin = track.start_ts.get().try_into().unwrap_or(0u64).saturating_add(skip as u64);
    let new_decoder = || opus::codecs().make_audio_decoder(&parameters, &AudioDecoderOptions::default());
    let mut decoder = new_decoder().map_err(|_| match &parameters.channels {
        Some(channels) if opus::is_opus(&parameters) => {
            AudioError::UnsupportedCodec { container, codec: format!("Opus with {} channels", channels.count()) }
        }
        _ => unsupported(container, bytes, "a codec"),
    })?;
    let codec = decoder.codec_info().short_name.to_string();

    let mut sink = Sink {
        limits,
        rate_hz: 0,
        channels: Vec::new(),
        earlier: Vec::new(),
        rate_changes: 0,
        scratch: Vec::new(),
        mixed_layout: false,
        skip,
        gain,
    };
    let mut warnings = Vec::new();
    if repaired.is_some() {
        warnings.push(Warning::HeaderPromisesMore.with(&[&container]));
    }
    let (mut bad_packets, mut new_decoders, mut left_out) = (0u32, 0u32, 0u32);
    loop {
        let mut packet = match reader.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(SymphoniaError::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                // Of a stream without a length, this is how symphonia finds the end.
                if !matroska::is_streamed(bytes) {
                    warnings.push(Warning::EndsInData.with(&[&container]));
                }
                break;
            }
            Err(SymphoniaError::ResetRequired) => {
                warnings.push(Warning::SeveralStreams.with(&[&container]));
                break;
            }
            Err(error) if sink.channels.is_empty() => return Err(damaged(error)),
            Err(error) => {
                warnings.push(Warning::DamagedFrom.with(&[&container, &sink.duration_ms(), &error]));
                break;
            }
        };
        if packet.track_id != track_id {
            continue;
        }
        // libopus takes an empty packet for a lost one and makes up sound.
        if packet.data.is_empty() && opus::is_opus(&parameters) {
            bad_packets += 1;
            sink.keep_time(&packet, time_base)?;
            continue;
        }
        if packet.trim_end.get() > 0 && packet.trim_end >= packet.dur {
            left_out += 1;
            if left_out > MOST_PADDING_PACKETS {
                packet.trim_end = Default::default();
            }
        }
        let mut decoded = decoder.decode(&packet);
        // Where files were joined, what follows may have another layout, which symphonia's MP3 decoder calls damaged.
        if let (Err(SymphoniaError::DecodeError(_)), true) = (&decoded, new_decoders < MOST_NEW_DECODERS) {
            new_decoders += 1;
            if let Ok(mut new) = new_decoder()
                && new.decode(&packet).is_ok()
            {
                decoder = new;
            }
            decoded = decoder.decode(&packet);
        }
        match decoded {
            Ok(decoded) => {
                if !sink.push(&decoded)? {
                    warnings.push(Warning::RateChangesOften.with(&[&sink.duration_ms()]));
                    break;
                }
            }
            Err(SymphoniaError::DecodeError(_) | SymphoniaError::IoError(_)) => {
                bad_packets += 1;
                sink.keep_time(&packet, time_base)?;
            }
            Err(error) if sink.channels.is_empty() => return Err(damaged(error)),
            Err(error) => {
                warnings.push(Warning::DamagedFrom.with(&[&container, &sink.duration_ms(), &error]));
                break;
            }
        }
    }
    if left_out > MOST_PADDING_PACKETS {
        warnings.push(Warning::Joined.with(&[&container]));
    }
    if bad_packets > 0 {
        warnings.push(Warning::DamagedPackets.with(&[&bad_packets]));
    }
    if sink.rate_changes > 0 {
        warnings.push(Warning::RateChanges.with(&[]));
    }
    if sink.mixed_layout {
        warnings.push(Warning::LayoutChanges.with(&[]));
    }
    if sink.channels.is_empty() && bad_packets > 0 {
        return Err(AudioError::Damaged { container, cause: format!("all {bad_packets} packets are damaged") });
    }
    if let Some(frames) = sink.channels.first().map(|channel| padding.left(channel.len())) {
        sink.channels.iter_mut().for_each(|channel| channel.truncate(frames));
    }
    let (sample_rate_hz, channels) = sink.finish()?;
    let frames = channels.first().map_or(0, Vec::len) as u64;
    let promised_frames = promised_frames.map(|promised| promised.saturating_sub(begin));
    // 2 %: encoders pad, and headers round.
    if promised_frames.is_some_and(|promised| frames < promised - promised / 50) && warnings.is_empty() {
        warnings.push(Warning::HeaderPromisesMore.with(&[&container]));
    }
    Ok(Audio { sample_rate_hz, channels, container, codec, warnings })
}

/// Names the codec that a container announces in clear text, where symphonia only says "unsupported".
fn unsupported(container: &'static str, bytes: &[u8], otherwise: &str) -> AudioError {
    let codec = if has_mark(bytes, b"OpusHead") || has_mark(bytes, b"A_OPUS") {
        "Opus in a form that is not known"
    } else {
        otherwise
    };
    AudioError::UnsupportedCodec { container, codec: codec.to_string() }
}

/// Symphonia's Ogg reader takes Speex for a stream that ends too early.
fn is_speex(bytes: &[u8]) -> bool {
    bytes.starts_with(b"OggS") && has_mark(bytes, b"Speex   ")
}

fn has_mark(bytes: &[u8], mark: &[u8]) -> bool {
    bytes[..bytes.len().min(4096)].windows(mark.len()).any(|window| window == mark)
}

/// A packet that claims to be longer lies: FLAC's are the longest, 65,535 samples, which at 8 kHz are 8.2 s.
const LONGEST_PACKET_S: u32 = 10;

/// Collects decoded packets, holding them to the limits.
struct Sink<'a> {
    limits: &'a Limits,
    /// Of `channels`.
    rate_hz: u32,
    /// Since the rate last changed.
    channels: Vec<Vec<f32>>,
    /// What came before, at 16 kHz; empty while the rate has not changed.
    earlier: Vec<Vec<f32>>,
    rate_changes: u32,
    scratch: Vec<Vec<f32>>,
    mixed_layout: bool,
    /// Samples per channel that are still to be dropped.
    skip: usize,
    gain: f32,
}

impl Sink<'_> {
    /// Appends a packet; `false` when the sample rate has changed too often.
    fn push(&mut self, packet: &GenericAudioBufferRef) -> Result<bool, AudioError> {
        if packet.frames() == 0 {
            return Ok(true);
        }
        let (rate_hz, count) = (packet.spec().rate(), packet.num_planes());
        if self.channels.is_empty() {
            check_format(rate_hz, count, self.limits)?;
            self.rate_hz = rate_hz;
            self.channels = vec![Vec::new(); count];
        } else if rate_hz != self.rate_hz {
            if self.rate_changes >= MOST_RATE_CHANGES {
                return Ok(false);
            }
            check_format(rate_hz, count, self.limits)?;
            self.rate_changes += 1;
            self.close_part()?;
            self.rate_hz = rate_hz;
        }
        let before = self.earlier.first().map_or(0, Vec::len) as u64 * u64::from(rate_hz) / u64::from(SPEECH_RATE_HZ);
        let frames = before + self.channels[0].len() as u64 + packet.frames() as u64;
        check_length(frames, self.rate_hz, self.channels.len(), self.limits)?;
        packet.copy_to_vecs_planar(&mut self.scratch);
        let skipped = self.skip.min(packet.frames());
        self.skip -= skipped;
        if self.gain != 1.0 {
            self.scratch.iter_mut().flatten().for_each(|sample| *sample *= self.gain);
        }
        self.mixed_layout |= count != self.channels.len();
        for (index, channel) in self.channels.iter_mut().enumerate() {
            // A layout with fewer channels gives its last one to the rest: joined mono and stereo files stay aligned.
            if let Some(plane) = self.scratch.get(index.min(count.saturating_sub(1))) {
                channel.extend_from_slice(plane.get(skipped..).unwrap_or(&[]));
            }
        }
        Ok(true)
    }

    /// Silence instead of a packet that cannot be decoded: what comes after it stays at its time. Before the first packet that can,
    /// the rate is unknown, and nothing is there to be late.
    fn keep_time(&mut self, packet: &Packet, time_base: Option<TimeBase>) -> Result<(), AudioError> {
        let (Some(base), false) = (time_base, self.channels.is_empty()) else { return Ok(()) };
        let frames = u128::from(packet.dur.get()) * u128::from(base.numer.get()) * u128::from(self.rate_hz)
            / u128::from(base.denom.get());
        if frames <= u128::from(self.rate_hz * LONGEST_PACKET_S) {
            let length = self.channels[0].len() + frames as usize;
            check_length(length as u64, self.rate_hz, self.channels.len(), self.limits)?;
            self.channels.iter_mut().for_each(|channel| channel.resize(length, 0.0));
        }
        Ok(())
    }

    /// Brings what has one rate to 16 kHz, behind what came before.
    fn close_part(&mut self) -> Result<(), AudioError> {
        self.earlier.resize(self.channels.len(), Vec::new());
        for (earlier, channel) in self.earlier.iter_mut().zip(&mut self.channels) {
            earlier.extend(resample_to_16k(channel, self.rate_hz));
            channel.clear();
        }
        let frames = self.earlier.first().map_or(0, Vec::len) as u64;
        check_length(frames, SPEECH_RATE_HZ, self.earlier.len(), self.limits)
    }

    /// The sample rate and all samples.
    fn finish(mut self) -> Result<(u32, Vec<Vec<f32>>), AudioError> {
        if self.rate_changes == 0 {
            return Ok((self.rate_hz, self.channels));
        }
        self.close_part()?;
        Ok((SPEECH_RATE_HZ, self.earlier))
    }

    fn duration_ms(&self) -> u64 {
        let ms = |channels: &[Vec<f32>], rate_hz: u32| {
            channels.first().map_or(0, Vec::len) as u64 * 1000 / u64::from(rate_hz.max(1))
        };
        ms(&self.earlier, SPEECH_RATE_HZ) + ms(&self.channels, self.rate_hz)
    }
}

pub(crate) fn check_format(rate_hz: u32, channels: usize, limits: &Limits) -> Result<(), AudioError> {
    if !(limits.min_rate_hz..=limits.max_rate_hz).contains(&rate_hz) {
        return Err(AudioError::SampleRate { rate_hz, low_hz: limits.min_rate_hz, high_hz: limits.max_rate_hz });
    }
    if channels > usize::from(limits.max_channels) {
        return Err(AudioError::Limit {
            what: format!("{channels} channels"),
            limit: format!("{}", limits.max_channels),
        });
    }
    Ok(())
}

pub(crate) fn check_length(frames: u64, rate_hz: u32, channels: usize, limits: &Limits) -> Result<(), AudioError> {
    let duration_s = frames / u64::from(rate_hz.max(1));
    if duration_s > u64::from(limits.max_duration_s) {
        return Err(AudioError::Limit {
            what: format!("at least {duration_s} s of sound"),
            limit: format!("{} s", limits.max_duration_s),
        });
    }
    let decoded_bytes = frames.saturating_mul(channels as u64).saturating_mul(4);
    if decoded_bytes > limits.max_decoded_bytes {
        return Err(AudioError::Limit {
            what: format!("at least {decoded_bytes} bytes of decoded sound"),
            limit: format!("{} bytes", limits.max_decoded_bytes),
        });
    }
    Ok(())
}

/// Louder than 18 dB above full scale is no sound.
const LOUDEST: f32 = 8.0;

/// NaN, infinity and absurd numbers would spread through every filter and network behind this.
fn replace_non_finite(audio: &mut Audio) {
    let mut replaced = 0u64;
    let is_sound = |sample: &f32| sample.abs() <= LOUDEST;
    for sample in audio.channels.iter_mut().flatten().filter(|sample| !is_sound(sample)) {
        *sample = 0.0;
        replaced += 1;
    }
    if replaced > 0 {
        audio
            .warnings
            .push(format!("{replaced} samples that are no sound (not numbers, or absurd ones) were set to silence"));
    }
}
