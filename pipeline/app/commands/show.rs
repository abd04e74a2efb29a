//! `callmark show`: one call as a script with flags in the margin, and its ledger.

use std::io::Write as _;

use anyhow::{Result, anyhow};

use crate::FINISHED;
use crate::cli::{Common, ShowArgs};
use crate::commands::{existing_store, explain, find_one};
use crate::render::{analysis_json, call_page};

pub fn show(args: &ShowArgs, common: &Common) -> Result<u8> {
    let store = existing_store(common)?;
    let call_id = find_one(store.as_ref(), &args.call)?;
    let stored = store.get_call(&call_id).map_err(explain)?.ok_or_else(|| anyhow!("the call {call_id} is gone"))?;
    let mut out = std::io::stdout().lock();
    if args.json {
        out.write_all(&analysis_json::analysis_json(&stored.record))?;
    } else {
        let reviews = store.reviews(&call_id).map_err(explain)?;
        out.write_all(call_page::page(&stored.record, &reviews).as_bytes())?;
    }
    Ok(FINISHED)
}
