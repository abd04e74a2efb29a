//! Golden results that a training recipe wrote from Python, and whether the shipped model gives the same.

use std::path::Path;

use callmark_models::text_encoder::TextEncoder;
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Golden {
    pub text: String,
    sentiment: [i32; 3],
    /// `None` for a text without a letter or digit.
    logits: Option<Vec<f32>>,
    /// Logit; `None` likewise.
    insult: Option<f32>,
    embedding: Vec<i32>,
    similar: i64,
}

/// The golden file of a model, by its name.
pub fn golden(model: &str) -> Vec<Golden> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{model}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Logits differ by at most 1e-4; rounded, sentiment and embedding differ by at most a unit of rounding, similarities by two: two int8 vectors whose components each differ by at most
/// one in a few places.
pub fn check(encoder: &mut TextEncoder, golden: &[Golden]) {
    let texts: Vec<&str> = golden.iter().map(|g| g.text.as_str()).collect();
    let results = encoder.encode(&texts).unwrap();
    assert_eq!(results.len(), golden.len());
    for (expected, got) in golden.iter().zip(&results) {
        let all = |sentiment: Vec<f32>, insult: Option<f32>| sentiment.into_iter().chain(insult).collect::<Vec<f32>>();
        let output = encoder.run(&expected.text).unwrap();
        let logits = output.map(|output| all(output.sentiment_logits, output.insult_logit)).unwrap_or_default();
        let expected_logits = all(expected.logits.clone().unwrap_or_default(), expected.insult);
        assert_eq!(logits.len(), expected_logits.len(), "{:?}", expected.text);
        for (a, b) in logits.iter().zip(&expected_logits) {
            assert!((a - b).abs() <= 1e-4, "{:?}: {a} instead of {b}", expected.text);
        }
        let s = got.sentiment;
        let sentiment = [s.negative_permille, s.neutral_permille, s.positive_permille].map(i32::from);
        assert_eq!(sentiment.iter().sum::<i32>(), 1000);
        for (a, b) in sentiment.iter().zip(expected.sentiment) {
            assert!((a - b).abs() <= 1, "{:?}: {sentiment:?} instead of {:?}", expected.text, expected.sentiment);
        }
        assert_eq!(got.embedding.0.len(), 384);
        for (a, b) in got.embedding.0.iter().zip(&expected.embedding) {
            assert!((i32::from(*a) - b).abs() <= 1, "{:?}", expected.text);
        }
        let similar = results[0].embedding.similarity_permille(&got.embedding);
        assert!((similar - expected.similar).abs() <= 2, "{:?}: {similar} not {}", expected.text, expected.similar);
    }
}
