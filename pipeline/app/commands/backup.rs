//! `callmark backup`: a copy of the store, taken while runs go on, read back before it counts.

use anyhow::Result;

use crate::FINISHED;
use crate::cli::{BackupArgs, Common};
use crate::commands::{existing_store, explain};

pub fn backup(args: &BackupArgs, common: &Common) -> Result<u8> {
    let store = existing_store(common)?;
    let made = store.backup_to(&args.file, args.force).map_err(explain)?;
    if !common.quiet {
        println!(
            "{}: {} calls, {} turns, {} reviews, {:.1} MB; read back and whole",
            args.file.display(),
            made.calls,
            made.turns,
            made.reviews,
            made.size_bytes as f64 / 1e6
        );
    }
    Ok(FINISHED)
}
