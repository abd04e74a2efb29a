//! Why a recording could not be decoded, and what its owner can do about it.

use thiserror::Error;

/// A recording that cannot be used. The message names what was found; [`AudioError::hint`] says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AudioError {
    #[error("the file is empty")]
    Empty,
    #[error("the file is {found}, not a recording")]
    NotAudio { found: &'static str },
    #[error("the file has no known mark, and read as {format} as its name asks it is {found}")]
    NotAsNamed { format: &'static str, found: &'static str },
    #[error("{container} is not a format that callmark decodes")]
    UnsupportedContainer { container: &'static str },
    #[error("{container} holds {codec}, which callmark does not decode")]
    UnsupportedCodec { container: &'static str, codec: String },
    #[error("the {container} header is not usable: {cause}")]
    BadHeader { container: &'static str, cause: String },
    #[error("the {container} data cannot be decoded: {cause}")]
    Damaged { container: &'static str, cause: String },
    #[error("the {container} file holds no sound")]
    NoSamples { container: &'static str },
    #[error("the recording has {what}, more than the limit of {limit}")]
    Limit { what: String, limit: String },
    #[error("the sample rate is {rate_hz} Hz; {low_hz} to {high_hz} Hz can be used")]
    SampleRate { rate_hz: u32, low_hz: u32, high_hz: u32 },
    #[error("a clip could not be written as {format}: {cause}")]
    NotEncoded { format: &'static str, cause: String },
}

impl AudioError {
    /// A short name of the cause for stored outcomes and counters.
    pub fn code(&self) -> &'static str {
        match self {
            AudioError::Empty => "empty",
            AudioError::NotAudio { .. } => "not_audio",
            AudioError::NotAsNamed { .. } => "not_as_named",
            AudioError::UnsupportedContainer { .. } => "unsupported_container",
            AudioError::UnsupportedCodec { .. } => "unsupported_codec",
            AudioError::BadHeader { .. } => "bad_header",
            AudioError::Damaged { .. } => "damaged",
            AudioError::NoSamples { .. } => "no_samples",
            AudioError::Limit { .. } => "limit",
            AudioError::SampleRate { .. } => "sample_rate",
            AudioError::NotEncoded { .. } => "not_encoded",
        }
    }

    /// What the owner of the recording can do.
    pub fn hint(&self) -> &'static str {
        match self {
            AudioError::Empty => "the export or the copy failed: fetch the recording again",
            AudioError::NotAudio { .. } => {
                "an export that failed often leaves an error page or an archive under the recording's name: fetch it again, or unpack it"
            }
            AudioError::NotAsNamed { .. } => {
                "give it the ending of its true format (.ul, .al, .sln, .sln16, .gsm, .vox), or convert it, for example: sox -t raw -r 8000 -c 1 -e mu-law -b 8 INPUT OUTPUT.wav"
            }
            AudioError::UnsupportedContainer { .. } | AudioError::UnsupportedCodec { .. } => {
                "convert it, for example: ffmpeg -i INPUT -c:a pcm_s16le OUTPUT.wav"
            }
            AudioError::BadHeader { .. } | AudioError::Damaged { .. } => {
                "play the file; if other players fail too, fetch the recording again"
            }
            AudioError::NoSamples { .. } => {
                "the recorder wrote a header but no sound: check the recorder, fetch the recording again"
            }
            AudioError::Limit { .. } => "cut the recording into calls, or raise the limit in the configuration",
            AudioError::SampleRate { .. } => {
                "the header is probably wrong; convert it with the true rate: ffmpeg -ar RATE -i INPUT OUTPUT.wav"
            }
            AudioError::NotEncoded { .. } => "free memory and try again, or leave clips out (clips = \"none\")",
        }
    }
}
