//! Sound without a header, as Asterisk, voice mail and voice boards write it: the file's name says what it is, and what it
//! cannot be is refused.
//!
//! A wrong name would be scored as noise. So the decoded sound must look like sound: not loud and without any likeness of
//! neighbouring samples (that is what other codecs, archives and encrypted files look like), not far off zero (text), and
//! GSM frames must carry their mark.

use callmark_core::warning::Warning;

use crate::decode::{self, Audio, Limits};
use crate::error::AudioError;
use crate::g722;
use crate::gsm::Framing;
use crate::rewrap;
use crate::sniff::{self, Kind};

/// A format that a name may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Headerless {
    coding: Coding,
    rate_hz: u32,
    /// For people.
    format: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gsm,
    ALaw,
    MuLaw,
    /// 16 bit, little-endian.
    Pcm,
    /// Systems that write G.711 under these names, too (Asterisk's `.pcm` is µ-law): what looks like sound is taken.
    PcmOrG711,
    Oki,
    G722,
}

const fn headerless(coding: Coding, rate_hz: u32, format: &'static str) -> Headerless {
    Headerless { coding, rate_hz, format }
}

const GSM: Headerless = headerless(Coding::Gsm, 8_000, "GSM 6.10");
const A_LAW: Headerless = headerless(Coding::ALaw, 8_000, "A-law at 8 kHz");
const MU_LAW: Headerless = headerless(Coding::MuLaw, 8_000, "µ-law at 8 kHz");
const PCM: Headerless = headerless(Coding::Pcm, 8_000, "16-bit PCM at 8 kHz");
const PCM_OR_G711: Headerless = Headerless { coding: Coding::PcmOrG711, ..PCM };

/// Endings of file names, in lower case. One channel each.
const ENDINGS: [(&str, Headerless); 19] = [
    ("gsm", GSM),
    ("al", A_LAW),
    ("alaw", A_LAW),
    ("ul", MU_LAW),
    ("ulaw", MU_LAW),
    ("mulaw", MU_LAW),
    ("pcm", PCM_OR_G711),
    ("raw", PCM_OR_G711),
    ("sln", PCM),
    ("sln8", PCM),
    ("sln12", headerless(Coding::Pcm, 12_000, "16-bit PCM at 12 kHz")),
    ("sln16", headerless(Coding::Pcm, 16_000, "16-bit PCM at 16 kHz")),
    ("sln24", headerless(Coding::Pcm, 24_000, "16-bit PCM at 24 kHz")),
    ("sln32", headerless(Coding::Pcm, 32_000, "16-bit PCM at 32 kHz")),
    ("sln44", headerless(Coding::Pcm, 44_100, "16-bit PCM at 44.1 kHz")),
    ("sln48", headerless(Coding::Pcm, 48_000, "16-bit PCM at 48 kHz")),
    ("vox", headerless(Coding::Oki, 8_000, "OKI/Dialogic ADPCM at 8 kHz")),
    ("g722", headerless(Coding::G722, 16_000, "G.722")),
    ("722", headerless(Coding::G722, 16_000, "G.722")),
];

/// The endings of names, in lower case, that [`headerless_format`] knows.
pub fn headerless_endings() -> impl Iterator<Item = &'static str> {
    ENDINGS.iter().map(|(ending, _)| *ending)
}

/// What a file of this name is taken for when its content shows no known mark.
pub fn headerless_format(file_name: &str) -> Option<&'static str> {
    Headerless::of(file_name).map(|named| named.format)
}

/// Whether the name may decide: the content has no mark, or one that sound without a header may have by chance.
pub(crate) fn has_no_mark(bytes: &[u8], kind: Kind) -> bool {
    match kind {
        Kind::Unknown => true,
        Kind::Probe("MP3" | "ADTS (AAC)") => bytes[0] == 0xff && !sniff::is_mpeg_stream(bytes),
        Kind::NotAudio("a text file") => !sniff::is_long_text(bytes),
        _ => false,
    }
}

impl Headerless {
    pub fn of(file_name: &str) -> Option<Headerless> {
        let ending = file_name.rsplit_once('.')?.1.to_ascii_lowercase();
        ENDINGS.iter().find(|(known, _)| *known == ending).map(|(_, named)| *named)
    }

    /// Decodes what has no header, with a warning that says so.
    ///
    /// # Errors
    /// Sound beyond the limits; bytes that cannot be of this format.
    pub fn decode(self, bytes: &[u8], limits: &Limits) -> Result<Audio, AudioError> {
        let (format, mut audio) = if self.coding == Coding::PcmOrG711 {
            either(bytes, limits)?
        } else {
            (self.format, self.read(bytes, limits)?)
        };
        audio.container = "headerless";
        audio.warnings.insert(0, Warning::ReadByName.with(&[&format]));
        Ok(audio)
    }

    fn read(self, bytes: &[u8], limits: &Limits) -> Result<Audio, AudioError> {
        let wrapped = |tag, width| decode::decode_wave(&rewrap::headerless(tag, self.rate_hz, width, bytes), limits);
        let audio = match self.coding {
            Coding::Gsm => {
                let marked = bytes.chunks_exact(33).filter(|frame| frame[0] >> 4 == 0xD).count();
                if marked * 2 <= bytes.len() / 33 {
                    let found = "not that: most frames lack their mark";
                    return Err(AudioError::NotAsNamed { format: self.format, found });
                }
                return decode::decode_gsm(bytes, Framing::Marked, self.rate_hz, limits);
            }
            Coding::ALaw => wrapped(6, 1)?,
            Coding::MuLaw => wrapped(7, 1)?,
            Coding::Pcm | Coding::PcmOrG711 => wrapped(1, 2)?,
            Coding::Oki => decode::decode_oki(bytes, self.rate_hz, limits)?,
            Coding::G722 => g722::decode(bytes, "headerless", limits)?,
        };
        let unlike = if self.coding == Coding::G722 { UNLIKE_AS_G722 } else { UNLIKE };
        match audio.channels.first().and_then(|samples| Look::at(samples).is_no_sound(unlike)) {
            Some(found) => Err(AudioError::NotAsNamed { format: self.format, found }),
            None => Ok(audio),
        }
    }
}

/// Of 16-bit PCM and the two kinds of G.711 what sounds most like sound.
fn either(bytes: &[u8], limits: &Limits) -> Result<(&'static str, Audio), AudioError> {
    let likeness = |audio: &Audio| audio.channels.first().map_or(0.0, |samples| Look::at(samples).likeness);
    let pcm = match PCM.read(bytes, limits) {
        Ok(audio) => Ok((PCM.format, audio)),
        Err(error @ AudioError::NotAsNamed { .. }) => Err(error),
        Err(error) => return Err(error),
    };
    let read = |named: Headerless| named.read(bytes, limits).ok().map(|audio| (named.format, audio));
    let of_g711 = [A_LAW, MU_LAW].into_iter().filter_map(read);
    let best = of_g711.max_by(|(_, a), (_, b)| likeness(a).total_cmp(&likeness(b)));
    match (pcm, best) {
        (Ok(pcm), Some(best)) if likeness(&best.1) <= likeness(&pcm.1) => Ok(pcm),
        (_, Some(best)) => Ok(best),
        (pcm, None) => pcm,
    }
}

/// What tells sound from other bytes read as sound.
struct Look {
    /// −1…1.
    mean: f64,
    /// Root of the mean square around the mean; full scale is 1.
    level: f64,
    /// Correlation of each sample with the next, −1…1; 1 where nothing moves.
    likeness: f64,
}

/// −12 dBFS. Random bytes read as G.711 are at −10 dBFS, as anything else louder; fax and modem tones at −19.
const LOUD: f64 = 0.25;
/// Speech has 0.68 and more at 8 kHz, a modem's carrier of 1,800 Hz 0.16, random bytes 0.00, G.711 read as 16-bit PCM 0.15 to 0.22.
const UNLIKE: f64 = 0.3;
/// At 16 kHz neighbours are closer: speech has 0.90 and more, a modem's carrier 0.76; random bytes, GSM, MP3 and FLAC read as
/// G.722 have 0.30 to 0.40 (at −9 dBFS).
const UNLIKE_AS_G722: f64 = 0.5;
/// Never reached by speech. ADPCM adds its bytes up: random ones look like sound, but stay near full scale (0.76).
const TOO_LOUD: f64 = 0.65;
/// Letters read as 16-bit PCM have 0.8; recordings with a bad direct-current offset 0.1.
const OFF_ZERO: f64 = 0.25;

impl Look {
    fn at(samples: &[f32]) -> Look {
        let count = samples.len().max(1) as f64;
        let mean = samples.iter().map(|sample| f64::from(*sample)).sum::<f64>() / count;
        let around = |sample: &f32| f64::from(*sample) - mean;
        let power = samples.iter().map(|sample| around(sample) * around(sample)).sum::<f64>();
        let with_next = samples.windows(2).map(|pair| around(&pair[0]) * around(&pair[1])).sum::<f64>();
        let likeness = if power > 0.0 { with_next / power } else { 1.0 };
        Look { mean, level: (power / count).sqrt(), likeness }
    }

    /// What it is instead of sound, where loud sound is more alike than this.
    fn is_no_sound(&self, unlike: f64) -> Option<&'static str> {
        if self.mean.abs() > OFF_ZERO {
            Some("no sound: it keeps to one side of zero")
        } else if self.level > TOO_LOUD || (self.level > LOUD && self.likeness < unlike) {
            Some("no sound but loud noise")
        } else {
            None
        }
    }
}
