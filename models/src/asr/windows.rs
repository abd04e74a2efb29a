//! Speech spans → clips for the recogniser, and times in a clip → times in the recording.
//!
//! Long spans are cut at their quietest moments. Short ones are packed together without the silence between them, as far
//! as the model's window reaches: a Whisper encoder works through its whole window however little is said in it.

use callmark_core::transcript::Span;

use crate::manifest::RecogniserSettings;

pub(super) const RATE_HZ: i64 = 16_000;
pub(super) const SAMPLES_PER_MS: i64 = RATE_HZ / 1000;
/// Sound given in front of and behind a span, as far as there is any.
const LEAD_MS: i64 = 250;
const TRAIL_MS: i64 = 350;
/// Shorter clips are filled up with silence: whisper.cpp gives nothing below 0.1 s and little below 1 s.
pub(super) const MIN_CLIP_SAMPLES: usize = 18_000;
/// Encoder positions per second of sound, and of a whole 30 s window.
const CONTEXT_PER_S: usize = 50;
const FULL_CONTEXT: usize = 1_500;
/// Longest clip: what lies behind 30 s would be decoded in a second window.
const MAX_CLIP_MS: i64 = 29_000;

/// A stretch of the recording inside a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where speech was found.
    pub span: Span,
    /// The sound taken: the span with what surrounds it.
    pub sound: Span,
    /// Where the sound begins in the clip.
    pub at_ms: i64,
}

/// Consecutive pieces that are decoded together.
pub(super) type Clip = Vec<Piece>;

/// Divides the speech of a channel into clips. `spans` are sorted and do not overlap; `usable` says whether a part is
/// worth decoding.
pub(super) fn plan(
    samples: &[f32],
    spans: &[Span],
    settings: &RecogniserSettings,
    mut usable: impl FnMut(Span) -> bool,
) -> Vec<Clip> {
    let max_ms = settings.max_span_ms.clamp(1_000, MAX_CLIP_MS - LEAD_MS - TRAIL_MS);
    let parts: Vec<Span> = spans.iter().flat_map(|span| split_at_quiet(samples, *span, max_ms)).collect();
    let window_ms = settings.window_ms.min(MAX_CLIP_MS);
    let mut clips: Vec<Clip> = Vec::new();
    for (index, &span) in parts.iter().enumerate() {
        if part(samples, span).is_empty() || !usable(span) {
            continue;
        }
        // The neighbours' speech stays out, or words at a cut would be heard twice.
        let free = Span {
            begin_ms: index.checked_sub(1).and_then(|before| parts.get(before)).map_or(0, |before| before.end_ms),
            end_ms: parts.get(index + 1).map_or(i64::MAX, |after| after.begin_ms),
        };
        let mut sound = Span {
            begin_ms: (span.begin_ms - LEAD_MS).max(free.begin_ms).clamp(0, span.begin_ms.max(0)),
            end_ms: (span.end_ms + TRAIL_MS).min(free.end_ms).max(span.end_ms),
        };
        if let Some(clip) = clips.last_mut()
            && let Some(before) = clip.last().copied()
        {
            let at_ms = before.at_ms + before.sound.end_ms - before.sound.begin_ms;
            let begin_ms = sound.begin_ms.max(before.sound.end_ms);
            if at_ms + sound.end_ms - begin_ms <= window_ms {
                sound.begin_ms = begin_ms;
                clip.push(Piece { span, sound, at_ms });
                continue;
            }
        }
        clips.push(vec![Piece { span, sound, at_ms: 0 }]);
    }
    clips
}

/// The clip's samples, at least [`MIN_CLIP_SAMPLES`].
pub(super) fn cut(samples: &[f32], clip: &[Piece]) -> Vec<f32> {
    let mut out = Vec::new();
    for piece in clip {
        out.resize((piece.at_ms * SAMPLES_PER_MS) as usize, 0.0);
        out.extend_from_slice(part(samples, piece.sound));
    }
    out.resize(out.len().max(MIN_CLIP_SAMPLES), 0.0);
    out
}

pub(super) fn speech_ms(clip: &[Piece]) -> i64 {
    clip.iter().map(|piece| piece.span.end_ms - piece.span.begin_ms).sum()
}

/// The piece that a moment of the clip lies in. `clip` is not empty.
pub(super) fn piece_at(clip: &[Piece], clip_ms: i64) -> &Piece {
    let behind = clip.partition_point(|piece| piece.at_ms <= clip_ms);
    &clip[behind.saturating_sub(1)]
}

impl Piece {
    /// The time in the recording, held inside the speech.
    pub fn time(&self, clip_ms: i64) -> i64 {
        (clip_ms - self.at_ms + self.sound.begin_ms).clamp(self.span.begin_ms, self.span.end_ms)
    }
}

/// The samples of a stretch.
pub(super) fn part(samples: &[f32], span: Span) -> &[f32] {
    let index = |ms: i64| ((ms.max(0) * SAMPLES_PER_MS) as usize).min(samples.len());
    samples.get(index(span.begin_ms)..index(span.end_ms)).unwrap_or(&[])
}

/// A stretch of the speech of all channels, one span after the other in time order; at least [`MIN_CLIP_SAMPLES`].
pub(super) fn speech_between(channels: &[(&[f32], &[Span])], begin_ms: i64, end_ms: i64) -> Vec<f32> {
    let mut spans: Vec<(Span, &[f32])> =
        channels.iter().flat_map(|(samples, spans)| spans.iter().map(|span| (*span, *samples))).collect();
    spans.sort_by_key(|(span, _)| span.begin_ms);
    let mut out = Vec::new();
    let mut at_ms = 0;
    for (span, samples) in spans {
        let length_ms = span.end_ms - span.begin_ms;
        let (from, to) = ((begin_ms - at_ms).clamp(0, length_ms), (end_ms - at_ms).clamp(0, length_ms));
        out.extend_from_slice(part(samples, Span { begin_ms: span.begin_ms + from, end_ms: span.begin_ms + to }));
        at_ms += length_ms;
    }
    out.resize(out.len().max(MIN_CLIP_SAMPLES), 0.0);
    out
}

/// Encoder positions for a clip: steps of 128 with 0.1 s to spare, so that few different sizes occur.
pub(super) fn audio_context(samples: usize) -> usize {
    let needed = (samples + RATE_HZ as usize / 10) * CONTEXT_PER_S / RATE_HZ as usize;
    (needed.div_ceil(128) * 128).clamp(256, FULL_CONTEXT)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn span(begin_ms: i64, end_ms: i64) -> Span {
        Span { begin_ms, end_ms }
    }

    fn settings(window_ms: i64) -> RecogniserSettings {
        RecogniserSettings { window_ms, ..RecogniserSettings::default() }
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
    fn context_covers_the_clip() {
        for seconds in [1, 3, 7, 12, 30] {
            let samples = seconds * 16_000;
            assert!(audio_context(samples) * 320 >= samples.min(480_000), "{seconds}");
        }
        assert_eq!(audio_context(16_000 * 40), 1_500);
    }

    #[test]
    fn packed_speech_leads_back_to_its_place() {
        // Every sample is its own time in ms.
        let samples: Vec<f32> = (0..60_000 * SAMPLES_PER_MS).map(|n| (n / SAMPLES_PER_MS) as f32).collect();
        let spans = [span(1_000, 2_000), span(2_400, 3_000), span(20_000, 24_000), span(50_000, 60_000)];
        let clips = plan(&samples, &spans, &settings(10_000), |_| true);
        assert_eq!(clips.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
        for clip in &clips {
            let sound = cut(&samples, clip);
            for piece in clip {
                for time in [piece.span.begin_ms, piece.span.begin_ms + 77, piece.span.end_ms - 1] {
                    let clip_ms = piece.at_ms + time - piece.sound.begin_ms;
                    assert_eq!(sound[(clip_ms * SAMPLES_PER_MS) as usize], time as f32, "the sound is at its place");
                    let found = piece_at(clip, clip_ms);
                    assert_eq!((found.span, found.time(clip_ms)), (piece.span, time), "and its time leads back");
                }
            }
        }
        // Close neighbours share the sound between them: nothing is heard twice.
        assert!(clips[0].windows(2).all(|pair| pair[0].sound.end_ms <= pair[1].sound.begin_ms), "{clips:?}");
        // Without a window every span stands alone; what is not usable is left out.
        assert_eq!(plan(&samples, &spans, &settings(0), |s| s.begin_ms != 20_000).len(), 3);
    }

    #[test]
    fn a_window_is_never_longer_than_the_encoder() {
        let samples = vec![0.1; 16_000 * 120];
        let clips = plan(&samples, &[span(0, 55_000), span(55_500, 118_000)], &settings(60_000), |_| true);
        let length = |clip: &Clip| clip.last().map_or(0, |p| p.at_ms + p.sound.end_ms - p.sound.begin_ms);
        assert!(clips.iter().all(|clip| length(clip) <= MAX_CLIP_MS), "{clips:?}");
        let speech: i64 = clips.iter().flatten().map(|piece| piece.span.end_ms - piece.span.begin_ms).sum();
        assert_eq!(speech, 55_000 + 62_500);
    }
}
