//! What callmark says it reads, written by SoX and ffmpeg from a sample call and decoded by them and by callmark;
//! docs/formats.md is made from it (`CALLMARK_WRITE_DOCS=1` writes it, else a stale page fails). `scripts/setup-tests`
//! installs both. `CALLMARK_KEEP_RECORDINGS=FOLDER` keeps what was written, for `scripts/fuzz` to begin with.
#![allow(clippy::print_stdout, reason = "tests report what they measured")]

mod comparison;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use callmark_audio::{Audio, AudioError, Limits, SPEECH_RATE_HZ, decode_named, resample_to_16k};
use codec_core::codecs::amr::AmrCodec;
use codec_core::{CodecConfig, VariableRateCodec};
use comparison::{Agreement, agreement, best_match, output_of};

enum Writer {
    /// Options for what is written.
    Sox(&'static [&'static str]),
    Ffmpeg(&'static [&'static str]),
    /// Neither SoX nor ffmpeg is built with an encoder everywhere: the one of callmark's library; ffmpeg decodes.
    Amr,
}
use Writer::{Ffmpeg, Sox};

/// A container with a codec that callmark reads.
struct Format {
    container: &'static str,
    codec: &'static str,
    /// Of the file's name.
    ending: &'static str,
    writer: Writer,
    rates_hz: &'static [u32],
    channels: &'static [u16],
    /// What decodes it in callmark.
    library: &'static str,
}

const ALL: &[u32] = &[8_000, 16_000, 44_100];
const LOW: &[u32] = &[8_000];
const WIDE: &[u32] = &[16_000];
const OPUS: &[u32] = &[8_000, 16_000, 48_000];
const ONE: &[u16] = &[1];
const BOTH: &[u16] = &[1, 2];

const fn format(
    container: &'static str,
    codec: &'static str,
    ending: &'static str,
    writer: Writer,
    rates_hz: &'static [u32],
    channels: &'static [u16],
    library: &'static str,
) -> Format {
    Format { container, codec, ending, writer, rates_hz, channels, library }
}

const FORMATS: &[Format] = &[
    format("WAV", "PCM 8 bit", "wav", Ffmpeg(&["-c:a", "pcm_u8"]), ALL, BOTH, "hound"),
    format("WAV", "PCM 16 bit", "wav", Ffmpeg(&["-c:a", "pcm_s16le"]), ALL, BOTH, "hound"),
    format("WAV", "PCM 24 bit", "wav", Ffmpeg(&["-c:a", "pcm_s24le"]), ALL, BOTH, "hound"),
    format("WAV", "PCM 32 bit", "wav", Ffmpeg(&["-c:a", "pcm_s32le"]), ALL, BOTH, "hound"),
    format("WAV", "float 32 bit", "wav", Ffmpeg(&["-c:a", "pcm_f32le"]), ALL, BOTH, "hound"),
    format("WAV", "float 64 bit", "wav", Ffmpeg(&["-c:a", "pcm_f64le"]), ALL, BOTH, "symphonia"),
    format("WAV", "A-law", "wav", Ffmpeg(&["-c:a", "pcm_alaw"]), ALL, BOTH, "symphonia"),
    format("WAV", "µ-law", "wav", Ffmpeg(&["-c:a", "pcm_mulaw"]), ALL, BOTH, "symphonia"),
    format("WAV", "IMA ADPCM", "wav", Ffmpeg(&["-c:a", "adpcm_ima_wav"]), ALL, BOTH, "symphonia"),
    format("WAV", "Microsoft ADPCM", "wav", Ffmpeg(&["-c:a", "adpcm_ms"]), ALL, BOTH, "symphonia"),
    format("WAV", "GSM 6.10", "wav", Sox(&["-e", "gsm-full-rate"]), LOW, ONE, "callmark"),
    format("WAV", "G.722", "wav", Ffmpeg(&["-c:a", "g722"]), WIDE, ONE, "audio-codec"),
    format("WAV", "MP3", "wav", Ffmpeg(&["-c:a", "libmp3lame"]), ALL, BOTH, "symphonia"),
    format("WAV", "MPEG layer 2", "wav", Ffmpeg(&["-c:a", "mp2", "-b:a", "64k"]), &[16_000, 44_100], BOTH, "symphonia"),
    format("RF64", "PCM 16 bit", "wav", Ffmpeg(&["-rf64", "always"]), ALL, BOTH, "hound"),
    format("RIFX", "PCM 16 bit", "wav", Sox(&["-B"]), ALL, BOTH, "hound"),
    format("RIFX", "float 32 bit", "wav", Sox(&["-B", "-e", "floating-point", "-b", "32"]), ALL, BOTH, "hound"),
    format("Sony Wave64", "PCM 16 bit", "w64", Ffmpeg(&["-c:a", "pcm_s16le"]), ALL, BOTH, "hound"),
    format("Sony Wave64", "µ-law", "w64", Ffmpeg(&["-c:a", "pcm_mulaw"]), ALL, BOTH, "symphonia"),
    format("Sun/NeXT AU", "PCM 16 bit", "au", Sox(&[]), ALL, BOTH, "hound"),
    format("Sun/NeXT AU", "float 32 bit", "au", Sox(&["-e", "floating-point", "-b", "32"]), ALL, BOTH, "hound"),
    format("Sun/NeXT AU", "A-law", "au", Sox(&["-e", "a-law"]), ALL, BOTH, "symphonia"),
    format("Sun/NeXT AU", "µ-law", "au", Sox(&["-e", "mu-law"]), ALL, BOTH, "symphonia"),
    format("AIFF", "PCM 16 bit", "aiff", Ffmpeg(&["-c:a", "pcm_s16be"]), ALL, BOTH, "symphonia"),
    format("AIFF", "PCM 24 bit", "aiff", Ffmpeg(&["-c:a", "pcm_s24be"]), ALL, BOTH, "symphonia"),
    format("AIFF", "A-law", "aiff", Ffmpeg(&["-c:a", "pcm_alaw"]), ALL, BOTH, "symphonia"),
    format("AIFF", "µ-law", "aiff", Ffmpeg(&["-c:a", "pcm_mulaw"]), ALL, BOTH, "symphonia"),
    format("CAF", "PCM 16 bit", "caf", Ffmpeg(&["-c:a", "pcm_s16le"]), ALL, BOTH, "symphonia"),
    format("CAF", "A-law", "caf", Ffmpeg(&["-c:a", "pcm_alaw"]), ALL, BOTH, "symphonia"),
    format("CAF", "µ-law", "caf", Ffmpeg(&["-c:a", "pcm_mulaw"]), ALL, BOTH, "symphonia"),
    format("CAF", "ALAC", "caf", Ffmpeg(&["-c:a", "alac"]), ALL, BOTH, "symphonia"),
    format("CAF", "Opus", "caf", Ffmpeg(&["-c:a", "libopus"]), OPUS, BOTH, "libopus"),
    format("MP3", "MP3, constant rate", "mp3", Ffmpeg(&["-b:a", "32k"]), ALL, BOTH, "symphonia"),
    format("MP3", "MP3, variable rate", "mp3", Ffmpeg(&["-q:a", "5"]), ALL, BOTH, "symphonia"),
    format("MP2", "MPEG layer 2", "mp2", Ffmpeg(&["-c:a", "mp2", "-b:a", "64k"]), &[16_000, 44_100], BOTH, "symphonia"),
    format("FLAC", "FLAC", "flac", Ffmpeg(&["-c:a", "flac"]), ALL, BOTH, "symphonia"),
    format("ADTS", "AAC-LC", "aac", Ffmpeg(&["-c:a", "aac"]), ALL, BOTH, "symphonia"),
    format("MP4, M4A", "AAC-LC", "m4a", Ffmpeg(&["-c:a", "aac"]), ALL, BOTH, "symphonia"),
    format("MP4, M4A", "ALAC", "m4a", Ffmpeg(&["-c:a", "alac"]), ALL, BOTH, "symphonia"),
    // Of other rates than this, ffmpeg 5 writes the samples to skip wrong.
    format("MP4, M4A", "Opus", "mp4", Ffmpeg(&["-c:a", "libopus"]), &[48_000], BOTH, "libopus"),
    format("MP4, M4A", "MP3", "mp4", Ffmpeg(&["-c:a", "libmp3lame"]), &[16_000, 44_100], BOTH, "symphonia"),
    format("MP4, M4A", "FLAC", "mp4", Ffmpeg(&["-c:a", "flac", "-strict", "-2"]), ALL, BOTH, "symphonia"),
    format("Ogg", "Opus", "ogg", Ffmpeg(&["-c:a", "libopus"]), OPUS, BOTH, "libopus"),
    format("Ogg", "Vorbis", "ogg", Ffmpeg(&["-c:a", "libvorbis"]), ALL, BOTH, "symphonia"),
    format("Ogg", "FLAC", "ogg", Ffmpeg(&["-c:a", "flac"]), ALL, BOTH, "symphonia"),
    format("WebM", "Opus", "webm", Ffmpeg(&["-c:a", "libopus"]), OPUS, BOTH, "libopus"),
    format("WebM", "Vorbis", "webm", Ffmpeg(&["-c:a", "libvorbis"]), ALL, BOTH, "symphonia"),
    format("Matroska", "Opus", "mka", Ffmpeg(&["-c:a", "libopus"]), OPUS, BOTH, "libopus"),
    format("Matroska", "FLAC", "mka", Ffmpeg(&["-c:a", "flac"]), ALL, BOTH, "symphonia"),
    format("Matroska", "AAC-LC", "mka", Ffmpeg(&["-c:a", "aac"]), ALL, BOTH, "symphonia"),
    format("Matroska", "MP3", "mka", Ffmpeg(&["-c:a", "libmp3lame"]), ALL, BOTH, "symphonia"),
    format("Matroska", "PCM 16 bit", "mka", Ffmpeg(&["-c:a", "pcm_s16le"]), ALL, BOTH, "symphonia"),
    format("AMR", "AMR-NB", "amr", Writer::Amr, LOW, ONE, "rvoip-codec-core"),
    format("AMR-WB", "AMR-WB", "awb", Writer::Amr, WIDE, ONE, "rvoip-codec-core"),
    format("none", "GSM 6.10", "gsm", Sox(&[]), LOW, ONE, "callmark"),
    format("none", "A-law", "al", Sox(&[]), LOW, ONE, "symphonia"),
    format("none", "µ-law", "ul", Sox(&[]), LOW, ONE, "symphonia"),
    format("none", "OKI/Dialogic ADPCM", "vox", Sox(&[]), LOW, ONE, "callmark"),
    format("none", "G.722", "g722", Ffmpeg(&["-c:a", "g722"]), WIDE, ONE, "audio-codec"),
    format("none", "PCM 16 bit", "sln", Ffmpeg(&["-f", "s16le"]), LOW, ONE, "hound"),
    format("none", "PCM 16 bit", "sln16", Ffmpeg(&["-f", "s16le"]), WIDE, ONE, "hound"),
    format("none", "PCM 16 bit", "sln44", Ffmpeg(&["-f", "s16le"]), &[44_100], ONE, "hound"),
];

/// Four seconds in which both sides speak.
const BEGIN_S: &str = "20";
const LENGTH_S: &str = "4";
/// Of what is kept for fuzzing: the shorter, the more tries a second.
const SEED_LENGTH_S: &str = "0.5";

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A part of the sample call as PCM of a rate and a number of channels.
fn source(folder: &Path, rate_hz: u32, channels: u16, length_s: &str) -> PathBuf {
    let file = folder.join(format!("source_{rate_hz}_{channels}_{length_s}.wav"));
    if !file.exists() {
        let call = project().join("sample-audio/T-1004.wav");
        let rate_hz = rate_hz.to_string();
        let part = ["trim", BEGIN_S, length_s, "remix", "1", "2"];
        let part = &part[..part.len() - usize::from(channels == 1)];
        output_of("sox", &[&["-D", text(&call), "-r", &rate_hz, "-b", "16", text(&file)], part].concat()).unwrap();
    }
    file
}

fn write(format: &Format, source: &Path, file: &Path) {
    let (source, name) = (text(source), text(file));
    match format.writer {
        Sox(options) => output_of("sox", &[&["-D", "-V1", source], options, &[name]].concat()),
        Ffmpeg(options) => {
            output_of("ffmpeg", &[&["-v", "error", "-nostdin", "-y", "-i", source], options, &[name]].concat())
        }
        Writer::Amr => Ok(amr(source)).inspect(|bytes| std::fs::write(file, bytes).unwrap()),
    }
    .unwrap();
}

/// An AMR file at its highest rate.
fn amr(source: &str) -> Vec<u8> {
    let audio = decoded(Path::new(source)).unwrap();
    let samples: Vec<i16> = audio.channels[0].iter().map(|sample| (sample * 32_768.0) as i16).collect();
    let (config, mode, mark) = match audio.sample_rate_hz {
        8_000 => (CodecConfig::amr_nb(), 7, &b"#!AMR\n"[..]),
        _ => (CodecConfig::amr_wb(), 8, &b"#!AMR-WB\n"[..]),
    };
    let mut codec = AmrCodec::new(&config).unwrap();
    codec.set_mode(mode).unwrap();
    let mut bytes = mark.to_vec();
    for samples in samples.chunks_exact(config.sample_rate.hz() as usize / 50) {
        let frame = codec.encode_frame(samples).unwrap();
        bytes.push(frame.mode << 3 | 4);
        bytes.extend(frame.data);
    }
    bytes
}

/// What ffmpeg has to be told of a file without a header; `None` where it cannot be told.
fn ffmpeg_options(ending: &str) -> Option<&'static [&'static str]> {
    Some(match ending {
        "al" | "alaw" => &["-f", "alaw", "-ar", "8000"],
        "ul" | "ulaw" => &["-f", "mulaw", "-ar", "8000"],
        "sln" | "pcm" => &["-f", "s16le", "-ar", "8000"],
        "sln16" => &["-f", "s16le", "-ar", "16000"],
        "sln44" => &["-f", "s16le", "-ar", "44100"],
        // Of the reference streams of MPEG audio; for ffmpeg it is the one of G.729.
        "bit" => &["-f", "mp3"],
        "vox" => return None,
        _ => &[],
    })
}

/// Holds callmark's decoding against ffmpeg's, and where they differ or ffmpeg gives nothing against SoX's.
///
/// # Errors
/// How both differ.
fn peer_of(file: &Path, audio: &Audio) -> Result<(&'static str, Agreement), String> {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or("");
    let ffmpeg = || match ffmpeg_options(ending) {
        Some(options) => comparison::ffmpeg(text(file), options),
        None => Err(format!("it does not know .{ending}")),
    };
    let sox = || comparison::sox(text(file));
    let mut differences = Vec::new();
    for (name, decode) in [("ffmpeg", &ffmpeg as &dyn Fn() -> _), ("SoX", &sox)] {
        match decode().and_then(|peer| agreement(audio.sample_rate_hz, &audio.channels, &peer)) {
            Ok(found) => return Ok((name, found)),
            Err(error) => differences.push(format!("{name}: {}", error.trim())),
        }
    }
    Err(differences.join("; "))
}

fn decoded(file: &Path) -> Result<Audio, AudioError> {
    decode_named(&std::fs::read(file).unwrap(), text(file), &Limits::default())
}

/// How much later than what was recorded the sound is, in whole milliseconds.
fn delay_ms(source: &Path, audio: &Audio) -> i64 {
    let original = decoded(source).unwrap();
    let at_16k = |audio: &Audio| resample_to_16k(&audio.channels[0], audio.sample_rate_hz);
    let samples = best_match(&at_16k(&original), &at_16k(audio), SPEECH_RATE_HZ as usize / 4).delay_samples;
    (samples as f64 / 16.0).round() as i64
}

/// Numbers from the smallest to the largest.
fn range(numbers: &BTreeSet<i64>) -> String {
    match (numbers.first(), numbers.last()) {
        (Some(first), Some(last)) if first != last => format!("{first} to {last}"),
        (first, _) => first.map_or(String::new(), i64::to_string),
    }
}

/// Writes a format at all its rates and channels, and compares: one row of the page.
///
/// # Errors
/// What was not as the peer has it.
fn row(format: &Format, folder: &Path, kept: Option<&Path>) -> Result<String, String> {
    let (mut peers, mut correlation) = (BTreeSet::new(), 1.0f64);
    let (mut behind_peer, mut behind_source) = (BTreeSet::new(), BTreeSet::new());
    for rate_hz in format.rates_hz {
        for channels in format.channels {
            let about = format!("{} {} {rate_hz} Hz {channels}", format.container, format.codec);
            let name = format!("{}.{}", about.replace(['/', ' ', ','], "_"), format.ending);
            let (source, file) = (source(folder, *rate_hz, *channels, LENGTH_S), folder.join(&name));
            write(format, &source, &file);
            if let Some(kept) = kept {
                write(format, &self::source(folder, *rate_hz, *channels, SEED_LENGTH_S), &kept.join(&name));
            }
            let audio = decoded(&file).map_err(|error| format!("{about}: {error}"))?;
            let (peer, found) = peer_of(&file, &audio).map_err(|error| format!("{about}: {error}"))?;
            println!("{about}\t{peer}\t{:.6}\t{}", found.correlation, found.delay_samples);
            peers.insert(peer);
            correlation = correlation.min(found.correlation);
            behind_peer.insert(found.delay_samples);
            behind_source.insert(delay_ms(&source, &audio));
        }
    }
    // Steps that another version of the peer does not change.
    let at_least = [0.9999, 0.999].into_iter().find(|step| correlation > *step).unwrap_or(0.99);
    let list = |numbers: Vec<String>| numbers.join(", ");
    let container = match format.container {
        "none" => format!("none: `.{}`", format.ending),
        container => container.to_string(),
    };
    Ok(format!(
        "| {container} | {} | {} | {} | {} | {} | {at_least} | {} | {} |\n",
        format.codec,
        list(format.rates_hz.iter().map(|rate_hz| (f64::from(*rate_hz) / 1000.0).to_string()).collect()),
        list(format.channels.iter().map(u16::to_string).collect()),
        format.library,
        list(peers.into_iter().map(str::to_string).collect()),
        range(&behind_peer),
        range(&behind_source),
    ))
}

const HEAD: &str = "# Recordings that callmark reads

Made by `pipeline/audio/tests/formats.rs`; edit it there. Each line was written by SoX or ffmpeg (AMR: by rvoip-codec-core) from
four seconds of a sample call, at each of the rates and numbers of channels, and decoded by callmark and by a peer: the same
rate and channels, every channel at least as much alike as the column *alike* says (correlation after the delay), and a length
within 50 ms or 0.5 % behind the delay. *Behind the peer* is that delay; *behind the original* is how much later than what was
recorded the decoded sound is: encoders add some, and what AAC and MP3 need to begin (their priming) stays where the container
tells its length and not the stream (MP4, Matroska, WAV), and where nothing does (ADTS).

What a file is, its content decides; only without any mark its name does, for one channel, with a warning, and what cannot be
sound is refused. These names are known: ENDINGS. A file that is cut or damaged gives what it has, with a warning.

| container | codec | kHz | channels | decoded by | peer | alike | behind the peer, samples | behind the original, ms |
|---|---|---|---|---|---|---|---|---|
";

/// What turns up among recordings and is not read, by ffmpeg's options for it.
const NOT_READ: &[(&str, &str, &[&str])] = &[
    ("G.726 in WAV", "wav", &["-c:a", "g726", "-b:a", "32k"]),
    ("G.723.1 in WAV", "wav", &["-c:a", "g723_1", "-b:a", "6300"]),
    ("Yamaha ADPCM in WAV", "wav", &["-c:a", "adpcm_yamaha"]),
    ("Speex in Ogg", "ogg", &["-c:a", "libspeex"]),
    ("Windows Media (WMA)", "wma", &["-c:a", "wmav2"]),
    ("WavPack", "wv", &["-c:a", "wavpack"]),
    ("AC-3 in MP4", "mp4", &["-c:a", "ac3", "-ar", "48000"]),
];

/// The lines for what is not read: the error says so and what to do.
///
/// # Errors
/// What was read all the same, or refused for another reason.
fn not_read(folder: &Path) -> Result<String, String> {
    let mut rows = String::from("\nNot read:\n\n| format | what callmark says | and advises |\n|---|---|---|\n");
    for (name, ending, options) in NOT_READ {
        let file = folder.join(format!("not_read.{ending}"));
        let format = format("", "", ending, Ffmpeg(options), &[], &[], "");
        write(&format, &source(folder, 8_000, 1, LENGTH_S), &file);
        match decoded(&file) {
            Ok(audio) => return Err(format!("{name} is read as {} in {}", audio.codec, audio.container)),
            Err(error) if error.code().starts_with("unsupported") => {
                _ = writeln!(rows, "| {name} | {error} | {} |", error.hint());
            }
            Err(error) => return Err(format!("{name}: {error}")),
        }
    }
    Ok(rows)
}

/// With `CALLMARK_WRITE_DOCS=1` writes a committed file, else holds it against what was found.
fn is_committed(path: &Path, found: &str) {
    if std::env::var_os("CALLMARK_WRITE_DOCS").is_some() {
        std::fs::write(path, found).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let old: BTreeSet<&str> = committed.lines().collect();
    let changed: Vec<&str> = found.lines().filter(|line| !old.contains(line)).collect();
    assert!(
        committed == found,
        "{} is stale\n{}\nhint: CALLMARK_WRITE_DOCS=1 cargo test --release -p callmark-audio --test formats",
        path.display(),
        changed.join("\n")
    );
}

#[test]
fn every_format_decodes_as_its_peer_does_and_the_page_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("CALLMARK_KEEP_RECORDINGS").map(PathBuf::from);
    let endings: Vec<String> = callmark_audio::headerless_endings().map(|ending| format!("`.{ending}`")).collect();
    let (mut page, mut failures) = (HEAD.replace("ENDINGS", &endings.join(", ")), Vec::new());
    let rows = FORMATS.iter().map(|format| row(format, folder.path(), kept.as_deref()));
    for row in rows.chain([not_read(folder.path())]) {
        match row {
            Ok(row) => page.push_str(&row),
            Err(error) => failures.push(error),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    is_committed(&project().join("docs/formats.md"), &page);
}

/// Recordings of others, whole and damaged; no part of the repository. `robust_outcomes.tsv` lists for each its outcome: `as
/// ffmpeg` or `as SoX`, `otherwise` (sound that no peer gives), `refused` with the error's code; then, for people, why.
#[test]
fn recordings_of_others_have_their_listed_outcomes() {
    let folder = std::env::var_os("CALLMARK_ROBUST_RECORDINGS")
        .map_or_else(|| project().join("../shared/data/robust"), PathBuf::from);
    if !folder.is_dir() {
        println!("not looked at: there is no {}", folder.display());
        return;
    }
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/robust_outcomes.tsv");
    let committed = std::fs::read_to_string(&list).unwrap_or_default();
    let reasons: BTreeMap<&str, &str> =
        committed.lines().filter_map(|line| Some((line.split('\t').next()?, line.split('\t').nth(2)?))).collect();
    let mut found = String::new();
    for file in files_in(&folder) {
        let name = text(file.strip_prefix(&folder).unwrap());
        let outcome = match decoded(&file) {
            Err(error) => format!("refused {}", error.code()),
            Ok(audio) => match peer_of(&file, &audio) {
                Ok((peer, _)) => format!("as {peer}"),
                Err(difference) => {
                    println!("{name}: {} ms, {:?}; {difference}", audio.duration_ms(), audio.warnings);
                    "otherwise".to_string()
                }
            },
        };
        let reason = reasons.get(name).copied().unwrap_or("");
        assert!(outcome != "otherwise" || !reason.is_empty() || committed.is_empty(), "{name}: no reason is listed");
        _ = writeln!(found, "{name}\t{outcome}\t{reason}");
    }
    is_committed(&list, &found);
}

/// All files below a folder but the notes of where they come from, in order.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let deeper = |path: PathBuf| if path.is_dir() { files_in(&path) } else { vec![path] };
    paths.into_iter().flat_map(deeper).filter(|path| !path.ends_with("SOURCE.txt")).collect()
}
