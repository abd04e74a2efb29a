//! Forty and more hostile files among three good calls: every one is named with stage, cause and hint, the good ones are
//! scored, nothing hangs, and memory stays bounded.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Place, project};
use crate::memory;

/// What every text among the hostile files says; it must turn up nowhere.
const SAID: &str = "zuvokrade melipatru gonafised";

fn noise(bytes: usize) -> Vec<u8> {
    (0..bytes as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

struct Wav {
    tag: u16,
    channels: u16,
    rate: u32,
    bits: u16,
}

const GOOD: Wav = Wav { tag: 1, channels: 2, rate: 8000, bits: 16 };

impl Wav {
    fn format(&self) -> Vec<u8> {
        let block = self.channels.wrapping_mul(self.bits / 8);
        let mut bytes = self.tag.to_le_bytes().to_vec();
        bytes.extend(self.channels.to_le_bytes());
        bytes.extend(self.rate.to_le_bytes());
        bytes.extend(self.rate.wrapping_mul(u32::from(block)).to_le_bytes());
        bytes.extend(block.to_le_bytes());
        bytes.extend(self.bits.to_le_bytes());
        bytes
    }

    fn with(&self, data: &[u8]) -> Vec<u8> {
        riff(&[(b"fmt ", 16, &self.format()), (b"data", data.len() as u32, data)])
    }
}

/// Chunks whose sizes may lie.
fn riff(chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
    let mut bytes = b"RIFF\x10\x27\0\0WAVE".to_vec();
    for (id, size, body) in chunks {
        bytes.extend(*id);
        bytes.extend(size.to_le_bytes());
        bytes.extend(*body);
    }
    bytes
}

/// Files of which each must fail.
fn failing() -> Vec<(&'static str, Vec<u8>)> {
    let noise = noise(4096);
    let joined = |parts: &[&[u8]]| parts.concat();
    let format = GOOD.format();
    let vtt = |text: String| format!("WEBVTT\n\n{text}").into_bytes();
    vec![
        ("01-empty.wav", vec![]),
        ("02-empty-too.wav", vec![]),
        ("03-header-only.wav", GOOD.with(&[])),
        ("04-noise.wav", noise.clone()),
        ("05-noise.mp3", noise.iter().rev().copied().collect()),
        ("06-error-page.mp3", format!("<!DOCTYPE html><html><body>{SAID}</body></html>").into_bytes()),
        ("07-archive.flac", joined(&[b"PK\x03\x04", &noise])),
        ("08-rate-zero.wav", Wav { rate: 0, ..GOOD }.with(&noise)),
        ("09-rate-4-ghz.wav", Wav { rate: u32::MAX, ..GOOD }.with(&noise)),
        ("10-no-channels.wav", Wav { channels: 0, ..GOOD }.with(&noise)),
        ("11-eleven-channels.wav", Wav { channels: 11, ..GOOD }.with(&noise)),
        ("12-65535-channels.wav", Wav { channels: u16::MAX, ..GOOD }.with(&noise)),
        ("13-one-bit.wav", Wav { bits: 1, ..GOOD }.with(&noise)),
        ("14-no-format.wav", riff(&[(b"LIST", 4, b"INFO"), (b"data", 4096, &noise)])),
        ("15-format-cut.wav", riff(&[(b"fmt ", 4, &format[..4]), (b"data", 4096, &noise)])),
        ("16-format-claims-4-gb.wav", riff(&[(b"fmt ", u32::MAX, &format), (b"data", 4096, &noise)])),
        ("17-data-before-format.wav", riff(&[(b"data", 4096, &noise), (b"fmt ", 16, &format)])),
        ("18-unknown-codec.wav", Wav { tag: 0x1234, ..GOOD }.with(&noise)),
        ("19-no-data.wav", riff(&[(b"fmt ", 16, &format)])),
        ("20-riff-mark-only.wav", b"RIFF\xff\xff\xff\xffWAVE".to_vec()),
        ("21-cut.flac", b"fLaC\x00\x00\x00\x22\x10\x00".to_vec()),
        // 2^36 samples promised, none there.
        (
            "22-promises.flac",
            joined(&[b"fLaC\x80\x00\x00\x22\x10\0\x10\0\0\0\0\0\0\0\x01\xf4\x02\xff\xff\xff\xff\xff", &[0; 16]]),
        ),
        ("23-cut-in-page.ogg", b"OggS\x00\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\xff\xff\x1evor".to_vec()),
        ("24-no-index.m4a", joined(&[b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42\0\0\x20\0mdat", &noise])),
        (
            "25-box-of-16-eb.m4a",
            joined(&[b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42\0\0\0\x01moov\x7f\xff\xff\xff\xff\xff\xff\xff", &noise]),
        ),
        ("26-tag-claims-256-mb.mp3", joined(&[b"ID3\x04\0\0\x7f\x7f\x7f\x7f", &noise[..64]])),
        ("27-sync-marks-only.mp3", [0xff, 0xfb, 0x00, 0x00].repeat(64)),
        ("28-matroska-garbage.webm", joined(&[b"\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xfe", &noise])),
        (
            "29-form-of-4-gb.aiff",
            joined(&[b"FORM\xff\xff\xff\xffAIFFCOMM\0\0\0\x12\0\x02\xff\xff\xff\xff\0\x10", &[0; 10]]),
        ),
        ("30-chunk-negative.caf", joined(&[b"caff\0\x01\0\0desc\x80\0\0\0\0\0\0\0", &noise[..256]])),
        ("31-picture.wav", joined(&[b"\x89PNG\r\n\x1a\n", &noise])),
        ("32-amr.amr", joined(&[b"#!AMR\n", &noise])),
        ("33-gzip-bomb.mp3", joined(&[b"\x1f\x8b\x08\0\0\0\0\0\0\x03", &[0; 4096]])),
        ("34-note.wav", format!("This is no recording: {SAID}\n").repeat(20).into_bytes()),
        ("35-no-cue.vtt", vtt(format!("00:00:05.000 -> 00:00:09.000\n<v Rep>{SAID}\n"))),
        ("36-not-utf8.vtt", joined(&[b"WEBVTT\n\n00:05.000 --> 00:09.000\n\xc3\x28", SAID.as_bytes()])),
        ("37-beyond-a-day.vtt", vtt(format!("00:00.000 --> 99:00:00.000\n<v Rep>{SAID}\n"))),
        (
            "38-one-line-of-50-mb.vtt",
            vtt(format!("00:00.000 --> 00:01.000\n<v Rep>{}", format!("{SAID} ").repeat(1_700_000))),
        ),
        ("39-sixty-thousand-turns.txt", format!("Rep: {SAID}\nCustomer: {SAID}\n").repeat(30_000).into_bytes()),
        ("40-deep.json", format!("{{\"Transcript\": {}\"{SAID}\"", "[".repeat(100_000)).into_bytes()),
        ("41-cut.json", format!("{{\"Transcript\": [{{\"Content\": \"{SAID}").into_bytes()),
        (
            "42-time-1e308.json",
            format!("{{\"segments\": [{{\"start\": 1e308, \"end\": 2, \"text\": \"{SAID}\"}}]}}").into_bytes(),
        ),
        (
            "44-turn-of-4-million-lines.txt",
            format!("Rep: {SAID}\nRep: {SAID}\n{}", "x\n".repeat(4_000_000)).into_bytes(),
        ),
        (
            "45-ten-million-empty-turns.json",
            format!("{{\"Transcript\": [{}{{}}]}}", "{},".repeat(10_000_000)).into_bytes(),
        ),
        ("46-million-cues.srt", "1\n00:00:00,000 --> 00:00:01,000\nRep: \n\n".repeat(500_000).into_bytes()),
        ("47-million-tags.vtt", vtt(format!("00:00.000 --> 00:01.000\n{}", "<v Rep>".repeat(2_000_000)))),
        ("43-garbage.srt", joined(&[b"1\n00:00:00,000 --> 99:99:99,999\nRep: ", SAID.as_bytes()])),
    ]
}

/// Odd, but there is something in them: a result without a score, or a failure with a hint; a crash never.
fn odd() -> Vec<(&'static str, Vec<u8>)> {
    let noise = noise(64_000);
    let not_numbers: Vec<u8> = [f32::NAN, f32::INFINITY, -1e38, 0.0].iter().flat_map(|f| f.to_le_bytes()).collect();
    let lie = |size: u32| riff(&[(b"fmt ", 16, &GOOD.format()), (b"data", size, &noise)]);
    vec![
        ("60-not-numbers.wav", Wav { tag: 3, bits: 32, ..GOOD }.with(&not_numbers.repeat(2_000))),
        ("61-192-khz.wav", Wav { rate: 192_000, ..GOOD }.with(&noise)),
        ("62-length-zero.wav", lie(0)),
        ("63-length-unknown.wav", lie(u32::MAX)),
        ("64-odd-byte.wav", GOOD.with(&noise[..63_999])),
        ("65-one-sample.wav", GOOD.with(&noise[..4])),
        ("66-silence.wav", GOOD.with(&[0; 64_000])),
    ]
}

/// Names that break naive programs: each holds bytes that fail.
fn names() -> Vec<Vec<u8>> {
    vec![
        b"70-new\nline.wav".to_vec(),
        b"71-clear\x1b[2Jscreen.wav".to_vec(),
        "72-\u{1F4DE}通话录音.wav".as_bytes().to_vec(),
        b"73-not-\xff\xfe-utf8.wav".to_vec(),
        [b"74-".as_slice(), &[b'x'; 248], b".wav"].concat(),
        b"75 -rf '$(touch pwned)`.wav".to_vec(),
    ]
}

/// Things in the folder that are no files: left alone, and said so where they look like recordings.
fn no_files(night: &Path) -> Vec<&'static str> {
    fs::create_dir(night.join("80-folder.wav")).unwrap();
    assert!(Command::new("mkfifo").arg(night.join("81-pipe.wav")).status().unwrap().success());
    drop(UnixListener::bind(night.join("82-socket.wav")).unwrap());
    symlink("/dev/zero", night.join("83-endless.wav")).unwrap();
    symlink("85-loop.wav", night.join("84-loop.wav")).unwrap();
    symlink("84-loop.wav", night.join("85-loop.wav")).unwrap();
    symlink("nowhere.wav", night.join("86-dangling.wav")).unwrap();
    symlink(".", night.join("87-folder-in-itself")).unwrap();
    vec![
        "81-pipe.wav",
        "82-socket.wav",
        "83-endless.wav",
        "84-loop.wav",
        "85-loop.wav",
        "86-dangling.wav",
        "87-folder-in-itself",
    ]
}

fn good_calls(night: &Path) -> Vec<PathBuf> {
    let mut good: Vec<_> =
        fs::read_dir(project().join("sample-audio/references")).unwrap().map(|e| e.unwrap().path()).collect();
    good.sort();
    let copy = |from: PathBuf| {
        let to = night.join(from.file_name().unwrap());
        fs::copy(&from, &to).unwrap();
        to
    };
    good.into_iter().take(3).map(copy).collect()
}

#[test]
fn forty_hostile_files_among_three_good_calls() {
    let place = Place::new();
    let night = place.folder.path().join("night");
    fs::create_dir(&night).unwrap();
    for (name, bytes) in failing().into_iter().chain(odd()) {
        fs::write(night.join(name), bytes).unwrap();
    }
    for (index, name) in names().iter().enumerate() {
        fs::write(night.join(OsStr::from_bytes(name)), format!("<html>{index} {SAID}")).unwrap();
    }
    let sparse = File::create(night.join("50-sparse-10-gb.wav")).unwrap();
    sparse.set_len(10 << 30).unwrap();
    let left_alone = no_files(&night);
    good_calls(&night);

    let began = Instant::now();
    let mut command = place.command(&["run", "--json", "--jobs", "2", "--out", place.out().to_str().unwrap()]);
    command.arg(&night).stdin(Stdio::null());
    let (ran, peak_mb) = memory::watched(command, Duration::from_secs(240));
    let elapsed = began.elapsed();
    println!(
        "{} hostile things in {:.1} s, at most {peak_mb} MB",
        failing().len() + odd().len() + 15,
        elapsed.as_secs_f64()
    );
    let ran = ran.expect(2);
    assert!(peak_mb < 1024, "{peak_mb} MB");
    assert!(!ran.stderr.contains("panicked") && !ran.stderr.contains("internal error"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("did not expect"), "a stage panicked: {}", ran.stdout);
    let summary = ran.json();
    let failed = summary["failed"].as_array().unwrap();
    for failure in failed {
        for part in ["stage", "cause", "hint"] {
            assert!(!failure[part].as_str().unwrap().is_empty(), "{failure}");
        }
    }
    let named: BTreeSet<&str> = failed.iter().map(|f| f["file"].as_str().unwrap()).collect();
    for (name, _) in failing() {
        assert!(named.contains(name), "{name} is not among the failures: {named:?}");
    }
    assert!(named.contains("50-sparse-10-gb.wav"), "{named:?}");
    for name in names() {
        let start = String::from_utf8_lossy(&name[..2]).into_owned();
        assert!(named.iter().any(|n| n.starts_with(&start)), "{} is not among the failures", name.escape_ascii());
    }
    let warnings = summary["warnings"].to_string();
    for name in left_alone {
        assert!(warnings.contains(name), "nothing says that {name} was left alone: {warnings}");
    }
    for (what, text) in [("summary", &ran.stdout), ("messages", &ran.stderr)] {
        assert!(!SAID.split(' ').any(|word| text.contains(word)), "what was said is in the {what}");
        assert!(!text.contains('\u{1b}'), "a file's name reaches the terminal as a command in the {what}");
    }
    let odd_names: BTreeSet<&str> = odd().into_iter().map(|(name, _)| name).collect();
    let expected = failing().len() + names().len() + 1;
    let also_failed = named.iter().filter(|n| odd_names.contains(*n)).count();
    assert_eq!(failed.len(), expected + also_failed, "each is named once, and nothing else is");
    let calls = place.table("calls.csv");
    assert_eq!(
        calls.iter().filter(|c| !c["score"].is_empty()).count(),
        3,
        "the good calls, and they alone, have a score"
    );

    let again = place.run_on(&[&night], &[]).expect(0).json();
    let again = again["failed"].as_array().unwrap();
    assert_eq!(again.len(), failed.len());
    assert!(again.iter().all(|f| f["known"] == true), "known bad files are named again, and alarm nobody");
}

/// A pipe that is named itself is refused at once instead of waited for.
#[test]
fn a_named_pipe_is_refused() {
    let place = Place::new();
    let pipe = place.folder.path().join("call.wav");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = place.command(&["run", pipe.to_str().unwrap()]);
    let (ran, _) = memory::watched(command.stdin(Stdio::null()), Duration::from_secs(20));
    let ran = ran.expect(3);
    assert!(ran.stderr.contains("a pipe") && ran.stderr.contains("hint:"), "{}", ran.stderr);
}

/// Files of somebody else: named with a hint, and tried again as soon as they can be read.
#[test]
fn unreadable_files_cost_nobody_else_anything() {
    let place = Place::new();
    let night = place.folder.path().join("night");
    fs::create_dir(&night).unwrap();
    let good = good_calls(&night);
    fs::create_dir(night.join("closed")).unwrap();
    fs::copy(&good[0], night.join("closed/inside.vtt")).unwrap();
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&good[1], 0o000);
    mode(&night.join("closed"), 0o000);
    mode(place.folder.path(), 0o777);

    let plain = place.command(&["run", "--json", "--out", "out", night.to_str().unwrap()]);
    // Permissions mean nothing to root.
    let root = Command::new("id").arg("-u").output().unwrap().stdout.starts_with(b"0\n");
    let mut command = if root { as_nobody(&plain) } else { plain };
    let Ok(output) = command.output() else { return eprintln!("skipped: there is no setpriv") };
    let ran = crate::harness::Ran::new(output);
    if root && ran.code == 127 {
        return eprintln!("skipped: nobody may not run the program here: {}", ran.stderr);
    }
    let ran = ran.expect(2);
    let summary = ran.json();
    let failed = summary["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0]["file"], good[1].file_name().unwrap().to_str().unwrap());
    assert!(failed[0]["hint"].as_str().unwrap().contains("read"), "{failed:?}");
    assert!(summary["warnings"].to_string().contains("closed"), "the folder is named: {summary}");
    assert_eq!(summary["scored"].as_u64().unwrap() + summary["pending_review"].as_u64().unwrap(), 2);
    mode(&good[1], 0o644);
    mode(&night.join("closed"), 0o755);
    let healed = crate::harness::Ran::new(command.output().unwrap()).expect(0).json();
    assert!(healed["failed"].as_array().unwrap().is_empty(), "{healed}");
}

/// The same command as a user without rights.
fn as_nobody(command: &Command) -> Command {
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(command.get_program());
    nobody.args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => nobody.env(key, value),
            None => nobody.env_remove(key),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        nobody.current_dir(folder);
    }
    nobody
}
