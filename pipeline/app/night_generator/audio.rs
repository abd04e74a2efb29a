//! Audio calls, cheaply: the sample recordings cut into sentences, and sentences of one call put together anew.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use callmark_core::transcript::Role;

use super::random::Random;
use super::script::Planted;
use crate::read::metadata::MetadataTable;
use crate::read::text;

/// The sample recordings' rate.
const RATE_HZ: u32 = 8_000;
/// Requirements about time: putting sentences together anew changes them.
const TIMING: [&str; 2] = ["interrupting", "long_unexplained_silence"];

struct Sentence {
    role: Role,
    samples: Vec<i16>,
    /// Requirements that this sentence violates.
    violates: Vec<String>,
}

/// A sample call as turns that begin with the rep.
struct Source {
    call_type: String,
    exchanges: Vec<Vec<Sentence>>,
}

/// All sentences, by the voice that speaks for the rep.
pub struct Voices(Vec<Vec<Source>>);

/// A new call.
pub struct Assembled<'a> {
    pub call_type: &'a str,
    /// Rep, customer.
    pub channels: [Vec<i16>; 2],
    pub planted: Vec<Planted>,
}

impl Voices {
    /// Cuts the recordings of a folder like `sample-audio/` by its reference transcripts.
    pub fn load(folder: &Path) -> Result<Voices> {
        let read = |name: &str| {
            let path = folder.join(name);
            let hint = "hint: --samples names a folder like sample-audio/ of callmark's source";
            std::fs::read(&path).with_context(|| format!("cannot read {}\n{hint}", path.display()))
        };
        let table =
            MetadataTable::read(&read("metadata.csv")?, &BTreeMap::new()).context("the samples' metadata.csv")?;
        let rows = |bytes: &[u8]| -> Result<Vec<BTreeMap<String, String>>> {
            Ok(csv::Reader::from_reader(bytes).deserialize().collect::<Result<_, _>>()?)
        };
        let (expected, voices) = (rows(&read("expected.csv")?)?, rows(&read("voices.csv")?)?);
        let mut by_voice: BTreeMap<String, Vec<Source>> = BTreeMap::new();
        let mut names: Vec<_> = std::fs::read_dir(folder)?.map(|e| Ok(e?.path())).collect::<Result<_>>()?;
        names.sort();
        for path in names {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let reference = folder.join("references").join(format!("{stem}.vtt"));
            let Some(metadata) = table.for_file(&path).filter(|_| path.is_file() && reference.is_file()) else {
                continue;
            };
            let voice = voices.iter().find(|v| v["call_id"] == stem && v["role"] == "rep");
            let violated: Vec<_> = expected
                .iter()
                .filter(|e| {
                    e["call_id"] == stem
                        && e["outcome"] == "violated"
                        && !TIMING.contains(&e["requirement_id"].as_str())
                })
                .filter_map(|e| Some((e["requirement_id"].clone(), e["begin_ms"].parse::<i64>().ok()?)))
                .collect();
            let exchanges = cut(&path, &reference, &violated).with_context(|| format!("cutting {}", path.display()))?;
            if exchanges.len() >= 3 {
                let source = Source { call_type: metadata.call_type.clone().unwrap_or_default(), exchanges };
                by_voice.entry(voice.map_or_else(String::new, |v| v["group"].clone())).or_default().push(source);
            }
        }
        if by_voice.is_empty() {
            bail!("{} holds no recordings with references\nhint: give a folder like sample-audio/", folder.display());
        }
        Ok(Voices(by_voice.into_values().collect()))
    }

    /// A call of about `seconds`: a greeting, some of the middle in its order, a goodbye; with new pauses.
    pub fn assemble(&self, voice: usize, seconds: f64, mistakes_permille: i64, random: &mut Random) -> Assembled<'_> {
        let sources = &self.0[voice % self.0.len()];
        let source = &sources[random.below(sources.len())];
        let (first, last) = (0, source.exchanges.len() - 1);
        let length = |index: usize| source.exchanges[index].iter().map(|s| s.samples.len() + 5_000).sum::<usize>();
        let mut left = ((seconds * f64::from(RATE_HZ)) as usize).saturating_sub(length(first) + length(last));
        let mut middle: Vec<usize> = (1..last).collect();
        // Leaves out one after the other until the rest fits.
        while middle.iter().map(|i| length(*i)).sum::<usize>() > left && !middle.is_empty() {
            middle.remove(random.below(middle.len()));
        }
        left = 0;
        let silence = random.chance((60 * mistakes_permille / 1000).clamp(0, 900) as u32) && !middle.is_empty();
        let silent_after = if silence { middle[random.below(middle.len())] } else { usize::MAX };
        let (mut channels, mut planted) = ([Vec::new(), Vec::new()], Vec::new());
        let gain = random.between(700, 1_000);
        let ms = |samples: usize| (samples * 1000 / RATE_HZ as usize) as i64;
        for index in std::iter::once(first).chain(middle).chain([last]) {
            for sentence in &source.exchanges[index] {
                left += random.between(i64::from(RATE_HZ) * 3 / 10, i64::from(RATE_HZ)) as usize;
                let (begin_ms, end) = (ms(left), left + sentence.samples.len());
                let (speaker, listener) = if sentence.role == Role::Rep { (0, 1) } else { (1, 0) };
                hush(&mut channels[speaker], left, random);
                channels[speaker].extend(sentence.samples.iter().map(|s| (i64::from(*s) * gain / 1_000) as i16));
                hush(&mut channels[listener], end, random);
                planted.extend(sentence.violates.iter().map(|requirement| Planted {
                    requirement: requirement.clone(),
                    outcome: "violated".into(),
                    span: Some((begin_ms, ms(end))),
                }));
                left = end;
            }
            if index == silent_after {
                let begin_ms = ms(left);
                left += random.between(i64::from(RATE_HZ) * 10, i64::from(RATE_HZ) * 14) as usize;
                planted.push(Planted {
                    requirement: "long_unexplained_silence".into(),
                    outcome: "violated".into(),
                    span: Some((begin_ms, ms(left))),
                });
            }
        }
        for channel in &mut channels {
            hush(channel, left + RATE_HZ as usize / 2, random);
        }
        Assembled { call_type: &source.call_type, channels, planted }
    }
}

/// Fills a channel with the line's noise up to a length.
fn hush(channel: &mut Vec<i16>, samples: usize, random: &mut Random) {
    while channel.len() < samples {
        let bits = random.next().to_le_bytes();
        channel.extend(bits.iter().take(samples - channel.len()).map(|b| i16::from(*b as i8) / 16));
    }
}

fn cut(recording: &Path, reference: &Path, violated: &[(String, i64)]) -> Result<Vec<Vec<Sentence>>> {
    let audio = callmark_audio::decode(&std::fs::read(recording)?, &callmark_audio::Limits::default())?;
    if audio.sample_rate_hz != RATE_HZ {
        bail!("the samples are not at {RATE_HZ} Hz");
    }
    let Some(transcript) = text::read(&std::fs::read(reference)?, "reference.vtt", None)? else {
        bail!("no transcript")
    };
    let mut exchanges: Vec<Vec<Sentence>> = Vec::new();
    for turn in &transcript.turns {
        let channel = usize::from(turn.role == Role::Customer).min(audio.channels.len() - 1);
        let at = |ms: i64| (ms.max(0) as usize * RATE_HZ as usize / 1000).min(audio.channels[channel].len());
        let samples = &audio.channels[channel][at(turn.begin_ms)..at(turn.end_ms)];
        let violates = violated.iter().filter(|(_, ms)| (turn.begin_ms..turn.end_ms).contains(ms));
        let sentence = Sentence {
            role: turn.role,
            samples: samples.iter().map(|s| (s * 32_767.0).clamp(-32_768.0, 32_767.0) as i16).collect(),
            violates: violates.map(|(requirement, _)| requirement.clone()).collect(),
        };
        match exchanges.last_mut() {
            Some(exchange) if turn.role == Role::Customer || exchange.last().is_some_and(|s| s.role == Role::Rep) => {
                exchange.push(sentence);
            }
            _ => exchanges.push(vec![sentence]),
        }
    }
    Ok(exchanges)
}

/// What telephone systems write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    MuLaw,
    ALaw,
    Pcm,
    /// 16 kHz.
    WidePcm,
}

pub const FORMATS: [Format; 4] = [Format::MuLaw, Format::ALaw, Format::Pcm, Format::WidePcm];

/// Two channels as a WAV file.
pub fn render(channels: &[Vec<i16>; 2], format: Format) -> Vec<u8> {
    let frames = |channels: &[Vec<i16>; 2]| -> Vec<i16> {
        channels[0].iter().zip(&channels[1]).flat_map(|(rep, customer)| [*rep, *customer]).collect()
    };
    let bytes = |samples: Vec<i16>| samples.into_iter().flat_map(i16::to_le_bytes).collect::<Vec<u8>>();
    match format {
        Format::MuLaw => wav_file(7, RATE_HZ, 2, 8, &frames(channels).into_iter().map(mu_law).collect::<Vec<u8>>()),
        Format::ALaw => wav_file(6, RATE_HZ, 2, 8, &frames(channels).into_iter().map(a_law).collect::<Vec<u8>>()),
        Format::Pcm => wav_file(1, RATE_HZ, 2, 16, &bytes(frames(channels))),
        Format::WidePcm => {
            let wide = |channel: &Vec<i16>| -> Vec<i16> {
                let samples: Vec<f32> = channel.iter().map(|s| f32::from(*s) / 32_768.0).collect();
                let samples = callmark_audio::resample_to_16k(&samples, RATE_HZ);
                samples.into_iter().map(|s| (s * 32_767.0).clamp(-32_768.0, 32_767.0) as i16).collect()
            };
            let channels = [wide(&channels[0]), wide(&channels[1])];
            wav_file(1, callmark_audio::SPEECH_RATE_HZ, 2, 16, &bytes(frames(&channels)))
        }
    }
}

/// A WAV file with this format and data, also with values that no decoder can use.
pub fn wav_file(tag: u16, rate_hz: u32, channels: u16, bits: u16, data: &[u8]) -> Vec<u8> {
    let frame = channels.wrapping_mul(bits / 8);
    let mut file = Vec::with_capacity(data.len() + 46);
    file.extend(b"RIFF");
    file.extend((data.len() as u32 + 38).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(18u32.to_le_bytes());
    for value in [tag, channels] {
        file.extend(value.to_le_bytes());
    }
    file.extend(rate_hz.to_le_bytes());
    file.extend(rate_hz.wrapping_mul(u32::from(frame)).to_le_bytes());
    for value in [frame, bits, 0] {
        file.extend(value.to_le_bytes());
    }
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

/// G.711 µ-law.
fn mu_law(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = (i32::from(sample).abs() + 132).min(32_767);
    let exponent = magnitude.ilog2() - 7;
    !(sign | (exponent << 4) as u8 | ((magnitude >> (exponent + 3)) & 0x0f) as u8)
}

/// G.711 A-law.
fn a_law(sample: i16) -> u8 {
    let (mask, magnitude) = if sample < 0 { (0x55, !sample >> 3) } else { (0xd5, sample >> 3) };
    let segment = if magnitude < 32 { 0 } else { magnitude.ilog2() as i16 - 4 };
    ((segment << 4) | ((magnitude >> segment.max(1)) & 0x0f)) as u8 ^ mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_codecs_are_what_decoders_expect() {
        let ramp: Vec<i16> = (-32_768..32_767).step_by(37).map(|s| s as i16).collect();
        let channels = [ramp.clone(), ramp.iter().map(|s| s / 3).collect()];
        for (format, codec) in [(Format::MuLaw, "pcm_mulaw"), (Format::ALaw, "pcm_alaw"), (Format::Pcm, "pcm_s16")] {
            let audio = callmark_audio::decode(&render(&channels, format), &callmark_audio::Limits::default()).unwrap();
            assert_eq!((audio.codec.as_str(), audio.channels.len(), audio.warnings.len()), (codec, 2, 0));
            for (channel, decoded) in channels.iter().zip(&audio.channels) {
                for (sample, decoded) in channel.iter().zip(decoded) {
                    let (sample, decoded) = (f32::from(*sample), decoded * 32_768.0);
                    // G.711 keeps the leading five bits.
                    assert!(
                        (sample - decoded).abs() <= sample.abs() / 32.0 + 16.0,
                        "{format:?}: {sample} became {decoded}"
                    );
                }
            }
        }
    }
}
