//! MP4, M4A and CAF.
#![no_main]

use callmark_fuzz::{decode_marked, let_panics_be_caught};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: let_panics_be_caught(), |bytes: &[u8]| -> libfuzzer_sys::Corpus {
    decode_marked(bytes, &[b"____ftyp", b"caff"])
});
