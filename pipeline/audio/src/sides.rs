//! Two recordings with one side of a call each → one recording with two channels that begin together.

use callmark_core::warning::Warning;
use realfft::{RealFftPlanner, num_complex::Complex};

use crate::channels::{ChannelRelation, channel_relation};
use crate::decode::{Audio, Limits, check_length};
use crate::error::AudioError;
use crate::resample::{SPEECH_RATE_HZ, resample_to_16k};

/// 32 s: the longest offset that is looked for must be much shorter.
const WINDOW: usize = 1 << 19;
/// 20 minutes; the sides were not started again within a call.
const WINDOWS: usize = 40;
const LONGEST_OFFSET_MS: i64 = 10_000;
/// What is heard of the other side so soon is the line's echo or the room, not a late start.
const LONGEST_ECHO_MS: i64 = 300;
const BAND_HZ: (usize, usize) = (300, 3_400);
/// The peak in standard deviations of all lags. The highest of 320,000 normal values lies at about 5.
const CLEAR: f64 = 10.0;
/// Sides that end so far apart may have begun apart, too.
const NOTICEABLE_MS: i64 = 1_000;

/// Two sides as one recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// Channel 0 is the first recording, channel 1 the second.
    pub audio: Audio,
    /// How long after the first recording the second one begins; negative when it begins before.
    pub second_begins_ms: i64,
}

/// Joins two sides. Without a known offset it is looked for in what one side hears of the other, else the two are taken to
/// begin together.
///
/// # Errors
/// The two together are longer than `limits` allow.
pub fn join(first: Audio, second: Audio, begins_ms: Option<i64>, limits: &Limits) -> Result<Joined, AudioError> {
    let mut warnings = Vec::new();
    for (side, audio) in [(Warning::FirstSide, &first), (Warning::SecondSide, &second)] {
        warnings.extend(audio.warnings.iter().map(|warning| side.with(&[warning])));
    }
    let lasts_ms = [first.duration_ms(), second.duration_ms()];
    let (container, codec) = (first.container, first.codec.clone());
    let rates = [first.sample_rate_hz, second.sample_rate_hz];
    let (mut sides, mut rate_hz) = ([mono(first), mono(second)], rates[0]);
    if rates[0] != rates[1] {
        sides = [resample_to_16k(&sides[0], rates[0]), resample_to_16k(&sides[1], rates[1])];
        rate_hz = SPEECH_RATE_HZ;
    }
    let second_begins_ms = match begins_ms {
        Some(known) => known,
        None => match offset_ms(&sides[0], &sides[1], rate_hz) {
            Some(found) => {
                warnings.push(Warning::SideOffsetHeard.with(&[&found]));
                found
            }
            None => {
                if (lasts_ms[0] - lasts_ms[1]).abs() > NOTICEABLE_MS {
                    warnings.push(Warning::SidesUnlikeInLength.with(&[&(lasts_ms[0] - lasts_ms[1]).abs()]));
                }
                0
            }
        },
    };
    let late = |ms: i64| (ms.max(0) as u64).saturating_mul(u64::from(rate_hz)) / 1000;
    let silence = [late(second_begins_ms.saturating_neg()), late(second_begins_ms)];
    let length = |n: usize| silence[n].saturating_add(sides[n].len() as u64);
    let frames = length(0).max(length(1));
    check_length(frames, rate_hz, 2, limits)?;
    let channels = sides.into_iter().zip(silence).map(|(side, silence)| {
        let mut channel = vec![0.0; silence as usize];
        channel.extend(side);
        channel.resize(frames as usize, 0.0);
        channel
    });
    let audio = Audio { sample_rate_hz: rate_hz, channels: channels.collect(), container, codec, warnings };
    Ok(Joined { audio, second_begins_ms })
}

/// A side is one voice: its channels are copies, or parts of a mix.
fn mono(audio: Audio) -> Vec<f32> {
    let Audio { mut channels, .. } = audio;
    match channels.as_slice() {
        [_] => channels.swap_remove(0),
        // An inverted copy would take the sound away.
        [first, second] if channel_relation(first, second) == ChannelRelation::Same => channels.swap_remove(0),
        _ => {
            let share = 1.0 / channels.len().max(1) as f32;
            let length = channels.first().map_or(0, Vec::len);
            (0..length).map(|n| channels.iter().map(|channel| channel[n] * share).sum()).collect()
        }
    }
}

/// How long after the first side the second begins, where one can be heard in the other: generalised cross-correlation with
/// phase transform (Knapp and Carter, 1976), summed over windows. `None` when neither hears the other, or no offset shows.
fn offset_ms(first: &[f32], second: &[f32], rate_hz: u32) -> Option<i64> {
    let (first, second) = (resample_to_16k(first, rate_hz), resample_to_16k(second, rate_hz));
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, backward) = (planner.plan_fft_forward(WINDOW), planner.plan_fft_inverse(WINDOW));
    let mut sum = forward.make_output_vec();
    let band = |hz: usize| hz * WINDOW / SPEECH_RATE_HZ as usize;
    let spectrum = |side: &[f32], from: usize| {
        let part = side.get(from..).unwrap_or(&[]);
        let mut padded = part[..part.len().min(WINDOW)].to_vec();
        padded.resize(WINDOW, 0.0);
        let mut bins = forward.make_output_vec();
        // Lengths fit by construction.
        let _ = forward.process(&mut padded, &mut bins);
        bins
    };
    for from in (0..first.len().min(second.len())).step_by(WINDOW).take(WINDOWS) {
        let (a, b) = (spectrum(&first, from), spectrum(&second, from));
        for bin in band(BAND_HZ.0)..band(BAND_HZ.1) {
            let cross = a[bin] * b[bin].conj();
            let size = cross.norm();
            if size > 1e-12 {
                sum[bin] += cross / size;
            }
        }
    }
    let mut lags = backward.make_output_vec();
    sum[0] = Complex::default();
    let _ = backward.process(&mut sum, &mut lags);
    let power = lags.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>() / WINDOW as f64;
    let longest = LONGEST_OFFSET_MS * i64::from(SPEECH_RATE_HZ) / 1000;
    let at = |lag: i64| f64::from(lags[lag.rem_euclid(WINDOW as i64) as usize]);
    let best = (-longest..=longest).max_by(|a, b| at(*a).abs().total_cmp(&at(*b).abs()))?;
    let ms = best * 1000 / i64::from(SPEECH_RATE_HZ);
    (at(best).abs() > CLEAR * power.sqrt() && ms.abs() > LONGEST_ECHO_MS).then_some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audio(rate_hz: u32, channels: Vec<Vec<f32>>) -> Audio {
        Audio { sample_rate_hz: rate_hz, channels, container: "WAV", codec: "pcm_s16".into(), warnings: vec![] }
    }

    /// Noise that comes and goes, of a generator that is the same everywhere.
    fn voice(seed: u64, seconds: usize) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..seconds * 8_000)
            .map(|n| if (n / 8_000 + seed as usize).is_multiple_of(3) { 0.3 * next() } else { 0.0 })
            .collect()
    }

    #[test]
    fn a_known_offset_puts_silence_before_the_later_side() {
        let sides = || (audio(8_000, vec![vec![0.5; 800]]), audio(8_000, vec![vec![0.25; 800]]));
        let joined = |begins| {
            let (a, b) = sides();
            join(a, b, Some(begins), &Limits::default()).unwrap().audio.channels
        };
        assert_eq!(joined(0), [vec![0.5; 800], vec![0.25; 800]]);
        let later = joined(50);
        assert_eq!((later[1][399], later[1][400], later[0][800], later[0].len()), (0.0, 0.25, 0.0, 1_200));
        let earlier = joined(-50);
        assert_eq!((earlier[0][399], earlier[0][400], earlier[1][0], earlier[1].len()), (0.0, 0.5, 0.25, 1_200));
        let (a, b) = sides();
        let error = join(a, b, Some(i64::MAX), &Limits::default()).unwrap_err();
        assert!(matches!(error, AudioError::Limit { .. }), "an absurd offset is refused, not allocated");
    }

    #[test]
    fn an_offset_is_heard_where_one_side_leaks_into_the_other() {
        let (rep, customer) = (voice(1, 60), voice(2, 60));
        let find = |leak: f32, late: usize| {
            let heard: Vec<f32> = customer.iter().zip(&rep).map(|(c, r)| c + leak * r).collect();
            let sides = (audio(8_000, vec![rep.clone()]), audio(8_000, vec![heard[late..].to_vec()]));
            join(sides.0, sides.1, None, &Limits::default()).unwrap().second_begins_ms
        };
        assert_eq!(find(0.03, 12_000), 1_500, "30 dB down");
        assert_eq!(find(0.0, 12_000), 0, "nothing is heard, nothing is claimed");
        assert_eq!(find(0.03, 800), 0, "100 ms are an echo");
    }

    #[test]
    fn rates_and_channels_may_differ() {
        let customer = voice(2, 3);
        let copies = audio(16_000, vec![customer.clone(), customer.iter().map(|v| -v).collect()]);
        let joined = join(audio(8_000, vec![vec![0.25; 800]]), copies, Some(0), &Limits::default()).unwrap().audio;
        assert_eq!((joined.sample_rate_hz, joined.channels.len(), joined.channels[0].len()), (16_000, 2, 24_000));
        assert!(joined.channels[1] == customer, "copies are one voice, also when one is inverted");
    }
}
