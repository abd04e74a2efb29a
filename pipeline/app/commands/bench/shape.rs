//! `callmark bench shape`: how fast and how large a model of a given shape is, with random weights on real speech.
//!
//! Random weights never say the end: a fixed number of tokens per second of speech is decoded. Everything is measured on one
//! thread by the processor's time, so that a busy machine does not change it.

use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow, bail};
use callmark_audio::Limits;
use callmark_core::recording::Language;
use callmark_core::statistics::SplitMix64;
use callmark_core::transcript::Span;
use callmark_models::asr::{self, AsrOptions, Lane, Recogniser};
use callmark_models::manifest::{Manifest, ModelFile, RecogniserSettings};
use callmark_models::random_model::{ModelShape, SHAPES, WeightType, write_random_model};
use callmark_models::runtime;
use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

use crate::FINISHED;
use crate::call::{self, Prepared, StageClock};
use crate::cli::ShapeArgs;
use crate::config::Config;
use crate::install::Install;
use crate::process_memory::{peak_bytes, resident_bytes};
use crate::sound_networks::{SoundNetworkFiles, SoundNetworks};
use crate::work_time::Stopwatch;

const SAMPLES_PER_MS: usize = 16;

/// What was measured of one shape.
#[derive(Serialize)]
struct Capacity {
    shape: &'static str,
    weights: &'static str,
    file_bytes: u64,
    speech_seconds: f64,
    spans: usize,
    tokens_per_second: u32,
    /// Processor seconds per hour of speech, on one core.
    seconds_per_speech_hour: f64,
    /// Of these, what is left when one token per decoding is allowed: spectrum, encoder, first step of the decoder.
    encoder_seconds_per_speech_hour: f64,
    decoder_seconds_per_speech_hour: f64,
    /// Hours of speech per hour of a core.
    speech_hours_per_core_hour: f64,
    weights_bytes: u64,
    /// Of one lane beside the weights, after it has decoded.
    lane_bytes: u64,
    peak_bytes: Option<u64>,
    short_audio_context: bool,
}

pub fn run(args: &ShapeArgs) -> Result<u8> {
    let Some(shape) = SHAPES.iter().find(|shape| shape.name == args.shape) else {
        let names: Vec<&str> = SHAPES.iter().map(|shape| shape.name).collect();
        bail!("there is no shape `{}`\nhint: one of {}", args.shape, names.join(", "));
    };
    let Some(weights) = WeightType::ALL.into_iter().find(|kind| kind.name() == args.weights) else {
        bail!("there is no weight type `{}`\nhint: one of f16, q5_0, q5_1, q8_0", args.weights);
    };
    let capacity = measure(shape, weights, args)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&capacity)?);
    } else {
        print(&capacity);
    }
    Ok(FINISHED)
}

fn measure(shape: &ModelShape, weights: WeightType, args: &ShapeArgs) -> Result<Capacity> {
    let install = Install::find()?;
    let folder = tempfile::tempdir().context("there is no place for the model")?;
    let beside = || folder.path().join(format!("{}-{}.bin", shape.name, weights.name()));
    let path = args.keep.clone().unwrap_or_else(beside);
    write_random_model(&path, shape, weights, 1).context("the random model cannot be written")?;
    let file_bytes = std::fs::metadata(&path)?.len();
    // Under the manifest's settings for the real model.
    let manifest = Manifest::built_in().context("the built-in model manifest is damaged")?;
    let of_type = format!("{}-{}", shape.name, weights.name());
    let mut entry = manifest.entry(&of_type).or_else(|| manifest.entry(shape.name)).cloned();
    if let (Some(entry), true) = (&mut entry, args.short_audio_context) {
        entry.recogniser.short_audio_context = true;
    }
    let model = ModelFile { name: shape.name.to_string(), path, entry, sha256: String::new() };
    let (samples, clips) = speech(&install, &model.recogniser_settings(), args)?;
    let explain = |e: callmark_models::asr::AsrError| anyhow!("{e}\nhint: {}", e.hint());

    let resident = || resident_bytes().unwrap_or(0);
    let empty = resident();
    let recogniser = Recogniser::load(&model).map_err(explain)?;
    let loaded = resident();
    let mut lane = recogniser.lane(1).map_err(explain)?;
    let options = AsrOptions { language: Some(Language::En), initial_prompt: None };
    let mut listen = |tokens: u32| -> Result<f64> {
        lane.limit_tokens(Some(tokens));
        let mut seconds = 0.0;
        for spans in &clips {
            let began = Stopwatch::start();
            lane.transcribe(&samples, spans, &options).map_err(explain)?;
            seconds += began.elapsed().cpu_seconds();
        }
        Ok(seconds)
    };
    let encoder_seconds = listen(0)?;
    let seconds = listen(args.tokens_per_second)?;
    let one_lane = resident();
    let mut second: Lane = recogniser.lane(1).map_err(explain)?;
    second.limit_tokens(Some(args.tokens_per_second));
    if let Some(spans) = clips.first() {
        second.transcribe(&samples, spans, &options).map_err(explain)?;
    }
    let two_lanes = resident();

    let speech_seconds = speech_ms(&clips) as f64 / 1000.0;
    let per_hour = |seconds: f64| seconds / speech_seconds * 3600.0;
    Ok(Capacity {
        shape: shape.name,
        weights: weights.name(),
        file_bytes,
        speech_seconds,
        spans: clips.iter().map(Vec::len).sum(),
        tokens_per_second: args.tokens_per_second,
        seconds_per_speech_hour: per_hour(seconds),
        encoder_seconds_per_speech_hour: per_hour(encoder_seconds),
        decoder_seconds_per_speech_hour: per_hour(seconds - encoder_seconds),
        speech_hours_per_core_hour: speech_seconds / seconds,
        weights_bytes: loaded.saturating_sub(empty),
        lane_bytes: two_lanes.saturating_sub(one_lane),
        peak_bytes: peak_bytes(None),
        short_audio_context: model.recogniser_settings().short_audio_context,
    })
}

/// Speech of the sample recordings, joined in a fixed order that mixes them: the sound, and the spans of at least so much
/// speech in the clips that the program would make of it. Only full clips: the last of a channel, which holds whatever is left,
/// would make the figures depend on how much was asked for.
fn speech(install: &Install, settings: &RecogniserSettings, args: &ShapeArgs) -> Result<(Vec<f32>, Vec<Vec<Span>>)> {
    let manifest = Manifest::built_in().context("the built-in model manifest is damaged")?;
    runtime::onnx_runtime(install.onnx_runtime().as_deref()).map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?;
    let files = SoundNetworkFiles::find(&manifest, &install.model_folders(), &Config::default());
    let paths = files.map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?.paths();
    let mut networks = SoundNetworks::load(&paths).map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?;
    let folder = args.samples.clone().unwrap_or_else(|| install.scorecards().with_file_name("sample-audio"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "wav" || e == "mp3" || e == "flac"))
        .collect();
    files.sort();
    let mut random = SplitMix64::new(1);
    let (mut samples, mut spans, mut clips) = (Vec::new(), Vec::<Span>::new(), Vec::new());
    while speech_ms(&clips) < i64::from(args.seconds) * 1000 && !files.is_empty() {
        let path = files.swap_remove(random.below(files.len()));
        let bytes = call::read_file(&path, call::MAX_RECORDING_BYTES)?;
        let sound: Prepared = call::prepare(&bytes, &path, &Limits::default(), &mut networks, &StageClock::default())?;
        for channel in sound.channels {
            // Whole milliseconds, so that the spans stay in their places.
            samples.resize(samples.len().next_multiple_of(SAMPLES_PER_MS), 0.0);
            let at_ms = (samples.len() / SAMPLES_PER_MS) as i64;
            spans.extend(channel.spans.iter().map(|s| Span { begin_ms: s.begin_ms + at_ms, end_ms: s.end_ms + at_ms }));
            samples.extend(channel.samples);
        }
        clips = asr::clips(&samples, &spans, settings);
        clips.pop();
    }
    let mut left_ms = i64::from(args.seconds) * 1000;
    let enough = clips.iter().take_while(|clip| {
        let wanted = left_ms > 0;
        left_ms -= speech_ms(std::slice::from_ref(clip));
        wanted
    });
    let clips: Vec<Vec<Span>> = enough.cloned().collect();
    if clips.is_empty() {
        bail!("there is too little speech in {}\nhint: give recordings of calls with --samples", folder.display());
    }
    Ok((samples, clips))
}

fn speech_ms(clips: &[Vec<Span>]) -> i64 {
    clips.iter().flatten().map(|span| span.end_ms - span.begin_ms).sum()
}

fn print(capacity: &Capacity) {
    let megabytes = |bytes: u64| format!("{:.0}", bytes as f64 / 1e6);
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut line = |name: &str, value: String| {
        table.add_row([Cell::new(name), Cell::new(value).set_alignment(CellAlignment::Right)]);
    };
    line("shape", format!("{} {}", capacity.shape, capacity.weights));
    line("speech decoded, s (spans)", format!("{:.1} ({})", capacity.speech_seconds, capacity.spans));
    line("core seconds per hour of speech", format!("{:.0}", capacity.seconds_per_speech_hour));
    line("  spectrum, encoder, first step", format!("{:.0}", capacity.encoder_seconds_per_speech_hour));
    line("  other steps of the decoder", format!("{:.0}", capacity.decoder_seconds_per_speech_hour));
    line("hours of speech per core-hour", format!("{:.2}", capacity.speech_hours_per_core_hour));
    line("file, MB", megabytes(capacity.file_bytes));
    line("weights in memory, MB", megabytes(capacity.weights_bytes));
    line("each lane, MB", megabytes(capacity.lane_bytes));
    println!("{table}");
    println!(
        "Random weights, {} tokens per second of speech, encoder over {}; for capacity only.",
        capacity.tokens_per_second,
        if capacity.short_audio_context { "the span" } else { "30 s" }
    );
}
