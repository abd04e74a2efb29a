//! Sound without a header: the first byte says by which name.
#![no_main]

use callmark_fuzz::{decode, let_panics_be_caught};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: let_panics_be_caught(), |bytes: &[u8]| {
    let Some((first, sound)) = bytes.split_first() else { return };
    let place = usize::from(*first) % callmark_audio::headerless_endings().count();
    let ending = callmark_audio::headerless_endings().nth(place).unwrap_or_default();
    decode(sound, &format!("call.{ending}"));
});
