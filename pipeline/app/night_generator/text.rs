//! A script in the formats that transcripts come in.

use callmark_core::recording::Language;
use callmark_core::transcript::Role;
use serde_json::json;

use super::script::{Line, Script};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    WebVtt,
    Srt,
    ContactLens,
    /// `Rep: …` lines without times.
    Lines,
}

/// How often the formats occur, in permille.
pub const SHARES: [(Format, u32); 4] =
    [(Format::WebVtt, 450), (Format::Srt, 200), (Format::ContactLens, 200), (Format::Lines, 150)];

impl Format {
    pub fn extension(self) -> &'static str {
        match self {
            Format::WebVtt => "vtt",
            Format::Srt => "srt",
            Format::ContactLens => "json",
            Format::Lines => "txt",
        }
    }

    /// Requirements about time apply to formats with times alone.
    pub fn has_times(self) -> bool {
        self != Format::Lines
    }
}

pub fn render(script: &Script, format: Format, language: Language) -> Vec<u8> {
    let lines = &script.lines;
    match format {
        Format::WebVtt => {
            let cues = lines.iter().map(|line| {
                let voice = if line.role == Role::Rep { "Rep" } else { "Customer" };
                format!("\n{} --> {}\n<v {voice}>{}\n", stamp(line.begin_ms, '.'), stamp(line.end_ms, '.'), line.text)
            });
            std::iter::once("WEBVTT\n".to_string()).chain(cues).collect::<String>().into_bytes()
        }
        Format::Srt => {
            let cues = lines.iter().enumerate().map(|(index, line)| {
                let (begin, end) = (stamp(line.begin_ms, ','), stamp(line.end_ms, ','));
                format!("{}\n{begin} --> {end}\n{}: {}\n\n", index + 1, label(line, language), line.text)
            });
            cues.collect::<String>().into_bytes()
        }
        Format::ContactLens => contact_lens(lines, language),
        Format::Lines => lines
            .iter()
            .map(|line| format!("{}: {}\n", label(line, language), line.text))
            .collect::<String>()
            .into_bytes(),
    }
}

fn label(line: &Line, language: Language) -> &'static str {
    match (line.role == Role::Rep, language) {
        (true, Language::En) => "Rep",
        (false, Language::En) => "Customer",
        (true, Language::Zh) => "客服",
        (false, Language::Zh) => "客户",
    }
}

fn stamp(ms: i64, mark: char) -> String {
    let seconds = ms / 1000;
    format!("{:02}:{:02}:{:02}{mark}{:03}", seconds / 3600, seconds / 60 % 60, seconds % 60, ms % 1000)
}

fn contact_lens(lines: &[Line], language: Language) -> Vec<u8> {
    let turns: Vec<_> = lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            json!({
                "Id": format!("t{index}"),
                "ParticipantId": if line.role == Role::Rep { "AGENT" } else { "CUSTOMER" },
                "Content": line.text,
                "BeginOffsetMillis": line.begin_ms,
                "EndOffsetMillis": line.end_ms,
            })
        })
        .collect();
    let participants = json!([
        {"ParticipantId": "AGENT", "ParticipantRole": "AGENT"},
        {"ParticipantId": "CUSTOMER", "ParticipantRole": "CUSTOMER"},
    ]);
    let call = json!({
        "Version": "1.1.0",
        "Channel": "VOICE",
        "LanguageCode": if language == Language::Zh { "zh-CN" } else { "en-US" },
        "Participants": participants,
        "Transcript": turns,
    });
    call.to_string().into_bytes()
}
