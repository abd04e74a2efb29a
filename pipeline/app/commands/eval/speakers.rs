//! `callmark eval speakers`: how well two speakers of one channel are told apart, without recognising what they say.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use callmark_audio::Limits;
use callmark_core::diarization::{
    COLLAR_MS, DiarizationErrors, OverlapTimes, Speech, diarization_errors, overlap_times,
};
use callmark_core::statistics::{Interval, bootstrap_ratio};
use callmark_core::transcript::{Role, Span};
use callmark_models::manifest::Manifest;
use callmark_models::runtime;
use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

use super::labelled::LabelledSet;
use super::measures::{RESAMPLES, SEED};
use crate::call::{self, Prepared, StageClock};
use crate::cli::{Common, SpeakersArgs};
use crate::config::Config;
use crate::install::Install;
use crate::sound_networks::{SoundNetworkFiles, SoundNetworks};
use crate::{FINISHED, SOME_FAILED};

/// What was found in one recording.
#[derive(Serialize)]
struct Judged {
    recording: String,
    /// Two voices were told apart; otherwise all speech is one speaker's.
    two: bool,
    separation_milli: i64,
    confidence_permille: u16,
    overlap_ms: i64,
    errors: DiarizationErrors,
    der: Option<f64>,
    /// Without a collar, as most overlaps are shorter than twice that.
    overlap: OverlapTimes,
    overlap_with_collar: OverlapTimes,
}

/// How well overlap is found in a set, each with its bootstrap interval over recordings.
#[derive(Serialize)]
struct OverlapResult {
    times: OverlapTimes,
    precision: Measured,
    recall: Measured,
    f1: Measured,
}

#[derive(Serialize)]
struct Measured {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

impl OverlapResult {
    fn of(recordings: &[OverlapTimes]) -> OverlapResult {
        let mut times = OverlapTimes::default();
        recordings.iter().for_each(|own| times.add(own));
        let measured = |value: Option<f64>, pair: fn(&OverlapTimes) -> (i64, i64)| {
            let pairs: Vec<(f64, f64)> =
                recordings.iter().map(pair).map(|(part, whole)| (part as f64, whole as f64)).collect();
            let interval = value.and_then(|_| interval(&pairs));
            Measured { value, low: interval.map(|i| i.low), high: interval.map(|i| i.high) }
        };
        OverlapResult {
            precision: measured(times.precision(), |o| (o.right_ms, o.found_ms)),
            recall: measured(times.recall(), |o| (o.right_ms, o.reference_ms)),
            f1: measured(times.f1(), |o| (2 * o.right_ms, o.found_ms + o.reference_ms)),
            times,
        }
    }
}

/// Of the sum of parts over the sum of wholes; `None` for a single recording.
fn interval(pairs: &[(f64, f64)]) -> Option<Interval> {
    if pairs.len() > 1 { bootstrap_ratio(pairs, RESAMPLES, SEED) } else { None }
}

#[derive(Serialize)]
struct SetResult {
    set: String,
    recordings: Vec<Judged>,
    failed: usize,
    errors: DiarizationErrors,
    der: Option<f64>,
    der_low: Option<f64>,
    der_high: Option<f64>,
    overlap: OverlapResult,
    overlap_with_collar: OverlapResult,
    /// Seconds of sound per second of clustering, decoding and voice activity left out.
    clustering_speed: f64,
}

pub fn run(args: &SpeakersArgs, common: &Common) -> Result<u8> {
    let config = Config::load(common)?;
    let install = Install::find()?;
    let manifest = Manifest::built_in().context("the built-in model manifest is damaged")?;
    let files = SoundNetworkFiles::find(&manifest, &install.model_folders(), &config);
    let paths = files.map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?.paths();
    runtime::onnx_runtime(install.onnx_runtime().as_deref()).map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?;
    let networks = SoundNetworks::load(&paths).map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?;
    let limits = Limits { max_duration_s: config.max_duration_s, ..Limits::default() };
    let mut listener = Listener { networks, limits, seconds: 0.0, clustering_seconds: 0.0 };
    let results: Vec<SetResult> =
        args.sets.iter().map(|folder| listener.judge_set(folder, args.mix)).collect::<Result<_>>()?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&results)?);
    } else {
        print(&results, args.each);
    }
    Ok(if results.iter().any(|set| set.failed > 0) { SOME_FAILED } else { FINISHED })
}

struct Listener {
    networks: SoundNetworks,
    limits: Limits,
    seconds: f64,
    clustering_seconds: f64,
}

impl Listener {
    fn judge_set(&mut self, folder: &Path, mix: bool) -> Result<SetResult> {
        (self.seconds, self.clustering_seconds) = (0.0, 0.0);
        // Name, file, and who speaks when, if somebody wrote it down.
        let set: Vec<(String, PathBuf, Vec<Speech>)> = if mix {
            let named =
                |path: PathBuf| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path, vec![]);
            let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
            let mut files: Vec<PathBuf> = entries.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
            files.retain(|path| path.is_file());
            files.sort();
            files.into_iter().map(named).collect()
        } else {
            let said = |turn: &super::labelled::ReferenceTurn| Speech {
                speaker: turn.role,
                span: Span { begin_ms: turn.begin_ms, end_ms: turn.end_ms },
            };
            let set = LabelledSet::read(folder, None)?;
            set.recordings
                .into_iter()
                .map(|r| (r.name, r.path, r.reference.turns().iter().map(said).collect()))
                .collect()
        };
        if set.is_empty() {
            bail!("{} is empty\nhint: --mix takes a folder of recordings with two channels", folder.display());
        }
        let (mut recordings, mut failed) = (Vec::new(), 0);
        for (name, path, truth) in set {
            match self.judge(&name, &path, truth, mix) {
                Ok(judged) => recordings.push(judged),
                Err(error) => {
                    eprintln!("failed: {}: {error:#}", path.display());
                    failed += 1;
                }
            }
        }
        let mut errors = DiarizationErrors::default();
        recordings.iter().for_each(|judged| errors.add(&judged.errors));
        let wrong = |e: &DiarizationErrors| (e.missed_ms + e.false_alarm_ms + e.confusion_ms) as f64;
        let pairs: Vec<(f64, f64)> =
            recordings.iter().map(|r| (wrong(&r.errors), r.errors.reference_ms as f64)).collect();
        let interval = interval(&pairs);
        let overlap =
            |of: fn(&Judged) -> OverlapTimes| OverlapResult::of(&recordings.iter().map(of).collect::<Vec<_>>());
        Ok(SetResult {
            set: folder.display().to_string(),
            failed,
            der: errors.rate(),
            der_low: interval.map(|i| i.low),
            der_high: interval.map(|i| i.high),
            errors,
            overlap: overlap(|r| r.overlap),
            overlap_with_collar: overlap(|r| r.overlap_with_collar),
            clustering_speed: self.seconds / self.clustering_seconds.max(1e-9),
            recordings,
        })
    }

    fn judge(&mut self, name: &str, path: &Path, mut truth: Vec<Speech>, mix: bool) -> Result<Judged> {
        let bytes = call::read_file(path, call::MAX_RECORDING_BYTES)?;
        let mut prepared = call::prepare_channels(
            &bytes,
            path,
            &self.limits,
            &mut self.networks.voice_activity,
            &StageClock::default(),
        )?;
        if mix {
            let [first, second] = prepared.channels.as_slice() else {
                bail!("it has {} channels that differ, not two", prepared.channels.len())
            };
            for (speaker, channel) in [(Role::Rep, first), (Role::Customer, second)] {
                truth.extend(channel.spans.iter().map(|&span| Speech { speaker, span }));
            }
            let samples = first.samples.iter().zip(&second.samples).map(|(a, b)| a + b).collect();
            prepared = Prepared::from_one_channel(samples, &mut self.networks.voice_activity)?;
        }
        let Some(only) = prepared.channels.first().filter(|_| prepared.channels.len() == 1) else {
            bail!("it has {} channels\nhint: --mix mixes two channels to one", prepared.channels.len())
        };
        self.seconds += only.samples.len() as f64 / f64::from(callmark_audio::SPEECH_RATE_HZ);
        let began = std::time::Instant::now();
        let found = call::two_speakers(only, &mut self.networks)?;
        self.clustering_seconds += began.elapsed().as_secs_f64();
        let sides: [&[Span]; 2] = if found.are_two() { [&found.spans[0], &found.spans[1]] } else { [&only.spans, &[]] };
        let of = |(speaker, spans): (Role, &[Span])| spans.iter().map(move |&span| Speech { speaker, span }).collect();
        let hypothesis: Vec<Speech> =
            [Role::Rep, Role::Customer].into_iter().zip(sides).flat_map(|side| -> Vec<Speech> { of(side) }).collect();
        let errors = diarization_errors(&truth, &hypothesis, COLLAR_MS);
        Ok(Judged {
            recording: name.to_string(),
            two: found.are_two(),
            separation_milli: found.separation_milli,
            confidence_permille: found.confidence_permille,
            overlap_ms: found.overlaps.iter().map(|s| s.end_ms - s.begin_ms).sum(),
            der: errors.rate(),
            errors,
            overlap: overlap_times(&truth, &hypothesis, 0),
            overlap_with_collar: overlap_times(&truth, &hypothesis, COLLAR_MS),
        })
    }
}

fn print(results: &[SetResult], each: bool) {
    let percent = |value: Option<f64>| value.map_or("–".to_string(), |v| format!("{:.1}", 100.0 * v));
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "set",
        "recordings",
        "two voices",
        "speech, min",
        "DER, %",
        "95 %",
        "missed",
        "false alarm",
        "confusion",
        "overlap",
        "precision",
        "recall",
        "× real time",
    ]);
    let mut row = |cells: Vec<String>| {
        let right = |(i, text): (usize, String)| {
            Cell::new(text).set_alignment(if i == 0 { CellAlignment::Left } else { CellAlignment::Right })
        };
        table.add_row(cells.into_iter().enumerate().map(right).collect::<Vec<_>>());
    };
    let parts = |e: &DiarizationErrors| {
        let share = |ms: i64| percent((e.reference_ms > 0).then(|| ms as f64 / e.reference_ms as f64));
        [share(e.missed_ms), share(e.false_alarm_ms), share(e.confusion_ms)]
    };
    let overlap = |o: &OverlapTimes| {
        let share = (o.spoken_ms > 0).then(|| o.reference_ms as f64 / o.spoken_ms as f64);
        [percent(share), percent(o.precision()), percent(o.recall())]
    };
    let minutes = |ms: i64| format!("{:.1}", ms as f64 / 60_000.0);
    for set in results {
        let two = set.recordings.iter().filter(|r| r.two).count();
        let [missed, false_alarm, confusion] = parts(&set.errors);
        let interval = match (set.der_low, set.der_high) {
            (Some(low), Some(high)) => format!("{}–{}", percent(Some(low)), percent(Some(high))),
            _ => "–".to_string(),
        };
        let [overlapped, precision, recall] = overlap(&set.overlap.times);
        row(vec![
            set.set.clone(),
            set.recordings.len().to_string(),
            two.to_string(),
            minutes(set.errors.reference_ms),
            percent(set.der),
            interval,
            missed,
            false_alarm,
            confusion,
            overlapped,
            precision,
            recall,
            format!("{:.0}", set.clustering_speed),
        ]);
        for judged in set.recordings.iter().filter(|_| each) {
            let [missed, false_alarm, confusion] = parts(&judged.errors);
            let two = if judged.two { format!("yes, {}", judged.confidence_permille) } else { "no".into() };
            let speech = minutes(judged.errors.reference_ms);
            let name = format!("  {}", judged.recording);
            let [overlapped, precision, recall] = overlap(&judged.overlap);
            row(vec![
                name,
                String::new(),
                two,
                speech,
                percent(judged.der),
                String::new(),
                missed,
                false_alarm,
                confusion,
                overlapped,
                precision,
                recall,
                String::new(),
            ]);
        }
    }
    println!("{table}");
    println!("Collar 0.25 s, overlap scored. Recordings without two voices count as one speaker's.");
    println!("Overlap: its share of the time in which somebody speaks, and how well it is found, without a collar.");
}
