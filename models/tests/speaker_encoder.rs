//! The speaker encoder that comes with callmark: vectors of one voice lie closer together than those of two.

use std::path::{Path, PathBuf};

use callmark_models::speaker_encoder::SpeakerEncoder;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn encoder() -> SpeakerEncoder {
    SpeakerEncoder::load(&here("speaker/model.onnx")).expect("scripts/setup has run")
}

/// Samples of a test sentence, at 16 kHz.
fn voice(name: &str) -> Vec<f32> {
    let bytes = std::fs::read(here(&format!("tests/data/{name}.wav"))).expect("a recording");
    let audio = callmark_audio::decode(&bytes, &callmark_audio::Limits::default()).expect("it decodes");
    callmark_audio::resample_to_16k(&audio.channels[0], audio.sample_rate_hz)
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn one_voice_is_closer_to_itself_than_to_another() {
    let (annie, m6) = (voice("annie"), voice("m6"));
    let halves = |samples: &[f32]| {
        let middle = samples.len() / 2;
        [samples[..middle].to_vec(), samples[middle..].to_vec()]
    };
    let windows: Vec<Vec<f32>> = halves(&annie).into_iter().chain(halves(&m6)).collect();
    let windows: Vec<&[f32]> = windows.iter().map(Vec::as_slice).collect();
    let mut encoder = encoder();
    let vectors = encoder.vectors(&windows).expect("vectors");
    assert!(vectors.iter().all(|vector| vector.len() == 256 && (cosine(vector, vector) - 1.0).abs() < 1e-3));
    let within = cosine(&vectors[0], &vectors[1]).min(cosine(&vectors[2], &vectors[3]));
    for (a, b) in [(0, 2), (0, 3), (1, 2), (1, 3)] {
        assert!(cosine(&vectors[a], &vectors[b]) < within - 0.1, "{within} {a} {b}");
    }
    assert_eq!(vectors, encoder.vectors(&windows).expect("vectors"), "the same bits every time");
}

#[test]
fn hostile_windows_get_vectors_too() {
    let (odd, loud) = (vec![f32::NAN, f32::INFINITY, 0.5], vec![f32::MAX; 40_000]);
    let windows: [&[f32]; 4] = [&[], &[0.0; 100], &odd, &loud];
    let vectors = encoder().vectors(&windows).expect("vectors");
    assert!(vectors.len() == 4 && vectors.iter().flatten().all(|value| value.is_finite()));
    assert!(encoder().vectors(&[]).expect("nothing").is_empty());
}

#[test]
fn another_kind_of_network_is_refused() {
    let error = SpeakerEncoder::load(&here("text-en/model.onnx")).map(|_| ()).expect_err("three inputs");
    assert!(error.to_string().contains("speaker encoder"), "{error}");
}
