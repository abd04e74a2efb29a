//! Sidecars: one JSON object beside a recording, with the names that tables use.

use std::path::{Path, PathBuf};

use callmark_core::recording::Metadata;
use serde_json::Value;

use super::MetadataError;
use super::encoding::decode;
use super::fields::{Field, Oddity, Place, Warnings, near_column, set};

/// Where a recording's sidecar may lie, first choice first: `<file>.json`, `<name>.json`.
pub fn sidecar_paths(recording: &Path) -> [PathBuf; 2] {
    let mut whole = recording.as_os_str().to_owned();
    whole.push(".json");
    [PathBuf::from(whole), recording.with_extension("json")]
}

/// Reads a sidecar: one JSON object with the table's column names, other keys kept as extra; `Ok(None)` when the object is
/// something else (a transcript, callmark's own analysis).
pub fn read_sidecar(
    bytes: &[u8],
    place: Place<'_>,
    warnings: &mut Warnings,
) -> Result<Option<Metadata>, MetadataError> {
    let value: Value = serde_json::from_str(&decode(bytes).text)
        .map_err(|e| MetadataError::Json { line: e.line(), column: e.column() })?;
    let Value::Object(object) = value else { return Err(MetadataError::Json { line: 1, column: 1 }) };
    if ["Qa", "Transcript", "transcription", "segments"].iter().any(|key| object.contains_key(*key)) {
        return Ok(None);
    }
    let mut metadata = Metadata::default();
    for (key, value) in &object {
        let values: Vec<(&String, &Value)> = match value {
            Value::Object(extra) if key == "extra" => extra.iter().collect(),
            value => vec![(key, value)],
        };
        for (key, value) in values {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let field = Field::of_column(key).unwrap_or(Field::Extra);
            if let Some(message) = (field == Field::Extra).then(|| near_column(key, &[])).flatten() {
                warnings.add(Oddity::Column, || format!("{place}: {message}"));
            }
            set(&mut metadata, field, key, &text, place, warnings);
        }
    }
    Ok(Some(metadata))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Result<Option<Metadata>, MetadataError>, Vec<String>) {
        let mut warnings = Warnings::default();
        (read_sidecar(bytes, &"a.json", &mut warnings), warnings.lines().collect())
    }

    #[test]
    fn any_usual_encoding_and_any_type_of_value() {
        let json =
            r#"{"rep_id": 17, "Team": null, "团队": "北区", "tz": "Asia/Shanghai", "extra": {"k": "w"}, "vip": true}"#;
        let wide: Vec<u8> = json.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let expected = Metadata {
            rep_id: Some("17".into()),
            team: Some("北区".into()),
            tz: Some("Asia/Shanghai".into()),
            extra: [("k", "w"), ("vip", "true")].map(|(k, v)| (k.into(), v.into())).into(),
            ..Metadata::default()
        };
        for bytes in [json.as_bytes(), &[b"\xEF\xBB\xBF", json.as_bytes()].concat(), &wide] {
            assert_eq!(read(bytes), (Ok(Some(expected.clone())), vec![]));
        }
        // {"坐席": "张三"} in GBK.
        let gbk = b"{\"\xD7\xF8\xCF\xAF\": \"\xD5\xC5\xC8\xFD\", \"\xCD\xC5\xB6\xD3\": \"\xB1\xB1\xC7\xF8\"}";
        let metadata = read(gbk).0.unwrap().unwrap();
        assert_eq!((metadata.rep_id.as_deref(), metadata.team.as_deref()), (Some("张三"), Some("北区")));
    }

    #[test]
    fn oddities_and_files_that_are_no_sidecars() {
        let (metadata, warnings) = read(br#"{"rep-idd": "r1", "start_ts": "soon", "tz": "Mars"}"#);
        let metadata = metadata.unwrap().unwrap();
        assert_eq!((&metadata.start_ts, &metadata.tz), (&None, &None));
        assert_eq!(metadata.extra["rep-idd"], "r1");
        assert_eq!(warnings.len(), 3);
        assert!(warnings[0].contains("did you mean `rep_id`?"), "{warnings:?}");
        assert_eq!(read(br#"{"Transcript": []}"#).0, Ok(None));
        assert_eq!(read(b"{\n\"rep_id\": }").0, Err(MetadataError::Json { line: 2, column: 11 }));
        assert_eq!(read(b"[1]").0, Err(MetadataError::Json { line: 1, column: 1 }));
        let paths = sidecar_paths(Path::new("n/a.b.wav"));
        assert_eq!(paths, [PathBuf::from("n/a.b.wav.json"), PathBuf::from("n/a.b.json")]);
    }
}
