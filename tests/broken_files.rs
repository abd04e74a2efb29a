//! Thirteen broken files among good ones: each is named with a stage, a cause and a hint, and the good ones are scored.

use std::path::Path;

use crate::harness::{Place, project};

fn wav(data_bytes: u32, samples: &[u8], rate: u32, channels: u16) -> Vec<u8> {
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data_bytes).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate.wrapping_mul(u32::from(channels) * 2)).to_le_bytes());
    bytes.extend((channels.wrapping_mul(2)).to_le_bytes());
    bytes.extend(16u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data_bytes.to_le_bytes());
    bytes.extend(samples);
    bytes
}

fn broken(folder: &Path) -> Vec<String> {
    let noise: Vec<u8> = (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let vtt = "WEBVTT\n\n00:00:05.000 -> 00:00:09.000\n<v Rep>Hello there\n".as_bytes().to_vec();
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("01-empty.wav", vec![]),
        ("02-header-only.wav", wav(0, &[], 8000, 2)),
        ("03-noise.wav", noise.clone()),
        ("04-noise.mp3", noise.iter().rev().copied().collect()),
        ("05-html.mp3", b"<!DOCTYPE html><html><body>Not found</body></html>".to_vec()),
        ("06-zip.flac", [b"PK\x03\x04".as_slice(), &noise].concat()),
        ("07-rate-zero.wav", wav(4096, &noise, 0, 2)),
        ("08-no-channels.wav", wav(4096, &noise, 8000, 0)),
        ("09-cut-flac.flac", b"fLaC\x00\x00\x00\x22\x10\x00".to_vec()),
        ("10-too-many-channels.wav", wav(4096, &noise, 8000, 64)),
        ("11-cut-ogg.ogg", b"OggS\x00\x02".to_vec()),
        ("12-no-cue.vtt", vtt),
        // Empty as the first one is, and a lost call of its own.
        ("13-empty-too.wav", vec![]),
    ];
    for (name, bytes) in &files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    files.into_iter().map(|(name, _)| name.to_string()).collect()
}

#[test]
fn thirteen_broken_files_among_good_ones() {
    let place = Place::new();
    let night = place.folder.path().join("night");
    std::fs::create_dir(&night).unwrap();
    let names = broken(&night);
    let references = project().join("sample-audio/references");
    let mut good: Vec<_> = std::fs::read_dir(references).unwrap().map(|e| e.unwrap().path()).collect();
    good.sort();
    for path in good.iter().take(3) {
        std::fs::copy(path, night.join(path.file_name().unwrap())).unwrap();
    }
    let ran = place.run_on(&[&night], &[]).expect(2);
    let summary = ran.json();
    let failed = summary["failed"].as_array().unwrap();
    let failed_names: Vec<&str> = failed.iter().map(|f| f["file"].as_str().unwrap()).collect();
    for name in &names {
        assert!(failed_names.contains(&name.as_str()), "{name} is not reported: {failed_names:?}");
    }
    for failure in failed {
        for part in ["stage", "cause", "hint"] {
            assert!(!failure[part].as_str().unwrap().is_empty(), "{failure}");
        }
    }
    assert_eq!(failed.len(), names.len());
    let with = |status: &str| {
        place.table("calls.csv").iter().filter(|c| (c["status"] == "failed") == (status == "failed")).count()
    };
    assert_eq!(
        (with("failed"), with("other")),
        (names.len(), 3),
        "failed calls are rows of the table, without a score"
    );
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("Hello there"), "what was said does not belong into messages");
    let again = place.run_on(&[&night], &[]).expect(0).json();
    assert!(
        again["failed"].as_array().unwrap().iter().all(|f| f["known"] == true),
        "known bad files are reported, not counted"
    );
    assert_eq!(place.table("calls.csv").len(), names.len() + 3, "and stay there");
    let reps = place.run(&["reps", "--format", "json"]).expect(0).json();
    assert_eq!(reps[0]["n_failed"], names.len());
}
