//! Takes out of the transcripts in the store what the configuration does not let it keep, whatever model made them.

use anyhow::Result;
use callmark_core::redaction;
use callmark_store::Store;

use crate::commands::explain;
use crate::config::RedactionSettings;

/// In every transcript of one recording.
pub fn redact_recording(store: &dyn Store, recording_id: &str, settings: &RedactionSettings) -> Result<()> {
    if settings.keep_original {
        return Ok(());
    }
    for mut row in store.analyses_of(recording_id).map_err(explain)? {
        if !settings.is_done(&row.transcript) {
            redaction::redact(&mut row.transcript, &settings.entities);
            store.put_analysis(&row).map_err(explain)?;
        }
    }
    Ok(())
}

/// In every transcript of the store.
pub fn redact_all(store: &dyn Store, settings: &RedactionSettings) -> Result<()> {
    if settings.keep_original {
        return Ok(());
    }
    let wanted: Vec<&str> = settings.entities.iter().map(|entity| entity.name()).collect();
    for recording_id in store.recordings_with_words(&wanted).map_err(explain)? {
        redact_recording(store, &recording_id, settings)?;
    }
    Ok(())
}
