//! A measurement on the terminal.

use std::collections::BTreeMap;

use callmark_core::calibration::Calibration;
use comfy_table::{Cell, Table};

use super::measures::{GroupKind, Quantiles, SetResult};
use super::speech::Report;
use crate::cli::EvalGroup;
use crate::commands::terminal_table::{right, table};

/// `.071–.093`
pub fn interval(low: Option<f64>, high: Option<f64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{low:.3}–{high:.3}"),
        _ => "–".to_string(),
    }
}

fn share(value: Option<f64>) -> String {
    value.map_or("–".to_string(), |v| format!("{v:.3}"))
}

fn milliseconds(value: Option<f64>) -> String {
    value.map_or("–".to_string(), |v| format!("{v:.0}"))
}

fn counts(counts: &BTreeMap<String, u64>) -> String {
    if counts.is_empty() {
        return "–".to_string();
    }
    counts.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
}

pub fn print(report: &Report, by: Option<EvalGroup>) {
    println!("model {} ({}…)", report.model, report.model_sha256.get(..12).unwrap_or_default());
    println!("\nErrors (words; Chinese: characters)\n{}", errors(&report.sets, by));
    println!("\nTimes of recognised words, absolute errors in ms\n{}", times(&report.sets));
    println!("\nWords lost and invented\n{}", lost(&report.sets));
    println!("\nWho speaks when (collar 0.25 s, overlap scored)\n{}", diarization(&report.sets));
    println!("\nConfidence\n{}", confidence(&report.sets));
    for set in &report.sets {
        println!("\nWord confidence in {}\n{}", set.set, reliability(&set.confidence.words));
    }
    println!("\nProcessor seconds per second of audio\n{}", speed(&report.sets));
    for set in report.sets.iter().filter(|set| !set.errors.is_empty()) {
        println!("\nMost frequent errors in {}\n{}", set.set, confusions(set));
    }
    let intervals = &report.intervals;
    println!(
        "\nIntervals: {} % {}, {} resamples, seed {}, over recordings (turns below 8 recordings).",
        intervals.level_percent, intervals.method, intervals.resamples, intervals.seed
    );
    if let Some(peak) = report.peak_memory_bytes {
        println!("Peak memory with {} lanes: {} MB", report.lanes, peak >> 20);
    }
}

fn errors(sets: &[SetResult], by: Option<EvalGroup>) -> Table {
    let mut table = table(["set", "group", "recordings", "n", "subs", "dels", "ins", "error rate", "95 %"]);
    for set in sets {
        let wanted = |kind: GroupKind| match by {
            None => kind != GroupKind::Recording,
            Some(by) => kind == GroupKind::All || kind == by.kind(),
        };
        for row in set.groups.iter().filter(|row| wanted(row.kind)) {
            table.add_row([
                Cell::new(&set.set),
                Cell::new(&row.group),
                right(row.recordings.to_string()),
                right(row.units.to_string()),
                right(row.substitutions.to_string()),
                right(row.deletions.to_string()),
                right(row.insertions.to_string()),
                right(share(row.error_rate)),
                right(interval(row.low, row.high)),
            ]);
        }
    }
    table
}

fn times(sets: &[SetResult]) -> Table {
    let mut table = table(["set", "n", "begin: median", "90 %", "95 %", "end: median", "90 %", "95 %"]);
    let cells = |q: &Quantiles| [q.median_ms, q.p90_ms, q.p95_ms].map(|value| right(milliseconds(value)));
    for set in sets {
        let first = [Cell::new(&set.set), right(set.word_times.begin.n.to_string())];
        table.add_row(first.into_iter().chain(cells(&set.word_times.begin)).chain(cells(&set.word_times.end)));
    }
    table
}

fn lost(sets: &[SetResult]) -> Table {
    let mut table = table([
        "set",
        "words with times",
        "lost outside speech",
        "lost to guards",
        "by guard",
        "s without speech",
        "words invented there",
        "guards removed there",
        "guards removed in all",
    ]);
    for set in sets {
        table.add_row([
            Cell::new(&set.set),
            right(set.lost.words.to_string()),
            right(set.lost.outside_speech.to_string()),
            right(set.lost.removed_words().to_string()),
            Cell::new(counts(&set.lost.removed)),
            right(format!("{:.0}", set.invented.seconds)),
            right(set.invented.words.to_string()),
            Cell::new(counts(&set.invented.dropped)),
            Cell::new(counts(&set.dropped)),
        ]);
    }
    table
}

fn diarization(sets: &[SetResult]) -> Table {
    let mut table =
        table(["set", "speech s", "missed", "false alarm", "confusion", "error rate", "95 %", "roles right"]);
    for set in sets {
        let (found, errors) = (&set.diarization, &set.diarization.errors);
        let part = |ms: i64| share((errors.reference_ms > 0).then(|| ms as f64 / errors.reference_ms as f64));
        table.add_row([
            Cell::new(&set.set),
            right(format!("{:.0}", errors.reference_ms as f64 / 1000.0)),
            right(part(errors.missed_ms)),
            right(part(errors.false_alarm_ms)),
            right(part(errors.confusion_ms)),
            right(share(found.error_rate)),
            right(interval(found.low, found.high)),
            right(share(found.role_accuracy)),
        ]);
    }
    table
}

fn confidence(sets: &[SetResult]) -> Table {
    let mut table = table([
        "set",
        "recordings",
        "lowest",
        "median",
        "highest",
        "below floor",
        "share",
        "words",
        "calibration error",
        "right from wrong (AUC)",
    ]);
    for set in sets {
        let found = &set.confidence;
        let permille = |value: Option<u16>| right(value.map_or("–".to_string(), |v| v.to_string()));
        table.add_row([
            Cell::new(&set.set),
            right(found.recordings.to_string()),
            permille(found.lowest_permille),
            permille(found.median_permille),
            permille(found.highest_permille),
            right(format!("{} (< {})", found.below_floor, found.floor_permille)),
            right(share(found.below_floor_share)),
            right(found.words.n.to_string()),
            right(share(found.words.expected_calibration_error)),
            right(share(found.words.area_under_curve)),
        ]);
    }
    table
}

fn reliability(words: &Calibration) -> Table {
    let mut table = table(["confidence from", "n", "mean confidence", "share right"]);
    for bin in words.bins.iter().filter(|bin| bin.n > 0) {
        table.add_row([
            right(format!("{:.1}", f64::from(bin.from_permille) / 1000.0)),
            right(bin.n.to_string()),
            right(share(bin.mean_confidence)),
            right(share(bin.share_right)),
        ]);
    }
    table
}

fn speed(sets: &[SetResult]) -> Table {
    let mut table = table([
        "set",
        "audio s",
        "speech share",
        "decode",
        "voice activity",
        "recognise",
        "all",
        "× real time",
        "all, by the clock",
    ]);
    for set in sets {
        let speed = &set.speed;
        let stages = [speed.decode, speed.voice_activity, speed.recognise, speed.all];
        let first =
            [Cell::new(&set.set), right(format!("{:.0}", set.audio_seconds)), right(share(Some(set.speech_share)))];
        let cells = stages.map(|stage| right(format!("{:.4}", stage.cpu_per_audio_second)));
        let last =
            [right(format!("{:.1}", speed.times_real_time)), right(format!("{:.4}", speed.all.wall_per_audio_second))];
        table.add_row(first.into_iter().chain(cells).chain(last));
    }
    table
}

fn confusions(set: &SetResult) -> Table {
    let mut table = table(["said", "heard", "times"]);
    for (said, heard, count) in &set.errors {
        let cell = |text: &Option<String>| Cell::new(text.as_deref().unwrap_or("–"));
        table.add_row([cell(said), cell(heard), right(count.to_string())]);
    }
    table
}
