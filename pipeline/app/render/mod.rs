//! Records → what people and programs read: analysis JSON, captions, tables, terminal pages, the report.

pub mod analysis_json;
pub mod call_page;
pub mod captions;
pub mod erase;
pub mod indicators;
pub mod journeys;
pub mod messages;
pub mod metrics;
pub mod outputs;
pub mod parquet_file;
pub mod report;
pub mod summary;
pub mod tables;
