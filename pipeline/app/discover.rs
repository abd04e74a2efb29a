//! Finds recordings: files, folders and globs in; a sorted list of candidates out. Decides by name only; content decides later.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use callmark_store::FileStamp;
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use walkdir::WalkDir;

use crate::read::metadata::is_folder_table;

/// File names with these endings, and those of sound without a header, are tried when they lie in a folder; a file that is
/// named itself is always tried.
const RECORDINGS: &[&str] = &[
    "wav", "wave", "mp3", "flac", "ogg", "oga", "opus", "m4a", "mp4", "aac", "aif", "aiff", "aifc", "caf", "mka",
    "webm", "au", "snd", "w64", "amr",
];
const TRANSCRIPTS: &[&str] = &["vtt", "srt", "txt"];
/// Lists globs, one a line, of what a folder run must leave alone (reference transcripts, for example).
const IGNORE_FILE: &str = ".callmarkignore";

/// A file that may be a recording or a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub path: PathBuf,
    pub file_name: String,
    pub stamp: FileStamp,
    /// When the file's bytes, name or rights last changed, in nanoseconds since 1970: unlike `mtime`, nobody can set it.
    pub changed_ns: i64,
}

/// What discovery found.
#[derive(Debug, Default)]
pub struct Discovered {
    /// Sorted by path, each file once.
    pub candidates: Vec<Candidate>,
    /// Files in the given folders that are no recordings by their name.
    pub skipped: usize,
    /// `metadata.csv`, `metadata.xlsx`, … that lie in the given folders.
    pub metadata_files: Vec<PathBuf>,
    /// Folders that could not be read, with the reason.
    pub warnings: Vec<String>,
}

/// Expands files, folders (recursively, no hidden files, no link loops) and glob patterns. The output folder `out` is left
/// alone: its captions are no new calls.
///
/// # Errors
/// A path that does not exist, a bad pattern, or nothing found at all.
pub fn discover(paths: &[PathBuf], out: &Path) -> Result<Discovered> {
    let mut found = Discovered::default();
    let mut files: BTreeMap<PathBuf, bool> = BTreeMap::new();
    for path in paths {
        let text = path.to_string_lossy();
        if path.is_dir() {
            walk(path, out, None, &mut files, &mut found)?;
        } else if path.is_file() {
            files.insert(path.clone(), true);
        } else if let Ok(facts) = path.metadata() {
            bail!("{} is {}\nhint: give a file, or a folder of files", path.display(), special(facts.file_type()));
        } else if text.contains(['*', '?', '[', '{']) {
            let pattern = GlobBuilder::new(text.trim_start_matches("./"))
                .literal_separator(true)
                .build()
                .with_context(|| format!("bad pattern {text}"))?;
            let matcher = GlobSetBuilder::new().add(pattern).build()?;
            let before = files.len();
            walk(&fixed_part(path), out, Some(&matcher), &mut files, &mut found)?;
            if files.len() == before {
                bail!(
                    "no file matches {text}\nhint: quote the pattern so that the shell does not change it, and check the folder"
                );
            }
        } else {
            bail!(
                "{} does not exist\nhint: give a recording, a folder of recordings, or a quoted pattern like 'calls/*.wav'",
                path.display()
            );
        }
    }
    for (path, named) in files {
        if named || is_recording(&path) {
            match candidate(&path) {
                Ok(candidate) => found.candidates.push(candidate),
                Err(error) => found.warnings.push(format!("{}: {error}", path.display())),
            }
        } else {
            found.skipped += 1;
        }
    }
    Ok(found)
}

fn walk(
    root: &Path,
    out: &Path,
    only: Option<&GlobSet>,
    files: &mut BTreeMap<PathBuf, bool>,
    found: &mut Discovered,
) -> Result<()> {
    let ignored = ignore_rules(root)?;
    let out = std::fs::canonicalize(out).ok();
    let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    let walker = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter().filter_entry(|entry| {
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let outputs = entry.file_type().is_dir() && out.as_deref().is_some_and(|out| is_same(entry.path(), out));
        entry.depth() == 0 || (!outputs && !hidden(entry.file_name()) && !ignored.is_match(relative))
    });
    for entry in walker {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                found.warnings.push(error.to_string());
                continue;
            }
        };
        if entry.file_type().is_dir()
            || only.is_some_and(|globs| !globs.is_match(entry.path().strip_prefix(".").unwrap_or(entry.path())))
        {
            continue;
        }
        if !entry.file_type().is_file() {
            // Opening a pipe would wait for its writer, and a device may never end.
            if is_recording(entry.path()) {
                let what = special(entry.file_type());
                found.warnings.push(format!("{}: left alone, it is {what}", entry.path().display()));
            }
            continue;
        }
        if is_folder_table(entry.path()) && only.is_none() {
            found.metadata_files.push(entry.path().to_path_buf());
        } else {
            files.entry(entry.path().to_path_buf()).or_insert(only.is_some());
        }
    }
    Ok(())
}

/// What something is that is neither a file nor a folder.
fn special(kind: std::fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

fn is_same(path: &Path, canonical: &Path) -> bool {
    std::fs::canonicalize(path).is_ok_and(|path| path == canonical)
}

fn ignore_rules(root: &Path) -> Result<GlobSet> {
    let mut rules = GlobSetBuilder::new();
    if let Ok(text) = std::fs::read_to_string(root.join(IGNORE_FILE)) {
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let rule = line.trim_end_matches('/');
            rules.add(Glob::new(rule).with_context(|| format!("bad pattern `{rule}` in {IGNORE_FILE}"))?);
        }
    }
    Ok(rules.build()?)
}

/// The part of a pattern before its first special character: where walking starts.
fn fixed_part(pattern: &Path) -> PathBuf {
    let special = |part: &std::path::Component| part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']);
    let fixed: PathBuf = pattern.components().take_while(|part| !special(part)).collect();
    if fixed.as_os_str().is_empty() { PathBuf::from(".") } else { fixed }
}

/// Sidecars (`call.json` beside `call.wav`) are metadata; a JSON file that stands alone may be a Contact Lens transcript.
fn is_recording(path: &Path) -> bool {
    let Some(extension) = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()) else { return false };
    if extension == "json" {
        let name = path.file_stem().unwrap_or_default();
        let beside = path.with_file_name(name);
        let recording = |ending: &str| path.with_extension(ending).is_file();
        return !beside.is_file() && !endings().any(|e| recording(e) || recording(&e.to_ascii_uppercase()));
    }
    endings().any(|e| e == extension)
}

fn endings() -> impl Iterator<Item = &'static str> {
    RECORDINGS.iter().chain(TRANSCRIPTS).copied().chain(callmark_audio::headerless_endings())
}

/// A file that is text already, by its name.
pub fn is_text_name(name: &str) -> bool {
    let ending = Path::new(name).extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    ending == "json" || TRANSCRIPTS.contains(&ending.as_str())
}

/// A name for messages and tables: what a terminal or a log would take as a command or a new line is replaced.
fn printable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn candidate(path: &Path) -> std::io::Result<Candidate> {
    let facts = std::fs::metadata(path)?;
    Ok(Candidate {
        file_name: printable(&path.file_name().unwrap_or_default().to_string_lossy()),
        path: path.to_path_buf(),
        stamp: stamp_of(path, &facts)?,
        changed_ns: nanoseconds(facts.ctime(), facts.ctime_nsec()).max(nanoseconds(facts.mtime(), facts.mtime_nsec())),
    })
}

/// What tells whether a file is still the one that was seen.
pub fn stamp(path: &Path) -> std::io::Result<FileStamp> {
    stamp_of(path, &std::fs::metadata(path)?)
}

fn stamp_of(path: &Path, facts: &std::fs::Metadata) -> std::io::Result<FileStamp> {
    Ok(FileStamp {
        path: std::path::absolute(path)?.to_string_lossy().into_owned(),
        size: facts.len(),
        mtime_ns: nanoseconds(facts.mtime(), facts.mtime_nsec()),
        inode: facts.ino(),
    })
}

fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &Discovered) -> Vec<&str> {
        found.candidates.iter().map(|c| c.file_name.as_str()).collect()
    }

    #[test]
    fn folders_globs_and_files() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        };
        for name in [
            "b.wav",
            "a.MP3",
            "d.sln16",
            "e.VOX",
            "sub/c.vtt",
            "b.json",
            "e.json",
            "lens.json",
            "notes.md",
            ".hidden.wav",
            "references/b.vtt",
            "metadata.csv",
        ] {
            put(name);
        }
        std::fs::write(dir.path().join(IGNORE_FILE), "references/\n").unwrap();
        let out = dir.path().join("out");
        put("out/b.vtt");
        let found = discover(&[dir.path().to_path_buf()], &out).unwrap();
        assert_eq!(names(&found), ["a.MP3", "b.wav", "d.sln16", "e.VOX", "lens.json", "c.vtt"]);
        assert_eq!((found.skipped, found.metadata_files.len()), (3, 1));
        let found = discover(&[dir.path().join("*.wav")], &out).unwrap();
        assert_eq!(names(&found), ["b.wav"]);
        let found = discover(&[dir.path().join("notes.md"), dir.path().join("notes.md")], &out).unwrap();
        assert_eq!(names(&found), ["notes.md"], "a file that is named itself is tried, and once");
        let error = discover(&[dir.path().join("nothing.wav")], &out).unwrap_err().to_string();
        assert!(error.contains("hint:"), "{error}");
    }
}
