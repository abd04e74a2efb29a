//! The networks that listen before the recogniser: where speech is, and whose voice it is.

use std::path::PathBuf;

use callmark_models::manifest::{Manifest, ModelError, ModelFile};
use callmark_models::runtime::RuntimeError;
use callmark_models::speaker_encoder::SpeakerEncoder;
use callmark_models::vad::VoiceActivity;
use serde::{Deserialize, Serialize};

/// The checked files.
pub struct SoundNetworkFiles {
    pub voice_activity: ModelFile,
    /// `None`: the configuration wants two speakers of one channel told apart without it.
    pub speaker_encoder: Option<ModelFile>,
}

/// Where they are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SoundNetworkPaths {
    pub voice_activity: PathBuf,
    pub speaker_encoder: Option<PathBuf>,
}

impl SoundNetworkFiles {
    /// `speaker_encoder`: the configuration's; `none` or nothing for none.
    ///
    /// # Errors
    /// One of them is missing or is not the file that the manifest names.
    pub fn find(
        manifest: &Manifest,
        folders: &[PathBuf],
        speaker_encoder: Option<&str>,
    ) -> Result<SoundNetworkFiles, ModelError> {
        let voice_activity = manifest.find_model("silero-vad", folders)?;
        let wanted = speaker_encoder.filter(|name| *name != "none");
        let speaker_encoder = wanted.map(|name| manifest.find_of_kind(name, "speaker_encoder", folders)).transpose()?;
        Ok(SoundNetworkFiles { voice_activity, speaker_encoder })
    }

    pub fn paths(&self) -> SoundNetworkPaths {
        let path = |file: &ModelFile| file.path.clone();
        SoundNetworkPaths {
            voice_activity: path(&self.voice_activity),
            speaker_encoder: self.speaker_encoder.as_ref().map(path),
        }
    }
}

/// The networks, ready to use; one set per decoder.
pub struct SoundNetworks {
    pub voice_activity: VoiceActivity,
    pub speaker_encoder: Option<SpeakerEncoder>,
}

impl SoundNetworks {
    /// # Errors
    /// ONNX Runtime is missing or a file is not such a network.
    pub fn load(paths: &SoundNetworkPaths) -> Result<SoundNetworks, RuntimeError> {
        Ok(SoundNetworks {
            voice_activity: VoiceActivity::load(&paths.voice_activity)?,
            speaker_encoder: paths.speaker_encoder.as_deref().map(SpeakerEncoder::load).transpose()?,
        })
    }
}
