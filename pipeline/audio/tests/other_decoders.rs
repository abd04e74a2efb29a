//! Telephone formats against SoX and ffmpeg: they write (or random bytes do), they decode, and callmark gives their samples.
//! `scripts/setup-tests` installs both.

use std::path::{Path, PathBuf};
use std::process::Command;

use callmark_audio::{Audio, Limits, decode, decode_named};
use tempfile::TempDir;

fn bytes_from(tool: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(tool).args(arguments).output();
    let output = output.unwrap_or_else(|e| panic!("{tool}: {e}\nhint: scripts/setup-tests installs it"));
    assert!(output.status.success(), "{tool} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn samples_of(bytes: &[u8]) -> Vec<i16> {
    bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

fn sox(file: &Path) -> Vec<i16> {
    samples_of(&bytes_from("sox", &["-D", text(file), "-t", "raw", "-e", "signed", "-b", "16", "-L", "-"]))
}

fn ffmpeg(file: &Path) -> Vec<i16> {
    samples_of(&bytes_from("ffmpeg", &["-v", "error", "-i", text(file), "-f", "s16le", "-c:a", "pcm_s16le", "-"]))
}

fn callmark(file: &Path) -> Audio {
    decode_named(&std::fs::read(file).unwrap(), text(file), &Limits::default()).unwrap()
}

fn sixteen_bit(audio: &Audio) -> Vec<i16> {
    audio.channels[0].iter().map(|sample| (sample * 32_768.0) as i16).collect()
}

/// A channel of a sample call (8 kHz) in another format.
fn converted(folder: &TempDir, call: &str, name: &str, options: &[&str]) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sample-audio").join(call);
    let file = folder.path().join(name);
    let arguments = [&["-D", text(&source)], options, &[text(&file), "remix", "1"]].concat();
    bytes_from("sox", &arguments);
    file
}

/// The same bytes in every run (Knuth's MMIX constants).
fn random_bytes(count: usize) -> Vec<u8> {
    let mut state = 11u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn wav(tag: u16, block: u16, bits: u16, data: &[u8]) -> Vec<u8> {
    let mut out = b"RIFF\0\0\0\0WAVEfmt \x14\0\0\0".to_vec();
    let bytes_a_second = if tag == 0x31 { 1_625u32 } else { 4_000 };
    for (field, width) in
        [(u32::from(tag), 2), (1, 2), (8_000, 4), (bytes_a_second, 4), (block.into(), 2), (bits.into(), 2)]
    {
        out.extend(&field.to_le_bytes()[..width]);
    }
    // Size of what follows, and samples a block.
    out.extend(b"\x02\0\x40\x01data");
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out
}

#[test]
fn telephone_formats_are_bit_exact_with_sox() {
    let folder = TempDir::new().unwrap();
    for call in ["T-1004.wav", "S-2008.wav"] {
        for (name, options, codec) in [
            ("call.gsm", &[][..], "gsm"),
            ("wav49.wav", &["-e", "gsm-full-rate"], "gsm"),
            ("call.al", &[], "pcm_alaw"),
            ("call.ulaw", &["-t", "ul"], "pcm_mulaw"),
            ("call.vox", &[], "adpcm_oki"),
            ("call.sln", &[], "pcm_s16"),
            ("call.sln16", &["-t", "raw", "-e", "signed", "-b", "16", "-r", "16000"], "pcm_s16"),
        ] {
            let file = converted(&folder, call, name, options);
            let audio = callmark(&file);
            let (headerless, wide) = (!name.ends_with("wav"), name.ends_with("16"));
            assert_eq!(audio.codec, codec, "{call} as {name}");
            assert_eq!(audio.sample_rate_hz, if wide { 16_000 } else { 8_000 }, "{call} as {name}");
            assert_eq!(audio.warnings.len(), usize::from(headerless), "{call} as {name}: {:?}", audio.warnings);
            let theirs = match name {
                "call.ulaw" => samples_of(&bytes_from(
                    "sox",
                    &["-D", "-t", "ul", "-r", "8000", "-c", "1", text(&file), "-t", "s16", "-L", "-"],
                )),
                "call.sln16" => samples_of(&std::fs::read(&file).unwrap()),
                _ => sox(&file),
            };
            assert!(theirs.len() > 200_000);
            let length = audio.channels[0].len();
            // SoX plays the last block of two frames to its end, whatever the header says of the length.
            let padding = if name == "wav49.wav" { 319 } else { 0 };
            assert!((theirs.len() - padding..=theirs.len()).contains(&length), "{call} as {name}: {length}");
            assert!(sixteen_bit(&audio) == theirs[..length], "{call} as {name} differs from SoX");
        }
    }
}

/// A sample call's first seconds as MP3.
fn mp3(folder: &TempDir, call: &str, channels: &str, rate_hz: &str) -> Vec<u8> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sample-audio").join(call);
    let file = folder.path().join(format!("{channels}.mp3"));
    let options = ["-t", "20", "-ac", channels, "-ar", rate_hz, "-b:a", "32k", "-y"];
    bytes_from("ffmpeg", &[&["-v", "error", "-i", text(&source)], &options[..], &[text(&file)]].concat());
    std::fs::read(file).unwrap()
}

#[test]
fn of_joined_files_with_other_channels_nothing_is_lost() {
    let folder = TempDir::new().unwrap();
    let (mono, stereo) = (mp3(&folder, "T-1004.wav", "1", "8000"), mp3(&folder, "T-1004.wav", "2", "8000"));
    let length = |bytes: &[u8]| decode(bytes, &Limits::default()).unwrap().channels[0].len();
    for (first, second, channels) in [(&mono, &stereo, 1), (&stereo, &mono, 2), (&mono, &mono, 1)] {
        let audio = decode(&[&first[..], second].concat(), &Limits::default()).unwrap();
        assert_eq!(audio.channels.len(), channels);
        // The second one's header is a frame of silence, and its encoder's padding stays: 576 samples each.
        let whole = length(first) + length(second);
        let found = audio.channels[0].len();
        assert!((whole - 1_728..=whole + 1_728).contains(&found), "{found} of {whole}: {:?}", audio.warnings);
        let warned = |words: &str| audio.warnings.iter().any(|warning| warning.contains(words));
        assert!(warned("joined"), "{:?}", audio.warnings);
        assert_eq!(warned("number of channels changes"), first != second, "{:?}", audio.warnings);
        // The second one's sound is there, not only its time.
        let level = |samples: &[f32]| samples.iter().map(|v| v * v).sum::<f32>() / samples.len() as f32;
        let half = audio.channels[0].len() / 2;
        assert!(level(&audio.channels[0][half..]) > 0.1 * level(&audio.channels[0][..half]));
    }
}

#[test]
fn of_joined_files_with_other_rates_nothing_is_lost() {
    let folder = TempDir::new().unwrap();
    let (low, high) = (mp3(&folder, "T-1004.wav", "1", "8000"), mp3(&folder, "T-1004.wav", "1", "16000"));
    let audio = decode(&[&low[..], &high, &low].concat(), &Limits::default()).unwrap();
    assert_eq!((audio.sample_rate_hz, audio.channels.len()), (16_000, 1));
    assert!((59_800..=60_400).contains(&audio.duration_ms()), "{} ms: {:?}", audio.duration_ms(), audio.warnings);
    assert!(audio.warnings.iter().any(|warning| warning.contains("sample rate changes")), "{:?}", audio.warnings);
    let limits = Limits { max_duration_s: 50, ..Limits::default() };
    assert_eq!(decode(&[&low[..], &high, &low].concat(), &limits).unwrap_err().code(), "limit");
}

#[test]
fn gsm_is_bit_exact_with_ffmpeg() {
    let folder = TempDir::new().unwrap();
    let gsm = converted(&folder, "T-1004.wav", "call.gsm", &[]);
    assert!(sixteen_bit(&callmark(&gsm)) == ffmpeg(&gsm), "raw frames differ");
    let wav49 = converted(&folder, "T-1004.wav", "call.wav", &["-e", "gsm-full-rate"]);
    let (mine, theirs) = (sixteen_bit(&callmark(&wav49)), ffmpeg(&wav49));
    // ffmpeg does not trim the last block's padding.
    assert!(mine.len() <= theirs.len() && theirs.len() - mine.len() < 320, "{} of {}", mine.len(), theirs.len());
    assert!(mine == theirs[..mine.len()], "pairs of frames differ");
}

/// Every parameter takes every value, also those that no encoder writes.
#[test]
fn random_frames_are_bit_exact() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let mut frames = random_bytes(33 * 4_000);
    frames.chunks_mut(33).for_each(|frame| frame[0] = 0xd0 | frame[0] & 0x0f);
    let gsm = file("random.gsm", &frames);
    assert!(sixteen_bit(&callmark(&gsm)) == sox(&gsm), "GSM frames differ from SoX");
    let pairs = file("random.wav", &wav(0x31, 65, 0, &random_bytes(65 * 2_000)));
    assert!(sixteen_bit(&callmark(&pairs)) == sox(&pairs), "GSM pairs differ from SoX");
    let codes = random_bytes(100_000);
    let mine = decode(&wav(0x17, 1, 4, &codes), &Limits::default()).unwrap();
    assert_eq!(mine.codec, "adpcm_oki");
    assert!(sixteen_bit(&mine) == sox(&file("random.vox", &codes)), "OKI ADPCM differs from SoX");
}

/// Asterisk writes µ-law under `.pcm`, others write G.711 under `.raw`: what sounds is taken.
#[test]
fn g711_under_a_name_for_pcm_is_heard() {
    let folder = TempDir::new().unwrap();
    for call in ["T-1004.wav", "S-2008.wav"] {
        for (format, codec) in [("ul", "pcm_mulaw"), ("al", "pcm_alaw"), ("s16", "pcm_s16")] {
            let audio = callmark(&converted(&folder, call, "call.raw", &["-t", format]));
            assert_eq!(audio.codec, codec, "{call} as {format}: {:?}", audio.warnings);
        }
    }
}

/// Formats under each other's names: a wrong name gives an error, not noise that is scored, wherever noise can be told.
#[test]
fn wrong_names_are_refused() {
    let folder = TempDir::new().unwrap();
    let vox = std::fs::read(converted(&folder, "T-1004.wav", "call.vox", &[])).unwrap();
    let gsm = std::fs::read(converted(&folder, "T-1004.wav", "call.gsm", &[])).unwrap();
    let mu_law = std::fs::read(converted(&folder, "T-1004.wav", "call.ul", &[])).unwrap();
    let pcm = std::fs::read(converted(&folder, "T-1004.wav", "call.sln", &[])).unwrap();
    for (bytes, name) in [
        (&vox, "x.gsm"),
        (&mu_law, "x.gsm"),
        (&mu_law, "x.sln"),
        (&gsm, "x.sln"),
        (&gsm, "x.ul"),
        (&gsm, "x.al"),
        (&gsm, "x.g722"),
        (&vox, "x.g722"),
        (&mu_law, "x.g722"),
        (&pcm, "x.g722"),
    ] {
        let error = decode_named(bytes, name, &Limits::default()).unwrap_err();
        assert_eq!(error.code(), "not_as_named", "{} bytes as {name}: {error}", bytes.len());
        assert!(error.hint().contains("ending"));
    }
}

/// What cannot be decoded is silence: the words behind it are where they were.
#[test]
fn a_damaged_mp3_frame_does_not_move_what_follows() {
    let folder = TempDir::new().unwrap();
    let whole = converted(&folder, "S-2006.wav", "call.wav", &["-r", "16000"]);
    let file = folder.path().join("call.mp3");
    bytes_from(
        "ffmpeg",
        &["-v", "error", "-i", text(&whole), "-c:a", "libmp3lame", "-b:a", "32k", "-write_xing", "0", text(&file)],
    );
    let whole = callmark(&file);
    let mut bytes = std::fs::read(&file).unwrap();
    let mut frames = (0..bytes.len() - 4).filter(|at| bytes[*at] == 0xFF && bytes[at + 1] & 0xFE == 0xF2);
    let damaged = frames.find(|at| *at > bytes.len() / 4).unwrap();
    // The side information of a frame: it promises more values than there can be.
    bytes[damaged + 4..damaged + 13].fill(0xFF);
    std::fs::write(&file, &bytes).unwrap();
    let audio = callmark(&file);
    assert!(audio.warnings.iter().any(|w| w.to_string().contains("damaged")), "{:?}", audio.warnings);
    let (before, after) = (&whole.channels[0], &audio.channels[0]);
    assert_eq!(before.len(), after.len());
    let tail = before.len() / 2;
    assert!(before[tail..].iter().any(|sample| sample.abs() > 0.05), "silence would prove nothing");
    assert!(before[tail..] == after[tail..], "the second half has moved");
}
