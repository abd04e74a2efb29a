//! `callmark doctor`: what is installed, what fits this machine, what would stop a run, and what to do about it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, bail};
use callmark_core::accuracy;
use callmark_core::recording::Language;
use callmark_core::scorecard::lint;
use callmark_models::classifier;
use callmark_models::manifest::{ModelError, ModelFile, STARTER};
use callmark_models::text_encoder::TextEncoder;
use callmark_models::{asr, runtime};
use callmark_store::{CallFilter, STORE_SCHEMA, StoreError};
use serde::Serialize;
use serde_json::Value;

use crate::advice::{self, Advice, Machine};
use crate::analysis::{read_scorecard, resolve};
use crate::cli::{Common, DoctorArgs};
use crate::commands::store_url;
use crate::config::{self, Config};
use crate::install::{Install, known_models};
use crate::lanes::{self, Wishes};
use crate::read;
use crate::sound_networks::SoundNetworkFiles;
use crate::text_encoders::{ChosenClassifier, explain_text};
use crate::{FINISHED, GATE};

/// The call that `--self-test` transcribes, with what is said in it. It is synthetic: no person speaks.
const SAMPLE: &[u8] = include_bytes!("../../../sample-audio/T-1010.mp3");
const SAMPLE_WORDS: &str = include_str!("../../../sample-audio/references/T-1010.vtt");
/// A working recogniser stays far below; the starter reaches about .15 on such voices.
const SAMPLE_ERROR_LIMIT: f64 = 0.4;

/// Below this a run would stop in the middle.
const LEAST_DISK_BYTES: u64 = 200_000_000;
/// Below this a night of recordings may not fit.
const LITTLE_DISK_BYTES: u64 = 2_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Warning,
    /// Would stop a run.
    Problem,
}

#[derive(Debug, Serialize)]
struct Check {
    subject: &'static str,
    state: State,
    message: String,
    hint: Option<String>,
}

#[derive(Debug, Default, Serialize)]
struct Findings {
    checks: Vec<Check>,
}

impl Findings {
    fn ok(&mut self, subject: &'static str, message: impl Into<String>) {
        self.checks.push(Check { subject, state: State::Ok, message: message.into(), hint: None });
    }

    fn warning(&mut self, subject: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        let hint = Some(hint.into());
        self.checks.push(Check { subject, state: State::Warning, message: message.into(), hint });
    }

    fn problem(&mut self, subject: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        let hint = Some(hint.into());
        self.checks.push(Check { subject, state: State::Problem, message: message.into(), hint });
    }

    /// An error whose text may carry its hint in a line of its own.
    fn failed(&mut self, subject: &'static str, error: &anyhow::Error) {
        let text = format!("{error:#}");
        let (message, hint) = text.split_once("\nhint: ").unwrap_or((&text, "see the message"));
        self.problem(subject, message, hint);
    }

    fn count(&self, state: State) -> usize {
        self.checks.iter().filter(|check| check.state == state).count()
    }
}

pub fn doctor(args: &DoctorArgs, common: &Common) -> Result<u8> {
    let mut findings = Findings::default();
    program(&mut findings);
    let config = configuration(&mut findings, common);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    match Install::find() {
        Ok(install) => {
            let languages = config.as_ref().map(Config::languages).unwrap_or_default();
            models(&mut findings, &install, &config.clone().unwrap_or_default(), &languages);
            text_models(&mut findings, &install, &config.clone().unwrap_or_default());
            if let Some(config) = &config {
                scorecards(&mut findings, &install, config);
            }
        }
        Err(error) => findings.failed("installation", &error),
    }
    match store_url(common) {
        Ok(url) => store(&mut findings, &url),
        Err(error) => findings.failed("store", &error),
    }
    let zones = jiff::tz::db().available().count();
    findings.ok("time zones", format!("{zones} zones are built in"));
    if args.self_test {
        match self_test(common) {
            Ok(measured) => measured.report(&mut findings, cores),
            Err(error) => findings.failed("self-test", &error),
        }
    }
    show(&findings, args.json)?;
    Ok(if findings.count(State::Problem) == 0 { FINISHED } else { GATE })
}

fn show(findings: &Findings, json: bool) -> Result<()> {
    let (problems, warnings) = (findings.count(State::Problem), findings.count(State::Warning));
    if json {
        let value = serde_json::json!({ "usable": problems == 0, "checks": findings.checks });
        println!("{}", serde_json::to_string_pretty(&value)?);
        return Ok(());
    }
    for check in &findings.checks {
        let state = match check.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Problem => "problem",
        };
        println!("{state:<8} {:<15} {}", check.subject, check.message);
        if let Some(hint) = &check.hint {
            println!("{:<8} {:<15} hint: {hint}", "", "");
        }
    }
    match (problems, warnings) {
        (0, 0) => println!("\ncallmark is ready"),
        (0, _) => println!("\ncallmark is usable; warnings: {warnings}"),
        _ => println!("\na run would stop; problems: {problems}, warnings: {warnings}"),
    }
    Ok(())
}

/// Instruction sets that matter for speed: our name of it, whether this processor has it.
fn processor() -> Vec<(&'static str, bool)> {
    #[cfg(target_arch = "x86_64")]
    {
        vec![
            ("AVX", std::is_x86_feature_detected!("avx")),
            ("AVX2", std::is_x86_feature_detected!("avx2")),
            ("FMA", std::is_x86_feature_detected!("fma")),
            ("F16C", std::is_x86_feature_detected!("f16c")),
            ("AVX512", std::is_x86_feature_detected!("avx512f")),
        ]
    }
    #[cfg(not(target_arch = "x86_64"))]
    Vec::new()
}

fn program(findings: &mut Findings) {
    let built_for = asr::built_for();
    let has = |name: &str| built_for.iter().any(|built| built == name);
    let processor = processor();
    let list = |wanted: &dyn Fn(&(&str, bool)) -> bool| {
        let names: Vec<&str> = processor.iter().filter(|f| wanted(f)).map(|(name, _)| *name).collect();
        if names.is_empty() { "none of AVX, AVX2, FMA, F16C, AVX512".to_string() } else { names.join(" ") }
    };
    let message = format!(
        "callmark {} for {} {}; its recogniser uses {}, this processor has {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        list(&|(name, _)| has(name)),
        list(&|(_, present)| *present),
    );
    let missing = processor.iter().any(|(name, present)| has(name) && !present);
    let unused = processor.iter().any(|(name, present)| !has(name) && *present && *name != "AVX512");
    if missing {
        findings.problem("program", message, "install the package, which has a build for every x86-64 processor since 2011, or build callmark on this machine");
    } else if unused {
        findings.warning(
            "program",
            message,
            "unset CALLMARK_VARIANT, or install the package: this processor can run a faster build",
        );
    } else {
        findings.ok("program", message);
    }
}

fn configuration(findings: &mut Findings, common: &Common) -> Option<Config> {
    const SUBJECT: &str = "configuration";
    for message in config::misspelt_variables() {
        findings.warning(SUBJECT, message, "correct the name or unset it");
    }
    match Config::load(common) {
        Ok(config) => {
            let place = config.file.as_ref().map_or("no file, defaults".into(), |path| path.display().to_string());
            let changed = config.settings.values().filter(|(_, origin)| *origin != config::Origin::Default).count();
            findings.ok(SUBJECT, format!("{place}; {changed} values set (`callmark config --show`)"));
            Some(config)
        }
        Err(error) => {
            findings.failed(SUBJECT, &error);
            None
        }
    }
}

fn models(findings: &mut Findings, install: &Install, config: &Config, languages: &BTreeSet<Language>) {
    const SUBJECT: &str = "recogniser";
    const OVERLAP: &str = "overlap detector";
    let manifest = match known_models() {
        Ok(manifest) => manifest,
        Err(error) => return findings.failed(SUBJECT, &error),
    };
    let folders = install.model_folders();
    let used = config.model.as_deref().unwrap_or_else(|| manifest.default_recogniser(&folders)).to_string();
    let mut best_installed = false;
    let mut names: Vec<&str> =
        manifest.models.iter().filter(|entry| entry.kind == "recogniser").map(|entry| entry.name.as_str()).collect();
    if !names.contains(&used.as_str()) {
        names.push(&used);
    }
    let machine = Machine::this();
    for name in names {
        match manifest.find_model(name, &folders) {
            Ok(file) => {
                best_installed |= file.name != STARTER;
                let bytes = std::fs::metadata(&file.path).map_or(0, |facts| facts.len());
                let entry = file.entry.as_ref();
                let languages = entry.map_or("unknown languages".into(), |entry| entry.languages.join(" "));
                let known = if entry.is_some() { "size and SHA-256 are right" } else { "not in the manifest" };
                let role = if name == used { ", used" } else { "" };
                let size = megabytes(bytes);
                let lanes = if name == used { lanes_in_use(&file, bytes >> 20, &machine) } else { String::new() };
                findings.ok(
                    SUBJECT,
                    format!("{}{role}: {size}{lanes}, {languages}, {known} ({})", file.name, file.path.display()),
                );
            }
            Err(ModelError::NotInstalled { .. }) if name != used => {}
            Err(error) if name == used => findings.problem(SUBJECT, error.to_string(), error.hint()),
            Err(error) => findings.warning(SUBJECT, error.to_string(), error.hint()),
        }
    }
    let advice = advice::best(&manifest, &machine, languages, 0.0);
    if !best_installed {
        let hint = match &advice {
            Some(advice) => format!("{} (`callmark models list` shows all)", advice.command()),
            None => "take a Whisper model in ggml form in with `callmark models add FILE`".to_string(),
        };
        findings.warning(SUBJECT, "only the starter is installed; it follows synthetic speech, not people", hint);
    }
    match SoundNetworkFiles::find(&manifest, &folders, config) {
        Ok(files) => {
            let encoder = files.speaker_encoder.map(|file| ("speaker encoder", file));
            if files.overlap_detector.is_none() && config.overlap_detector.as_deref().is_some_and(|name| name != "none")
            {
                let message = "not installed; talk at once in recordings with one channel stays mostly unmarked";
                findings.warning(OVERLAP, message, "install callmark's models again");
            }
            let overlap = files.overlap_detector.map(|file| (OVERLAP, file));
            let networks = [("voice activity", files.voice_activity)].into_iter().chain(encoder).chain(overlap);
            for (subject, file) in networks {
                findings.ok(subject, format!("size and SHA-256 are right ({})", file.path.display()));
            }
        }
        Err(error) => findings.problem("networks that listen", error.to_string(), error.hint()),
    }
    fits(findings, &machine, advice);
}

/// What a run would do with it here.
fn lanes_in_use(file: &ModelFile, weights_mb: u64, machine: &Machine) -> String {
    let Ok(plan) = lanes::plan(file, weights_mb, 0, machine, &Wishes::default()) else { return String::new() };
    let measured = file.entry.as_ref().is_some_and(|entry| entry.memory_mb.is_some() && !entry.memory_estimated);
    let estimated = if measured { "" } else { " (an estimate)" };
    let lane_mb = lanes::lane_mb(file, weights_mb);
    format!("; lanes: {} of {} threads and {lane_mb} MB{estimated}", plan.lanes, plan.threads_per_lane)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}

fn fits(findings: &mut Findings, machine: &Machine, advice: Option<Advice>) {
    let mut message = machine.text();
    if let Some(Advice { entry, lanes }) = advice {
        let estimated = if entry.memory_estimated { ", an estimate" } else { "" };
        let _ = write!(message, "; best recogniser that fits: {} with {lanes} lanes{estimated}", entry.name);
        return findings.ok("machine", message);
    }
    findings.warning(
        "machine",
        format!("{message}; no Whisper model fits"),
        "more memory is needed for production models",
    );
}

fn text_models(findings: &mut Findings, install: &Install, config: &Config) {
    const RUNTIME: &str = "ONNX Runtime";
    match runtime::onnx_runtime(install.onnx_runtime().as_deref()) {
        Ok(environment) => {
            findings.ok(RUNTIME, "found and loaded");
            for language in Language::ALL {
                let code = language.code();
                match TextEncoder::load(&install.text_model(language), environment) {
                    Ok(_) => {
                        findings.ok("text model", format!("encoder and sentiment, `{code}`: SHA-256 is right, loaded"));
                    }
                    Err(error) => findings.warning(
                        "text model",
                        format!("{error}; sentiment and `meaning` are left out in `{code}`"),
                        "run scripts/setup, or install callmark again",
                    ),
                }
                let chosen = ChosenClassifier::find(install, config, language).and_then(|chosen| {
                    let Some(chosen) = chosen else { return Ok(None) };
                    classifier::check(&chosen.folder, environment).map_err(explain_text)?;
                    Ok(Some(chosen.name))
                });
                match chosen {
                    Ok(None) => {}
                    Ok(Some(name)) => findings.ok(
                        "sentiment classifier",
                        format!("{name}, `{code}`: SHA-256 is right, loaded, its golden examples come out as expected"),
                    ),
                    Err(error) => findings.failed("sentiment classifier", &error),
                }
            }
        }
        Err(error) => findings.problem(RUNTIME, error.to_string(), error.hint()),
    }
}

fn scorecards(findings: &mut Findings, install: &Install, config: &Config) {
    const SUBJECT: &str = "scorecard";
    let mut names: Vec<&str> = config.routes.iter().map(|route| route.scorecard.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let read = resolve(name, &config.folder, install).and_then(|path| Ok((read_scorecard(&path)?, path)));
        match read {
            Ok((scorecard, path)) => {
                let found = lint(&scorecard);
                let message = format!("{name}: {} requirements ({})", scorecard.requirements.len(), path.display());
                if found.is_empty() {
                    findings.ok(SUBJECT, message);
                } else {
                    let hint = format!("callmark scorecard lint {}", path.display());
                    findings.warning(SUBJECT, format!("{message}; {} findings", found.len()), hint);
                }
            }
            Err(error) => findings.failed(SUBJECT, &error),
        }
    }
}

fn store(findings: &mut Findings, url: &str) {
    const SUBJECT: &str = "store";
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = Path::new(path.strip_prefix("//").unwrap_or(path));
    // Opening would bring an older store to this version; a doctor only looks.
    if let Some(found) = older_schema(path, STORE_SCHEMA) {
        let message = format!("{}: schema {found} of an earlier version", path.display());
        findings.warning(SUBJECT, message, format!("the next command brings it to {STORE_SCHEMA}"));
        permissions(findings, path);
        return volume(findings, path);
    }
    match callmark_store::open_existing(url) {
        Ok(store) => {
            let counts =
                store.count_calls(&CallFilter::default()).and_then(|calls| Ok((calls, store.failures()?.len())));
            match counts.and_then(|counts| Ok((counts, store.schema_version()?))) {
                Ok(((calls, failures), schema)) => findings.ok(
                    SUBJECT,
                    format!(
                        "{}: {calls} calls, {failures} known failures, {}, schema {schema}",
                        path.display(),
                        megabytes(stored_bytes(path))
                    ),
                ),
                Err(error) => findings.problem(SUBJECT, error.to_string(), error.hint()),
            }
        }
        Err(StoreError::Missing { .. }) => findings.ok(SUBJECT, format!("{} is made by the first run", path.display())),
        Err(error) => findings.problem(SUBJECT, error.to_string(), error.hint()),
    }
    permissions(findings, path);
    volume(findings, path);
    match lock_holder(path) {
        Some(holder) => findings.warning(
            "lock",
            format!("a run works on the store ({holder})"),
            "wait for it; other commands work meanwhile",
        ),
        None => findings.ok("lock", "free"),
    }
}

/// The schema version in a store's file when it is an earlier one (SQLite's `user_version`, at byte 60).
fn older_schema(path: &Path, known: u32) -> Option<u32> {
    let mut header = [0; 64];
    std::fs::File::open(path).ok()?.read_exact(&mut header).ok()?;
    let found = u32::from_be_bytes(header[60..].try_into().ok()?);
    (header.starts_with(b"SQLite format 3\0") && (1..known).contains(&found)).then_some(found)
}

/// The file with what SQLite keeps beside it.
fn stored_bytes(path: &Path) -> u64 {
    let beside = |end: &str| PathBuf::from(format!("{}{end}", path.display()));
    ["", "-wal", "-shm"].iter().filter_map(|end| std::fs::metadata(beside(end)).ok()).map(|facts| facts.len()).sum()
}

/// The nearest folder above that exists.
fn existing_folder(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    absolute.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(Path::new("/")).to_path_buf()
}

fn permissions(findings: &mut Findings, path: &Path) {
    use rustix::fs::{Access, access};
    use std::os::unix::fs::PermissionsExt;
    let folder = existing_folder(path);
    for place in [folder.as_path(), path] {
        if place.exists() && access(place, Access::WRITE_OK).is_err() {
            let hint = "give the user who runs callmark the right to write, or use another --store";
            findings.problem("store", format!("{} is not writable", place.display()), hint);
        }
    }
    if let Ok(facts) = std::fs::metadata(path) {
        let mode = facts.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let hint = format!("chmod 600 {}", path.display());
            findings.warning("store", format!("other users may read it (mode {mode:03o})"), hint);
        }
    }
}

fn volume(findings: &mut Findings, path: &Path) {
    const SUBJECT: &str = "disk";
    let folder = existing_folder(path);
    if let Some(kind) = network_file_system(&folder) {
        let hint = "put the store on a local disk: SQLite's locks do not hold on a network file system";
        findings.warning(SUBJECT, format!("{} is on {kind}", folder.display()), hint);
    }
    let Ok(volume) = rustix::fs::statvfs(&folder) else {
        return findings.warning(SUBJECT, format!("{} cannot be measured", folder.display()), "check the disk");
    };
    let free = volume.f_bavail.saturating_mul(volume.f_frsize);
    let message = format!("{:.1} GB free in {}", free as f64 / 1e9, folder.display());
    if free < LEAST_DISK_BYTES {
        findings.problem(SUBJECT, message, "free some space, or use a --store on another disk");
    } else if free < LITTLE_DISK_BYTES {
        findings.warning(SUBJECT, message, "a night may need more: free some space, or use a --store on another disk");
    } else {
        findings.ok(SUBJECT, message);
    }
}

fn network_file_system(folder: &Path) -> Option<&'static str> {
    // Magic numbers of statfs(2).
    let known = [(0x6969, "NFS"), (0xFF53_4D42, "SMB"), (0xFE53_4D42, "SMB"), (0x517B, "SMB")];
    let kind = rustix::fs::statfs(folder).ok()?.f_type as u32;
    known.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name)
}

/// Who holds the run lock beside the store. Only looks: taking the lock to see whether it is free could turn a run away.
fn lock_holder(store: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let path = PathBuf::from(format!("{}.lock", store.display()));
    let inode = format!(":{}", std::fs::metadata(&path).ok()?.ino());
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let held = locks.lines().any(|line| line.split_whitespace().any(|word| word.ends_with(&inode)));
    if !held {
        return None;
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let holder: Value = serde_json::from_str(&text).unwrap_or_default();
    Some(match (&holder["process"], holder["since"].as_str()) {
        (Value::Number(process), Some(since)) => format!("process {process}, since {since}"),
        _ => format!("process {}", text.trim()),
    })
}

/// What `--self-test` measured.
struct Measured {
    recogniser: String,
    error_rate: f64,
    audio_seconds: f64,
    /// Working time of all stages, summed over threads.
    busy_seconds: Option<f64>,
}

impl Measured {
    fn report(&self, findings: &mut Findings, cores: usize) {
        const SUBJECT: &str = "self-test";
        let mut message = format!(
            "{} heard a synthetic call of {:.0} s with word error {:.2}",
            self.recogniser, self.audio_seconds, self.error_rate
        );
        if let Some(busy) = self.busy_seconds {
            // Every stage runs on all cores; calls of a night are many, so that no core waits for the last one.
            let hours = 1000.0 * busy / self.audio_seconds / cores as f64;
            let _ = write!(
                message,
                "; {busy:.1} s of work, so 1,000 h of such calls would take about {hours:.0} h on {cores} cores"
            );
        }
        if self.error_rate <= SAMPLE_ERROR_LIMIT {
            findings.ok(SUBJECT, message);
        } else {
            let hint = "the recogniser does not work as it should here: install callmark or the model again";
            findings.problem(SUBJECT, message, hint);
        }
    }
}

/// Runs the program itself on the sample, with a store of its own: everything that a night uses.
fn self_test(common: &Common) -> Result<Measured> {
    let place = tempfile::tempdir().context("no temporary folder")?;
    let (recording, out) = (place.path().join("self-test.mp3"), place.path().join("out"));
    std::fs::write(&recording, SAMPLE)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("run").arg(&recording).arg("--json").arg("--quiet").arg("--out").arg(&out);
    command.arg("--store").arg(place.path().join("store.db"));
    if let Some(config) = &common.config {
        command.arg("--config").arg(config);
    }
    for pair in &common.set {
        command.arg("--set").arg(pair);
    }
    // A test is no night: nobody is told about it.
    command.args(["--set", "night.on_finish=", "--set", "night.metrics_file=", "--set", "channels=rep=0,customer=1"]);
    let ran = command.output().context("the program cannot start itself")?;
    let text = String::from_utf8_lossy(&ran.stderr);
    let summary: Value =
        serde_json::from_slice(&ran.stdout).map_err(|_| anyhow!("the test run failed: {}", text.trim()))?;
    if let Some(failure) = summary["failed"].get(0) {
        bail!("the test run failed: {}\nhint: {}", failure["cause"], failure["hint"]);
    }
    let heard = std::fs::read_dir(&out)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|end| end == "vtt"))
        .ok_or_else(|| anyhow!("the test run wrote no transcript"))?;
    let words = |bytes: &[u8]| -> Result<String> {
        let transcript = read::text::read(bytes, "sample.vtt", Some(Language::En)).map_err(|e| anyhow!("{e}"))?;
        let mut turns = transcript.map(|t| t.turns).unwrap_or_default();
        turns.sort_by_key(|turn| (turn.role, turn.begin_ms));
        Ok(turns.iter().map(|turn| turn.text.as_str()).collect::<Vec<_>>().join(" "))
    };
    let counts =
        accuracy::error_counts(&words(SAMPLE_WORDS.as_bytes())?, &words(&std::fs::read(heard)?)?, Language::En);
    let busy: Option<f64> =
        summary["stage_seconds"].as_object().map(|stages| stages.values().filter_map(Value::as_f64).sum());
    Ok(Measured {
        recogniser: summary["recogniser"].as_str().unwrap_or("the recogniser").to_string(),
        error_rate: counts.rate().ok_or_else(|| anyhow!("the sample has no words"))?,
        audio_seconds: summary["audio_seconds"].as_f64().unwrap_or(0.0).max(1.0),
        busy_seconds: busy.filter(|busy| *busy > 0.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_store_is_seen_without_opening_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.db");
        drop(callmark_store::open(path.to_str().unwrap()).unwrap());
        let before = std::fs::read(&path).unwrap();
        assert_eq!(older_schema(&path, STORE_SCHEMA), None);
        assert_eq!(older_schema(&path, STORE_SCHEMA + 1), Some(STORE_SCHEMA));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(older_schema(&place.path().join("none.db"), STORE_SCHEMA), None);
    }

    #[test]
    fn a_lock_is_seen_without_taking_it() {
        let place = tempfile::tempdir().unwrap();
        let store = place.path().join("s.db");
        assert_eq!(lock_holder(&store), None);
        let lock = std::fs::File::create(place.path().join("s.db.lock")).unwrap();
        std::fs::write(
            place.path().join("s.db.lock"),
            r#"{"process": 7, "host": "h", "since": "2025-02-19T06:01:22Z"}"#,
        )
        .unwrap();
        assert_eq!(lock_holder(&store), None);
        lock.try_lock().unwrap();
        assert_eq!(lock_holder(&store).as_deref(), Some("process 7, since 2025-02-19T06:01:22Z"));
        drop(lock);
        assert_eq!(lock_holder(&store), None);
    }
}
