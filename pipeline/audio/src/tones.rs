//! Tones of the telephone network and music, outside of speech: a beep, ringing, busy, fax, hold music, a line that was closed.

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};

use crate::resample::SPEECH_RATE_HZ;

/// 50 ms: bins 20 Hz apart.
const FRAME: usize = SPEECH_RATE_HZ as usize / 20;
const BIN_HZ: usize = 20;
const FRAME_MS: i64 = 50;
/// Tones are looked for in the first two minutes: what comes later is inside a conversation.
const LOOKED_AT_MS: i64 = 120_000;
/// Frames quieter than −50 dBFS hold no tone.
const MIN_POWER: f64 = 1e-5;
/// A frame is a tone when at most this share of its power is left without its two strongest frequencies.
const LEFT_OVER: f64 = 0.15;
/// The second frequency counts from this share of a frame's power on.
const STRONG: f64 = 0.2;
/// Where network tones, answering machines' beeps and the tones of fax machines lie …
const LOWEST_HZ: usize = 340;
const HIGHEST_HZ: usize = 2200;
/// … of which beeps end here.
const HIGHEST_BEEP_HZ: usize = 1600;
/// ITU-T T.30: a calling fax sends 0.5 s of 1100 Hz (± 38 Hz) and 3 s of pause, 15 % more or less; a called one 2.6–4 s of 2100 Hz (± 15 Hz), in
/// which ITU-T V.8 turns the phase every 450 ms. Bins are 20 Hz apart.
const FAX_CALLING_HZ: std::ops::RangeInclusive<usize> = 1050..=1150;
const FAX_CALLING_MS: std::ops::RangeInclusive<i64> = 400..=650;
const FAX_CALLING_PAUSE_MS: std::ops::RangeInclusive<i64> = 2_400..=3_600;
const FAX_ANSWERING_HZ: std::ops::RangeInclusive<usize> = 2070..=2130;
const MIN_FAX_ANSWERING_MS: i64 = 2_000;
const MOST_PHASE_TURN_MS: i64 = 100;
/// 0.4 s, 0.2 s of pause, 0.4 s.
const MOST_DOUBLE_RING_MS: i64 = 1_200;
/// A gap of at least this in which at least [`SOUNDING`] of the frames are louder than [`MUSIC_POWER`] is music.
const MIN_MUSIC_MS: i64 = 3_000;
const SOUNDING_PERCENT: usize = 60;
const MUSIC_POWER: f64 = 1e-4;
/// Samples closer to zero than this are a line that carries nothing (G.711 silence is ±8 of 32,768).
const NOTHING: f32 = 3e-4;
/// A line that is closed for less at the end says nothing.
const MIN_CLOSED_MS: i64 = 300;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ToneKind {
    Beep,
    Ringing,
    Busy,
    Fax,
    Music,
    /// Nothing but zeros up to the end.
    Closed,
}

/// A tone of one channel, in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tone {
    pub kind: ToneKind,
    pub begin_ms: i64,
    pub end_ms: i64,
}

/// All tones of 16 kHz samples. `speech` (ms, sorted) is what voice activity found in this channel.
pub fn tones(samples: &[f32], speech: &[(i64, i64)]) -> Vec<Tone> {
    let power: Vec<f64> = samples
        .chunks_exact(FRAME)
        .map(|frame| frame.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>() / FRAME as f64)
        .collect();
    let pure = stretches(samples, &power);
    let mut found = network_tones(&pure);
    let end_ms = samples.len() as i64 * 1000 / i64::from(SPEECH_RATE_HZ);
    let edges: Vec<(i64, i64)> =
        std::iter::once((0, 0)).chain(speech.iter().copied()).chain([(end_ms, end_ms)]).collect();
    for gap in edges.windows(2).map(|pair| (pair[0].1, pair[1].0)).filter(|gap| gap.1 - gap.0 >= MIN_MUSIC_MS) {
        let frames =
            &power[((gap.0 / FRAME_MS) as usize).min(power.len())..((gap.1 / FRAME_MS) as usize).min(power.len())];
        let loud = frames.iter().filter(|p| **p >= MUSIC_POWER).count();
        let tone = found.iter().any(|t| t.begin_ms < gap.1 && t.end_ms > gap.0 && t.kind != ToneKind::Beep);
        if !frames.is_empty() && 100 * loud >= SOUNDING_PERCENT * frames.len() && !tone {
            found.push(Tone { kind: ToneKind::Music, begin_ms: gap.0, end_ms: gap.1 });
        }
    }
    let open = samples.iter().rposition(|v| v.abs() > NOTHING).map_or(0, |at| at + 1);
    let closed_ms = open as i64 * 1000 / i64::from(SPEECH_RATE_HZ);
    if open > 0 && end_ms - closed_ms >= MIN_CLOSED_MS {
        found.push(Tone { kind: ToneKind::Closed, begin_ms: closed_ms, end_ms });
    }
    found.sort_by_key(|tone| (tone.begin_ms, tone.kind));
    found
}

/// A run of frames with the same pure frequency.
struct Stretch {
    begin_ms: i64,
    end_ms: i64,
    hz: usize,
}

fn stretches(samples: &[f32], power: &[f64]) -> Vec<Stretch> {
    let spectrum = RealFftPlanner::<f64>::new().plan_fft_forward(FRAME);
    let mut found: Vec<Stretch> = Vec::new();
    for (i, frame) in samples.chunks_exact(FRAME).enumerate().take((LOOKED_AT_MS / FRAME_MS) as usize) {
        let Some(hz) = (power[i] >= MIN_POWER).then(|| pure_hz(&spectrum, frame)).flatten() else { continue };
        let begin_ms = i as i64 * FRAME_MS;
        match found.last_mut() {
            Some(last) if last.end_ms == begin_ms && last.hz.abs_diff(hz) <= 60 => last.end_ms += FRAME_MS,
            _ => found.push(Stretch { begin_ms, end_ms: begin_ms + FRAME_MS, hz }),
        }
    }
    found
}

/// The frequency of a frame that one or two sines explain: the lower one where both are strong, for noise decides which is the stronger.
fn pure_hz(spectrum: &Arc<dyn RealToComplex<f64>>, frame: &[f32]) -> Option<usize> {
    let mut rest: Vec<f64> = frame.iter().map(|v| f64::from(*v)).collect();
    let energy = |x: &[f64]| x.iter().map(|v| v * v).sum::<f64>();
    let all = energy(&rest);
    let first = take_out(spectrum, &mut rest);
    // Speech and music leave more than half: the second sine need not be looked for.
    if energy(&rest) > 0.6 * all {
        return None;
    }
    let without_first = energy(&rest);
    if without_first <= LEFT_OVER * all {
        return Some(first);
    }
    let second = take_out(spectrum, &mut rest);
    let both_strong = without_first - energy(&rest) >= STRONG * all;
    (energy(&rest) <= LEFT_OVER * all).then_some(if both_strong { first.min(second) } else { first })
}

/// Subtracts the strongest sine between the lowest and the highest frequency; returns its frequency.
fn take_out(spectrum: &Arc<dyn RealToComplex<f64>>, rest: &mut [f64]) -> usize {
    let turn = |hz: usize| std::f64::consts::TAU * hz as f64 / f64::from(SPEECH_RATE_HZ);
    let project = |hz: usize| {
        // A rotation instead of a sine for each sample.
        let (sin, cos) = (libm::sin(turn(hz)), libm::cos(turn(hz)));
        let (mut re, mut im, mut a, mut b) = (1.0, 0.0, 0.0, 0.0);
        for v in rest.iter() {
            a += v * re;
            b += v * im;
            (re, im) = (re * cos - im * sin, re * sin + im * cos);
        }
        (a, b)
    };
    let mut bins = spectrum.make_output_vec();
    // Lengths fit by construction.
    let _ = spectrum.process(&mut rest.to_vec(), &mut bins);
    let strongest = |candidates: &mut dyn Iterator<Item = (usize, f64)>| {
        candidates.fold((0, -1.0), |top, one| if one.1 > top.1 { one } else { top }).0
    };
    let bin = strongest(&mut (LOWEST_HZ / BIN_HZ..=HIGHEST_HZ / BIN_HZ).map(|bin| (bin, bins[bin].norm_sqr())));
    let near = (bin * BIN_HZ - BIN_HZ / 2..=bin * BIN_HZ + BIN_HZ / 2).step_by(2);
    let hz = strongest(&mut near.map(|hz| {
        (hz, {
            let (a, b) = project(hz);
            a * a + b * b
        })
    }));
    let (a, b) = project(hz);
    let scale = 2.0 / rest.len() as f64;
    for (i, v) in rest.iter_mut().enumerate() {
        let phase = turn(hz) * i as f64;
        *v -= scale * (a * libm::cos(phase) + b * libm::sin(phase));
    }
    hz
}

/// ITU-T E.180: ringing is 0.67–2.5 s of 400–490 Hz and 2.5–5 s of pause; busy is 0.1–0.66 s of 400–640 Hz and as long a pause. What
/// is neither, nor a fax, alone and 0.15–2 s long, is an answering machine's beep.
fn network_tones(pure: &[Stretch]) -> Vec<Tone> {
    let length = |s: &Stretch| s.end_ms - s.begin_ms;
    let gap = |pair: &[Stretch]| pair[1].begin_ms - pair[0].end_ms;
    let ring = |s: &Stretch| (390..=500).contains(&s.hz) && (650..=2500).contains(&length(s));
    let busy = |s: &Stretch| (390..=650).contains(&s.hz) && (150..=700).contains(&length(s));
    let fax_calls = |s: &Stretch| FAX_CALLING_HZ.contains(&s.hz) && FAX_CALLING_MS.contains(&length(s));
    let mut found = fax_answers(pure);
    for pair in pure.windows(2) {
        let kind = match () {
            () if fax_calls(&pair[0]) && fax_calls(&pair[1]) && FAX_CALLING_PAUSE_MS.contains(&gap(pair)) => {
                ToneKind::Fax
            }
            () if ring(&pair[0]) && ring(&pair[1]) && (1500..=5500).contains(&gap(pair)) => ToneKind::Ringing,
            () if busy(&pair[0]) && busy(&pair[1]) && (150..=800).contains(&gap(pair)) => ToneKind::Busy,
            () => continue,
        };
        match found.last_mut() {
            Some(last) if last.kind == kind && last.end_ms == pair[0].end_ms => last.end_ms = pair[1].end_ms,
            _ => found.push(Tone { kind, begin_ms: pair[0].begin_ms, end_ms: pair[1].end_ms }),
        }
    }
    join_double_rings(&mut found);
    let beeps = pure.iter().filter(|s| {
        s.hz <= HIGHEST_BEEP_HZ
            && (150..=2000).contains(&length(s))
            && !found.iter().any(|t| t.begin_ms <= s.begin_ms && s.end_ms <= t.end_ms)
    });
    let beeps: Vec<Tone> =
        beeps.map(|s| Tone { kind: ToneKind::Beep, begin_ms: s.begin_ms, end_ms: s.end_ms }).collect();
    found.extend(beeps);
    found
}

/// Two short tones and 1.5–2.5 s of pause, again: the ringing of Britain, Ireland, Australia, India, …, whose pairs look busy alone.
fn join_double_rings(found: &mut Vec<Tone>) {
    let mut joined: Vec<Tone> = Vec::new();
    for tone in found.drain(..) {
        let double = |t: &Tone| t.kind == ToneKind::Busy && t.end_ms - t.begin_ms <= MOST_DOUBLE_RING_MS;
        match joined.last_mut() {
            Some(last)
                if double(&tone)
                    && (double(last) || last.kind == ToneKind::Ringing)
                    && (1_500..=2_500).contains(&(tone.begin_ms - last.end_ms)) =>
            {
                (last.kind, last.end_ms) = (ToneKind::Ringing, tone.end_ms);
            }
            _ => joined.push(tone),
        }
    }
    *found = joined;
}

/// Stretches of the answering tone, joined over the turns of its phase.
fn fax_answers(pure: &[Stretch]) -> Vec<Tone> {
    let mut found: Vec<Tone> = Vec::new();
    for s in pure.iter().filter(|s| FAX_ANSWERING_HZ.contains(&s.hz)) {
        match found.last_mut() {
            Some(last) if s.begin_ms - last.end_ms <= MOST_PHASE_TURN_MS => last.end_ms = s.end_ms,
            _ => found.push(Tone { kind: ToneKind::Fax, begin_ms: s.begin_ms, end_ms: s.end_ms }),
        }
    }
    found.retain(|tone| tone.end_ms - tone.begin_ms >= MIN_FAX_ANSWERING_MS);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: &[f64], ms: usize) -> Vec<f32> {
        let one = |i: usize| {
            hz.iter()
                .map(|f| 0.1 * (std::f64::consts::TAU * f * i as f64 / f64::from(SPEECH_RATE_HZ)).sin())
                .sum::<f64>()
        };
        (0..ms * 16).map(|i| one(i) as f32).collect()
    }

    fn sequence(parts: &[(&[f64], usize)]) -> Vec<f32> {
        parts.iter().flat_map(|(hz, ms)| sine(hz, *ms)).collect()
    }

    fn kinds(samples: &[f32]) -> Vec<ToneKind> {
        tones(samples, &[]).into_iter().map(|t| t.kind).filter(|k| *k != ToneKind::Closed).collect()
    }

    #[test]
    fn ringing_busy_and_beeps() {
        let ring_us: &[f64] = &[440.0, 480.0];
        assert_eq!(kinds(&sequence(&[(ring_us, 2000), (&[], 4000), (ring_us, 2000), (&[], 500)])), [ToneKind::Ringing]);
        let ring_cn: &[f64] = &[450.0];
        assert_eq!(kinds(&sequence(&[(ring_cn, 1000), (&[], 4000), (ring_cn, 1000), (&[], 500)])), [ToneKind::Ringing]);
        let busy: &[f64] = &[480.0, 620.0];
        assert_eq!(
            kinds(&sequence(&[(busy, 500), (&[], 500), (busy, 500), (&[], 500), (busy, 500)])),
            [ToneKind::Busy]
        );
        let ring_gb: &[f64] = &[400.0, 450.0];
        let double: &[(&[f64], usize)] = &[(ring_gb, 400), (&[], 200), (ring_gb, 400), (&[], 2000)];
        assert_eq!(kinds(&sequence(&[double, double, double].concat())), [ToneKind::Ringing]);
        assert_eq!(kinds(&sequence(&[(&[], 1000), (&[1000.0], 400), (&[], 1000)])), [ToneKind::Beep]);
        let calling: &[f64] = &[1100.0];
        let pause: (&[f64], usize) = (&[], 3000);
        assert_eq!(kinds(&sequence(&[(calling, 500), pause, (calling, 500), pause, (calling, 500)])), [ToneKind::Fax]);
        let mut answering = sequence(&[(&[], 500), (&[2100.0], 450)]);
        for turn in 1..6 {
            let sign = if turn % 2 == 1 { -1.0 } else { 1.0 };
            answering.extend(sine(&[2100.0], 450).into_iter().map(|v| sign * v));
        }
        assert_eq!(kinds(&answering), [ToneKind::Fax]);
        assert!(
            kinds(&sequence(&[(&[], 500), (&[2100.0], 1000), (&[], 500)])).is_empty(),
            "too short for a fax, too high for a beep"
        );
    }

    #[test]
    fn a_voice_and_noise_are_no_tones() {
        let voice: Vec<f32> = (0..32_000)
            .map(|i| {
                let t = i as f64 / 16_000.0;
                (1..=12).map(|k| (std::f64::consts::TAU * 130.0 * k as f64 * t).sin() / 12.0).sum::<f64>() as f32 * 0.3
            })
            .collect();
        assert!(!kinds(&voice).iter().any(|k| *k != ToneKind::Music), "{:?}", kinds(&voice));
        assert!(kinds(&[0.0; 16_000]).is_empty());
        assert!(tones(&[], &[]).is_empty());
    }

    #[test]
    fn music_fills_a_gap_and_a_closed_line_ends_it() {
        let music: Vec<f32> = sine(&[262.0, 330.0, 392.0, 523.0, 659.0], 5000);
        let mut call = sine(&[200.0, 700.0, 1300.0], 1000);
        call.extend(&music);
        call.extend(sine(&[200.0, 700.0, 1300.0], 1000));
        call.extend([0.0; 8000]);
        let found = tones(&call, &[(0, 1000), (6000, 7000)]);
        let only = |kind| found.iter().filter(|t| t.kind == kind).map(|t| (t.begin_ms, t.end_ms)).collect::<Vec<_>>();
        assert_eq!(only(ToneKind::Music), [(1000, 6000)], "{found:?}");
        assert!(matches!(only(ToneKind::Closed)[..], [(6990..=7000, 7500)]), "{found:?}");
    }
}
