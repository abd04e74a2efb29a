//! RIFF, RIFX and RF64 with all their codecs.
#![no_main]

use callmark_fuzz::{decode_marked, let_panics_be_caught};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: let_panics_be_caught(), |bytes: &[u8]| -> libfuzzer_sys::Corpus {
    decode_marked(bytes, &[b"RIFF____WAVE", b"RIFX____WAVE", b"RF64____WAVE", b"BW64____WAVE"])
});
