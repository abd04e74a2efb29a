//! The metrics file for Prometheus' node_exporter (textfile collector): classic text format, counts of the last batch.

use std::fmt::Write;

use jiff::Timestamp;

use crate::run_summary::RunSummary;

/// One gauge per line with its help; no sample has a time stamp, as node_exporter demands.
pub fn prometheus(report: &RunSummary, finished: Timestamp) -> String {
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, samples: &[(String, f64)]| {
        let _ = writeln!(text, "# HELP callmark_{name} {help}\n# TYPE callmark_{name} gauge");
        for (labels, value) in samples {
            let _ = writeln!(text, "callmark_{name}{labels} {value}");
        }
    };
    let one = |value: f64| [(String::new(), value)];
    let known = report.failed.len() - report.new_failures();
    gauge("last_finish_timestamp_seconds", "When the last batch finished", &one(finished.as_second() as f64));
    gauge(
        "last_exit_code",
        "0 finished, 1 gate, 2 some recordings failed, 3 could not run",
        &one(report.exit_code.into()),
    );
    gauge("recordings", "Recordings found by the last batch", &one(report.recordings as f64));
    gauge("transcribed", "Recordings transcribed by the last batch", &one(report.transcribed as f64));
    gauge("unchanged", "Calls of the last batch that needed no work", &one(report.unchanged as f64));
    let mut calls = vec![
        ("{status=\"scored\"}".to_string(), report.scored as f64),
        ("{status=\"pending_review\"}".to_string(), report.pending_review as f64),
    ];
    let unscored =
        |(reason, count): (&String, &usize)| (format!("{{status=\"unscored\",reason=\"{reason}\"}}"), *count as f64);
    calls.extend(report.unscored.iter().map(unscored));
    gauge("calls", "Calls covered by the last batch, by status", &calls);
    let failed = [
        ("{known=\"false\"}".to_string(), report.new_failures() as f64),
        ("{known=\"true\"}".to_string(), known as f64),
    ];
    gauge("failed_recordings", "Recordings that failed; known: in an earlier run already", &failed);
    gauge("audio_seconds", "Sound transcribed by the last batch", &one(report.audio_seconds));
    gauge("elapsed_seconds", "Time that the last batch took", &one(report.elapsed_seconds));
    let stages: Vec<_> = report.stage_seconds.iter().map(|(stage, s)| (format!("{{stage=\"{stage}\"}}"), *s)).collect();
    gauge("stage_seconds", "Working time per stage, summed over threads", &stages);
    if let Some(mean) = report.mean_score {
        gauge("mean_score", "Mean score of the calls covered by the last batch, in points", &one(mean));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_has_help_and_type_and_no_time() {
        let mut report = RunSummary { scored: 3, exit_code: 2, ..RunSummary::default() };
        report.unscored.insert("too_short".into(), 2);
        let text = prometheus(&report, Timestamp::from_second(1_700_000_000).unwrap());
        assert!(text.contains("callmark_calls{status=\"unscored\",reason=\"too_short\"} 2\n"), "{text}");
        assert!(text.contains("callmark_last_finish_timestamp_seconds 1700000000\n"), "{text}");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            assert!(text.contains(&format!("# TYPE {name} gauge")), "{line}");
            assert_eq!(line.rsplit(' ').count(), 2, "a name and a value: {line}");
        }
    }
}
