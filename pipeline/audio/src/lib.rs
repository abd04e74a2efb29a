//! Bytes of a recording → channels at 16 kHz, speech probabilities → speech spans, and samples → clips to listen to.
//!
//! Recordings are hostile input: nothing here panics on purpose, every size is checked against [`Limits`], and every
//! error says what was found and what to do. Sound only passes through memory; nothing is written or logged.
//!
//! | container | codecs |
//! |---|---|
//! | WAV, RF64 | PCM 8/16/24/32 bit, float 32/64 bit, A-law, µ-law, IMA, Microsoft and OKI/Dialogic ADPCM, GSM 6.10, G.722, MP3 |
//! | Sony Wave64, Sun/NeXT AU | as WAV; G.711, linear PCM, float 32 bit |
//! | AIFF, CAF | PCM, A-law, µ-law, ALAC; CAF also Opus |
//! | MP3, FLAC, ADTS | their own |
//! | Ogg, Matroska, WebM | Opus, Vorbis, FLAC |
//! | MP4, M4A | AAC-LC, ALAC, Opus |
//! | AMR, AMR-WB | their own |
//! | none, by the file's name (`headerless.rs`) | GSM 6.10, A-law, µ-law, OKI/Dialogic ADPCM, G.722, PCM 16 bit at 8 to 48 kHz |

mod amr;
mod channels;
pub mod clip;
mod decode;
mod error;
mod g722;
mod gsm;
mod headerless;
mod matroska;
mod oki;
mod opus;
pub mod peaks;
mod pitch;
mod resample;
mod rewrap;
pub mod sides;
mod sniff;
pub mod spans;
pub mod speakers;
pub mod tones;
pub mod voice;
mod wav;

pub use channels::{ChannelRelation, channel_correlation_permille, channel_relation, level_centi_dbfs};
pub use decode::{Audio, Limits, decode, decode_named};
pub use error::AudioError;
pub use headerless::{headerless_endings, headerless_format};
pub use resample::{SPEECH_RATE_HZ, resample_to_16k};
