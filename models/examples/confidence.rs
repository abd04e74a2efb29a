//! Prints how far the recogniser's words can be trusted, per recording and as a distribution.
//!
//!     cargo run --release -p callmark-models --example confidence -- [--model NAME|PATH] [--speed PERMILLE]
//!         [--max-span MS] [--min-silence MS] FILE.wav…
//!
//! One tab-separated line per recording: name, words, mean word probability, agreement of two decodings, confidence,
//! speech s, compared s, edits and reference words (when NAME.txt lies beside it, one line per channel), the same per channel,
//! decoding × real time, what guards removed. Never prints a word that was said. `models/evaluation/make_confidence_sets.py` makes the sets.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::Path;
use std::time::Instant;

use callmark_audio::spans::{SpanRules, speech_spans};
use callmark_audio::{Limits, decode, resample_to_16k};
use callmark_models::asr::{AsrOptions, ChannelTranscript, Recogniser, Trust};
use callmark_models::manifest::{Manifest, model_dirs};
use callmark_models::vad::VoiceActivity;

fn plain(text: &str) -> Vec<String> {
    let keep = |c: char| if c.is_alphanumeric() || c == '\'' { c.to_ascii_lowercase() } else { ' ' };
    text.chars().map(keep).collect::<String>().split_whitespace().map(str::to_string).collect()
}

/// Word-level Levenshtein distance.
fn edits(reference: &[String], hypothesis: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=hypothesis.len()).collect();
    for (i, a) in reference.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in hypothesis.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (above + 1).min(row[j] + 1).min(diagonal + usize::from(a != b));
            diagonal = above;
        }
    }
    row[hypothesis.len()]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut option = |name: &str| {
        arguments.iter().position(|a| a == name).map(|at| arguments.drain(at..at + 2).nth(1).unwrap_or_default())
    };
    let model = option("--model").unwrap_or_else(|| "starter-en".to_string());
    let speed = option("--speed").map(|s| s.parse::<u16>()).transpose()?;
    let max_span = option("--max-span").map(|s| s.parse::<i64>()).transpose()?;
    let min_silence = option("--min-silence").map(|s| s.parse::<i64>()).transpose()?;
    let rules = SpanRules {
        min_silence_ms: min_silence.unwrap_or(SpanRules::default().min_silence_ms),
        ..SpanRules::default()
    };
    let manifest = Manifest::built_in()?;
    let dirs = model_dirs(&[]);
    let mut file = manifest.find_model(&model, &dirs)?;
    if let (Some(entry), Some(speed)) = (&mut file.entry, speed) {
        entry.recogniser.second_speed_permille = speed;
    }
    if let (Some(entry), Some(max_span)) = (&mut file.entry, max_span) {
        entry.recogniser.max_span_ms = max_span;
    }
    let mut vad = VoiceActivity::load(&manifest.find_model("silero-vad", &dirs)?.path)?;
    let mut lane = Recogniser::load(&file)?.lane(1)?;
    let (mut vad_s, mut asr_s, mut audio_s) = (0.0, 0.0, 0.0);
    for path in &arguments {
        let audio = decode(&std::fs::read(path)?, &Limits::default())?;
        let reference = std::fs::read_to_string(Path::new(path).with_extension("txt")).ok();
        let mut trust = Trust::default();
        let (mut wrong, mut words) = (0, 0);
        let mut per_channel = Vec::new();
        let started_asr = asr_s;
        let mut dropped = std::collections::BTreeMap::<String, u32>::new();
        for (index, channel) in audio.channels.iter().enumerate() {
            let samples = resample_to_16k(channel, audio.sample_rate_hz);
            let started = Instant::now();
            let spans = speech_spans(&vad.probabilities_permille(&samples)?, &rules);
            vad_s += started.elapsed().as_secs_f64();
            let started = Instant::now();
            let said: ChannelTranscript = lane.transcribe(&samples, &spans, &AsrOptions::default())?;
            asr_s += started.elapsed().as_secs_f64();
            audio_s += samples.len() as f64 / 16_000.0;
            trust += said.trust;
            for (guard, count) in &said.dropped {
                *dropped.entry(guard.clone()).or_default() += count;
            }
            if let Some(line) = reference.as_ref().and_then(|text| text.lines().nth(index)) {
                let heard = said.segments.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join(" ");
                let line = plain(line);
                let distance = edits(&line, &plain(&heard));
                per_channel.push(format!("{distance}/{}", line.len()));
                wrong += distance;
                words += line.len();
            }
        }
        println!(
            "{}\t{}\t{}\t{}\t{}\t{:.1}\t{:.1}\t{wrong}/{words}\t{}\t{:.1}\t{dropped:?}",
            Path::new(path).file_name().unwrap_or_default().to_string_lossy(),
            trust.words,
            trust.mean_probability_permille(),
            trust.agreement_permille().map_or("-".to_string(), |a| a.to_string()),
            trust.confidence_permille(),
            trust.speech_ms as f64 / 1000.0,
            trust.compared_ms as f64 / 1000.0,
            per_channel.join(" "),
            audio.duration_ms() as f64 / 1000.0 / (asr_s - started_asr).max(1e-9),
        );
    }
    eprintln!(
        "{audio_s:.0} s of channels; voice activity {:.0} × real time, recogniser {:.1} × real time",
        audio_s / vad_s.max(1e-9),
        audio_s / asr_s.max(1e-9)
    );
    Ok(())
}
