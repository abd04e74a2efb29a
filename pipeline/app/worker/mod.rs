//! Recognition in a process of its own: what native code does to itself costs one call, not the batch.
//!
//! The program starts itself again (`callmark recogniser-worker`). The worker decodes, finds speech and recognises on as many
//! lanes as the run has, with the model's weights loaded once; the run only sees transcripts. Frames on its standard input and
//! output are a length (four bytes, little-endian) and JSON.

mod child;
mod crew;

use std::io::{self, Read, Write};
use std::path::PathBuf;

use callmark_core::recording::Language;
use callmark_core::transcript::Transcript;
use callmark_models::manifest::ModelFile;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::call::CallError;
use crate::channel_map::ChannelMap;
use crate::sound_networks::SoundNetworkPaths;
use crate::work_time::WorkTime;

pub use child::serve;
pub use crew::{Crew, Patience};

/// Larger frames are an error: a day of dense talk with word times is below 100 MB.
const MAX_FRAME_BYTES: u32 = 512 << 20;

/// The first frame to a worker: everything that is the same for all recordings.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setup {
    /// With the settings that the run found for it: the lists of models may change meanwhile.
    pub model: ModelFile,
    #[serde(flatten)]
    pub networks: SoundNetworkPaths,
    pub onnx_runtime: Option<PathBuf>,
    /// Recogniser lanes, each with a Whisper state of its own.
    pub lanes: usize,
    pub threads_per_lane: usize,
    /// Most memory (data segment and anonymous maps) that the worker may have; beyond it allocations fail.
    pub memory_limit_bytes: u64,
    /// Decoded sound that may wait for or be in a lane, over all of them; one recording is always let through.
    pub sound_bytes: u64,
    pub vocabulary: Option<String>,
    pub confidence_floor_permille: u16,
    /// The languages that the model can follow; empty means all.
    pub model_languages: Vec<Language>,
    pub max_duration_s: u32,
}

/// One recording to transcribe.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Task {
    /// Given by the crew.
    pub number: u64,
    /// A path is bytes; it need not be UTF-8.
    pub path: Vec<u8>,
    /// The recording of the other side, and how long after this one it begins, where that is known.
    pub other: Option<(Vec<u8>, Option<i64>)>,
    pub channels: ChannelMap,
    /// The metadata's language tag.
    pub language: Option<String>,
}

/// Where a recording is on its way through the worker. Only what is being worked on can be what stopped the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    Waiting,
    Decoding,
    Recognising { duration_ms: i64 },
}

/// Working time of the worker's stages for one recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    pub decode: WorkTime,
    pub voice_activity: WorkTime,
    pub recognise: WorkTime,
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
enum Event {
    /// The models are loaded.
    Ready,
    /// The models cannot be loaded: no recording can be transcribed.
    Broken {
        cause: String,
        hint: String,
    },
    At {
        number: u64,
        place: Place,
    },
    Done {
        number: u64,
        result: Result<Box<Transcript>, CallError>,
        spent: Spent,
    },
}

fn write_frame<T: Serialize>(out: &mut impl Write, message: &T) -> io::Result<()> {
    let json = serde_json::to_vec(message)?;
    let length = u32::try_from(json.len()).ok().filter(|n| *n <= MAX_FRAME_BYTES);
    let length = length.ok_or_else(|| io::Error::other("a message of the recogniser worker is too long"))?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&json)?;
    out.flush()
}

/// The next message; `None` at the end of the stream, also when it ends within a message.
fn read_frame<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_FRAME_BYTES {
        return Err(io::Error::other("not a message of the recogniser worker"));
    }
    let mut json = vec![0; length as usize];
    match input.read_exact(&mut json) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        other => {
            other?;
            Ok(Some(serde_json::from_slice(&json)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_a_cut_one_is_the_end() {
        let task = Task {
            number: 7,
            path: b"/calls/\xff.wav".to_vec(),
            other: Some((b"/calls/other.wav".to_vec(), Some(-20))),
            channels: ChannelMap::Auto,
            language: Some("en".into()),
        };
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &task).unwrap();
        let cut = bytes[..bytes.len() - 1].to_vec();
        bytes.extend(bytes.clone());
        let mut input = bytes.as_slice();
        for _ in 0..2 {
            let read: Task = read_frame(&mut input).unwrap().unwrap();
            assert_eq!((read.number, read.path, read.language), (7, task.path.clone(), task.language.clone()));
        }
        assert!(read_frame::<Task>(&mut input).unwrap().is_none());
        assert!(read_frame::<Task>(&mut cut.as_slice()).unwrap().is_none());
        assert!(read_frame::<Task>(&mut [0xff; 8].as_slice()).is_err(), "an absurd length is not allocated");
    }
}
