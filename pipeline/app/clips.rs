//! Clips of a call: which moments are worth hearing, cut from the recording that the store knows.

use std::collections::BTreeMap;
use std::path::Path;

use callmark_audio::clip::{ClipSource, ogg_opus, wav};
use callmark_audio::peaks::{Peak, peaks};
use callmark_audio::{AudioError, Limits, decode_named};
use callmark_core::record::{CallRecord, Evidence, LedgerRow, MatchType, Outcome, RowKind, Severity};
use callmark_core::recording::sha256_hex;
use callmark_core::transcript::{Medium, Span};
use callmark_store::{RecordingLink, Store, StoreError};
use serde::Deserialize;

use crate::call::decode_sides;
use crate::render::outputs::file_stem;

/// A moment needs what led to it and what became of it.
const BEFORE_MS: i64 = 2_000;
const AFTER_MS: i64 = 3_000;
const MOST_MS: i64 = 30_000;
const MOST_CLIPS: usize = 12;
/// Where something was searched and not found, only a short window is a moment (the opening, say).
const WINDOW_MOST_MS: i64 = 35_000;
/// Parts of a clip's waveform.
const PEAKS: usize = 160;
/// Word times are off by as much, 95 in 100 in noise (models/evaluation/README.md, "When was each word said?").
const BEEP_MARGIN_MS: i64 = 275;

/// How clips are stored: `clips` in the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum ClipKind {
    #[default]
    Opus,
    /// For browsers that do not play Ogg Opus (Safari before 2025); twenty times as large.
    Wav,
    None,
}

impl ClipKind {
    fn ending(self) -> &'static str {
        match self {
            ClipKind::Wav => "wav",
            ClipKind::Opus | ClipKind::None => "opus",
        }
    }

    /// What a `data:` URL or a server says of the bytes.
    pub fn media_type(self) -> &'static str {
        match self {
            ClipKind::Wav => "audio/wav",
            ClipKind::Opus | ClipKind::None => "audio/ogg",
        }
    }
}

/// A piece of a recording, ready to be played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    pub begin_ms: i64,
    pub end_ms: i64,
    /// Distinct among all clips of all calls.
    pub file_name: String,
    pub bytes: Vec<u8>,
    pub peaks: Vec<Peak>,
}

/// Why a call has nothing to hear. Names a file, never its folder: a report travels.
#[derive(Debug, thiserror::Error)]
pub enum NoClips {
    #[error("the call came as a text")]
    Text,
    #[error("the store knows no recording of the call")]
    Unknown,
    #[error("the recording is no longer at {file_name}")]
    Gone { file_name: String },
    #[error("{file_name} cannot be read: {cause}")]
    Unreadable { file_name: String, cause: String },
    #[error("{file_name} is another recording now")]
    Changed { file_name: String },
    #[error("{file_name}: {cause}")]
    Audio { file_name: String, cause: AudioError },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Cuts clips from the recordings that a store knows.
pub struct Clips<'a> {
    store: &'a dyn Store,
    kind: ClipKind,
}

impl<'a> Clips<'a> {
    pub fn new(store: &'a dyn Store, kind: ClipKind) -> Clips<'a> {
        Clips { store, kind }
    }

    /// One clip per flagged moment, in order of time; none when nothing is flagged or clips are switched off.
    ///
    /// # Errors
    /// When there is something to hear but no recording to hear it from.
    pub fn cut(&self, call: &CallRecord) -> Result<Vec<Clip>, NoClips> {
        let spans = flagged_spans(call);
        if self.kind == ClipKind::None || spans.is_empty() {
            return Ok(Vec::new());
        }
        let (source, file_name) = self.open(call)?;
        let clips = spans.into_iter().map(|span| self.encode(&source, call, span));
        // A cut recording may end before a moment that a transcript names.
        let heard = clips.filter(|clip| !clip.as_ref().is_ok_and(|clip| clip.peaks.is_empty()));
        heard.collect::<Result<_, _>>().map_err(|cause| NoClips::Audio { file_name, cause })
    }

    /// One clip of a span of the caller's choice (a good example, say), of at most 30 s; `None` when clips are switched off
    /// or the recording has nothing there.
    ///
    /// # Errors
    /// As [`Clips::cut`].
    pub fn cut_span(&self, call: &CallRecord, span: Span) -> Result<Option<Clip>, NoClips> {
        if self.kind == ClipKind::None {
            return Ok(None);
        }
        let (source, file_name) = self.open(call)?;
        let span = within_call(call, Span { end_ms: span.end_ms.min(span.begin_ms + MOST_MS), ..span });
        let clip = self.encode(&source, call, span).map_err(|cause| NoClips::Audio { file_name, cause })?;
        Ok(Some(clip).filter(|clip| !clip.peaks.is_empty()))
    }

    /// The call's recording, or its two sides, decoded, with the name of the (first) file.
    fn open(&self, call: &CallRecord) -> Result<(ClipSource, String), NoClips> {
        if call.transcript.medium == Medium::Text || call.transcript.recogniser_confidence_permille.is_none() {
            return Err(NoClips::Text);
        }
        let beeps = redacted_spans(call);
        let mut recordings = self.store.recordings(&call.call_id)?;
        // The first side first, as it was heard.
        recordings.sort_by_key(|link| call.provenance.audio.iter().position(|id| *id == link.recording_id));
        // It was within the limits of its own night.
        let limits = Limits { max_duration_s: u32::MAX, ..Limits::default() };
        match recordings.as_slice() {
            [] => Err(NoClips::Unknown),
            [first, second] => {
                let ((rep, file_name), (customer, other)) = (recording_bytes(first)?, recording_bytes(second)?);
                let sides = [(&*rep, Path::new(&file_name)), (&*customer, Path::new(&other))];
                let begins_ms = call.transcript.second_side_begins_ms.or(Some(0));
                match decode_sides(sides, begins_ms, &limits) {
                    Ok(joined) => Ok((ClipSource::new(joined.audio).with_beeps(beeps), file_name)),
                    Err(cause) => Err(NoClips::Audio { file_name, cause }),
                }
            }
            [only, ..] => {
                let (bytes, file_name) = recording_bytes(only)?;
                match decode_named(&bytes, &file_name, &limits) {
                    Ok(audio) => Ok((ClipSource::new(audio).with_beeps(beeps), file_name)),
                    Err(cause) => Err(NoClips::Audio { file_name, cause }),
                }
            }
        }
    }

    fn encode(&self, source: &ClipSource, call: &CallRecord, span: Span) -> Result<Clip, AudioError> {
        let samples = source.cut(span);
        let bytes = if self.kind == ClipKind::Wav { wav(&samples)? } else { ogg_opus(&samples)? };
        let Span { begin_ms, end_ms } = span;
        let end_ms = end_ms.min(source.duration_ms());
        let file_name = format!("{}-{begin_ms}-{end_ms}.{}", file_stem(&call.call_id), self.kind.ending());
        Ok(Clip { begin_ms, end_ms, file_name, bytes, peaks: peaks(&samples, PEAKS) })
    }
}

/// Where a call's words were redacted, with the margin.
fn redacted_spans(call: &CallRecord) -> Vec<Span> {
    let redacted = call.transcript.redaction.iter().flat_map(|redaction| &redaction.spans);
    redacted.map(|s| Span { begin_ms: s.begin_ms - BEEP_MARGIN_MS, end_ms: s.end_ms + BEEP_MARGIN_MS }).collect()
}

/// The bytes of a stored call's recording with the name of its file, if they are still those.
fn recording_bytes(recording: &RecordingLink) -> Result<(Vec<u8>, String), NoClips> {
    let path = Path::new(&recording.path);
    let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match std::fs::read(path) {
        // Another call under the old name would be evidence against the wrong person.
        Ok(bytes) if sha256_hex(&bytes) != recording.recording_id => Err(NoClips::Changed { file_name }),
        Ok(bytes) => Ok((bytes, file_name)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(NoClips::Gone { file_name }),
        Err(error) => Err(NoClips::Unreadable { file_name, cause: error.to_string() }),
    }
}

/// The spans of a call that get a clip, in order of time: around what was forbidden, missed, or waits for a decision.
///
/// Where there are too many, each flag's best moment comes before any second one, and what was forbidden before what was
/// missed. Overlapping spans are one clip as long as it does not grow too long.
pub fn flagged_spans(call: &CallRecord) -> Vec<Span> {
    let mut moments: Vec<_> = flagged_rows(call)
        .enumerate()
        .flat_map(|(order, row)| {
            let waits = waits(call, row);
            let rank = (row.result != Outcome::Violated, !waits, row.severity, order);
            row.evidence.iter().enumerate().filter_map(move |(nth, e)| Some(((nth, rank), moment(e, waits)?)))
        })
        .collect();
    moments.sort_by_key(|(rank, _)| *rank);
    let mut spans: Vec<Span> = Vec::new();
    for (_, span) in moments {
        let span = within_call(call, span);
        if span.begin_ms < span.end_ms {
            add(&mut spans, span);
        }
    }
    spans.sort();
    spans
}

/// The rows that cost points or wait for a decision, after reviews.
fn flagged_rows(call: &CallRecord) -> impl Iterator<Item = &LedgerRow> {
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    let ledger = &call.evaluation.ledger;
    for (index, row) in ledger.iter().enumerate().filter(|(_, r)| matches!(r.kind, RowKind::Item | RowKind::Review)) {
        last.insert(&row.requirement_id, index);
    }
    let rows = ledger.iter().enumerate().filter(move |(index, row)| last.get(&*row.requirement_id) == Some(index));
    rows.map(|(_, row)| row).filter(|row| matches!(row.result, Outcome::Missed | Outcome::Violated) || waits(call, row))
}

/// Somebody must listen before this call has a verdict.
fn waits(call: &CallRecord, row: &LedgerRow) -> bool {
    let failed_fatal = row.severity == Severity::Fatal && matches!(row.result, Outcome::Missed | Outcome::Violated);
    failed_fatal || call.evaluation.pending.contains(&row.requirement_id)
}

/// What to hear of a piece of evidence; `None` when it is no moment but the call at large.
fn moment(evidence: &Evidence, waits: bool) -> Option<Span> {
    let Evidence { begin_ms, end_ms, match_type, .. } = *evidence;
    let length_ms = end_ms - begin_ms;
    let with_surroundings = Span { begin_ms: begin_ms - BEFORE_MS, end_ms: end_ms + AFTER_MS };
    let span = match match_type {
        _ if length_ms <= 0 => return None,
        MatchType::Window if waits || length_ms <= WINDOW_MOST_MS => Span { begin_ms, end_ms },
        MatchType::Window => return None,
        MatchType::Silence | MatchType::Overlap => with_surroundings,
        _ if length_ms > MOST_MS => return None,
        _ => with_surroundings,
    };
    Some(Span { end_ms: span.end_ms.min(span.begin_ms + MOST_MS), ..span })
}

fn within_call(call: &CallRecord, span: Span) -> Span {
    Span { begin_ms: span.begin_ms.max(0), end_ms: span.end_ms.min(call.transcript.duration_ms) }
}

/// Adds a span, as part of one that is there where that fits.
fn add(spans: &mut Vec<Span>, span: Span) {
    let joined =
        |other: &Span| Span { begin_ms: other.begin_ms.min(span.begin_ms), end_ms: other.end_ms.max(span.end_ms) };
    let overlaps = |other: &Span| other.begin_ms <= span.end_ms && span.begin_ms <= other.end_ms;
    let fits = |other: &Span| overlaps(other) && joined(other).end_ms - joined(other).begin_ms <= MOST_MS;
    if let Some(index) = spans.iter().position(fits) {
        let grown = joined(&spans.remove(index));
        // It may reach its other neighbour now.
        add(spans, grown);
    } else if spans.len() < MOST_CLIPS {
        spans.push(span);
    }
}

#[cfg(test)]
mod tests {
    use callmark_store::RecordingLink;

    use std::collections::BTreeSet;

    use callmark_core::redaction::{Entity, RedactedSpan, Redaction};
    use callmark_core::transcript::Role;

    use super::*;
    use crate::render::tables::sample;

    fn evidence(begin_ms: i64, end_ms: i64, match_type: MatchType) -> Evidence {
        Evidence { turn: None, begin_ms, end_ms, quote: String::new(), match_type, confidence_permille: 1000 }
    }

    /// A call of ten minutes with these rows.
    fn call(rows: &[(&str, Outcome, Severity, Vec<Evidence>)]) -> CallRecord {
        let mut record = sample::record();
        let template = record.evaluation.ledger[0].clone();
        record.transcript.duration_ms = 600_000;
        record.transcript.recogniser_confidence_permille = Some(900);
        let row = |(id, result, severity, evidence): &(&str, Outcome, Severity, Vec<Evidence>)| LedgerRow {
            requirement_id: id.to_string(),
            result: *result,
            severity: *severity,
            evidence: evidence.clone(),
            ..template.clone()
        };
        record.evaluation.ledger = rows.iter().map(row).collect();
        record
    }

    fn spans(call: &CallRecord) -> Vec<(i64, i64)> {
        flagged_spans(call).iter().map(|s| (s.begin_ms, s.end_ms)).collect()
    }

    const MINOR: Severity = Severity::Minor;

    #[test]
    fn flags_are_heard_with_their_surroundings() {
        let flag = |begin, end| vec![evidence(begin, end, MatchType::Regex)];
        let record = call(&[
            ("met", Outcome::Met, MINOR, flag(300_000, 301_000)),
            ("violated", Outcome::Violated, MINOR, flag(10_000, 11_000)),
            ("missed", Outcome::Missed, MINOR, flag(100_000, 101_000)),
            ("start", Outcome::Missed, MINOR, flag(500, 900)),
            ("end", Outcome::Missed, MINOR, flag(599_000, 600_000)),
        ]);
        assert_eq!(spans(&record), [(0, 3_900), (8_000, 14_000), (98_000, 104_000), (597_000, 600_000)]);
        // Neighbours that overlap are one clip, also where the one between them comes last …
        let record = call(&[
            ("a", Outcome::Violated, MINOR, flag(10_000, 11_000)),
            ("b", Outcome::Violated, MINOR, flag(19_000, 20_000)),
            ("c", Outcome::Missed, MINOR, flag(14_500, 16_000)),
        ]);
        assert_eq!(spans(&record), [(8_000, 23_000)]);
        // … unless it would be too long.
        let record = call(&[
            ("a", Outcome::Violated, MINOR, flag(10_000, 30_000)),
            ("b", Outcome::Violated, MINOR, flag(31_000, 50_000)),
        ]);
        assert_eq!(spans(&record), [(8_000, 33_000), (29_000, 53_000)]);
    }

    #[test]
    fn the_call_at_large_is_no_moment() {
        let place = |begin, end, kind| vec![evidence(begin, end, kind)];
        let record = call(&[
            ("whole", Outcome::Missed, MINOR, place(0, 600_000, MatchType::Metric)),
            ("searched", Outcome::Missed, MINOR, place(800, 590_000, MatchType::Window)),
            ("empty", Outcome::Missed, MINOR, place(70_000, 70_000, MatchType::Window)),
        ]);
        assert_eq!(spans(&record), []);
        let record = call(&[
            ("opening", Outcome::Missed, MINOR, place(800, 30_900, MatchType::Window)),
            ("silence", Outcome::Violated, MINOR, place(100_000, 190_000, MatchType::Silence)),
        ]);
        assert_eq!(spans(&record), [(800, 30_800), (98_000, 128_000)]);
    }

    #[test]
    fn what_waits_for_a_person_can_be_heard() {
        let window = || vec![evidence(200_000, 300_000, MatchType::Window)];
        let fatal = call(&[("fatal", Outcome::Missed, Severity::Fatal, window())]);
        assert_eq!(spans(&fatal), [(200_000, 230_000)]);
        let mut unknown = call(&[("unknown", Outcome::Unknown, MINOR, window())]);
        assert_eq!(spans(&unknown), []);
        unknown.evaluation.pending = vec!["unknown".into()];
        assert_eq!(spans(&unknown), [(200_000, 230_000)]);
    }

    #[test]
    fn the_last_decision_says_what_is_a_flag() {
        let place = || vec![evidence(10_000, 11_000, MatchType::Regex)];
        let mut record = call(&[
            ("a", Outcome::Violated, MINOR, place()),
            ("b", Outcome::Clear, MINOR, vec![evidence(50_000, 51_000, MatchType::Regex)]),
            ("a", Outcome::Clear, MINOR, place()),
            ("b", Outcome::Violated, MINOR, vec![evidence(50_000, 51_000, MatchType::Regex)]),
        ]);
        record.evaluation.ledger[2].kind = RowKind::Review;
        record.evaluation.ledger[3].kind = RowKind::Review;
        assert_eq!(spans(&record), [(48_000, 54_000)]);
    }

    #[test]
    fn too_many_flags_leave_the_gravest() {
        let far = |n: i64| evidence(n * 20_000, n * 20_000 + 1_000, MatchType::Regex);
        let many: Vec<Evidence> = (1..20).map(far).collect();
        let record = call(&[
            ("missed", Outcome::Missed, Severity::Major, many),
            ("violated", Outcome::Violated, MINOR, vec![far(25), far(26)]),
            ("fatal", Outcome::Missed, Severity::Fatal, vec![far(28)]),
        ]);
        let found = spans(&record);
        assert_eq!(found.len(), MOST_CLIPS);
        for n in [1, 25, 26, 28] {
            assert!(found.contains(&(n * 20_000 - 2_000, n * 20_000 + 4_000)), "{n}");
        }
    }

    /// A store with one call made from a copy of a sample recording.
    fn stored(folder: &Path) -> (Box<dyn Store>, CallRecord, std::path::PathBuf) {
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = folder.join("call é.wav");
        std::fs::copy(project.join("sample-audio/T-1007.wav"), &path).unwrap();
        let mut record = call(&[("a", Outcome::Violated, MINOR, vec![evidence(27_420, 29_390, MatchType::Exact)])]);
        record.call_id = "T/1007".into();
        record.transcript.duration_ms = 69_750;
        let store = callmark_store::open("sqlite::memory:").unwrap();
        let recording_id = sha256_hex(&std::fs::read(&path).unwrap());
        let link = RecordingLink { recording_id, path: path.to_string_lossy().into_owned() };
        store.put_call(&record, "key", &[link]).unwrap();
        (store, record, path)
    }

    #[test]
    fn two_sides_are_heard_together_where_they_belong() {
        let folder = tempfile::tempdir().unwrap();
        let (store, mut record, _) = stored(folder.path());
        let tone = |hz: f32| -> Vec<f32> {
            (0..16_000).map(|n| 0.1 * (std::f32::consts::TAU * hz * n as f32 / 16_000.0).sin()).collect()
        };
        let sides = ["rep.wav", "customer.wav"].map(|name| folder.path().join(name));
        let mut links = Vec::new();
        for (path, hz) in sides.iter().zip([400.0, 650.0]) {
            let bytes = wav(&tone(hz)).unwrap();
            std::fs::write(path, &bytes).unwrap();
            links.push(RecordingLink { recording_id: sha256_hex(&bytes), path: path.to_string_lossy().into_owned() });
        }
        record.provenance.audio = links.iter().map(|link| link.recording_id.clone()).collect();
        record.transcript.second_side_begins_ms = Some(2_000);
        store.put_call(&record, "key", &links).unwrap();
        let (source, file_name) = Clips::new(&*store, ClipKind::Wav).open(&record).unwrap();
        assert_eq!((source.duration_ms(), &*file_name), (3_000, "rep.wav"));
        let loud = |begin_ms, end_ms| source.cut(Span { begin_ms, end_ms }).iter().any(|sample| sample.abs() > 0.05);
        assert_eq!([loud(0, 900), loud(1_100, 1_900), loud(2_100, 2_900)], [true, false, true]);
        std::fs::write(&sides[1], "another").unwrap();
        assert!(matches!(Clips::new(&*store, ClipKind::Wav).open(&record), Err(NoClips::Changed { .. })));
    }

    #[test]
    fn clips_are_cut_from_the_stored_recording() {
        let folder = tempfile::tempdir().unwrap();
        let (store, record, path) = stored(folder.path());
        let [clip] = &Clips::new(&*store, ClipKind::Opus).cut(&record).unwrap()[..] else { panic!("one clip") };
        assert_eq!((clip.begin_ms, clip.end_ms, clip.peaks.len()), (25_420, 32_390, PEAKS));
        assert!(clip.bytes.starts_with(b"OggS") && clip.bytes.len() < 25_000, "{} bytes", clip.bytes.len());
        assert!(clip.file_name.ends_with("-25420-32390.opus") && !clip.file_name.contains('/'), "{}", clip.file_name);
        // Somebody speaks there.
        assert!(clip.peaks.iter().any(|p| p.max > 30));
        assert_eq!(Clips::new(&*store, ClipKind::Opus).cut(&record).unwrap()[0], *clip);

        let clips = Clips::new(&*store, ClipKind::Wav);
        let clip = clips.cut_span(&record, Span { begin_ms: 60_000, end_ms: 200_000 }).unwrap().unwrap();
        assert_eq!((clip.begin_ms, clip.end_ms), (60_000, 69_750));
        let heard = callmark_audio::decode(&clip.bytes, &Limits::default()).unwrap();
        assert_eq!(heard.duration_ms(), 9_750);
        let nothing = clips.cut_span(&record, Span { begin_ms: 69_750, end_ms: 80_000 }).unwrap();
        assert_eq!(nothing, None);

        let mut redacted = record.clone();
        redacted.transcript.redaction = Some(Redaction {
            entities: BTreeSet::from([Entity::Card]),
            spans: vec![RedactedSpan {
                begin_ms: 61_000,
                end_ms: 63_000,
                role: Role::Rep,
                entity: Entity::Card,
                units: 4,
            }],
        });
        let beeped = clips.cut_span(&redacted, Span { begin_ms: 60_000, end_ms: 70_000 }).unwrap().unwrap();
        let samples = callmark_audio::decode(&beeped.bytes, &Limits::default()).unwrap().channels.remove(0);
        let open = &heard.channels[0];
        let differs = |ms: usize| samples[16 * ms..16 * ms + 160] != open[16 * ms..16 * ms + 160];
        assert_eq!([500, 700, 1_000, 2_900, 3_200, 3_300].map(differs), [false, false, true, true, true, false]);

        let off = Clips::new(&*store, ClipKind::None);
        std::fs::remove_file(path).unwrap();
        assert_eq!(off.cut(&record).unwrap(), []);
        assert_eq!(off.cut_span(&record, Span { begin_ms: 0, end_ms: 1_000 }).unwrap(), None);
    }

    #[test]
    fn a_recording_that_cannot_be_heard_has_a_reason_without_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (store, mut record, path) = stored(folder.path());
        let clips = Clips::new(&*store, ClipKind::Opus);
        let reason = |record: &CallRecord| clips.cut(record).unwrap_err();

        std::fs::write(&path, "another call").unwrap();
        assert_eq!(reason(&record).to_string(), "call é.wav is another recording now");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(reason(&record).to_string(), "the recording is no longer at call é.wav");
        std::fs::create_dir(&path).unwrap();
        let unreadable = reason(&record);
        assert!(matches!(unreadable, NoClips::Unreadable { .. }) && !unreadable.to_string().contains('/'));

        std::fs::remove_dir(&path).unwrap();
        std::fs::write(&path, "no sound").unwrap();
        let link = RecordingLink { recording_id: sha256_hex(b"no sound"), path: path.to_string_lossy().into_owned() };
        store.put_call(&record, "key", &[link]).unwrap();
        assert!(matches!(reason(&record), NoClips::Audio { .. }));

        record.transcript.recogniser_confidence_permille = None;
        assert!(matches!(reason(&record), NoClips::Text));
        record.transcript.recogniser_confidence_permille = Some(900);
        record.call_id = "never stored".into();
        assert!(matches!(reason(&record), NoClips::Unknown));
        record.evaluation.ledger.clear();
        assert_eq!(clips.cut(&record).unwrap(), []);
    }
}
