//! Which recogniser fits a machine and its calls, and how long they take with it: for `doctor`, `models list`, and a run that has
//! only the starter.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use callmark_core::recording::Language;
use callmark_models::manifest::{Manifest, ModelEntry};

use crate::lanes;

/// Share of the memory that models may take; the rest is for sound, tables and the system.
pub const MODEL_MEMORY_SHARE: f64 = 0.7;
/// A batch should be done when people come back.
const NIGHT_S: f64 = 10.0 * 3600.0;
/// Compressed telephone sound, about 48 kbit/s; what is not WAV is estimated with it.
const COMPRESSED_BYTES_PER_S: f64 = 6_000.0;

/// Recognisers in the order in which they are worth having, by published telephone error rates (models/manifest.toml).
fn preferred(languages: &BTreeSet<Language>) -> &'static [&'static str] {
    let only = |language| languages.len() == 1 && languages.contains(&language);
    if only(Language::En) {
        &["large-v3-turbo-q5_0", "small.en-q5_1", "base.en-q5_1", "tiny.en-q5_1"]
    } else if only(Language::Zh) {
        &["belle-turbo-zh-q5_0", "small-q5_1", "base-q5_1"]
    } else {
        &["large-v3-turbo-q5_0", "small-q5_1", "base-q5_1", "tiny-q5_1"]
    }
}

/// What recognition has to work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    pub cores: usize,
    /// The machine's, or its control group's limit.
    pub memory_mb: Option<u64>,
}

impl Machine {
    pub fn this() -> Machine {
        Machine { cores: std::thread::available_parallelism().map_or(1, usize::from), memory_mb: memory_mb() }
    }

    /// `8 cores, 15.6 GB memory`.
    pub fn text(&self) -> String {
        let memory =
            self.memory_mb.map_or("unknown memory".into(), |mb| format!("{:.1} GB memory", mb as f64 / 1024.0));
        format!("{} cores, {memory}", self.cores)
    }
}

fn memory_mb() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let total_mb = total.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? / 1024;
    let limit =
        std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse::<u64>().ok());
    Some(limit.map_or(total_mb, |bytes| total_mb.min(bytes / (1 << 20))))
}

/// How many lanes of a recogniser fit into the memory: its weights are there once, its state once a lane.
pub fn lanes_that_fit(entry: &ModelEntry, memory_mb: u64, cores: usize) -> Option<usize> {
    let weights_mb = entry.bytes >> 20;
    let lane_mb = u64::from(entry.memory_mb?).saturating_sub(weights_mb);
    let lanes = lanes::fitting(weights_mb, lane_mb, (memory_mb as f64 * MODEL_MEMORY_SHARE) as u64);
    (lanes > 0).then(|| cores.min(lanes))
}

/// A recogniser for this machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Advice<'a> {
    pub entry: &'a ModelEntry,
    pub lanes: usize,
}

impl Advice<'_> {
    /// How long so much sound takes, when the model's speed was measured.
    pub fn seconds(&self, audio_s: f64) -> Option<f64> {
        Some(self.entry.real_time_factor_1_core? * audio_s / self.lanes as f64)
    }

    /// The command that brings it.
    pub fn command(&self) -> String {
        format!("callmark models pull {}", self.entry.name)
    }
}

/// The best recogniser that fits into the memory and is done in a night with so much sound (0: not known); when none is, the
/// fastest that fits.
pub fn best<'a>(
    manifest: &'a Manifest,
    machine: &Machine,
    languages: &BTreeSet<Language>,
    audio_s: f64,
) -> Option<Advice<'a>> {
    let fitting = preferred(languages).iter().filter_map(|name| {
        let entry = manifest.entry(name)?;
        Some(Advice { entry, lanes: lanes_that_fit(entry, machine.memory_mb?, machine.cores)? })
    });
    let fitting: Vec<Advice> = fitting.collect();
    let in_time = |advice: &&Advice| advice.seconds(audio_s).is_none_or(|seconds| seconds <= NIGHT_S);
    fitting.iter().find(in_time).or(fitting.last()).copied()
}

/// About how much sound a recording has, by its size.
pub fn audio_seconds(path: &Path, size_bytes: u64) -> f64 {
    size_bytes as f64 / wav_bytes_per_second(path).map_or(COMPRESSED_BYTES_PER_S, f64::from)
}

/// From a WAV file's header.
fn wav_bytes_per_second(path: &Path) -> Option<u32> {
    let mut header = Vec::new();
    std::fs::File::open(path).ok()?.take(512).read_to_end(&mut header).ok()?;
    if !header.starts_with(b"RIFF") {
        return None;
    }
    let format = header.windows(4).position(|window| window == b"fmt ")?;
    let rate = header.get(format + 16..format + 20)?;
    Some(u32::from_le_bytes(rate.try_into().ok()?)).filter(|rate| *rate > 0)
}

/// What a run says that has only the starter.
pub fn notice(manifest: &Manifest, machine: &Machine, languages: &BTreeSet<Language>, audio_s: f64) -> String {
    let mut text = "notice: only the starter model is installed; it follows synthetic telephone speech, and calls of people will come out\n\
         \x20       `unscored` (low_recogniser_confidence).\n"
        .to_string();
    let Some(advice) = best(manifest, machine, languages, audio_s) else {
        text.push_str(&format!("        No production model fits this machine ({}).", machine.text()));
        return text;
    };
    let spoken: Vec<&str> = languages.iter().map(|language| language.code()).collect();
    let spoken = if spoken.is_empty() { "these calls".into() } else { format!("calls in {}", spoken.join(" and ")) };
    let lanes = if advice.lanes == 1 { "1 lane".into() } else { format!("{} lanes", advice.lanes) };
    text.push_str(&format!(
        "        For {spoken} on this machine ({}): {} with {lanes}",
        machine.text(),
        advice.entry.name
    ));
    if let Some(seconds) = advice.seconds(audio_s) {
        text.push_str(&format!(",\n        about {} for about {} of sound", duration(seconds), duration(audio_s)));
    }
    text.push_str(&format!(
        ".\n        Get it ({:.0} MB): {}\n        Without a network here: fetch it elsewhere, then `callmark models pull {} --mirror FOLDER`.",
        advice.entry.bytes as f64 / 1e6,
        advice.command(),
        advice.entry.name
    ));
    text
}

/// `40 s`, `25 min`, `7.5 h`.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5_400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(memory_mb: u64, cores: usize) -> Machine {
        Machine { cores, memory_mb: Some(memory_mb) }
    }

    #[test]
    fn lanes_follow_memory_and_cores() {
        let manifest = Manifest::built_in().unwrap();
        let mut entry = manifest.entry("large-v3-turbo-q5_0").unwrap().clone();
        entry.memory_mb = Some(1_331);
        // 547 MB of weights, 784 MB a lane, 574 MB for the program, in 70 % of the memory.
        assert_eq!(lanes_that_fit(&entry, 16_000, 8), Some(8));
        assert_eq!(lanes_that_fit(&entry, 4_000, 8), Some(2));
        assert_eq!(lanes_that_fit(&entry, 1_500, 8), None);
    }

    #[test]
    fn the_advice_follows_language_memory_and_the_length_of_a_night() {
        let mut manifest = Manifest::built_in().unwrap();
        for entry in &mut manifest.models {
            entry.real_time_factor_1_core = match entry.name.as_str() {
                "large-v3-turbo-q5_0" => Some(1.0),
                "small.en-q5_1" => Some(0.3),
                "base.en-q5_1" => Some(0.1),
                _ => None,
            };
        }
        let name = |machine: Machine, languages: &[Language], audio_h: f64| {
            let languages = languages.iter().copied().collect();
            best(&manifest, &machine, &languages, audio_h * 3600.0).map(|advice| advice.entry.name.as_str())
        };
        use Language::{En, Zh};
        assert_eq!(name(machine(16_000, 8), &[En], 0.0), Some("large-v3-turbo-q5_0"));
        assert_eq!(name(machine(16_000, 8), &[Zh], 0.0), Some("belle-turbo-zh-q5_0"));
        assert_eq!(name(machine(16_000, 8), &[En, Zh], 0.0), Some("large-v3-turbo-q5_0"));
        assert_eq!(name(machine(1_600, 8), &[], 0.0), Some("small-q5_1"));
        assert_eq!(name(machine(10, 8), &[En], 0.0), None);
        // 8 lanes: 100 h are 12.5 h with the large one and 3.75 h with the small one; 1,000 h suit none.
        assert_eq!(name(machine(16_000, 8), &[En], 100.0), Some("small.en-q5_1"));
        assert_eq!(name(machine(16_000, 8), &[En], 300.0), Some("base.en-q5_1"));
        let text = notice(&manifest, &machine(16_000, 8), &BTreeSet::from([En]), 50.0 * 3600.0);
        for part in
            ["calls in en", "8 cores", "about 6.2 h for about 50.0 h", "callmark models pull large-v3-turbo-q5_0"]
        {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn every_preferred_model_can_be_pulled() {
        let manifest = Manifest::built_in().unwrap();
        use Language::{En, Zh};
        for languages in [vec![En], vec![Zh], vec![]] {
            for name in preferred(&languages.iter().copied().collect()) {
                let entry = manifest.entry(name).unwrap_or_else(|| panic!("{name}"));
                assert!(entry.url.is_some() && lanes_that_fit(entry, 1_000_000, 1).is_some(), "{name}");
                let covered = languages.iter().all(|l| entry.languages.iter().any(|tag| tag == l.code()));
                assert!(covered, "{name}: {:?}", entry.languages);
            }
        }
    }

    #[test]
    fn sound_is_estimated_from_wav_headers_or_sizes() {
        let folder = tempfile::tempdir().unwrap();
        let wav = folder.path().join("a.wav");
        let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0".to_vec();
        bytes.extend(8_000u32.to_le_bytes());
        bytes.extend(32_000u32.to_le_bytes());
        bytes.extend([0; 8]);
        std::fs::write(&wav, &bytes).unwrap();
        assert_eq!(audio_seconds(&wav, 320_000), 10.0);
        assert_eq!(audio_seconds(&folder.path().join("a.mp3"), 60_000), 10.0);
    }
}
