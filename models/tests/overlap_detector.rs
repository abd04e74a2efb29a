//! The overlap detector that comes with callmark: one voice laid over another is heard where it is, and nowhere else.

use std::path::{Path, PathBuf};

use callmark_core::transcript::Span;
use callmark_models::overlap_detector::{HOP_MS, OverlapDetector};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn detector() -> OverlapDetector {
    OverlapDetector::load(&here("overlap/model.onnx")).expect("scripts/setup has run")
}

/// Samples of a test sentence, at 16 kHz, with a power of 0.01 and without the silence at its ends.
fn voice(name: &str) -> Vec<f32> {
    let bytes = std::fs::read(here(&format!("tests/data/{name}.wav"))).expect("a recording");
    let audio = callmark_audio::decode(&bytes, &callmark_audio::Limits::default()).expect("it decodes");
    let samples = callmark_audio::resample_to_16k(&audio.channels[0], audio.sample_rate_hz);
    let power = |part: &[f32]| part.iter().map(|v| v * v).sum::<f32>() / part.len() as f32;
    let all = power(&samples);
    let hops: Vec<bool> = samples.chunks_exact(320).map(|hop| power(hop) > all * 0.01).collect();
    let begin = 320 * hops.iter().position(|loud| *loud).expect("speech");
    let end = 320 * (1 + hops.iter().rposition(|loud| *loud).expect("speech"));
    samples[begin..end].iter().map(|v| v * (0.01 / all).sqrt()).collect()
}

fn whole(samples: &[f32]) -> Vec<Span> {
    vec![Span { begin_ms: 0, end_ms: samples.len() as i64 / 16 }]
}

fn share_above_half(probabilities: &[u16]) -> f64 {
    probabilities.iter().filter(|p| **p > 500).count() as f64 / probabilities.len() as f64
}

#[test]
fn two_voices_at_once_are_heard() {
    let (annie, m6) = (voice("annie"), voice("m6"));
    let mut detector = detector();
    for alone in [&annie, &m6] {
        let heard = detector.probabilities_permille(alone, &whole(alone)).expect("probabilities");
        assert_eq!(heard.len() as i64, alone.len() as i64 / 16 / HOP_MS);
        assert!(share_above_half(&heard) < 0.05, "{heard:?}");
    }
    // The second voice comes in a second early.
    let mut both = annie.clone();
    let begin = annie.len() - 16_000;
    both.resize(begin + m6.len(), 0.0);
    both[begin..].iter_mut().zip(&m6).for_each(|(a, b)| *a += b);
    let heard = detector.probabilities_permille(&both, &whole(&both)).expect("probabilities");
    let (first, last) = (begin / 320, annie.len() / 320);
    assert!(share_above_half(&heard[first..last]) > 0.8, "{:?}", &heard[first..last]);
    assert!(share_above_half(&heard[..first - 10]) < 0.05 && share_above_half(&heard[last + 10..]) < 0.05);
    assert_eq!(
        heard,
        detector.probabilities_permille(&both, &whole(&both)).expect("probabilities"),
        "the same every time"
    );
    // It listens to speech only.
    let heard = detector.probabilities_permille(&both, &[]).expect("probabilities");
    assert!(heard.iter().all(|p| *p == 0));
}

#[test]
fn hostile_sound_gets_probabilities_too() {
    let odd: Vec<f32> = [f32::NAN, f32::INFINITY, 0.5].into_iter().cycle().take(100_000).collect();
    for samples in [vec![], vec![0.0; 100], odd, vec![f32::MAX; 40_000]] {
        let heard = detector().probabilities_permille(&samples, &whole(&samples)).expect("probabilities");
        assert_eq!(heard.len(), samples.len() / 320);
    }
    let outside = [Span { begin_ms: -500, end_ms: 1 << 40 }];
    assert_eq!(detector().probabilities_permille(&[0.1; 6_400], &outside).expect("probabilities").len(), 20);
}

#[test]
fn another_kind_of_network_is_refused() {
    let error = OverlapDetector::load(&here("text-en/model.onnx")).map(|_| ()).expect_err("three inputs");
    assert!(error.to_string().contains("overlap detector"), "{error}");
}
