//! The reader of scorecards, and what a scorecard that can be read makes of its own examples. No models: what needs them is unknown.
#![no_main]

use callmark_core::acts::ActLexicon;
use callmark_core::adherence::run_examples;
use callmark_core::recording::Language;
use callmark_core::scorecard::{Scorecard, lint};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| match Scorecard::parse_bytes(bytes) {
    Ok(scorecard) => {
        let examples: usize = scorecard.requirements.iter().map(|r| r.examples.len()).sum();
        let results = run_examples(&scorecard, ActLexicon::built_in(), &|_: Language, texts: &[String]| vec![None; texts.len()]);
        assert_eq!(results.len(), examples);
        for finding in lint(&scorecard) {
            assert!(!finding.message.is_empty() && !finding.hint.is_empty());
        }
    }
    Err(error) => assert!(!error.message.contains('\n') && !error.to_string().is_empty()),
});
