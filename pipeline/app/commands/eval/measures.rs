//! Measures of recognition: first of each recording, then of a set and its groups. Everything here goes into the JSON.

use std::collections::BTreeMap;

use callmark_core::accuracy::{Edit, ErrorCounts};
use callmark_core::calibration::{Calibration, calibration};
use callmark_core::comparison::{Comparison, SpokenWord, TimeError, compare};
use callmark_core::diarization::{COLLAR_MS, DiarizationErrors, Speech, diarization_errors, role_errors};
use callmark_core::recording::Language;
use callmark_core::statistics::{Interval, bootstrap_ratio, quantile};
use callmark_core::transcript::{Role, RoleMethod, Span, Transcript};
use serde::Serialize;

use super::hearing::{Heard, other};
use super::labelled::Reference;
use crate::cli::EvalGroup;
use crate::work_time::WorkTime;

/// Resamples of every interval.
pub const RESAMPLES: usize = 2_000;
/// Of the bootstrap: equal results give equal intervals.
pub const SEED: u64 = 1;
/// With fewer recordings their turns are resampled.
const FEWEST_RECORDINGS: usize = 8;

// ---- One recording -------------------------------------------------------------------------------------------------

/// Errors of one turn of the reference, or of what was heard of a role that says nothing there.
#[derive(Clone, Debug)]
pub struct TurnErrors {
    pub role: Role,
    pub voice: Option<String>,
    pub counts: ErrorCounts,
}

/// What is known about a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    Speech,
    /// Whatever is heard is invented.
    NoSpeech,
    /// Only confidence, guards and speed can be measured.
    Unknown,
}

/// One recording, judged.
pub struct Judged {
    pub name: String,
    pub duration_ms: i64,
    pub speech_ms: i64,
    pub language: Language,
    pub content: Content,
    pub turns: Vec<TurnErrors>,
    pub time_errors: Vec<TimeError>,
    /// Confidence of each recognised word, and whether it is right.
    pub words: Vec<(u16, bool)>,
    pub lost: LostWords,
    pub dropped: BTreeMap<String, u32>,
    pub diarization: DiarizationErrors,
    /// Under the program's own roles; `None` when it gave none.
    pub roles: Option<DiarizationErrors>,
    pub confidence_permille: Option<u16>,
    pub below_floor: bool,
    pub decode: WorkTime,
    pub voice_activity: WorkTime,
    pub recognise: WorkTime,
    /// What was taken for what, for `--show-errors`.
    pub confusions: Vec<Confusion>,
}

/// A unit of the reference and what was heard in its place; one of them may be missing.
pub type Confusion = (Option<String>, Option<String>);

/// Where words of the reference went that were not recognised; only words whose times are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LostWords {
    pub words: u64,
    /// In no speech span of their channel.
    pub outside_speech: u64,
    /// In speech that a guard removed, by guard.
    pub removed: BTreeMap<String, u64>,
}

impl LostWords {
    pub fn removed_words(&self) -> u64 {
        self.removed.values().sum()
    }

    fn add(&mut self, more: &LostWords) {
        self.words += more.words;
        self.outside_speech += more.outside_speech;
        for (guard, count) in &more.removed {
            *self.removed.entry(guard.clone()).or_default() += count;
        }
    }
}

/// Words of one side, and who and which turn they belong to.
#[derive(Default)]
struct Text {
    words: Vec<SpokenWord>,
    /// Of the reference: the turn of each word. Of the hypothesis: the word's confidence.
    marks: Vec<usize>,
}

/// The reference's words of one role, or of everybody.
fn said(reference: &Reference, role: Option<Role>) -> Text {
    let mut text = Text::default();
    for (index, turn) in reference.turns().iter().enumerate().filter(|(_, turn)| role.is_none_or(|r| r == turn.role)) {
        let words = turn.spoken_words();
        text.marks.extend(words.iter().map(|_| index));
        text.words.extend(words);
    }
    text
}

/// The transcript's words of one role, or of everybody.
fn heard(transcript: &Transcript, role: Option<Role>) -> Text {
    let mut text = Text::default();
    for word in transcript.turns.iter().filter(|t| role.is_none_or(|r| r == t.role)).flat_map(|turn| &turn.words) {
        let span = Some(Span { begin_ms: word.begin_ms, end_ms: word.end_ms });
        text.words.push(SpokenWord { text: word.text.clone(), span });
        text.marks.push(word.confidence_permille.into());
    }
    text
}

/// One alignment: a role of the reference and the role of the transcript that was heard for it.
struct Pairing {
    /// `None`: everybody, in a mono recording.
    role: Option<Role>,
    heard_as: Option<Role>,
    said: Text,
    heard: Text,
    comparison: Comparison,
}

/// Aligns a recording. Word errors do not depend on which channel was taken for the rep: of the two ways to pair roles the one
/// with fewer errors counts (as in cpWER, the concatenated minimum-permutation word error rate of Watanabe et al., CHiME-6, 2020).
fn pair(reference: &Reference, transcript: &Transcript) -> Vec<Pairing> {
    let pairing = |role: Option<Role>, heard_as: Option<Role>| {
        let (said, heard) = (said(reference, role), heard(transcript, heard_as));
        let comparison = compare(&said.words, &heard.words, reference.language);
        Pairing { role, heard_as, said, heard, comparison }
    };
    // Words of a single voice that was parted in two are still heard: who speaks is measured by itself.
    let one_party = reference.turns().windows(2).all(|pair| pair[0].role == pair[1].role);
    if transcript.role_method == RoleMethod::None || one_party {
        return vec![pairing(None, None)];
    }
    let errors = |pairs: &[Pairing]| pairs.iter().map(|p| p.comparison.counts().errors()).sum::<u64>();
    let roles = [Role::Rep, Role::Customer];
    let straight: Vec<Pairing> = roles.iter().map(|&role| pairing(Some(role), Some(role))).collect();
    if transcript.role_method != RoleMethod::Inferred || errors(&straight) == 0 {
        return straight;
    }
    let turned: Vec<Pairing> = roles.iter().map(|&role| pairing(Some(role), Some(other(role)))).collect();
    if errors(&turned) < errors(&straight) { turned } else { straight }
}

pub fn judge(name: &str, reference: &Reference, result: &Heard) -> Judged {
    let transcript = &result.transcript;
    let mut turns: Vec<TurnErrors> = reference
        .turns()
        .iter()
        .map(|turn| TurnErrors { role: turn.role, voice: turn.voice.clone(), counts: ErrorCounts::default() })
        .collect();
    let (mut time_errors, mut words, mut lost, mut confusions) =
        (Vec::new(), Vec::new(), LostWords::default(), Vec::new());
    let content = match &reference.turns {
        None => Content::Unknown,
        Some(turns) if turns.is_empty() => Content::NoSpeech,
        Some(_) => Content::Speech,
    };
    let pairings = if content == Content::Unknown { Vec::new() } else { pair(reference, transcript) };
    for pairing in pairings {
        let Pairing { role, heard_as, said, heard, comparison } = &pairing;
        if said.words.is_empty() {
            let counts = comparison.counts();
            if counts.errors() > 0 {
                turns.push(TurnErrors { role: role.unwrap_or(Role::Unknown), voice: None, counts });
            }
        } else {
            let mut sums = vec![ErrorCounts::default(); reference.turns().len()];
            comparison.count_into(|word| said.marks[word], &mut sums);
            for (turn, counts) in turns.iter_mut().zip(&sums) {
                turn.counts.add(counts);
            }
        }
        time_errors.extend(comparison.time_errors(&said.words, &heard.words));
        words.extend(comparison.judged().iter().map(|(word, right)| (heard.marks[*word] as u16, *right)));
        lost.add(&lost_words(pairing.comparison.unheard(), &said.words, *heard_as, result));
        confusions.extend(confused(comparison));
    }
    let confidence_permille = transcript.recogniser_confidence_permille;
    let (speakers, found) = match content {
        Content::Unknown => Default::default(),
        _ => speech(reference, transcript),
    };
    Judged {
        name: name.to_string(),
        duration_ms: transcript.duration_ms,
        speech_ms: transcript.speech.iter().map(|s| s.end_ms - s.begin_ms).sum(),
        language: reference.language,
        content,
        turns,
        time_errors,
        words,
        lost,
        dropped: transcript.dropped.clone(),
        diarization: diarization_errors(&speakers, &found, COLLAR_MS),
        roles: (transcript.role_method != RoleMethod::None).then(|| role_errors(&speakers, &found, COLLAR_MS)),
        confidence_permille,
        below_floor: confidence_permille.zip(transcript.confidence_floor_permille).is_some_and(|(c, floor)| c < floor),
        decode: result.decode,
        voice_activity: result.voice_activity,
        recognise: result.recognise,
        confusions,
    }
}

/// Who speaks when: by the reference, and by the program's speech spans.
fn speech(reference: &Reference, transcript: &Transcript) -> (Vec<Speech>, Vec<Speech>) {
    let said = |turn: &super::labelled::ReferenceTurn| Speech {
        speaker: turn.role,
        span: Span { begin_ms: turn.begin_ms, end_ms: turn.end_ms },
    };
    let found = |span: &callmark_core::transcript::RoleSpan| Speech {
        speaker: span.role,
        span: Span { begin_ms: span.begin_ms, end_ms: span.end_ms },
    };
    (reference.turns().iter().map(said).collect(), transcript.speech.iter().map(found).collect())
}

fn lost_words(unheard: Vec<usize>, said: &[SpokenWord], heard_as: Option<Role>, result: &Heard) -> LostWords {
    let is_theirs = |role: Role| heard_as.is_none_or(|wanted| wanted == role);
    let mut lost =
        LostWords { words: said.iter().filter(|word| word.span.is_some()).count() as u64, ..LostWords::default() };
    for span in unheard.into_iter().filter_map(|word| said[word].span) {
        let middle = (span.begin_ms + span.end_ms) / 2;
        let speech = &result.transcript.speech;
        if !speech.iter().any(|s| is_theirs(s.role) && (s.begin_ms..s.end_ms).contains(&middle)) {
            lost.outside_speech += 1;
            continue;
        }
        let by = |(role, removed): &&(Role, callmark_models::asr::Removed)| {
            // What a guard removed from two speakers in one channel is nobody's yet.
            (*role == Role::Unknown || is_theirs(*role))
                && (removed.span.begin_ms..removed.span.end_ms).contains(&middle)
        };
        if let Some((_, removed)) = result.removed.iter().find(by) {
            *lost.removed.entry(removed.guard.to_string()).or_default() += 1;
        }
    }
    lost
}

fn confused(comparison: &Comparison) -> Vec<Confusion> {
    let said = |index: usize| Some(comparison.reference_units[index].clone());
    let heard = |index: usize| Some(comparison.hypothesis_units[index].clone());
    let confusion = |edit: &Edit| match *edit {
        Edit::Match { .. } => None,
        Edit::Substitution { reference, hypothesis } => Some((said(reference), heard(hypothesis))),
        Edit::Deletion { reference } => Some((said(reference), None)),
        Edit::Insertion { hypothesis } => Some((None, heard(hypothesis))),
    };
    comparison.edits.iter().filter_map(confusion).collect()
}

// ---- A set and its groups ------------------------------------------------------------------------------------------

/// What rows of the result stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    All,
    Role,
    Voice,
    Recording,
}

impl EvalGroup {
    pub fn kind(self) -> GroupKind {
        match self {
            EvalGroup::Role => GroupKind::Role,
            EvalGroup::Voice => GroupKind::Voice,
            EvalGroup::Recording => GroupKind::Recording,
        }
    }
}

/// Word errors (characters for Chinese) of a group.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorRow {
    pub kind: GroupKind,
    pub group: String,
    pub recordings: usize,
    pub units: u64,
    pub substitutions: u64,
    pub deletions: u64,
    pub insertions: u64,
    /// `None` where nothing is said.
    pub error_rate: Option<f64>,
    /// 95 % interval.
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// What the bootstrap resampled: recordings or turns.
    pub resampled: &'static str,
}

/// Quantiles of absolute errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    pub n: usize,
    pub median_ms: Option<f64>,
    pub p90_ms: Option<f64>,
    pub p95_ms: Option<f64>,
}

impl Quantiles {
    fn of(values: impl Iterator<Item = i64>) -> Quantiles {
        let mut sorted: Vec<f64> = values.map(|v| v as f64).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |q| quantile(&sorted, q);
        Quantiles { n: sorted.len(), median_ms: at(0.5), p90_ms: at(0.9), p95_ms: at(0.95) }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct WordTimes {
    pub begin: Quantiles,
    pub end: Quantiles,
}

/// What was heard where nobody speaks, and what guards removed everywhere.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Invented {
    /// Recordings without speech, and how long they are.
    pub recordings: usize,
    pub seconds: f64,
    /// Words that survived in them.
    pub words: u64,
    /// What guards removed from them: guard → spans and segments.
    pub dropped: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Diarization {
    pub collar_ms: i64,
    #[serde(flatten)]
    pub errors: DiarizationErrors,
    pub error_rate: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Of the speech found, the share that has the right role by the program's own decision; `None` without roles (mono).
    pub role_accuracy: Option<f64>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Confidence {
    /// Recordings with a confidence.
    pub recordings: usize,
    pub lowest_permille: Option<u16>,
    pub median_permille: Option<u16>,
    pub highest_permille: Option<u16>,
    pub floor_permille: u16,
    /// Recordings that would be left unscored.
    pub below_floor: usize,
    pub below_floor_share: Option<f64>,
    pub words: Calibration,
}

/// Processor and wall seconds per second of audio.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct StageSpeed {
    pub cpu_per_audio_second: f64,
    pub wall_per_audio_second: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Speed {
    pub decode: StageSpeed,
    pub voice_activity: StageSpeed,
    pub recognise: StageSpeed,
    /// All stages.
    pub all: StageSpeed,
    /// Audio seconds per processor second of one lane with its decoder.
    pub times_real_time: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct RecordingRow {
    pub name: String,
    pub seconds: f64,
    pub confidence_permille: Option<u16>,
    pub below_floor: bool,
    pub dropped: BTreeMap<String, u32>,
    pub diarization_error_rate: Option<f64>,
    /// Milliseconds of the processor.
    pub cpu_ms: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Failed {
    pub recording: String,
    pub stage: String,
    pub cause: String,
}

/// Everything about one set.
#[derive(Clone, Debug, Serialize)]
pub struct SetResult {
    pub set: String,
    /// `word_error_rate`, `character_error_rate`, or `mixed`.
    pub measure: &'static str,
    pub audio_seconds: f64,
    /// Speech found per second of audio; channels add up.
    pub speech_share: f64,
    pub groups: Vec<ErrorRow>,
    pub word_times: WordTimes,
    pub lost: LostWords,
    /// What guards removed: guard → spans and segments.
    pub dropped: BTreeMap<String, u64>,
    pub invented: Invented,
    pub diarization: Diarization,
    pub confidence: Confidence,
    pub speed: Speed,
    pub recordings: Vec<RecordingRow>,
    pub failed: Vec<Failed>,
    /// The most frequent confusions, when they are asked for: said, heard, times.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<(Option<String>, Option<String>, usize)>,
}

/// 95 % of the error rate over resampled parts.
pub fn interval(parts: &[ErrorCounts]) -> Option<Interval> {
    let pairs: Vec<(f64, f64)> = parts.iter().map(|c| (c.errors() as f64, c.reference_tokens as f64)).collect();
    bootstrap_ratio(&pairs, RESAMPLES, SEED)
}

/// `parts`: per recording, the counts of its turns.
pub fn error_row(kind: GroupKind, group: &str, parts: &[Vec<ErrorCounts>]) -> ErrorRow {
    let sum = |counts: &[ErrorCounts]| {
        counts.iter().fold(ErrorCounts::default(), |mut sum, c| {
            sum.add(c);
            sum
        })
    };
    let recordings: Vec<ErrorCounts> = parts.iter().map(|turns| sum(turns)).collect();
    let total = sum(&recordings);
    let by_recording = recordings.len() >= FEWEST_RECORDINGS;
    let resampled = if by_recording { recordings } else { parts.concat() };
    let interval = interval(&resampled).filter(|_| total.reference_tokens > 0);
    ErrorRow {
        kind,
        group: group.to_string(),
        recordings: parts.len(),
        units: total.reference_tokens,
        substitutions: total.substitutions,
        deletions: total.deletions,
        insertions: total.insertions,
        error_rate: total.rate(),
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high),
        resampled: if by_recording { "recordings" } else { "turns" },
    }
}

fn groups(judged: &[Judged]) -> Vec<ErrorRow> {
    let mut parts: BTreeMap<(GroupKind, String), Vec<Vec<ErrorCounts>>> = BTreeMap::new();
    for recording in judged {
        let mut own: BTreeMap<(GroupKind, String), Vec<ErrorCounts>> = BTreeMap::new();
        for turn in &recording.turns {
            let voice = turn.voice.as_ref().map(|voice| (GroupKind::Voice, voice.clone()));
            let keys = [
                Some((GroupKind::All, "all".to_string())),
                Some((GroupKind::Role, role_name(turn.role).to_string())),
                Some((GroupKind::Recording, recording.name.clone())),
                voice,
            ];
            for key in keys.into_iter().flatten() {
                own.entry(key).or_default().push(turn.counts);
            }
        }
        // Also a recording in which nothing was said or heard is one.
        own.entry((GroupKind::All, "all".to_string())).or_default();
        for (key, counts) in own {
            parts.entry(key).or_default().push(counts);
        }
    }
    parts.iter().map(|((kind, group), parts)| error_row(*kind, group, parts)).collect()
}

pub fn role_name(role: Role) -> &'static str {
    role.name()
}

/// Puts the recordings of a set together. `show_errors`: how many confusions to name.
pub fn set_result(set: &str, judged: &[Judged], failed: Vec<Failed>, floor: u16, show_errors: usize) -> SetResult {
    let audio_seconds = judged.iter().map(|r| r.duration_ms).sum::<i64>() as f64 / 1000.0;
    let per_audio_second = |value: f64| if audio_seconds > 0.0 { value / audio_seconds } else { 0.0 };
    let mut lost = LostWords::default();
    let (mut dropped, mut invented) = (BTreeMap::<String, u64>::new(), Invented::default());
    for recording in judged {
        lost.add(&recording.lost);
        for (guard, count) in &recording.dropped {
            *dropped.entry(guard.clone()).or_default() += u64::from(*count);
            if recording.content == Content::NoSpeech {
                *invented.dropped.entry(guard.clone()).or_default() += u64::from(*count);
            }
        }
        if recording.content == Content::NoSpeech {
            invented.recordings += 1;
            invented.seconds += recording.duration_ms as f64 / 1000.0;
            invented.words += recording.turns.iter().map(|turn| turn.counts.insertions).sum::<u64>();
        }
    }
    let time_errors = || judged.iter().flat_map(|r| &r.time_errors);
    SetResult {
        set: set.to_string(),
        measure: match (
            judged.iter().any(|r| r.language == Language::En),
            judged.iter().any(|r| r.language == Language::Zh),
        ) {
            (true, true) => "mixed",
            (false, true) => "character_error_rate",
            _ => "word_error_rate",
        },
        audio_seconds,
        speech_share: per_audio_second(judged.iter().map(|r| r.speech_ms).sum::<i64>() as f64 / 1000.0),
        groups: groups(judged),
        word_times: WordTimes {
            begin: Quantiles::of(time_errors().map(|e| e.begin_ms)),
            end: Quantiles::of(time_errors().map(|e| e.end_ms)),
        },
        lost,
        dropped,
        invented,
        diarization: diarization(judged),
        confidence: confidence(judged, floor),
        speed: speed(judged, per_audio_second),
        recordings: judged.iter().map(recording_row).collect(),
        failed,
        errors: frequent(judged, show_errors),
    }
}

fn diarization(judged: &[Judged]) -> Diarization {
    let mut errors = DiarizationErrors::default();
    let mut roles: Option<DiarizationErrors> = None;
    let mut parts = Vec::new();
    for recording in judged {
        errors.add(&recording.diarization);
        let of = recording.diarization;
        parts.push(((of.missed_ms + of.false_alarm_ms + of.confusion_ms) as f64, of.reference_ms as f64));
        if let Some(own) = &recording.roles {
            roles.get_or_insert_default().add(own);
        }
    }
    let interval = bootstrap_ratio(&parts, RESAMPLES, SEED);
    Diarization {
        collar_ms: COLLAR_MS,
        error_rate: errors.rate(),
        errors,
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high),
        role_accuracy: roles.and_then(|roles| roles.right_share()),
    }
}

fn confidence(judged: &[Judged], floor_permille: u16) -> Confidence {
    let mut all: Vec<u16> = judged.iter().filter_map(|r| r.confidence_permille).collect();
    all.sort_unstable();
    let below_floor = judged.iter().filter(|r| r.below_floor).count();
    let words: Vec<(u16, bool)> = judged.iter().flat_map(|r| r.words.iter().copied()).collect();
    Confidence {
        recordings: all.len(),
        lowest_permille: all.first().copied(),
        median_permille: all.get(all.len() / 2).copied(),
        highest_permille: all.last().copied(),
        floor_permille,
        below_floor,
        below_floor_share: (!all.is_empty()).then(|| below_floor as f64 / all.len() as f64),
        words: calibration(&words),
    }
}

fn speed(judged: &[Judged], per_audio_second: impl Fn(f64) -> f64) -> Speed {
    let sum = |of: fn(&Judged) -> WorkTime| {
        judged.iter().fold(WorkTime::default(), |mut sum, recording| {
            sum += of(recording);
            sum
        })
    };
    let stage = |time: WorkTime| StageSpeed {
        cpu_per_audio_second: per_audio_second(time.cpu_seconds()),
        wall_per_audio_second: per_audio_second(time.wall_seconds()),
    };
    let (decode, voice_activity, recognise) = (sum(|r| r.decode), sum(|r| r.voice_activity), sum(|r| r.recognise));
    let mut all = decode;
    all += voice_activity;
    all += recognise;
    let all = stage(all);
    Speed {
        decode: stage(decode),
        voice_activity: stage(voice_activity),
        recognise: stage(recognise),
        all,
        times_real_time: if all.cpu_per_audio_second > 0.0 { 1.0 / all.cpu_per_audio_second } else { 0.0 },
    }
}

fn recording_row(recording: &Judged) -> RecordingRow {
    let cpu_ns = recording.decode.cpu_ns + recording.voice_activity.cpu_ns + recording.recognise.cpu_ns;
    RecordingRow {
        name: recording.name.clone(),
        seconds: recording.duration_ms as f64 / 1000.0,
        confidence_permille: recording.confidence_permille,
        below_floor: recording.below_floor,
        dropped: recording.dropped.clone(),
        diarization_error_rate: recording.diarization.rate(),
        cpu_ms: cpu_ns / 1_000_000,
    }
}

fn frequent(judged: &[Judged], most: usize) -> Vec<(Option<String>, Option<String>, usize)> {
    let mut counts: BTreeMap<&Confusion, usize> = BTreeMap::new();
    for confusion in judged.iter().flat_map(|recording| &recording.confusions) {
        *counts.entry(confusion).or_default() += 1;
    }
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sorted.into_iter().take(most).map(|((said, heard), count)| (said.clone(), heard.clone(), count)).collect()
}
