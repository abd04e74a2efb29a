//! Samples → short clips that a browser plays: mixed to mono, cut at the sample, as Ogg Opus or WAV bytes.
//!
//! Equal samples give equal bytes on one machine: the stream's serial number and vendor are fixed, no time is written.

use std::io::Cursor;

use callmark_core::transcript::Span;
use ogg::{PacketWriteEndInfo, PacketWriter};
use opusic_c::{Application, Bitrate, Channels, Encoder, SampleRate, Signal};

use crate::decode::Audio;
use crate::error::AudioError;
use crate::resample::{SPEECH_RATE_HZ, resample_to_16k};
use crate::{ChannelRelation, channel_relation};

/// Enough for telephone speech to sound like the recording: 2.5 kB a second at most.
const OPUS_BITS_PER_S: u32 = 20_000;
/// Half of libopus' effort: the rest takes a third more time and cannot be heard in speech.
const COMPLEXITY: u8 = 5;
/// One Opus packet: 20 ms at 16 kHz.
const FRAME: usize = 320;
/// Ogg counts Opus in samples of 48 kHz, whatever the input was.
const TICKS_PER_SAMPLE: u64 = 48_000 / SPEECH_RATE_HZ as u64;
/// One page a second, so that a player finds its place.
const PACKETS_PER_PAGE: usize = 50;
/// No packet of Opus is longer (RFC 6716, 3.2.1).
const MAX_PACKET_BYTES: usize = 1275;
const SERIAL: u32 = 1;
const VENDOR: &[u8] = b"callmark";

/// What each channel is brought to before they are added: −20 dB of full scale …
const TARGET_LEVEL: f32 = 0.1;
/// … by at most 12 dB, so that a channel of mere noise stays quiet.
const MOST_GAIN: f32 = 4.0;
/// Below −60 dB there is no voice to bring anywhere.
const SILENT_LEVEL: f32 = 0.001;
/// The mix is turned down where it would go higher.
const HEADROOM: f32 = 0.95;
/// What is redacted sounds like this instead.
const BEEP_HZ: f32 = 1_000.0;
const BEEP_LEVEL: f32 = 0.05;
/// A cut in the middle of a sound clicks.
const FADE_MS: usize = 10;

/// A decoded recording that clips are cut from. Both speakers are brought to a like level.
pub struct ClipSource {
    audio: Audio,
    /// One per channel; 0 for a channel that repeats another.
    gains: Vec<f32>,
    beeps: Vec<Span>,
}

impl ClipSource {
    pub fn new(audio: Audio) -> ClipSource {
        let mut gains: Vec<f32> = audio.channels.iter().map(|c| gain(speech_level(c, audio.sample_rate_hz))).collect();
        if let [first, second] = audio.channels.as_slice()
            && channel_relation(first, second) == ChannelRelation::Same
        {
            // An inverted copy would take the sound away.
            gains[1] = 0.0;
        }
        ClipSource { audio, gains, beeps: vec![] }
    }

    /// The same with a tone in place of everything that is heard in `spans`, of both speakers: one channel leaks into another.
    #[must_use]
    pub fn with_beeps(self, spans: Vec<Span>) -> ClipSource {
        ClipSource { beeps: spans, ..self }
    }

    pub fn duration_ms(&self) -> i64 {
        self.audio.duration_ms()
    }

    /// The span as mono at 16 kHz, faded at both ends; empty when the recording has nothing there.
    pub fn cut(&self, span: Span) -> Vec<f32> {
        let length = self.audio.channels.first().map_or(0, Vec::len);
        let index = |ms: i64| {
            let sample = ms.max(0) as u64 * u64::from(self.audio.sample_rate_hz) / 1000;
            sample.min(length as u64) as usize
        };
        let (begin, end) = (index(span.begin_ms), index(span.end_ms));
        let mut mix = vec![0.0f32; end.saturating_sub(begin)];
        for (channel, gain) in self.audio.channels.iter().zip(&self.gains) {
            for (sum, sample) in mix.iter_mut().zip(channel.get(begin..end).unwrap_or(&[])) {
                *sum += sample * gain;
            }
        }
        let mut mix = resample_to_16k(&mix, self.audio.sample_rate_hz);
        let peak = mix.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        if peak > HEADROOM {
            mix.iter_mut().for_each(|sample| *sample *= HEADROOM / peak);
        }
        for beep in &self.beeps {
            let index = |ms: i64| {
                let sample = (ms - span.begin_ms.max(0)).max(0) as u64 * u64::from(SPEECH_RATE_HZ) / 1000;
                sample.min(mix.len() as u64) as usize
            };
            let (begin, end) = (index(beep.begin_ms), index(beep.end_ms));
            let turn = std::f32::consts::TAU * BEEP_HZ / SPEECH_RATE_HZ as f32;
            for (n, sample) in mix.get_mut(begin..end).into_iter().flatten().enumerate() {
                *sample = BEEP_LEVEL * (turn * (n % SPEECH_RATE_HZ as usize) as f32).sin();
            }
        }
        fade(&mut mix);
        mix
    }
}

/// Root mean square of the loud moments (95th percentile of 20 ms frames): pauses do not count.
fn speech_level(samples: &[f32], rate_hz: u32) -> f32 {
    let frame = (rate_hz / 50).max(1) as usize;
    let power = |frame: &[f32]| frame.iter().map(|v| v * v).sum::<f32>() / frame.len() as f32;
    let mut powers: Vec<f32> = samples.chunks(frame).map(power).collect();
    let place = powers.len() * 95 / 100;
    if place >= powers.len() {
        return 0.0;
    }
    powers.select_nth_unstable_by(place, f32::total_cmp).1.sqrt()
}

fn gain(level: f32) -> f32 {
    if level < SILENT_LEVEL { 1.0 } else { (TARGET_LEVEL / level).clamp(1.0 / MOST_GAIN, MOST_GAIN) }
}

fn fade(samples: &mut [f32]) {
    let length = (FADE_MS * SPEECH_RATE_HZ as usize / 1000).min(samples.len() / 2);
    for n in 0..length {
        let gain = n as f32 / length as f32;
        samples[n] *= gain;
        let last = samples.len() - 1;
        samples[last - n] *= gain;
    }
}

/// Mono samples at 16 kHz → a 16-bit WAV file.
///
/// # Errors
/// When the encoder refuses, which only a clip of hours can make it do.
pub fn wav(samples: &[f32]) -> Result<Vec<u8>, AudioError> {
    let failed = |error: hound::Error| AudioError::NotEncoded { format: "WAV", cause: error.to_string() };
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: SPEECH_RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = Cursor::new(Vec::with_capacity(44 + 2 * samples.len()));
    let mut writer = hound::WavWriter::new(&mut file, spec).map_err(failed)?;
    for sample in samples {
        writer.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16).map_err(failed)?;
    }
    writer.finalize().map_err(failed)?;
    Ok(file.into_inner())
}

/// Mono samples at 16 kHz → an Ogg Opus file (RFC 7845) of exactly that length.
///
/// # Errors
/// When libopus refuses, which it does only without memory.
pub fn ogg_opus(samples: &[f32]) -> Result<Vec<u8>, AudioError> {
    let failed = |cause: &str| AudioError::NotEncoded { format: "Ogg Opus", cause: cause.to_string() };
    let opus = |error: opusic_c::ErrorCode| failed(error.message());
    // Not `Voip`: that mode filters low tones away, and a clip is evidence.
    let mut encoder = Encoder::new(Channels::Mono, SampleRate::Hz16000, Application::Audio).map_err(opus)?;
    encoder.set_bitrate(Bitrate::Value(OPUS_BITS_PER_S)).map_err(opus)?;
    encoder.set_signal(Signal::Voice).map_err(opus)?;
    encoder.set_complexity(COMPLEXITY).map_err(opus)?;
    // The decoder gives so many samples before the first one of ours.
    let delay = encoder.get_look_ahead().map_err(opus)? as usize;
    let pre_skip = delay as u64 * TICKS_PER_SAMPLE;
    let end = pre_skip + samples.len() as u64 * TICKS_PER_SAMPLE;

    let mut packets = PacketWriter::new(Vec::with_capacity(samples.len() / 5 + 512));
    let mut write = |packet: Vec<u8>, info, granule| {
        packets.write_packet(packet, SERIAL, info, granule).map_err(|error| failed(&error.to_string()))
    };
    write(opus_head(pre_skip as u16), PacketWriteEndInfo::EndPage, 0)?;
    write(opus_tags(), PacketWriteEndInfo::EndPage, 0)?;
    let count = (samples.len() + delay).div_ceil(FRAME).max(1);
    let mut frame = [0.0f32; FRAME];
    for n in 0..count {
        let rest = samples.get(n * FRAME..).unwrap_or(&[]);
        let present = rest.len().min(FRAME);
        frame[..present].copy_from_slice(&rest[..present]);
        frame[present..].fill(0.0);
        let mut packet = Vec::with_capacity(MAX_PACKET_BYTES);
        encoder.encode_float_to_vec(&frame, &mut packet).map_err(opus)?;
        let (info, granule) = if n + 1 == count {
            // Ends where the sound ends: the decoder drops the padding of the last packet.
            (PacketWriteEndInfo::EndStream, end)
        } else if (n + 1) % PACKETS_PER_PAGE == 0 {
            (PacketWriteEndInfo::EndPage, ((n + 1) * FRAME) as u64 * TICKS_PER_SAMPLE)
        } else {
            (PacketWriteEndInfo::NormalPacket, ((n + 1) * FRAME) as u64 * TICKS_PER_SAMPLE)
        };
        write(packet, info, granule)?;
    }
    Ok(packets.into_inner())
}

/// The identification header (RFC 7845, 5.1).
fn opus_head(pre_skip: u16) -> Vec<u8> {
    let mut head = b"OpusHead".to_vec();
    head.extend_from_slice(&[1, 1]); // version, channels
    head.extend_from_slice(&pre_skip.to_le_bytes());
    head.extend_from_slice(&SPEECH_RATE_HZ.to_le_bytes());
    head.extend_from_slice(&[0, 0, 0]); // no gain, mapping family 0
    head
}

/// The comment header (RFC 7845, 5.2): a vendor and no comments.
fn opus_tags() -> Vec<u8> {
    let mut tags = b"OpusTags".to_vec();
    tags.extend_from_slice(&(VENDOR.len() as u32).to_le_bytes());
    tags.extend_from_slice(VENDOR);
    tags.extend_from_slice(&0u32.to_le_bytes());
    tags
}

#[cfg(test)]
mod tests {
    use ogg::PacketReader;
    use opusic_c::Decoder;

    use super::*;
    use crate::decode::{Limits, decode};

    /// A voice-like sound: a pitch that glides, with overtones, in syllables.
    fn voice(samples: usize, pitch_hz: f32) -> Vec<f32> {
        let rate = SPEECH_RATE_HZ as f32;
        let mut phase = 0.0f32;
        (0..samples)
            .map(|n| {
                let t = n as f32 / rate;
                phase += std::f32::consts::TAU * pitch_hz * (1.0 + 0.1 * (3.0 * t).sin()) / rate;
                let syllable = 0.5 - 0.5 * (std::f32::consts::TAU * 4.0 * t).cos();
                let overtones: f32 = (1..8u8).map(|k| (phase * f32::from(k)).sin() / f32::from(k)).sum();
                0.15 * syllable * overtones
            })
            .collect()
    }

    fn source(rate_hz: u32, channels: Vec<Vec<f32>>) -> ClipSource {
        ClipSource::new(Audio {
            sample_rate_hz: rate_hz,
            channels,
            container: "WAV",
            codec: "pcm_s16".into(),
            warnings: vec![],
        })
    }

    /// What remains of the voice in a beep, beside the tone.
    #[test]
    fn nothing_is_heard_through_a_beep() {
        let rate = SPEECH_RATE_HZ as usize;
        let sound = source(SPEECH_RATE_HZ, vec![voice(4 * rate, 140.0), voice(4 * rate, 220.0)]);
        let open = sound.cut(Span { begin_ms: 500, end_ms: 3_500 });
        let beeped =
            sound.with_beeps(vec![Span { begin_ms: 1_000, end_ms: 2_000 }, Span { begin_ms: 3_200, end_ms: 9_000 }]);
        let beeped = beeped.cut(Span { begin_ms: 500, end_ms: 3_500 });
        assert_eq!(open.len(), beeped.len());
        let (before, beep, after) = (0..rate / 2, rate / 2..3 * rate / 2, 3 * rate / 2..27 * rate / 10);
        assert_eq!(open[before.clone()], beeped[before]);
        assert_eq!(open[after.clone()], beeped[after]);
        assert!(correlation(&open[beep.clone()], &beeped[beep.clone()]).abs() < 0.02);
        let tone: Vec<f32> =
            (0..beep.len()).map(|n| (std::f32::consts::TAU * BEEP_HZ * n as f32 / rate as f32).sin()).collect();
        assert!(correlation(&tone, &beeped[beep]) > 0.999);
        assert!(beeped[27 * rate / 10..].iter().all(|sample| sample.abs() <= BEEP_LEVEL));
    }

    /// What a player does: drops the pre-skip, ends at the last granule position. Samples at 48 kHz.
    fn play(bytes: &[u8]) -> Vec<f32> {
        let mut reader = PacketReader::new(Cursor::new(bytes));
        let head = reader.read_packet_expected().unwrap().data;
        assert_eq!((&head[..8], head[8], head[9], head.len()), (b"OpusHead".as_slice(), 1, 1, 19));
        let pre_skip = usize::from(u16::from_le_bytes([head[10], head[11]]));
        assert_eq!(&reader.read_packet_expected().unwrap().data[..8], b"OpusTags");
        let mut decoder = Decoder::new(Channels::Mono, SampleRate::Hz48000).unwrap();
        let (mut samples, mut last) = (Vec::new(), 0);
        while let Some(packet) = reader.read_packet().unwrap() {
            samples.reserve(5760);
            let before = samples.len();
            decoder.decode_float_to_vec(&packet.data, &mut samples, 960, false).unwrap();
            assert_eq!(samples.len() - before, 960);
            assert!(packet.absgp_page() >= last, "granule positions rise");
            last = packet.absgp_page();
        }
        // Only the padding of the last packet is cut off.
        assert!(samples.len() as u64 >= last && samples.len() as u64 - last < 960);
        samples.truncate(last as usize);
        samples.split_off(pre_skip)
    }

    fn correlation(a: &[f32], b: &[f32]) -> f64 {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(1e-12)
    }

    #[test]
    fn opus_plays_back_as_it_was_with_its_exact_length() {
        for length in [1, 215, 216, 217, 320, 16_000, 48_123] {
            let samples = voice(length, 140.0);
            let heard = play(&ogg_opus(&samples).unwrap());
            assert_eq!(heard.len(), 3 * length, "{length} samples");
            if length > 1000 {
                let at_16k: Vec<f32> = heard.iter().step_by(3).copied().collect();
                let found = correlation(&samples, &at_16k);
                assert!(found > 0.95, "{length} samples: correlation {found}");
                // Right in time, too: two milliseconds off would not match so well.
                assert!(found > correlation(&samples[32..], &at_16k));
                assert!(found > correlation(&samples, &at_16k[32..]));
            }
        }
        assert!(play(&ogg_opus(&[]).unwrap()).is_empty());
    }

    #[test]
    fn opus_bytes_are_the_same_again_and_few() {
        let samples = voice(10 * 16_000, 110.0);
        let bytes = ogg_opus(&samples).unwrap();
        assert_eq!(bytes, ogg_opus(&samples).unwrap());
        assert!((10_000..30_000).contains(&bytes.len()), "{} bytes for 10 s", bytes.len());
    }

    #[test]
    fn wav_reads_back() {
        let samples = voice(8_000, 120.0);
        let audio = decode(&wav(&samples).unwrap(), &Limits::default()).unwrap();
        assert_eq!((audio.sample_rate_hz, audio.channels.len(), audio.channels[0].len()), (16_000, 1, 8_000));
        assert!(audio.channels[0].iter().zip(&samples).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn cuts_at_the_sample_and_inside_the_recording() {
        let clip = |begin_ms, end_ms| source(16_000, vec![voice(16_000, 100.0)]).cut(Span { begin_ms, end_ms });
        assert_eq!(clip(100, 350).len(), 4_000);
        assert_eq!(clip(-500, 250).len(), 4_000);
        assert_eq!(clip(900, 5_000).len(), 1_600);
        assert!(clip(2_000, 3_000).is_empty());
        assert!(clip(500, 200).is_empty());
        // The same place, at any rate.
        assert_eq!(source(8_000, vec![vec![0.1; 8_000]]).cut(Span { begin_ms: 100, end_ms: 350 }).len(), 4_000);
        let whole = voice(16_000, 100.0);
        let middle = clip(250, 750);
        assert!(correlation(&whole[4_000 + 160..12_000 - 160], &middle[160..8_000 - 160]) > 0.9999);
    }

    #[test]
    fn ends_are_faded() {
        let clip = source(16_000, vec![vec![0.5; 16_000]]).cut(Span { begin_ms: 100, end_ms: 600 });
        assert_eq!((clip[0], *clip.last().unwrap()), (0.0, 0.0));
        assert!(clip.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.01));
    }

    #[test]
    fn both_speakers_are_heard_and_nothing_clips() {
        let (rep, customer) = (voice(32_000, 110.0), voice(32_000, 190.0));
        let quiet: Vec<f32> = customer.iter().map(|v| v * 0.1).collect();
        let clip = source(16_000, vec![rep.clone(), quiet]).cut(Span { begin_ms: 0, end_ms: 2_000 });
        let (with_rep, with_customer) = (correlation(&clip, &rep), correlation(&clip, &customer));
        assert!(with_rep > 0.5 && with_customer > 0.25, "{with_rep} {with_customer}");

        let loud = |hz| voice(32_000, hz).iter().map(|v| (v * 40.0).clamp(-1.0, 1.0)).collect::<Vec<_>>();
        let clip = source(16_000, vec![loud(100.0), loud(101.0), loud(102.0)]).cut(Span { begin_ms: 0, end_ms: 2_000 });
        assert!(clip.iter().all(|v| v.abs() <= HEADROOM + 1e-6));
    }

    #[test]
    fn an_inverted_copy_does_not_silence_the_clip() {
        let one = voice(16_000, 120.0);
        let inverted = one.iter().map(|v| -v).collect();
        let clip = source(16_000, vec![one.clone(), inverted]).cut(Span { begin_ms: 0, end_ms: 1_000 });
        assert!(correlation(&clip, &one) > 0.99);
        // Noise alone is not brought up to the level of speech.
        let hiss = vec![0.0005; 16_000];
        let clip = source(16_000, vec![hiss]).cut(Span { begin_ms: 0, end_ms: 1_000 });
        assert!(clip.iter().all(|v| v.abs() < 0.001));
    }
}
