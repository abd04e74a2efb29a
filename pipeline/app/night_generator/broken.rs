//! Files as they arrive broken: each of them must fail, with a cause and a hint, and cost nobody else anything.

use super::random::Random;

/// A broken file: what is wrong with it, its extension, its bytes.
pub struct Broken {
    pub damage: &'static str,
    pub extension: &'static str,
    pub bytes: Vec<u8>,
}

/// Makes one; `said` is what the file would have said (it must turn up nowhere), and keeps files of a kind apart.
pub fn broken(random: &mut Random, said: &str) -> Broken {
    let noise = |random: &mut Random| -> Vec<u8> {
        // No 0xff: it would open an MPEG frame.
        let bytes: Vec<u8> = (0..512).flat_map(|_| random.next().to_le_bytes()).map(|b| b & 0x7f).collect();
        [&[0x01, 0x80, 0x02], bytes.as_slice(), said.as_bytes()].concat()
    };
    let text = |text: String| text.into_bytes();
    let (damage, extension, bytes) = match random.below(17) {
        0 => ("empty", "wav", vec![]),
        1 => ("error_page", "mp3", text(format!("<!DOCTYPE html><html><body>404 {said}</body></html>"))),
        2 => ("archive", "wav", [b"PK\x03\x04".to_vec(), noise(random)].concat()),
        3 => ("rate_zero", "wav", wav(1, 0, 2, &noise(random))),
        4 => ("no_channels", "wav", wav(1, 8_000, 0, &noise(random))),
        5 => ("eleven_channels", "wav", wav(1, 8_000, 11, &noise(random))),
        6 => ("unknown_codec", "wav", wav(0x1234, 8_000, 2, &noise(random))),
        7 => ("no_format", "wav", [b"RIFF\xff\xff\xff\xffWAVELIST\x00\x08\x00\x00".to_vec(), noise(random)].concat()),
        8 => {
            ("no_index", "m4a", [b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42\0\0\x20\0mdat".to_vec(), noise(random)].concat())
        }
        9 => ("cut", "flac", [b"fLaC\0\0\0\x22\x10\0".to_vec(), said.as_bytes().to_vec()].concat()),
        10 => ("noise", "mp3", noise(random)),
        11 => ("note", "mp3", text(format!("This is only a note. {said}\n").repeat(9))),
        12 => ("no_cue", "vtt", text(format!("WEBVTT\n\n00:00:05.000 -> 00:00:09.000\n<v Rep>{said}\n"))),
        13 => (
            "not_utf8",
            "vtt",
            [b"WEBVTT\n\n00:05.000 --> 00:09.000\n\xc3\x28\xa0".to_vec(), said.as_bytes().to_vec()].concat(),
        ),
        14 => ("beyond_a_day", "vtt", text(format!("WEBVTT\n\n00:00.000 --> 99:00:00.000\n<v Rep>{said}\n"))),
        15 => {
            ("cut", "json", text(format!("{{\"Transcript\": [{{\"ParticipantId\": \"AGENT\", \"Content\": \"{said}")))
        }
        _ => ("deep", "json", text(format!("{{\"Transcript\": {}\"{said}\"", "[".repeat(100_000)))),
    };
    Broken { damage, extension, bytes }
}

/// A WAV file with any format chunk.
fn wav(tag: u16, rate_hz: u32, channels: u16, data: &[u8]) -> Vec<u8> {
    super::audio::wav_file(tag, rate_hz, channels, 16, data)
}
