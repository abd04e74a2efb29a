//! What symphonia leaves unsaid about Matroska and WebM files: padding at the end, streams without a length, cut copies.

const EBML: &[u8] = b"\x1A\x45\xDF\xA3";
const SEGMENT: u32 = 0x1853_8067;
const SEEK_HEAD: u32 = 0x114D_9B74;
const CLUSTER: u32 = 0x1F43_B675;
const BLOCK_GROUP: u32 = 0xA0;
const SIMPLE_BLOCK: u32 = 0xA3;
const DISCARD_PADDING: u32 = 0x75A2;
const VOID: u8 = 0xEC;

/// An element's header.
struct Element {
    id: u32,
    /// Of its body; `None`: up to where something of a higher level begins.
    size: Option<usize>,
    id_length: usize,
    size_length: usize,
}

impl Element {
    fn read(bytes: &[u8]) -> Option<Element> {
        let id_length = bytes.first()?.leading_zeros() as usize + 1;
        if id_length > 4 {
            return None;
        }
        let id = bytes.get(..id_length)?.iter().fold(0u32, |id, byte| id << 8 | u32::from(*byte));
        let first = *bytes.get(id_length)?;
        let size_length = first.leading_zeros() as usize + 1;
        if size_length > 8 {
            return None;
        }
        let rest = bytes.get(id_length + 1..id_length + size_length)?;
        let ones = (1u64 << (7 * size_length)) - 1;
        let size = rest.iter().fold(u64::from(first), |size, byte| size << 8 | u64::from(*byte)) & ones;
        let size = (size != ones).then(|| usize::try_from(size).unwrap_or(usize::MAX));
        Some(Element { id, size, id_length, size_length })
    }

    fn header(&self) -> usize {
        self.id_length + self.size_length
    }
}

/// Nanoseconds of the last block that are no sound (DiscardPadding), which symphonia reads and does not hand on.
pub(crate) fn discard_padding(bytes: &[u8]) -> u64 {
    if !bytes.starts_with(EBML) {
        return 0;
    }
    let (mut at, mut nanoseconds) = (0usize, 0u64);
    while let Some(element) = bytes.get(at..).and_then(Element::read) {
        at += element.header();
        if matches!(element.id, BLOCK_GROUP | SIMPLE_BLOCK) {
            nanoseconds = 0;
        }
        // What is entered may have a wrong size or none.
        if matches!(element.id, SEGMENT | CLUSTER | BLOCK_GROUP) {
            continue;
        }
        let Some(size) = element.size else { break };
        if element.id == DISCARD_PADDING {
            let body = bytes.get(at..at.saturating_add(size)).unwrap_or(&[]);
            // Signed; negative values are for the beginning of a stream.
            if body.len() <= 8 && body.first().is_some_and(|first| first & 0x80 == 0) {
                nanoseconds = body.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
            }
        }
        at = at.saturating_add(size);
    }
    nanoseconds
}

/// Whether the file was written by someone who did not know how long it would become, as browsers do.
pub(crate) fn is_streamed(bytes: &[u8]) -> bool {
    segment(bytes).is_some_and(|(_, segment)| segment.size.is_none())
}

/// A cut file with unknown sizes instead of false ones and no table of places behind its end; `None`: nothing is wrong.
pub(crate) fn repaired(bytes: &[u8]) -> Option<Vec<u8>> {
    let beyond = |at: usize, element: &Element| {
        element.size.is_some_and(|size| at.saturating_add(element.header()).saturating_add(size) > bytes.len())
    };
    let (at, segment) = segment(bytes)?;
    if segment.size.is_some() && !beyond(at, &segment) {
        return None;
    }
    let (mut cut, mut tables) = (Vec::new(), Vec::new());
    if beyond(at, &segment) {
        cut.push((at, segment.id_length, segment.size_length));
    }
    let mut at = at + segment.header();
    while let Some(element) = bytes.get(at..).and_then(Element::read) {
        if element.id == CLUSTER && beyond(at, &element) {
            cut.push((at, element.id_length, element.size_length));
            break;
        }
        let Some(size) = element.size.or((element.id == CLUSTER).then_some(0)) else { break };
        if element.id == SEEK_HEAD {
            tables.push((at, element.header(), size));
        }
        at = at.saturating_add(element.header()).saturating_add(size);
    }
    if cut.is_empty() {
        return None;
    }
    let mut out = bytes.to_vec();
    for (at, id_length, size_length) in cut {
        out[at + id_length..at + id_length + size_length].fill(0xFF);
        out[at + id_length] = 0xFF >> (size_length - 1);
    }
    for (at, header, size) in tables {
        // As empty space of the same length.
        let size_length = (header - 1).min(8);
        let size = (size + header - 1 - size_length) as u64 | 1u64 << (7 * size_length);
        out[at] = VOID;
        out[at + 1..at + 1 + size_length].copy_from_slice(&size.to_be_bytes()[8 - size_length..]);
    }
    Some(out)
}

/// The segment and its place, behind the EBML header.
fn segment(bytes: &[u8]) -> Option<(usize, Element)> {
    if !bytes.starts_with(EBML) {
        return None;
    }
    let head = Element::read(bytes)?;
    let at = head.header().saturating_add(head.size?);
    let segment = Element::read(bytes.get(at..)?)?;
    (segment.id == SEGMENT).then_some((at, segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: [u8; 5] = [0x1A, 0x45, 0xDF, 0xA3, 0x80];
    const STREAM: [u8; 12] = [0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
    const OPEN_CLUSTER: [u8; 5] = [0x1F, 0x43, 0xB6, 0x75, 0xFF];
    /// A block and 13.5 ms of it to drop; the number takes 4 bytes because it is signed.
    const GROUP: [u8; 15] = [0xA0, 0x8D, 0xA1, 0x84, 0x81, 0, 0, 0, 0x75, 0xA2, 0x84, 0, 0xCD, 0xFE, 0x60];
    const SIMPLE: [u8; 6] = [0xA3, 0x84, 0x81, 0, 0, 0];

    #[test]
    fn padding_of_the_last_block_only() {
        let whole = [&HEAD[..], &STREAM, &OPEN_CLUSTER, &GROUP].concat();
        assert_eq!(discard_padding(&whole), 13_500_000);
        assert_eq!(discard_padding(&[&whole[..], &SIMPLE].concat()), 0);
        assert_eq!(discard_padding(&GROUP), 0);
        for length in 0..whole.len() {
            assert_eq!(discard_padding(&whole[..length]), 0);
        }
    }

    #[test]
    fn a_stream_is_left_alone() {
        let whole = [&HEAD[..], &STREAM, &OPEN_CLUSTER, &GROUP].concat();
        assert!(is_streamed(&whole));
        assert_eq!(repaired(&whole), None);
        assert!(!is_streamed(&HEAD));
    }

    #[test]
    fn a_cut_file_gets_unknown_sizes_and_no_table() {
        let table = [0x11, 0x4D, 0x9B, 0x74, 0x82, 1, 2];
        let cluster = [0x1F, 0x43, 0xB6, 0x75, 0x40, 6];
        let segment = [0x18, 0x53, 0x80, 0x67, 0x80 | 19];
        let whole = [&HEAD[..], &segment, &table, &cluster, &SIMPLE].concat();
        assert_eq!(repaired(&whole), None);
        let mended = repaired(&whole[..whole.len() - 1]).unwrap();
        let void = [VOID, 0x10, 0, 0, 2, 1, 2];
        let open = [0x1F, 0x43, 0xB6, 0x75, 0x7F, 0xFF];
        let expected = [&HEAD[..], &segment[..4], &[0xFF], &void, &open, &SIMPLE[..5]].concat();
        assert_eq!(mended, expected);
        assert_eq!(repaired(&mended), None);
    }
}
