//! Captions of a call: WebVTT with voice tags, SRT with speaker prefixes, RTTM of who spoke when.
//!
//! `None` for interactions without times: there is nothing to show a caption at.

use std::fmt::Write;

use callmark_core::transcript::{Medium, Role, Transcript, Turn};

/// The speaker's name in captions; none for a speaker who could not be told apart.
fn speaker(role: Role) -> Option<&'static str> {
    match role {
        Role::Rep => Some("Rep"),
        Role::Customer => Some("Customer"),
        Role::Unknown => None,
        Role::Ivr => Some("IVR"),
        Role::Supervisor => Some("Supervisor"),
        Role::TransferTarget => Some("Transfer target"),
    }
}

/// Text as one line without control characters: a blank line would end the cue.
fn one_line(text: &str) -> String {
    let parts = text.split(|c: char| c.is_whitespace() || c.is_control());
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// `hh:mm:ss` and milliseconds after `separator`.
fn stamp(ms: i64, separator: char) -> String {
    let (seconds, ms) = (ms.max(0) / 1000, ms.max(0) % 1000);
    format!("{:02}:{:02}:{:02}{separator}{ms:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A cue must end after it begins.
fn end_ms(turn: &Turn) -> i64 {
    turn.end_ms.max(turn.begin_ms + 1)
}

/// WebVTT: cue ids are turn ids, speakers are voice tags.
pub fn vtt(transcript: &Transcript) -> Option<Vec<u8>> {
    if transcript.medium == Medium::Text {
        return None;
    }
    let mut out = String::from("WEBVTT\n");
    for (id, turn) in transcript.everybody() {
        let text = one_line(&turn.text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let (begin, end) = (stamp(turn.begin_ms, '.'), stamp(end_ms(turn), '.'));
        // Writing to a String cannot fail.
        let _ = match speaker(turn.role) {
            Some(name) => write!(out, "\n{id}\n{begin} --> {end}\n<v {name}>{text}</v>\n"),
            None => write!(out, "\n{id}\n{begin} --> {end}\n{text}\n"),
        };
    }
    Some(out.into_bytes())
}

/// SRT: numbered from 1 as the format asks, `Rep: …`.
pub fn srt(transcript: &Transcript) -> Option<Vec<u8>> {
    if transcript.medium == Medium::Text {
        return None;
    }
    let mut out = String::new();
    for (id, (_, turn)) in transcript.everybody().into_iter().enumerate() {
        // SRT has no escapes: an arrow inside the text would be taken for a timing line.
        let text = one_line(&turn.text).replace("-->", "->");
        let prefix = speaker(turn.role).map(|name| format!("{name}: ")).unwrap_or_default();
        let gap = if id > 0 { "\n" } else { "" };
        let (begin, end) = (stamp(turn.begin_ms, ','), stamp(end_ms(turn), ','));
        let _ = write!(out, "{gap}{}\n{begin} --> {end}\n{prefix}{text}\n", id + 1);
    }
    Some(out.into_bytes())
}

/// RTTM: one `SPEAKER` line per speech span, seconds with three decimals; white space in the call id becomes `_`.
pub fn rttm(call_id: &str, transcript: &Transcript) -> Option<Vec<u8>> {
    if transcript.medium == Medium::Text {
        return None;
    }
    let file = call_id.split_whitespace().collect::<Vec<_>>().join("_");
    let seconds = |ms: i64| format!("{}.{:03}", ms / 1000, ms % 1000);
    let mut out = String::new();
    for span in &transcript.speech {
        let name = span.role.name();
        let (begin, length) = (seconds(span.begin_ms), seconds(span.end_ms - span.begin_ms));
        let _ = writeln!(out, "SPEAKER {file} 1 {begin} {length} <NA> <NA> {name} <NA> <NA>");
    }
    Some(out.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::text::read;

    const INPUT: &str = "WEBVTT\n\n00:00.000 --> 00:02.500\n<v Rep>您好 &lt;b&gt; &amp;amp; A --&gt; B\n\n\
        00:02.000 --> 00:02.000\n<v Customer>Rep: is that \"me\"?\n\n01:02:03.004 --> 01:02:04.000\nsomebody\n";

    fn transcript() -> Transcript {
        read(INPUT.as_bytes(), "a.vtt", None).unwrap().unwrap()
    }

    #[test]
    fn written_as_the_standards_ask() {
        let vtt = String::from_utf8(vtt(&transcript()).unwrap()).unwrap();
        assert_eq!(
            vtt,
            "WEBVTT\n\n0\n00:00:00.000 --> 00:00:02.500\n<v Rep>您好 &lt;b&gt; &amp;amp; A --&gt; B</v>\n\n\
             1\n00:00:02.000 --> 00:00:02.001\n<v Customer>Rep: is that \"me\"?</v>\n\n\
             2\n01:02:03.004 --> 01:02:04.000\nsomebody\n"
        );
        let srt = String::from_utf8(srt(&transcript()).unwrap()).unwrap();
        assert!(srt.starts_with("1\n00:00:00,000 --> 00:00:02,500\nRep: 您好 <b> &amp; A -> B\n\n2\n"), "{srt}");
        let rttm = String::from_utf8(rttm("c 1", &transcript()).unwrap()).unwrap();
        assert_eq!(
            rttm,
            "SPEAKER c_1 1 0.000 2.500 <NA> <NA> rep <NA> <NA>\nSPEAKER c_1 1 3723.004 0.996 <NA> <NA> unknown <NA> <NA>\n"
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        let before = transcript();
        let after = read(&vtt(&before).unwrap(), "a.vtt", None).unwrap().unwrap();
        // The second cue had no length and got the millisecond that WebVTT asks for.
        let turns = |t: &Transcript| t.turns.iter().map(|t| (t.role, t.begin_ms, t.text.clone())).collect::<Vec<_>>();
        assert_eq!(turns(&after), turns(&before));
        let mut plain = before.clone();
        plain.turns[0].text = "您好 & A".into();
        let after = read(&srt(&plain).unwrap(), "a.srt", None).unwrap().unwrap();
        assert_eq!(turns(&after), turns(&plain));
        assert_eq!(after.role_confidence_permille, 666);
    }

    #[test]
    fn text_without_times_has_no_captions() {
        let chat = read(b"Rep: hi\nCustomer: hello\n", "a.txt", None).unwrap().unwrap();
        assert_eq!((vtt(&chat), srt(&chat), rttm("c", &chat)), (None, None, None));
    }
}
