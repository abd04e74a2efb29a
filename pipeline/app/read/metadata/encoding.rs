//! Text from bytes of unknown encoding: mark, valid UTF-8, UTF-16 without a mark, then a detector.

use std::collections::BTreeSet;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};

/// Decoded text and what it was.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    pub text: String,
    pub encoding: &'static str,
    /// The first line with bytes that mean nothing in that encoding.
    pub damaged_line: Option<usize>,
    /// Lines that are UTF-8 in a text of another encoding, where they read as other characters; from 1.
    pub foreign_lines: BTreeSet<u64>,
}

/// Decodes a table or sidecar. Never fails: what means nothing becomes U+FFFD.
pub fn decode(bytes: &[u8]) -> Decoded {
    let (encoding, body) = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => (encoding, &bytes[mark..]),
        None => (guess(bytes), bytes),
    };
    let (text, damaged) = encoding.decode_without_bom_handling(body);
    let line = || text.find('\u{FFFD}').map(|at| text[..at].matches('\n').count() + 1);
    let narrow = ![UTF_8, UTF_16LE, UTF_16BE].contains(&encoding);
    Decoded {
        encoding: encoding.name(),
        damaged_line: if damaged { line() } else { None },
        foreign_lines: if narrow { utf8_lines(body).map(|(line, _)| line).collect() } else { BTreeSet::new() },
        text: text.into_owned(),
    }
}

/// Lines that hold characters of three bytes in valid UTF-8, such as Chinese ones, with their numbers from 1: in other encodings hardly
/// any line does so by chance.
fn utf8_lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &str)> {
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n'));
    lines.filter_map(|(number, line)| {
        let text = std::str::from_utf8(line).ok()?;
        text.chars().any(|c| c.len_utf8() == 3).then_some((number, text))
    })
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    if let Some(wide) = wide(bytes) {
        return wide;
    }
    if is_utf8(bytes) {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    // The tables are English or Chinese: where the bytes leave it open, Chinese ones come from mainland systems.
    let found = detector.guess(Some(b"cn"), Utf8Detection::Deny);
    if found == GBK { GB18030 } else { found }
}

/// UTF-16 without a mark: every other byte of its Latin letters, digits and separators is zero.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(4096)];
    let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (high, low) = (zeros(0), zeros(1));
    let many = sample.len() / 10;
    if low > many && high * 10 <= low {
        Some(UTF_16LE)
    } else if high > many && low * 10 <= high {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Valid UTF-8, or UTF-8 with a damaged cell: other encodings hardly ever contain whole multi-byte characters by chance.
fn is_utf8(bytes: &[u8]) -> bool {
    let (mut characters, mut errors) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        characters += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        errors += usize::from(!chunk.invalid().is_empty());
    }
    if errors == 0 || errors * 10 < characters {
        return true;
    }
    // Short tables, where one line of another encoding weighs a lot.
    let damaged = bytes.split(|byte| *byte == b'\n').filter(|line| std::str::from_utf8(line).is_err()).count();
    utf8_lines(bytes).count() > damaged
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "文件,坐席,团队\na.wav,张三,北区\nb.wav,李四,南区\n";

    fn decoded(bytes: &[u8]) -> (String, &'static str) {
        let decoded = decode(bytes);
        assert_eq!(decoded.damaged_line, None, "{}", decoded.encoding);
        (decoded.text, decoded.encoding)
    }

    fn wide_bytes(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn marks_decide() {
        let with = |mark: &[u8], body: Vec<u8>| [mark, &body].concat();
        let expected = |encoding| (TABLE.to_string(), encoding);
        assert_eq!(decoded(&with(b"\xEF\xBB\xBF", TABLE.into())), expected("UTF-8"));
        assert_eq!(decoded(&with(b"\xFF\xFE", wide_bytes(TABLE, u16::to_le_bytes))), expected("UTF-16LE"));
        assert_eq!(decoded(&with(b"\xFE\xFF", wide_bytes(TABLE, u16::to_be_bytes))), expected("UTF-16BE"));
    }

    #[test]
    fn without_a_mark_the_bytes_decide() {
        let expected = |encoding| (TABLE.to_string(), encoding);
        assert_eq!(decoded(TABLE.as_bytes()), expected("UTF-8"));
        assert_eq!(decoded(&wide_bytes(TABLE, u16::to_le_bytes)), expected("UTF-16LE"));
        assert_eq!(decoded(&wide_bytes(TABLE, u16::to_be_bytes)), expected("UTF-16BE"));
        // 文件,坐席 / a.wav,张三 as GBK bytes, written by hand so that the test does not decode what it encoded.
        let gbk = b"\xCE\xC4\xBC\xFE,\xD7\xF8\xCF\xAF\na.wav,\xD5\xC5\xC8\xFD\n";
        assert_eq!(decoded(gbk), ("文件,坐席\na.wav,张三\n".into(), "gb18030"));
        // A character that only GB18030 has (㐂, 4 bytes) among ordinary ones.
        let gb18030 = b"\xCE\xC4\xBC\xFE,\xD7\xF8\xCF\xAF\na.wav,\xD5\xC5\x81\x39\xEF\x31\xC8\xFD\n";
        assert_eq!(decoded(gb18030), ("文件,坐席\na.wav,张㐂三\n".into(), "gb18030"));
        assert_eq!(decoded(b"file,rep\na.wav,Ren\xE9 Lef\xE8vre\n").0, "file,rep\na.wav,René Lefèvre\n");
        assert_eq!(decoded(b""), (String::new(), "UTF-8"));
    }

    #[test]
    fn one_damaged_cell_does_not_turn_the_whole_table() {
        let mut bytes = TABLE.repeat(4).into_bytes();
        bytes.extend(b"c.wav,\xE5\xBC,x\n");
        let decoded = decode(&bytes);
        assert_eq!((decoded.encoding, decoded.damaged_line), ("UTF-8", Some(13)));
        assert!(decoded.text.starts_with(TABLE));
    }

    #[test]
    fn a_line_of_another_encoding_does_not_turn_its_neighbours() {
        // d.wav,张三,北区 in GBK, after three lines of UTF-8.
        let gbk: &[u8] = b"d.wav,\xD5\xC5\xC8\xFD,\xB1\xB1\xC7\xF8\n";
        let decoded = decode(&[TABLE.as_bytes(), gbk].concat());
        assert_eq!((decoded.encoding, decoded.damaged_line), ("UTF-8", Some(4)));
        assert!(decoded.text.starts_with(TABLE));
        // And the other way round.
        let utf8 = "e.wav,李四,南区\n".as_bytes();
        let decoded = decode(&[&gbk.repeat(3), utf8].concat());
        assert_eq!(decoded.encoding, "gb18030");
        assert_eq!(decoded.foreign_lines.into_iter().collect::<Vec<_>>(), [4]);
        assert!(decoded.text.starts_with("d.wav,张三,北区\n"));
    }
}
