//! `callmark scorecard schema`: the JSON Schema of scorecards, for editors.

use anyhow::Result;
use callmark_core::scorecard::json_schema;

use crate::FINISHED;

pub fn run() -> Result<u8> {
    println!("{}", serde_json::to_string_pretty(&json_schema())?);
    Ok(FINISHED)
}
