//! What a file is by its first bytes, so that an error can name what was found instead of audio.

/// What the leading bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// RIFF or RF64 with a WAVE form.
    Wave,
    /// The same with big-endian numbers.
    Rifx,
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
const NOT_AUDIO: [(&[u8], &str); 15] = [
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x7fELF", "a program"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    // Cameras call theirs `.raw`, too.
    (b"II*\0", "a TIFF or camera picture"),
    (b"MM\0*", "a TIFF or camera picture"),
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

/// Three frames of MPEG audio or ADTS in a row: sound without a header may begin with the same eleven bits (µ-law silence
/// does), but does not repeat them where the frame that they announce would end.
pub(crate) fn is_mpeg_stream(bytes: &[u8]) -> bool {
    let mut at = 0;
    for _ in 0..3 {
        // The bits that stay the same: version, layer, protection; sample rate.
        let same = |frame: &[u8]| frame[1] == bytes[1] && frame[2] & 0x0c == bytes[2] & 0x0c;
        match bytes.get(at..at + 6) {
            Some(frame) if frame[0] == 0xff && same(frame) => match mpeg_frame_bytes(frame) {
                Some(length) => at += length,
                None => return false,
            },
            // A file of one or two frames ends with them.
            _ => return at > 0 && at == bytes.len(),
        }
    }
    true
}

/// The length that the header of an MPEG audio frame (ISO 11172-3, 2.4.2.3) or an ADTS frame (ISO 14496-3, 1.A.2.2)
/// announces; `None` when no such frame begins so, or in MPEG's free format, which announces none.
fn mpeg_frame_bytes(frame: &[u8]) -> Option<usize> {
    const RATES_HZ: [usize; 3] = [44_100, 48_000, 32_000];
    // Kilobits per second of layers I, II and III in MPEG-1, then of layer I and the others in MPEG-2.
    const KILOBITS: [[usize; 14]; 5] = [
        [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];
    if frame[1] & 0xf6 == 0xf0 {
        let length = usize::from(frame[3] & 3) << 11 | usize::from(frame[4]) << 3 | usize::from(frame[5]) >> 5;
        return (length >= 7).then_some(length);
    }
    let version = frame[1] >> 3 & 3;
    let layer = match frame[1] >> 1 & 3 {
        0 => return None,
        bits => usize::from(4 - bits),
    };
    let padding = usize::from(frame[2] >> 1 & 1);
    let row = if version == 3 { layer - 1 } else { 3 + usize::from(layer > 1) };
    let bits_a_second = 1000 * KILOBITS[row].get(usize::from(frame[2] >> 4).checked_sub(1)?)?;
    let halved = match version {
        3 => 0,
        2 => 1,
        0 => 2,
        _ => return None,
    };
    let rate_hz = RATES_HZ.get(usize::from(frame[2] >> 2 & 3))? >> halved;
    Some(match layer {
        1 => (12 * bits_a_second / rate_hz + padding) * 4,
        3 if version != 3 => 72 * bits_a_second / rate_hz + padding,
        _ => 144 * bits_a_second / rate_hz + padding,
    })
}

/// Looks at the first bytes; never at the file's name.
pub(crate) fn kind(bytes: &[u8]) -> Kind {
    let at = |offset: usize, mark: &[u8]| bytes.get(offset..offset + mark.len()) == Some(mark);
    if (at(0, b"RIFF") || at(0, b"RF64") || at(0, b"BW64")) && at(8, b"WAVE") {
        return Kind::Wave;
    }
    if at(0, b"RIFX") && at(8, b"WAVE") {
        return Kind::Rifx;
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

/// Whether sound without a header is text all the same: 64 KiB of it, of more letters than idle A-law (all `U`) has.
pub(crate) fn is_long_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(64 << 10)];
    let letters = head.iter().collect::<std::collections::BTreeSet<_>>().len();
    letters > 4 && as_text(head).is_some()
}

/// Recognises markup and plain text: 512 bytes of printable UTF-8.
fn text_kind(bytes: &[u8]) -> Option<&'static str> {
    let text = as_text(&bytes[..bytes.len().min(512)])?;
    let start = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    Some(match start {
        s if s.starts_with("<!doctype html") || s.starts_with("<html") || s.starts_with("<head") => "an HTML page",
        s if s.starts_with('<') => "an XML or HTML document",
        s if s.starts_with('{') || s.starts_with('[') => "a JSON document",
        s if s.starts_with("webvtt") => "a WebVTT transcript",
        _ => "a text file",
    })
}

/// The bytes as printable text, if that is what they are.
fn as_text(head: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A multi-byte character may be cut at the end of the head.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let printable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}');
    (!text.is_empty() && text.chars().all(printable)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_there() {
        for (bytes, expected) in [
            (&b"RIFF\x00\x00\x00\x00WAVEfmt "[..], Kind::Wave),
            (b"RF64\xff\xff\xff\xffWAVEds64", Kind::Wave),
            (b"RIFX\x00\x00\x00\x00WAVEfmt ", Kind::Rifx),
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

    #[test]
    fn only_a_row_of_frames_is_mpeg_audio() {
        // MPEG-1 layer III, 128 kbit/s at 44.1 kHz: 417 bytes; ADTS of 20 bytes.
        let mut mp3 = vec![0; 417 * 3];
        (0..3).for_each(|frame| mp3[frame * 417..][..4].copy_from_slice(b"\xff\xfb\x90\x64"));
        let adts = [&b"\xff\xf1\x50\x80\x02\x9f\xfc"[..], &[0; 13]].concat().repeat(4);
        for (bytes, expected) in [
            (&mp3[..], true),
            (&mp3[..417], true),
            (&mp3[..800], false),
            (&adts, true),
            (&[0xff; 4_096], false),
            (&b"\xff\xff\x00\x00".repeat(999), false),
            (&b"\xff\xfe\xff\xff\x01\x00".repeat(999), false),
            (b"\xff", false),
        ] {
            assert_eq!(is_mpeg_stream(bytes), expected, "{} bytes, {:?}", bytes.len(), &bytes[..bytes.len().min(6)]);
        }
    }
}
