//! Bytes of a recording → channels at 16 kHz, speech probabilities → speech spans, and samples → clips to listen to.
//!
//! Recordings are hostile input: nothing here panics on purpose, every size is checked against [`Limits`], and every
//! error says what was found and what to do. Sound only passes through memory; nothing is written or logged.
//!
//! What is read, by which library and how it compares with other decoders: `docs/formats.md`, made by `tests/formats.rs`.

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
