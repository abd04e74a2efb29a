//! Speech probabilities → speech spans.
//!
//! The rules are those that Silero's authors publish with their network (`get_speech_timestamps`): two thresholds, so
//! that a voice that trails off is not cut into pieces; shortest speech; shortest silence; padding.

use callmark_core::transcript::Span;

/// Length of one probability's frame: 512 samples at 16 kHz.
pub const FRAME_MS: i64 = 32;

/// How probabilities become spans. All durations are rounded up to whole frames of 32 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanRules {
    /// Speech begins at this probability …
    pub threshold_permille: u16,
    /// … and ends below this one.
    pub end_threshold_permille: u16,
    /// Shorter speech is dropped.
    pub min_speech_ms: i64,
    /// Shorter silence does not end a span.
    pub min_silence_ms: i64,
    /// Added on both sides, as far as the neighbours allow.
    pub pad_ms: i64,
    /// Longer spans are split at the deepest dip; `None` keeps them whole.
    pub max_span_ms: Option<i64>,
}

impl Default for SpanRules {
    /// Silero's own 0.5/0.35 and 30 ms of padding; a back-channel of 0.2 s is kept, and a pause of 0.4 s ends a span.
    fn default() -> Self {
        SpanRules {
            threshold_permille: 500,
            end_threshold_permille: 350,
            min_speech_ms: 192,
            min_silence_ms: 400,
            pad_ms: 32,
            max_span_ms: None,
        }
    }
}

/// Finds the speech in a row of probabilities (per mille, one per 32 ms). Sorted; spans may touch but never overlap.
/// The last span may end up to one frame behind the sound: clip it to the duration.
pub fn speech_spans(probabilities_permille: &[u16], rules: &SpanRules) -> Vec<Span> {
    let frames = |ms: i64| (ms.max(0) as u64).div_ceil(FRAME_MS as u64) as usize;
    let mut found = hysteresis(probabilities_permille, rules, frames(rules.min_silence_ms).max(1));
    found.retain(|(begin, end)| end - begin >= frames(rules.min_speech_ms).max(1));
    pad(&mut found, frames(rules.pad_ms), probabilities_permille.len());
    if let Some(max) = rules.max_span_ms {
        let max = frames(max).max(2);
        found = found.into_iter().flat_map(|span| split(span, probabilities_permille, max)).collect();
    }
    found
        .into_iter()
        .map(|(begin, end)| Span { begin_ms: begin as i64 * FRAME_MS, end_ms: end as i64 * FRAME_MS })
        .collect()
}

/// Frames `[begin, end)` between the rise over one threshold and the fall below the other that lasts.
fn hysteresis(probabilities: &[u16], rules: &SpanRules, min_silence: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut begin = None;
    let mut fell_at = None;
    for (frame, &probability) in probabilities.iter().enumerate() {
        let Some(since) = begin else {
            if probability >= rules.threshold_permille {
                begin = Some(frame);
                fell_at = None;
            }
            continue;
        };
        if probability >= rules.threshold_permille {
            fell_at = None;
        } else if probability < rules.end_threshold_permille || fell_at.is_some() {
            let end = *fell_at.get_or_insert(frame);
            if frame + 1 - end >= min_silence {
                found.push((since, end));
                begin = None;
            }
        }
    }
    if let Some(since) = begin {
        found.push((since, fell_at.unwrap_or(probabilities.len())));
    }
    found
}

/// Widens every span, sharing a gap that is too small for both sides.
fn pad(spans: &mut [(usize, usize)], by: usize, length: usize) {
    let original: Vec<(usize, usize)> = spans.to_vec();
    for (index, span) in spans.iter_mut().enumerate() {
        let before = if index == 0 { by.min(span.0) } else { by.min((span.0 - original[index - 1].1).div_ceil(2)) };
        let after = match original.get(index + 1) {
            None => by.min(length - span.1),
            Some(next) => by.min((next.0 - span.1) / 2),
        };
        *span = (span.0 - before, span.1 + after);
    }
}

/// Cuts a span until no part is longer than `max` frames, each time at the lowest probability of its middle half.
fn split(span: (usize, usize), probabilities: &[u16], max: usize) -> Vec<(usize, usize)> {
    let (begin, end) = span;
    let length = end - begin;
    if length <= max {
        return vec![span];
    }
    let (from, to) = (begin + length / 4, end - length / 4);
    let middle = begin + length / 2;
    // Among equal dips the one nearest to the middle.
    let cut = (from.max(begin + 1)..to.max(from + 2).min(end))
        .min_by_key(|&frame| (probabilities.get(frame).copied().unwrap_or(0), frame.abs_diff(middle)))
        .unwrap_or(middle);
    let mut parts = split((begin, cut), probabilities, max);
    parts.extend(split((cut, end), probabilities, max));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `pattern`: one digit per frame, tenths of the probability.
    fn probabilities(pattern: &str) -> Vec<u16> {
        pattern.bytes().map(|b| u16::from(b - b'0') * 100).collect()
    }

    fn frames(pattern: &str, rules: &SpanRules) -> Vec<(i64, i64)> {
        let spans = speech_spans(&probabilities(pattern), rules);
        spans.iter().map(|s| (s.begin_ms / FRAME_MS, s.end_ms / FRAME_MS)).collect()
    }

    const RULES: SpanRules = SpanRules {
        threshold_permille: 500,
        end_threshold_permille: 350,
        min_speech_ms: 2 * FRAME_MS,
        min_silence_ms: 3 * FRAME_MS,
        pad_ms: 0,
        max_span_ms: None,
    };

    #[test]
    fn hysteresis_keeps_a_trailing_voice_together() {
        // Falls to 0.4 (between the thresholds): still speech. Two silent frames: too short to end it.
        assert_eq!(frames("0099449900990000", &RULES), [(2, 12)]);
        // Three silent frames end it, and the span ends where the silence began.
        assert_eq!(frames("0099000990", &RULES), [(2, 4), (7, 9)]);
        assert_eq!(frames("0044444400", &RULES), []);
        assert_eq!(frames("", &RULES), []);
    }

    #[test]
    fn short_speech_is_dropped_and_the_end_of_the_sound_closes_a_span() {
        assert_eq!(frames("090000099", &RULES), [(7, 9)]);
        assert_eq!(frames("999", &RULES), [(0, 3)]);
    }

    #[test]
    fn padding_stays_inside_and_never_overlaps() {
        let rules = SpanRules { pad_ms: 2 * FRAME_MS, ..RULES };
        assert_eq!(frames("0990009900", &rules), [(0, 4), (4, 10)]);
        assert_eq!(frames("0000990000000990", &rules), [(2, 8), (11, 16)]);
    }

    #[test]
    fn long_spans_split_at_the_deepest_dip() {
        let rules = SpanRules { max_span_ms: Some(8 * FRAME_MS), ..RULES };
        assert_eq!(frames("999996994999", &rules), [(0, 8), (8, 12)]);
        let long = speech_spans(&probabilities(&"9".repeat(1000)), &rules);
        assert!(long.iter().all(|s| s.end_ms - s.begin_ms <= 8 * FRAME_MS));
        assert_eq!(long.first().map(|s| s.begin_ms), Some(0));
        assert_eq!(long.last().map(|s| s.end_ms), Some(1000 * FRAME_MS));
        assert!(long.windows(2).all(|pair| pair[0].end_ms == pair[1].begin_ms));
    }
}
