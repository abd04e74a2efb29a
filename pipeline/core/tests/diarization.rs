//! Diarization error rates against pyannote.metrics.

use callmark_core::diarization::{DiarizationErrors, Speech, diarization_errors};
use callmark_core::transcript::{Role, Span};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    reference: Vec<(Role, i64, i64)>,
    hypothesis: Vec<(Role, i64, i64)>,
    collar_ms: i64,
    #[serde(flatten)]
    expected: DiarizationErrors,
}

#[test]
fn rates_are_those_of_pyannote() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../../tests/oracles/diarization.json")).unwrap();
    assert!(cases.len() >= 40 && cases.iter().any(|case| case.expected.confusion_ms > 0));
    let speech = |spans: &[(Role, i64, i64)]| -> Vec<Speech> {
        let one = |&(speaker, begin_ms, end_ms): &(Role, i64, i64)| Speech { speaker, span: Span { begin_ms, end_ms } };
        spans.iter().map(one).collect()
    };
    for (number, case) in cases.iter().enumerate() {
        let got = diarization_errors(&speech(&case.reference), &speech(&case.hypothesis), case.collar_ms);
        assert_eq!(got, case.expected, "case {number}");
    }
}
