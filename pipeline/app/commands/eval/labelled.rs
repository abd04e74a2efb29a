//! Labelled sets: recordings with what is said in them, in files beside them or as WebVTT in `references/`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use callmark_core::comparison::SpokenWord;
use callmark_core::recording::Language;
use callmark_core::transcript::{Role, Span};
use serde::Deserialize;

use crate::read;

/// Behind a recording's name, the file that says what is said in it.
const REFERENCE: &str = ".reference.json";

/// One folder of recordings.
pub struct LabelledSet {
    pub name: String,
    pub recordings: Vec<LabelledRecording>,
}

pub struct LabelledRecording {
    pub name: String,
    pub path: PathBuf,
    pub reference: Reference,
}

/// What is said in a recording: no turns when nobody speaks, no list of turns when it is not known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    #[serde(deserialize_with = "language")]
    pub language: Language,
    #[serde(default)]
    pub turns: Option<Vec<ReferenceTurn>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceTurn {
    pub role: Role,
    #[serde(default)]
    #[allow(dead_code, reason = "part of the format; the roles say who is whom")]
    channel: usize,
    /// What spoke, for groups of the result.
    #[serde(default)]
    pub voice: Option<String>,
    pub begin_ms: i64,
    pub end_ms: i64,
    text: String,
    /// Empty when no times of words are known.
    #[serde(default)]
    words: Vec<ReferenceWord>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceWord {
    text: String,
    begin_ms: i64,
    end_ms: i64,
}

impl Reference {
    /// Empty when nobody speaks, and when it is not known.
    pub fn turns(&self) -> &[ReferenceTurn] {
        self.turns.as_deref().unwrap_or_default()
    }
}

impl ReferenceTurn {
    pub fn spoken_words(&self) -> Vec<SpokenWord> {
        if self.words.is_empty() {
            let word = |text: &str| SpokenWord { text: text.to_string(), span: None };
            return self.text.split_whitespace().map(word).collect();
        }
        let word = |word: &ReferenceWord| SpokenWord {
            text: word.text.clone(),
            span: Some(Span { begin_ms: word.begin_ms, end_ms: word.end_ms }),
        };
        self.words.iter().map(word).collect()
    }
}

fn language<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Language, D::Error> {
    let tag = String::deserialize(deserializer)?;
    Language::parse(&tag).ok_or_else(|| serde::de::Error::custom(format!("the language `{tag}` is not known (en, zh)")))
}

impl LabelledSet {
    /// Reads the references of a folder; recordings are read when it is their turn. `unlabelled`: recordings without a
    /// reference are taken too, in a language.
    ///
    /// # Errors
    /// The folder has nothing to take, or a reference cannot be read.
    pub fn read(folder: &Path, unlabelled: Option<Language>) -> Result<LabelledSet> {
        let named = folder.canonicalize().with_context(|| format!("cannot read {}", folder.display()))?;
        let name = named.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files = files_of(folder)?;
        let mut recordings = beside(&files)?;
        if recordings.is_empty() && folder.join("references").is_dir() {
            recordings = web_vtt(folder, &files)?;
        }
        if let Some(language) = unlabelled {
            recordings.extend(without_reference(&files, &recordings, language));
        }
        if recordings.is_empty() {
            bail!(
                "{} is no labelled set\nhint: it needs recordings with <name>{REFERENCE} beside each, or with references/<name>.vtt; --unlabelled takes any",
                folder.display()
            );
        }
        Ok(LabelledSet { name, recordings })
    }
}

/// Files in order of their names.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or("")
}

/// The recording of that name, whatever its format.
fn recording_of(name: &str, files: &[PathBuf]) -> Option<PathBuf> {
    let is_recording = |path: &&PathBuf| {
        let ending = file_name(path).strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
        ending.is_some_and(|ending| !ending.contains('.') && !["json", "txt", "vtt", "csv"].contains(&ending))
    };
    files.iter().find(is_recording).cloned()
}

fn beside(files: &[PathBuf]) -> Result<Vec<LabelledRecording>> {
    let references = files.iter().filter_map(|path| Some((path, file_name(path).strip_suffix(REFERENCE)?)));
    references
        .map(|(path, name)| {
            let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let mut reference: Reference =
                serde_json::from_slice(&bytes).with_context(|| format!("in {}", path.display()))?;
            if let Some(turns) = &mut reference.turns {
                turns.sort_by_key(|turn| (turn.begin_ms, turn.end_ms, turn.role));
            }
            let Some(recording) = recording_of(name, files) else {
                bail!("{} has no recording beside it\nhint: it belongs to a file {name}.wav", path.display())
            };
            Ok(LabelledRecording { name: name.to_string(), path: recording, reference })
        })
        .collect()
}

fn without_reference(files: &[PathBuf], known: &[LabelledRecording], language: Language) -> Vec<LabelledRecording> {
    let is_sound = |path: &&PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_lowercase();
        ["wav", "mp3", "flac", "ogg", "opus", "m4a", "aac", "aif", "aiff"].contains(&ending.as_str())
            || callmark_audio::headerless_endings().any(|known| known == ending)
    };
    let is_new = |path: &&PathBuf| !known.iter().any(|recording| recording.path == **path);
    let recording = |path: &PathBuf| LabelledRecording {
        name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        path: path.clone(),
        reference: Reference { language, turns: None },
    };
    files.iter().filter(is_sound).filter(is_new).map(recording).collect()
}

/// Recordings with `references/<name>.vtt`, and the voices of `voices.csv` if there is one.
fn web_vtt(folder: &Path, files: &[PathBuf]) -> Result<Vec<LabelledRecording>> {
    let voices_file = folder.join("voices.csv");
    let voices = if voices_file.is_file() { read_groups(&voices_file)? } else { BTreeMap::new() };
    let references = files_of(&folder.join("references"))?;
    let mut out = Vec::new();
    for path in references.iter().filter(|path| path.extension().is_some_and(|e| e == "vtt")) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(recording) = recording_of(&name, files) else { continue };
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let transcript = read::text::read(&bytes, file_name(path), None)
            .map_err(|e| anyhow!("{}: {e}", path.display()))?
            .ok_or_else(|| anyhow!("{} is not a transcript", path.display()))?;
        let turn = |turn: &callmark_core::transcript::Turn| ReferenceTurn {
            role: turn.role,
            channel: 0,
            voice: voices.get(&(name.clone(), turn.role)).cloned(),
            begin_ms: turn.begin_ms,
            end_ms: turn.end_ms,
            text: turn.text.clone(),
            words: Vec::new(),
        };
        let reference = Reference {
            language: transcript.language.unwrap_or(Language::En),
            turns: Some(transcript.turns.iter().map(turn).collect()),
        };
        out.push(LabelledRecording { name, path: recording, reference });
    }
    Ok(out)
}

/// Reads a table with call_id, role, group.
pub fn read_groups(path: &Path) -> Result<BTreeMap<(String, Role), String>> {
    #[derive(Deserialize)]
    struct Line {
        call_id: String,
        role: Role,
        group: String,
    }
    let mut reader = csv::Reader::from_path(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = reader.deserialize().map(|line: Result<Line, _>| line.map(|l| ((l.call_id, l.role), l.group)));
    lines.collect::<Result<_, _>>().with_context(|| format!("in {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_read_from_files_beside_the_recordings() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        put("a.wav", "");
        put("a.txt", "");
        put(
            "a.reference.json",
            r#"{"language": "en", "turns": [{"role": "rep", "channel": 0, "voice": "v", "begin_ms": 5, "end_ms": 900,
                "text": "Hello there.", "words": [{"text": "Hello", "begin_ms": 5, "end_ms": 400},
                {"text": "there.", "begin_ms": 410, "end_ms": 900}]},
                {"role": "customer", "begin_ms": 950, "end_ms": 1200, "text": "Good morning."}]}"#,
        );
        let set = LabelledSet::read(folder.path(), None).unwrap();
        assert_eq!((set.recordings.len(), set.recordings[0].name.as_str()), (1, "a"));
        let turns = set.recordings[0].reference.turns();
        assert_eq!(turns[0].spoken_words()[1].span, Some(Span { begin_ms: 410, end_ms: 900 }));
        assert_eq!(turns[1].spoken_words().len(), 2);
        assert_eq!(turns[1].spoken_words()[0].span, None);

        put("b.reference.json", r#"{"language": "en", "turns": []}"#);
        let error = LabelledSet::read(folder.path(), None).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("hint:"), "{error}");
        put("b.reference.json", r#"{"language": "fr", "turns": []}"#);
        assert!(format!("{:#}", LabelledSet::read(folder.path(), None).map(|_| ()).unwrap_err()).contains("fr"));

        let other = tempfile::tempdir().unwrap();
        std::fs::write(other.path().join("c.wav"), "").unwrap();
        assert!(LabelledSet::read(other.path(), None).is_err());
        let set = LabelledSet::read(other.path(), Some(Language::Zh)).unwrap();
        assert!(set.recordings[0].reference.turns.is_none());
        assert_eq!(set.recordings[0].reference.language, Language::Zh);
    }
}
