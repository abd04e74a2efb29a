//! Whisper files of any shape with random weights, to measure how fast and how large a model of that shape is where the real
//! one cannot be had. Never for recognition: such a model says one word for ever, until something ends it
//! ([`crate::asr::Lane::limit_tokens`]).
//!
//! Encoder and decoder do the work of a real model: the time of a matrix product does not depend on its numbers. What a real
//! model decides itself, the number of tokens, has to be given.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use callmark_core::statistics::SplitMix64;

const MAGIC: u32 = 0x6767_6d6c;
const AUDIO_POSITIONS: u32 = 1_500;
const TEXT_POSITIONS: u32 = 448;
const FOURIER_BINS: u32 = 201;
/// Entries of the file's own word list; whisper.cpp names the tokens behind them itself.
const WORDS: u32 = 50_256;
/// The token that is always said.
const SAID: u32 = 262;
/// Where GPT-2's word list has the single blank.
const BLANK: u32 = 220;
/// Row 0 of the last layer's bias: far enough above what the random rows give to each token.
const LAST_BIAS: f32 = 600.0;

/// Sides of a Whisper model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelShape {
    pub name: &'static str,
    pub state: u32,
    pub audio_layers: u32,
    pub text_layers: u32,
    pub vocabulary: u32,
    pub mel_bands: u32,
}

const fn shape(
    name: &'static str,
    state: u32,
    audio_layers: u32,
    text_layers: u32,
    vocabulary: u32,
    mel_bands: u32,
) -> ModelShape {
    ModelShape { name, state, audio_layers, text_layers, vocabulary, mel_bands }
}

/// OpenAI's models (Radford et al. 2022, table 1; large-v3 and turbo: the model cards).
pub const SHAPES: [ModelShape; 11] = [
    shape("tiny", 384, 4, 4, 51_865, 80),
    shape("tiny.en", 384, 4, 4, 51_864, 80),
    shape("base", 512, 6, 6, 51_865, 80),
    shape("base.en", 512, 6, 6, 51_864, 80),
    shape("small", 768, 12, 12, 51_865, 80),
    shape("small.en", 768, 12, 12, 51_864, 80),
    shape("medium", 1_024, 24, 24, 51_865, 80),
    shape("medium.en", 1_024, 24, 24, 51_864, 80),
    shape("large-v2", 1_280, 32, 32, 51_865, 80),
    shape("large-v3", 1_280, 32, 32, 51_866, 128),
    shape("large-v3-turbo", 1_280, 32, 4, 51_866, 128),
];

/// How the large matrices are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightType {
    F16,
    Q5_0,
    Q5_1,
    Q8_0,
}

impl WeightType {
    pub const ALL: [WeightType; 4] = [WeightType::F16, WeightType::Q5_0, WeightType::Q5_1, WeightType::Q8_0];

    /// ggml's name.
    pub fn name(self) -> &'static str {
        match self {
            WeightType::F16 => "f16",
            WeightType::Q5_0 => "q5_0",
            WeightType::Q5_1 => "q5_1",
            WeightType::Q8_0 => "q8_0",
        }
    }

    /// ggml's number of the tensor type, and of a whole file of it (with the quantisation's version).
    fn numbers(self) -> (u32, u32) {
        match self {
            WeightType::F16 => (1, 1),
            WeightType::Q5_0 => (6, 2008),
            WeightType::Q5_1 => (7, 2009),
            WeightType::Q8_0 => (8, 2007),
        }
    }
}

/// f16 of a value that needs few bits: sign, exponent, mantissa as they are in the table of halves.
mod half {
    /// 2⁻⁶ with any sign and mantissa: 0.016 … 0.031.
    pub const NEAR_0_02: u16 = 0x2400;
    /// 0.031 25.
    pub const PLUS: u16 = 0x2800;
    pub const MINUS: u16 = 0xA800;
    /// 0.000 33: 127 of them are 0.042.
    pub const STEP_OF_8_BITS: u16 = 0x0D68;
    /// 0.002 59, and −16 of them.
    pub const STEP_OF_5_BITS: u16 = 0x194E;
    pub const MINUS_16_STEPS: u16 = 0xA94E;
}

/// Writes a model. The same seed writes the same bytes.
///
/// # Errors
/// The file cannot be written.
pub fn write_random_model(path: &Path, shape: &ModelShape, weights: WeightType, seed: u64) -> io::Result<()> {
    let mut out =
        Writer { out: BufWriter::with_capacity(1 << 20, File::create(path)?), weights, random: SplitMix64::new(seed) };
    let (state, heads) = (shape.state, shape.state / 64);
    out.numbers(&[MAGIC, shape.vocabulary, AUDIO_POSITIONS, state, heads, shape.audio_layers])?;
    out.numbers(&[TEXT_POSITIONS, state, heads, shape.text_layers, shape.mel_bands, weights.numbers().1])?;
    out.numbers(&[shape.mel_bands, FOURIER_BINS])?;
    for value in mel_filters(shape.mel_bands as usize) {
        out.out.write_all(&value.to_le_bytes())?;
    }
    out.numbers(&[WORDS])?;
    for index in 0..WORDS {
        // whisper.cpp looks this one up, and ends the process when it is not there.
        let word = if index == BLANK { " ".to_string() } else { format!(" w{index}") };
        out.numbers(&[word.len() as u32])?;
        out.out.write_all(word.as_bytes())?;
    }

    out.small("encoder.positional_embedding", &[state, AUDIO_POSITIONS], Fill::Random)?;
    for (name, channels) in [("encoder.conv1", shape.mel_bands), ("encoder.conv2", state)] {
        out.convolution(&format!("{name}.weight"), &[3, channels, state])?;
        out.small(&format!("{name}.bias"), &[1, state], Fill::All(0.0))?;
    }
    for layer in 0..shape.audio_layers {
        let name = format!("encoder.blocks.{layer}");
        out.attention(&format!("{name}.attn"), state)?;
        out.perceptron(&name, state)?;
    }
    out.norm("encoder.ln_post", state)?;

    out.small("decoder.positional_embedding", &[state, TEXT_POSITIONS], Fill::Random)?;
    out.token_embedding(state, shape.vocabulary)?;
    for layer in 0..shape.text_layers {
        let name = format!("decoder.blocks.{layer}");
        out.attention(&format!("{name}.attn"), state)?;
        out.attention(&format!("{name}.cross_attn"), state)?;
        out.perceptron(&name, state)?;
    }
    // The first number of the last state is the bias alone: with the first number of a token's row it decides what is said.
    out.small("decoder.ln.weight", &[state], Fill::FirstThenAll(0.0, 1.0))?;
    out.small("decoder.ln.bias", &[state], Fill::FirstThenAll(LAST_BIAS, 0.0))?;
    out.out.flush()
}

/// Content of an f32 tensor.
#[derive(Clone, Copy)]
enum Fill {
    All(f32),
    FirstThenAll(f32, f32),
    Random,
}

struct Writer<W: Write> {
    out: W,
    weights: WeightType,
    random: SplitMix64,
}

impl<W: Write> Writer<W> {
    fn numbers(&mut self, values: &[u32]) -> io::Result<()> {
        values.iter().try_for_each(|value| self.out.write_all(&value.to_le_bytes()))
    }

    fn head(&mut self, name: &str, sides: &[u32], kind: u32) -> io::Result<()> {
        self.numbers(&[sides.len() as u32, name.len() as u32, kind])?;
        self.numbers(sides)?;
        self.out.write_all(name.as_bytes())
    }

    fn small(&mut self, name: &str, sides: &[u32], fill: Fill) -> io::Result<()> {
        self.head(name, sides, 0)?;
        for index in 0..sides.iter().map(|side| u64::from(*side)).product() {
            let value = match fill {
                Fill::All(value) => value,
                Fill::FirstThenAll(first, _) if index == 0 => first,
                Fill::FirstThenAll(_, rest) => rest,
                Fill::Random => (self.random.unit() as f32 - 0.5) * 0.05,
            };
            self.out.write_all(&value.to_le_bytes())?;
        }
        Ok(())
    }

    fn norm(&mut self, name: &str, state: u32) -> io::Result<()> {
        self.small(&format!("{name}.weight"), &[state], Fill::All(1.0))?;
        self.small(&format!("{name}.bias"), &[state], Fill::All(0.0))
    }

    fn linear(&mut self, name: &str, from: u32, to: u32, with_bias: bool) -> io::Result<()> {
        self.head(&format!("{name}.weight"), &[from, to], self.weights.numbers().0)?;
        for _ in 0..u64::from(from) * u64::from(to) / 32 {
            self.block(None)?;
        }
        if with_bias { self.small(&format!("{name}.bias"), &[to], Fill::All(0.0)) } else { Ok(()) }
    }

    fn attention(&mut self, name: &str, state: u32) -> io::Result<()> {
        for (part, with_bias) in [("query", true), ("key", false), ("value", true), ("out", true)] {
            self.linear(&format!("{name}.{part}"), state, state, with_bias)?;
        }
        self.norm(&format!("{name}_ln"), state)
    }

    fn perceptron(&mut self, name: &str, state: u32) -> io::Result<()> {
        self.linear(&format!("{name}.mlp.0"), state, 4 * state, true)?;
        self.linear(&format!("{name}.mlp.2"), 4 * state, state, true)?;
        self.norm(&format!("{name}.mlp_ln"), state)
    }

    /// Convolutions are never quantised.
    fn convolution(&mut self, name: &str, sides: &[u32]) -> io::Result<()> {
        self.head(name, sides, WeightType::F16.numbers().0)?;
        for _ in 0..sides.iter().map(|side| u64::from(*side)).product() {
            let value = self.random_half();
            self.out.write_all(&value.to_le_bytes())?;
        }
        Ok(())
    }

    /// One row a token: the first number is high for the token that is said, low for marks, nothing for the others.
    fn token_embedding(&mut self, state: u32, vocabulary: u32) -> io::Result<()> {
        self.head("decoder.token_embedding.weight", &[state, vocabulary], self.weights.numbers().0)?;
        for token in 0..vocabulary {
            let first = match token {
                SAID => 1,
                WORDS.. => -1,
                _ => 0,
            };
            self.block(Some(first))?;
            for _ in 1..state / 32 {
                self.block(None)?;
            }
        }
        Ok(())
    }

    fn random_half(&mut self) -> u16 {
        self.random.bits() as u16 & 0x83FF | half::NEAR_0_02
    }

    /// 32 weights of about ±0.02; the first one may be set to the largest (1), the smallest (−1) or nothing (0).
    fn block(&mut self, first: Option<i8>) -> io::Result<()> {
        let mut bytes = [0u8; 64];
        for chunk in bytes.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.random.bits().to_le_bytes());
        }
        let first_of_5_bits = first.map(|sign| [0u8, 16, 31][(sign + 1) as usize]);
        let set_5_bits = |high: &mut u8, low: &mut u8| {
            if let Some(value) = first_of_5_bits {
                *high = *high & !1 | value >> 4;
                *low = *low & 0xF0 | value & 0x0F;
            }
        };
        match self.weights {
            WeightType::F16 => {
                for pair in bytes.chunks_exact_mut(2) {
                    let value = u16::from_le_bytes([pair[0], pair[1]]) & 0x83FF | half::NEAR_0_02;
                    pair.copy_from_slice(&value.to_le_bytes());
                }
                if let Some(sign) = first {
                    let value = [half::MINUS, 0, half::PLUS][(sign + 1) as usize];
                    bytes[..2].copy_from_slice(&value.to_le_bytes());
                }
                self.out.write_all(&bytes)
            }
            WeightType::Q8_0 => {
                if let Some(sign) = first {
                    bytes[0] = (127 * sign) as u8;
                }
                self.out.write_all(&half::STEP_OF_8_BITS.to_le_bytes())?;
                self.out.write_all(&bytes[..32])
            }
            // The fifth bits of the 32 weights, then their lower four bits.
            WeightType::Q5_0 | WeightType::Q5_1 => {
                let (high, low) = bytes.split_at_mut(4);
                set_5_bits(&mut high[0], &mut low[0]);
                self.out.write_all(&half::STEP_OF_5_BITS.to_le_bytes())?;
                if self.weights == WeightType::Q5_1 {
                    self.out.write_all(&half::MINUS_16_STEPS.to_le_bytes())?;
                }
                self.out.write_all(&bytes[..20])
            }
        }
    }
}

/// Triangular filters on Slaney's mel scale with equal areas, for 16 kHz and windows of 400 samples (librosa's
/// `filters.mel(sr=16000, n_fft=400, n_mels=…)`, which Whisper was trained on).
fn mel_filters(bands: usize) -> Vec<f32> {
    const LINEAR_HZ_PER_MEL: f64 = 200.0 / 3.0;
    const BREAK_HZ: f64 = 1_000.0;
    let log_step = libm::log(6.4) / 27.0;
    let break_mel = BREAK_HZ / LINEAR_HZ_PER_MEL;
    let mel = |hz: f64| match hz < BREAK_HZ {
        true => hz / LINEAR_HZ_PER_MEL,
        false => break_mel + libm::log(hz / BREAK_HZ) / log_step,
    };
    let hz = |mel: f64| match mel < break_mel {
        true => mel * LINEAR_HZ_PER_MEL,
        false => BREAK_HZ * libm::exp(log_step * (mel - break_mel)),
    };
    let top = mel(8_000.0);
    let edges: Vec<f64> = (0..bands + 2).map(|i| hz(top * i as f64 / (bands + 1) as f64)).collect();
    let filter = |edges: &[f64]| {
        let (low, centre, high) = (edges[0], edges[1], edges[2]);
        let at = move |bin: u32| {
            let frequency = f64::from(bin) * 8_000.0 / f64::from(FOURIER_BINS - 1);
            let height = ((frequency - low) / (centre - low)).min((high - frequency) / (high - centre));
            (height.max(0.0) * 2.0 / (high - low)) as f32
        };
        (0..FOURIER_BINS).map(at).collect::<Vec<f32>>()
    };
    edges.windows(3).flat_map(filter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asr::{AsrOptions, Recogniser};
    use crate::ggml::check_whisper_file;
    use crate::manifest::ModelFile;
    use callmark_core::recording::Language;
    use callmark_core::transcript::Span;

    #[test]
    fn mel_filters_are_those_of_the_starter() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("starter/starter-en-q8_0.bin");
        let bytes = std::fs::read(path).unwrap();
        let own = mel_filters(80);
        for (index, value) in own.iter().enumerate() {
            let at = 56 + 4 * index;
            let expected = f32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            assert!((value - expected).abs() < 1e-6, "{index}: {value} instead of {expected}");
        }
        assert_eq!(mel_filters(128).len(), 128 * 201);
    }

    /// Every type is loaded by whisper.cpp, and decodes as many tokens as it is allowed to.
    #[test]
    fn a_small_shape_says_its_word_until_it_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let small = shape("small test", 64, 4, 3, 51_864, 80);
        let samples: Vec<f32> = (0..32_000).map(|n| (f64::from(n) * 0.05).sin() as f32 * 0.3).collect();
        for weights in WeightType::ALL {
            let path = folder.path().join(weights.name());
            write_random_model(&path, &small, weights, 1).unwrap();
            let found = check_whisper_file(&path).unwrap();
            assert_eq!((found.audio_state, found.text_layers, found.vocabulary), (64, 3, 51_864));
            let model = ModelFile { entry: None, name: weights.name().into(), path, sha256: String::new() };
            let mut lane = Recogniser::load(&model).unwrap().lane(1).unwrap();
            let options = AsrOptions { language: Some(Language::En), initial_prompt: None };
            let mut words = |per_second: u32| {
                lane.limit_tokens(Some(per_second));
                let heard = lane.transcribe(&samples, &[Span { begin_ms: 0, end_ms: 2_000 }], &options).unwrap();
                assert!(heard.segments.iter().flat_map(|s| &s.words).all(|word| word.text == format!("w{SAID}")));
                heard.trust.words
            };
            assert_eq!((words(4), words(10)), (9, 21), "{}", weights.name());
        }
    }
}
