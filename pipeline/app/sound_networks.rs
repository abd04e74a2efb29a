//! The networks that listen before the recogniser: where speech is, whose voice it is, and where two speak at once.

use std::path::PathBuf;

use callmark_models::manifest::{Manifest, ModelError, ModelFile};
use callmark_models::overlap_detector::OverlapDetector;
use callmark_models::runtime::RuntimeError;
use callmark_models::speaker_encoder::SpeakerEncoder;
use callmark_models::vad::VoiceActivity;
use serde::{Deserialize, Serialize};

use crate::config::Config;

/// The checked files.
pub struct SoundNetworkFiles {
    pub voice_activity: ModelFile,
    /// `None`: the configuration wants two speakers of one channel told apart without it.
    pub speaker_encoder: Option<ModelFile>,
    /// `None`: it is not wanted or not installed; then talk at once is found by the sound's own features.
    pub overlap_detector: Option<ModelFile>,
}

/// Where they are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SoundNetworkPaths {
    pub voice_activity: PathBuf,
    pub speaker_encoder: Option<PathBuf>,
    pub overlap_detector: Option<PathBuf>,
}

impl SoundNetworkFiles {
    /// The configuration names the speaker encoder and the overlap detector; `none` or nothing for none.
    ///
    /// # Errors
    /// One of them is missing (the overlap detector may be) or is not the file that the manifest names.
    pub fn find(manifest: &Manifest, folders: &[PathBuf], config: &Config) -> Result<SoundNetworkFiles, ModelError> {
        let voice_activity = manifest.find_model("silero-vad", folders)?;
        let find = |name: &Option<String>, kind| {
            let wanted = name.as_deref().filter(|name| *name != "none");
            wanted.map(|name| manifest.find_of_kind(name, kind, folders)).transpose()
        };
        let speaker_encoder = find(&config.speaker_encoder, "speaker_encoder")?;
        let overlap_detector = match find(&config.overlap_detector, "overlap_detector") {
            Err(ModelError::NotInstalled { .. }) => None,
            found => found?,
        };
        Ok(SoundNetworkFiles { voice_activity, speaker_encoder, overlap_detector })
    }

    pub fn paths(&self) -> SoundNetworkPaths {
        let path = |file: &ModelFile| file.path.clone();
        SoundNetworkPaths {
            voice_activity: path(&self.voice_activity),
            speaker_encoder: self.speaker_encoder.as_ref().map(path),
            overlap_detector: self.overlap_detector.as_ref().map(path),
        }
    }
}

/// The networks, ready to use; one set per decoder.
pub struct SoundNetworks {
    pub voice_activity: VoiceActivity,
    pub speaker_encoder: Option<SpeakerEncoder>,
    pub overlap_detector: Option<OverlapDetector>,
}

impl SoundNetworks {
    /// # Errors
    /// ONNX Runtime is missing or a file is not such a network.
    pub fn load(paths: &SoundNetworkPaths) -> Result<SoundNetworks, RuntimeError> {
        Ok(SoundNetworks {
            voice_activity: VoiceActivity::load(&paths.voice_activity)?,
            speaker_encoder: paths.speaker_encoder.as_deref().map(SpeakerEncoder::load).transpose()?,
            overlap_detector: paths.overlap_detector.as_deref().map(OverlapDetector::load).transpose()?,
        })
    }
}
