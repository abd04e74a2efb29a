//! What a file is by its first bytes, so that an error can name what was found instead of audio.

/// What the leading bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// RIFF, RIFX or RF64 with a WAVE form.
    Wave,
    /// Sun/NeXT audio.
    Au,
    /// Sony Wave64.
    Wave64,
    /// AMR or AMR-WB in its own storage format.
    Amr,
    /// Something symphonia may know, with its usual name.
    Probe(&'static str),
    /// Sound that nothing here decodes.
    Foreign(&'static str),
    /// Not sound at all.
    NotAudio(&'static str),
    /// No known mark.
    Unknown,
}

/// Marks at offset 0 of sound formats that nothing here decodes.
const FOREIGN: [(&[u8], &str); 3] =
    [(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (WMA)"), (b"wvpk", "WavPack"), (b"#!SILK", "SILK")];

/// Marks at offset 0 of things that turn up under the name of a recording.
const NOT_AUDIO: [(&[u8], &str); 9] = [
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"SQLite format 3", "an SQLite database"),
];

/// Marks at offset 0 of containers for symphonia.
const PROBE: [(&[u8], &str); 6] = [
    (b"fLaC", "FLAC"),
    (b"OggS", "Ogg"),
    (b"FORM", "AIFF"),
    (b"caff", "CAF"),
    (b"\x1a\x45\xdf\xa3", "Matroska/WebM"),
    (b"ID3", "MP3"),
];

/// Looks at the first bytes; never at the file's name.
pub(crate) fn kind(bytes: &[u8]) -> Kind {
    let at = |offset: usize, mark: &[u8]| bytes.get(offset..offset + mark.len()) == Some(mark);
    if (at(0, b"RIFF") || at(0, b"RF64") || at(0, b"BW64")) && at(8, b"WAVE") {
        return Kind::Wave;
    }
    if at(0, b".snd") {
        return Kind::Au;
    }
    if at(0, b"riff\x2e\x91\xcf\x11") {
        return Kind::Wave64;
    }
    if at(0, b"#!AMR") {
        return Kind::Amr;
    }
    if at(4, b"ftyp") {
        return Kind::Probe("MP4/M4A");
    }
    if let Some((_, name)) = FOREIGN.iter().find(|(mark, _)| at(0, mark)) {
        return Kind::Foreign(name);
    }
    if let Some((_, name)) = NOT_AUDIO.iter().find(|(mark, _)| at(0, mark)) {
        return Kind::NotAudio(name);
    }
    if let Some((_, name)) = PROBE.iter().find(|(mark, _)| at(0, mark)) {
        return Kind::Probe(name);
    }
    match bytes {
        // MPEG audio sync: 11 bits set; layer 0 means ADTS (AAC).
        [0xff, second, ..] if second & 0xf6 == 0xf0 => return Kind::Probe("ADTS (AAC)"),
        [0xff, second, ..] if second & 0xe0 == 0xe0 => return Kind::Probe("MP3"),
        _ => {}
    }
    text_kind(bytes).map_or(Kind::Unknown, Kind::NotAudio)
}

/// Recognises markup and plain text: 512 bytes of printable UTF-8.
fn text_kind(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(512)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A multi-byte character may be cut at the end of the head.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let printable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}');
    if text.is_empty() || !text.chars().all(printable) {
        return None;
    }
    let start = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    Some(match start {
        s if s.starts_with("<!doctype html") || s.starts_with("<html") || s.starts_with("<head") => "an HTML page",
        s if s.starts_with('<') => "an XML or HTML document",
        s if s.starts_with('{') || s.starts_with('[') => "a JSON document",
        s if s.starts_with("webvtt") => "a WebVTT transcript",
        _ => "a text file",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_there() {
        for (bytes, expected) in [
            (&b"RIFF\x00\x00\x00\x00WAVEfmt "[..], Kind::Wave),
            (b"RF64\xff\xff\xff\xffWAVEds64", Kind::Wave),
            (b"<!DOCTYPE html><title>404</title>", Kind::NotAudio("an HTML page")),
            (b"PK\x03\x04rest", Kind::NotAudio("a ZIP archive")),
            (b"{\"error\": 1}", Kind::NotAudio("a JSON document")),
            ("\u{feff}您好,文字".as_bytes(), Kind::NotAudio("a text file")),
            (b"#!AMR\n\x04\xff", Kind::Amr),
            (b"#!SILK_V3", Kind::Foreign("SILK")),
            (b"fLaC\x00\x00\x00\x22", Kind::Probe("FLAC")),
            (b"\xff\xfb\x90\x64", Kind::Probe("MP3")),
            (b"\xff\xf1\x50\x80", Kind::Probe("ADTS (AAC)")),
            (b"\x00\x00\x00\x20ftypM4A ", Kind::Probe("MP4/M4A")),
            (b"\x00\x01\x02\x03", Kind::Unknown),
            (b"", Kind::Unknown),
        ] {
            assert_eq!(kind(bytes), expected, "{bytes:?}");
        }
    }
}
