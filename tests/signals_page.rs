//! docs/signals.md is made from the definitions in core; `CALLMARK_WRITE_DOCS=1` writes it, else a stale page fails.

use std::fmt::Write as _;

use callmark_core::signals::Metric;

use crate::harness::project;

#[test]
fn the_page_of_signals_is_up_to_date() {
    let mut page = String::from(
        "# Signals\n\nMade from the definitions in `pipeline/core/src/signals.rs` (tests/signals_page.rs); edit them there. All are integers, \
         computed from speech spans, words and what was measured in the sound, and left out where they cannot be known. Times and \
         counts of generated conversations agree with the truth to the millisecond, ratios and rates to one unit, loudness to 0.01 dB \
         and pitch to one cent (pipeline/core/tests/signals.rs); the pitch of a synthetic voice is right within 50 cents \
         (pipeline/audio/src/voice.rs).\n\nExamples are small calls whose values pipeline/core/tests/signal_examples.rs computes: `R` (rep) or `C` (customer) speaks \
         from–to (seconds) a text, before which may stand what was found in it (sentiment in points, level in dB of full scale, pitch in \
         cents, a stage); `call` is the whole length; behind → stands the value.\n\n\
         | signal | unit: definition | example |\n|---|---|---|\n",
    );
    for metric in Metric::ALL {
        let cell = |text: &str| text.replace('|', "\\|");
        let (doc, example) = (cell(metric.doc()), cell(metric.example()));
        let _ = writeln!(page, "| `{}` | {doc} | {example} |", metric.id());
    }
    let path = project().join("docs/signals.md");
    if std::env::var_os("CALLMARK_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/signals.md is stale\nhint: CALLMARK_WRITE_DOCS=1 cargo test --test integration signals_page"
    );
}
