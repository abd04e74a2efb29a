//! MPEG audio and ADTS, which begin anywhere: what has the mark of something else goes to its own decoder.
#![no_main]

use callmark_fuzz::{decode, let_panics_be_caught};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: let_panics_be_caught(), |bytes: &[u8]| decode(bytes, ""));
