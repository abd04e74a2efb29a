//! Who speaks when: the diarization error rate.
//!
//! DER = (missed + false alarm + confusion) / speaking time of the reference, as NIST's md-eval defines it (The 2009 (RT-09)
//! Rich Transcription Meeting Recognition Evaluation Plan, §6.1). Where several speak at once, each of them counts. Around
//! every beginning and end in the reference a collar is not scored, because people do not agree there either. Speakers of
//! the two sides are mapped one to one so that most time agrees. `tests/oracles/diarization_oracle.py` computes the same
//! with pyannote.metrics.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::transcript::{Role, Span};

/// What is not scored on either side of a beginning or an end in the reference (NIST's 0.25 s).
pub const COLLAR_MS: i64 = 250;

/// A stretch of speech of one speaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Speech {
    pub speaker: Role,
    pub span: Span,
}

/// Scored time, summed over speakers. Times of several recordings add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiarizationErrors {
    /// Speaking time of the reference.
    pub reference_ms: i64,
    /// Of it, where fewer speak in the hypothesis.
    pub missed_ms: i64,
    /// Where more speak in the hypothesis; may exceed the reference.
    pub false_alarm_ms: i64,
    /// Speech that was found but given to another speaker.
    pub confusion_ms: i64,
}

impl DiarizationErrors {
    /// The diarization error rate; `None` when nobody speaks in the reference.
    pub fn rate(&self) -> Option<f64> {
        let errors = self.missed_ms + self.false_alarm_ms + self.confusion_ms;
        (self.reference_ms > 0).then(|| errors as f64 / self.reference_ms as f64)
    }

    /// Share of the speech that was found which has the right speaker; `None` when none was found.
    pub fn right_share(&self) -> Option<f64> {
        let found = self.reference_ms - self.missed_ms;
        (found > 0).then(|| (found - self.confusion_ms) as f64 / found as f64)
    }

    pub fn add(&mut self, other: &DiarizationErrors) {
        self.reference_ms += other.reference_ms;
        self.missed_ms += other.missed_ms;
        self.false_alarm_ms += other.false_alarm_ms;
        self.confusion_ms += other.confusion_ms;
    }
}

/// Time in which several speak at once, whoever they are. Times of several recordings add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlapTimes {
    /// All scored time in which somebody speaks in the reference.
    pub spoken_ms: i64,
    /// Of it, where several do.
    pub reference_ms: i64,
    /// Where several speak in the hypothesis.
    pub found_ms: i64,
    /// Where several speak in both.
    pub right_ms: i64,
}

impl OverlapTimes {
    /// Share of what was found that is right; `None` when nothing was found.
    pub fn precision(&self) -> Option<f64> {
        share(self.right_ms, self.found_ms)
    }

    /// Share of what there is that was found; `None` when nobody speaks at once.
    pub fn recall(&self) -> Option<f64> {
        share(self.right_ms, self.reference_ms)
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self) -> Option<f64> {
        share(2 * self.right_ms, self.found_ms + self.reference_ms)
    }

    pub fn add(&mut self, other: &OverlapTimes) {
        self.spoken_ms += other.spoken_ms;
        self.reference_ms += other.reference_ms;
        self.found_ms += other.found_ms;
        self.right_ms += other.right_ms;
    }
}

fn share(part_ms: i64, whole_ms: i64) -> Option<f64> {
    (whole_ms > 0).then(|| part_ms as f64 / whole_ms as f64)
}

/// How well overlapped speech is found, to the millisecond. With the usual collar overlaps of less than half a second do not count.
pub fn overlap_times(reference: &[Speech], hypothesis: &[Speech], collar_ms: i64) -> OverlapTimes {
    let mut sum = OverlapTimes::default();
    for piece in pieces(reference, hypothesis, collar_ms) {
        let time = |counts: bool| if counts { piece.length_ms } else { 0 };
        let (said, heard) = (piece.reference.len(), piece.hypothesis.len());
        sum.spoken_ms += time(said > 0);
        sum.reference_ms += time(said > 1);
        sum.found_ms += time(heard > 1);
        sum.right_ms += time(said > 1 && heard > 1);
    }
    sum
}

/// Errors under the mapping of speakers that leaves the least confusion.
pub fn diarization_errors(reference: &[Speech], hypothesis: &[Speech], collar_ms: i64) -> DiarizationErrors {
    let pieces = pieces(reference, hypothesis, collar_ms);
    let names = |speech: &[Speech]| -> Vec<Role> {
        speech.iter().map(|s| s.speaker).collect::<BTreeSet<_>>().into_iter().collect()
    };
    let mapping = best_mapping(&pieces, &names(reference), &names(hypothesis), &mut Vec::new());
    errors(&pieces, |heard| mapping.iter().find(|(from, _)| *from == heard).map(|(_, to)| *to))
}

/// Errors when the speakers' own names count.
pub fn role_errors(reference: &[Speech], hypothesis: &[Speech], collar_ms: i64) -> DiarizationErrors {
    errors(&pieces(reference, hypothesis, collar_ms), Some)
}

/// A stretch in which nobody begins or ends: its length, and who speaks on either side.
struct Piece {
    length_ms: i64,
    reference: Vec<Role>,
    hypothesis: Vec<Role>,
}

fn pieces(reference: &[Speech], hypothesis: &[Speech], collar_ms: i64) -> Vec<Piece> {
    let (reference, hypothesis) = (joined(reference), joined(hypothesis));
    let edges = reference.iter().flat_map(|s| [s.span.begin_ms, s.span.end_ms]);
    let unscored: Vec<Span> = match collar_ms {
        ..=0 => Vec::new(),
        _ => edges.map(|at| Span { begin_ms: at - collar_ms, end_ms: at + collar_ms }).collect(),
    };
    let speech = reference.iter().chain(&hypothesis).map(|s| s.span);
    let cuts: BTreeSet<i64> = speech.chain(unscored.iter().copied()).flat_map(|s| [s.begin_ms, s.end_ms]).collect();
    let cuts: Vec<i64> = cuts.into_iter().collect();
    let covers = |span: &Span, from: i64, to: i64| span.begin_ms <= from && to <= span.end_ms;
    let speaking = |speech: &[Speech], from, to| -> Vec<Role> {
        speech.iter().filter(|s| covers(&s.span, from, to)).map(|s| s.speaker).collect()
    };
    cuts.windows(2)
        .filter(|cut| !unscored.iter().any(|collar| covers(collar, cut[0], cut[1])))
        .map(|cut| Piece {
            length_ms: cut[1] - cut[0],
            reference: speaking(&reference, cut[0], cut[1]),
            hypothesis: speaking(&hypothesis, cut[0], cut[1]),
        })
        .collect()
}

/// Each speaker's speech without overlaps with itself: nobody speaks twice at once.
fn joined(speech: &[Speech]) -> Vec<Speech> {
    let mut sorted: Vec<Speech> = speech.iter().copied().filter(|s| s.span.begin_ms < s.span.end_ms).collect();
    sorted.sort_unstable();
    let mut out: Vec<Speech> = Vec::new();
    for next in sorted {
        match out.last_mut() {
            Some(last) if last.speaker == next.speaker && next.span.begin_ms <= last.span.end_ms => {
                last.span.end_ms = last.span.end_ms.max(next.span.end_ms);
            }
            _ => out.push(next),
        }
    }
    out
}

/// Tries every one-to-one mapping of the speakers heard: there are never more than three.
fn best_mapping(
    pieces: &[Piece],
    reference: &[Role],
    hypothesis: &[Role],
    chosen: &mut Vec<(Role, Role)>,
) -> Vec<(Role, Role)> {
    let Some((heard, rest)) = hypothesis.split_first() else { return chosen.clone() };
    // Not mapped at all is possible too: there may be more speakers heard than there are.
    let mut best = best_mapping(pieces, reference, rest, chosen);
    for speaker in reference {
        if chosen.iter().any(|(_, taken)| taken == speaker) {
            continue;
        }
        chosen.push((*heard, *speaker));
        let candidate = best_mapping(pieces, reference, rest, chosen);
        chosen.pop();
        if right_ms(pieces, &candidate) > right_ms(pieces, &best) {
            best = candidate;
        }
    }
    best
}

fn right_ms(pieces: &[Piece], mapping: &[(Role, Role)]) -> i64 {
    let right = |piece: &Piece| {
        let both = |(from, to): &&(Role, Role)| piece.hypothesis.contains(from) && piece.reference.contains(to);
        piece.length_ms * mapping.iter().filter(both).count() as i64
    };
    pieces.iter().map(right).sum()
}

fn errors(pieces: &[Piece], speaker_of: impl Fn(Role) -> Option<Role>) -> DiarizationErrors {
    let mut sum = DiarizationErrors::default();
    for piece in pieces {
        let (said, heard) = (piece.reference.len() as i64, piece.hypothesis.len() as i64);
        let is_right = |role: &&Role| speaker_of(**role).is_some_and(|speaker| piece.reference.contains(&speaker));
        let right = piece.hypothesis.iter().filter(is_right).count() as i64;
        sum.reference_ms += piece.length_ms * said;
        sum.missed_ms += piece.length_ms * (said - heard).max(0);
        sum.false_alarm_ms += piece.length_ms * (heard - said).max(0);
        sum.confusion_ms += piece.length_ms * (said.min(heard) - right);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use Role::{Customer, Rep, Unknown};

    fn speech(spans: &[(Role, i64, i64)]) -> Vec<Speech> {
        let one = |&(speaker, begin_ms, end_ms): &(Role, i64, i64)| Speech { speaker, span: Span { begin_ms, end_ms } };
        spans.iter().map(one).collect()
    }

    fn parts(errors: DiarizationErrors) -> (i64, i64, i64, i64) {
        (errors.reference_ms, errors.missed_ms, errors.false_alarm_ms, errors.confusion_ms)
    }

    #[test]
    fn missed_and_invented_speech_by_hand() {
        let reference = speech(&[(Rep, 0, 1_000), (Customer, 1_000, 2_000)]);
        let hypothesis = speech(&[(Rep, 0, 800), (Customer, 1_200, 2_300)]);
        let errors = diarization_errors(&reference, &hypothesis, 0);
        assert_eq!(parts(errors), (2_000, 400, 300, 0));
        assert_eq!((errors.rate(), errors.right_share()), (Some(0.35), Some(1.0)));
        // With a collar of 250 ms, 250–750 and 1250–1750 are scored: all of it is right. So is the time after 2250.
        assert_eq!(parts(diarization_errors(&reference, &hypothesis, 250)), (1_000, 0, 50, 0));
    }

    #[test]
    fn names_do_not_matter_for_the_rate_but_for_the_roles() {
        let reference = speech(&[(Rep, 0, 1_000), (Customer, 1_000, 2_000)]);
        let turned = speech(&[(Customer, 0, 1_000), (Rep, 1_000, 2_000)]);
        assert_eq!(parts(diarization_errors(&reference, &turned, 0)), (2_000, 0, 0, 0));
        assert_eq!(parts(role_errors(&reference, &turned, 0)), (2_000, 0, 0, 2_000));
        assert_eq!(role_errors(&reference, &turned, 0).right_share(), Some(0.0));
        assert_eq!(role_errors(&reference, &reference, 0).right_share(), Some(1.0));
    }

    #[test]
    fn one_voice_for_two_speakers_is_confusion() {
        // A mono recording whose speakers were not told apart: the longer one is mapped.
        let reference = speech(&[(Rep, 0, 3_000), (Customer, 3_000, 4_000)]);
        let hypothesis = speech(&[(Unknown, 0, 4_000)]);
        assert_eq!(parts(diarization_errors(&reference, &hypothesis, 0)), (4_000, 0, 0, 1_000));
    }

    #[test]
    fn overlap_counts_for_everybody_who_speaks() {
        let reference = speech(&[(Rep, 0, 2_000), (Customer, 1_000, 3_000)]);
        let hypothesis = speech(&[(Rep, 0, 2_000), (Customer, 2_000, 3_000)]);
        assert_eq!(parts(diarization_errors(&reference, &hypothesis, 0)), (4_000, 1_000, 0, 0));
        // Two pieces of one speaker that overlap are one.
        let doubled = speech(&[(Rep, 0, 1_500), (Rep, 1_000, 2_000), (Customer, 1_000, 3_000)]);
        assert_eq!(parts(diarization_errors(&reference, &doubled, 0)), (4_000, 0, 0, 0));
    }

    #[test]
    fn overlap_found_and_missed_by_hand() {
        let times = |o: OverlapTimes| (o.spoken_ms, o.reference_ms, o.found_ms, o.right_ms);
        let reference = speech(&[(Rep, 0, 3_000), (Customer, 1_000, 2_000), (Customer, 2_600, 4_000)]);
        // 1500–2200 is found for 1000–2000, nothing for 2600–3000; who is whom does not matter.
        let hypothesis = speech(&[(Customer, 0, 2_200), (Rep, 1_500, 4_000)]);
        let found = overlap_times(&reference, &hypothesis, 0);
        assert_eq!(times(found), (4_000, 1_400, 700, 500));
        let rates = [found.precision(), found.recall(), found.f1()];
        assert_eq!(rates, [Some(500.0 / 700.0), Some(500.0 / 1_400.0), Some(1_000.0 / 2_100.0)]);
        // Scored are 250–750, 1250–1750, 2250–2350 and 3250–3750.
        assert_eq!(times(overlap_times(&reference, &hypothesis, COLLAR_MS)), (1_600, 500, 250, 250));
        let nothing = overlap_times(&speech(&[(Rep, 0, 500)]), &[], 0);
        assert_eq!([nothing.precision(), nothing.recall(), nothing.f1()], [None; 3]);
    }

    #[test]
    fn silence_has_no_rate() {
        let errors = diarization_errors(&[], &speech(&[(Rep, 0, 500)]), COLLAR_MS);
        assert_eq!((parts(errors), errors.rate()), ((0, 0, 500, 0), None));
    }
}
