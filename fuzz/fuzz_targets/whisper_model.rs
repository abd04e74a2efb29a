//! The check of Whisper files before native code sees them (models/src/ggml.rs). The input is what the check reads, without
//! what it skips: four bytes with the length of what is skipped, then the rest. `scripts/fuzz` makes one from the starter.
#![no_main]

use std::io::{Cursor, Read, Seek, SeekFrom};

use callmark_fuzz::ggml::check_whisper;
use libfuzzer_sys::fuzz_target;

/// Takes what is skipped as read.
struct OnlyWhatIsRead<'a>(Cursor<&'a [u8]>);

impl Read for OnlyWhatIsRead<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(out)
    }
}

impl Seek for OnlyWhatIsRead<'_> {
    fn seek(&mut self, place: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(place)
    }

    fn seek_relative(&mut self, _: i64) -> std::io::Result<()> {
        Ok(())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((skipped, read)) = bytes.split_first_chunk::<4>() else { return };
    let length = read.len() as u64 + u64::from(u32::from_le_bytes(*skipped));
    let _ = check_whisper(OnlyWhatIsRead(Cursor::new(read)), length);
});
