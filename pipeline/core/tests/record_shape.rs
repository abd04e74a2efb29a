//! The JSON shape of a stored record: what is written today is read by the programs of tomorrow, field by field. A change here is a
//! new `RECORD_SCHEMA` and a new file beside these; the old files stay.

use callmark_core::record::{CallRecord, RECORD_SCHEMA, record_schema};

/// Every field is filled, so that none can go or change its name unseen.
const WRITTEN: [(u32, &str); RECORD_SCHEMA as usize] = [
    (1, include_str!("record_shape/record-v1.json")),
    (2, include_str!("record_shape/record-v2.json")),
    (3, include_str!("record_shape/record-v3.json")),
];

#[test]
fn records_of_every_version_are_read_and_written_unchanged() {
    for (version, written) in WRITTEN {
        let record: CallRecord = serde_json::from_str(written).unwrap();
        assert_eq!(serde_json::to_string_pretty(&record).unwrap() + "\n", written, "version {version}");
        assert_eq!(record.schema_version, version);
        let oldest = record_schema(&record.transcript, record.evaluation.reason, &record.acts_by_model);
        assert_eq!(oldest, version, "the oldest that holds it");
    }
}

/// A record that the shape cannot hold whole is refused, not read in part.
#[test]
fn a_field_that_is_missing_is_an_error() {
    let whole: serde_json::Value = serde_json::from_str(WRITTEN[1].1).unwrap();
    for field in whole.as_object().unwrap().keys() {
        let mut partial = whole.clone();
        partial.as_object_mut().unwrap().remove(field);
        assert!(serde_json::from_value::<CallRecord>(partial).is_err(), "{field}");
    }
}

#[test]
fn the_newest_file_has_no_empty_field() {
    fn check(value: &serde_json::Value, path: &str) {
        match value {
            serde_json::Value::Object(fields) => fields.iter().for_each(|(k, v)| check(v, &format!("{path}.{k}"))),
            serde_json::Value::Array(items) => items.iter().for_each(|item| check(item, path)),
            // One turn without a sentiment is a case of its own.
            serde_json::Value::Null => assert_eq!(path, ".sentiment"),
            _ => {}
        }
    }
    let newest: serde_json::Value = serde_json::from_str(WRITTEN[RECORD_SCHEMA as usize - 1].1).unwrap();
    check(&newest, "");
}
