//! A language's own text model: one ONNX graph that gives a turn's embedding, its sentiment and whether it insults, and a small second one for
//! its acts.
//!
//! A folder (`models/text-en/`) holds `model.onnx`, `tokenizer.json`, perhaps `acts.onnx` (act_head.rs), and `manifest.toml` with their
//! SHA-256. The weights are int8 in the file and float32 in memory (about 80 MB per encoder); the arithmetic is float32, so results are equal
//! from run to run on one machine, and may differ by a unit of rounding between processors. Records store the rounded values.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use callmark_core::recording::Language;
use callmark_core::sentiment_context::SentimentContext;
use callmark_core::transcript::{ActReadings, Embedding, Sentiment, Turn};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokenizers::Tokenizer;

use crate::act_head::{ActHead, ActList, HeadInput};
use crate::insult_head::InsultHead;
use crate::text_model::{self, Folder, TextModel, TextModelError, TextPool, hex};
use crate::{embedding, insult_head, sentiment};

/// Word pieces of a turn that are read (about 90 words); the rest of a longer turn is not.
pub const MAX_TOKENS: usize = 128;

const MODEL: &str = "model.onnx";
const TOKENIZER: &str = "tokenizer.json";
const ACTS: &str = "acts.onnx";
const MANIFEST: &str = "manifest.toml";

/// What the model says about one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnText {
    /// 384 components. All zero (similar to nothing) for a text without a letter or digit.
    pub embedding: Embedding,
    pub sentiment: Sentiment,
    /// How likely it insults; `None`: the model does not say.
    pub insult_permille: Option<u16>,
}

/// What the graph gives for a text, before anything is rounded.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphOutput {
    pub embedding: Vec<f32>,
    /// Negative, neutral, positive.
    pub sentiment_logits: Vec<f32>,
    /// `None`: the manifest has no `[insult]`.
    pub insult_logit: Option<f32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    schema: u32,
    name: String,
    dimensions: usize,
    sha256: BTreeMap<String, String>,
    /// Since schema 2; `None`: the folder has no head of acts.
    acts: Option<ActList>,
    /// Since schema 3; `None`: each turn's sentiment stands alone.
    sentiment: Option<SentimentContext>,
    /// Since schema 4; `None`: the graph does not hear insults.
    insult: Option<InsultHead>,
}

impl Manifest {
    fn read(folder: &Folder) -> Result<Manifest, TextModelError> {
        let manifest: Manifest = folder.read_manifest(1..=4, |manifest: &Manifest| manifest.schema)?;
        let mistake = match &manifest {
            Manifest { dimensions: 0, .. } => Some("`dimensions` must be at least 1"),
            Manifest { schema: ..2, acts: Some(_), .. } => Some("`acts` needs schema 2"),
            Manifest { schema: ..3, sentiment: Some(_), .. } => Some("`sentiment` needs schema 3"),
            Manifest { schema: ..4, insult: Some(_), .. } => Some("`insult` needs schema 4"),
            Manifest { acts, sentiment, insult, .. } => {
                let of_acts = acts.as_ref().and_then(ActList::mistake);
                of_acts
                    .or_else(|| sentiment.and_then(SentimentContext::mistake))
                    .or_else(|| insult.and_then(InsultHead::mistake))
            }
        };
        match mistake {
            Some(mistake) => Err(folder.mistake(mistake.to_string())),
            None => Ok(manifest),
        }
    }

    fn files(&self) -> impl Iterator<Item = &'static str> {
        [MODEL, TOKENIZER].into_iter().chain(self.acts.as_ref().map(|_| ACTS))
    }

    fn encoder_hash(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(&self.name);
        for (file, hash) in &self.sha256 {
            digest.update(format!("\n{file} {hash}"));
        }
        if let Some(acts) = &self.acts {
            digest.update(format!("\n{}", acts.told()));
        }
        if let Some(sentiment) = self.sentiment {
            digest.update(format!("\n{}", sentiment.told()));
        }
        if let Some(insult) = self.insult {
            digest.update(format!("\n{}", insult.told()));
        }
        hex(&digest.finalize())
    }
}

fn folder(dir: &Path) -> Folder<'_> {
    Folder { path: dir, manifest: MANIFEST }
}

/// Checks the hashes of a model folder without opening it; what `encoder_hash` of its encoders will be.
///
/// # Errors
/// A file is missing, or is not what the manifest says.
pub fn check(dir: &Path) -> Result<String, TextModelError> {
    let folder = folder(dir);
    let manifest = Manifest::read(&folder)?;
    for file in manifest.files() {
        folder.read_checked(file, &manifest.sha256)?;
    }
    Ok(manifest.encoder_hash())
}

/// What encoders of one folder share.
struct Shared {
    tokenizer: Tokenizer,
    dimensions: usize,
    hash: String,
    acts: Option<ActList>,
    sentiment_context: Option<SentimentContext>,
    insult: Option<InsultHead>,
}

/// Files whose hashes were checked, to open encoders from. Gone as soon as these are open: sessions have their own copies, and the files
/// are tens of MB.
struct Source<'a> {
    environment: &'a Environment,
    model: Vec<u8>,
    acts: Option<Vec<u8>>,
    shared: Arc<Shared>,
}

impl Source<'_> {
    fn read<'a>(dir: &Path, environment: &'a Environment) -> Result<Source<'a>, TextModelError> {
        let folder = folder(dir);
        let manifest = Manifest::read(&folder)?;
        let read = |file| folder.read_checked(file, &manifest.sha256);
        let (model, tokenizer) = (read(MODEL)?, text_model::tokenizer(&read(TOKENIZER)?, MAX_TOKENS)?);
        let acts = manifest.acts.as_ref().map(|_| read(ACTS)).transpose()?;
        let hash = manifest.encoder_hash();
        let shared = Arc::new(Shared {
            tokenizer,
            dimensions: manifest.dimensions,
            hash,
            acts: manifest.acts,
            sentiment_context: manifest.sentiment,
            insult: manifest.insult,
        });
        Ok(Source { environment, model, acts, shared })
    }

    fn open(&self) -> Result<TextEncoder, TextModelError> {
        let session = text_model::open_session(&self.model, self.environment)?;
        let acts = self.acts.as_ref().map(|model| ActHead::open(model, self.environment)).transpose()?;
        Ok(TextEncoder { shared: Arc::clone(&self.shared), session, acts })
    }
}

/// One session of the text model. `encode` needs `&mut self`: workers share an `EncoderPool`.
pub struct TextEncoder {
    shared: Arc<Shared>,
    session: Session,
    acts: Option<ActHead>,
}

impl TextEncoder {
    /// Reads the model folder, checks the hashes of its manifest and opens one session with one thread.
    ///
    /// # Errors
    /// A file is missing, is not what the manifest says, or ONNX Runtime refuses it.
    pub fn load(dir: &Path, environment: &Environment) -> Result<TextEncoder, TextModelError> {
        Source::read(dir, environment)?.open()
    }

    /// SHA-256 over the model's name, the hashes of its files and what its manifest says of acts, sentiment and insults: provenance of
    /// what is stored of them.
    pub fn encoder_hash(&self) -> &str {
        &self.shared.hash
    }

    /// How the sentiment of a call's turns is read in context; `None`: each stands alone.
    pub fn sentiment_context(&self) -> Option<SentimentContext> {
        self.shared.sentiment_context
    }

    /// As `TextModel::ask`.
    ///
    /// # Errors
    /// As `TextModel::ask`.
    pub fn encode(&mut self, texts: &[&str]) -> Result<Vec<TurnText>, TextModelError> {
        self.ask(texts)
    }

    /// The acts of a call's turns from their texts, roles, embeddings and readings of insults (one each, as `encode` gave them, now or
    /// earlier; a reading below the threshold may be missing); `None` when the folder has neither a head of acts nor one of insults.
    ///
    /// # Errors
    /// ONNX Runtime fails.
    pub fn read_acts(
        &mut self,
        language: Language,
        turns: &[Turn],
        embeddings: &[Option<Embedding>],
        insults_permille: &[Option<u16>],
    ) -> Result<Option<ActReadings>, TextModelError> {
        let mut readings = match (&mut self.acts, &self.shared.acts) {
            (Some(head), Some(list)) => Some(head.read(list, language, turns, embeddings, self.shared.dimensions)?),
            _ => None,
        };
        if let Some(insult) = self.shared.insult {
            let nothing = || ActReadings { turns: vec![BTreeMap::new(); turns.len()], ..ActReadings::default() };
            insult.add_to(readings.get_or_insert_with(nothing), insults_permille);
        }
        Ok(readings)
    }

    /// What the head gives for one turn before anything is rounded, for comparing it with Python; `None` without a head.
    ///
    /// # Errors
    /// ONNX Runtime fails.
    pub fn act_probabilities(&mut self, input: &HeadInput) -> Result<Option<Vec<f32>>, TextModelError> {
        let (Some(head), Some(list)) = (&mut self.acts, &self.shared.acts) else { return Ok(None) };
        head.probabilities(list, input).map(Some)
    }

    fn encode_one(&mut self, text: &str) -> Result<TurnText, TextModelError> {
        let dimensions = self.shared.dimensions;
        let Some(GraphOutput { embedding, sentiment_logits, insult_logit }) = self.run(text)? else {
            return Ok(TurnText {
                embedding: Embedding(vec![0; dimensions]),
                sentiment: Sentiment::NO_WORDS,
                insult_permille: self.shared.insult.map(|_| 0),
            });
        };
        if embedding.len() != dimensions {
            let detail = format!("an embedding has {} components, the manifest says {dimensions}", embedding.len());
            return Err(TextModelError::Runtime(detail));
        }
        let sentiment = <[f32; 3]>::try_from(sentiment_logits).ok().and_then(sentiment::permille);
        let sentiment = sentiment.ok_or_else(|| TextModelError::Runtime("sentiment is not three numbers".into()))?;
        let insult_permille = insult_logit.map(insult_head::permille).transpose()?;
        Ok(TurnText { embedding: embedding::quantise(&embedding), sentiment, insult_permille })
    }

    /// What the graph gives, for comparing it with Python; `None` for a text without a letter or digit.
    ///
    /// # Errors
    /// As `TextModel::ask`.
    pub fn run(&mut self, text: &str) -> Result<Option<GraphOutput>, TextModelError> {
        if !text_model::has_words(text) {
            return Ok(None);
        }
        let encoding = text_model::tokens(&self.shared.tokenizer, text)?;
        let ids: Vec<i64> = encoding.get_ids().iter().map(|id| i64::from(*id)).collect();
        let mask = vec![1_i64; ids.len()];
        let shape = [1, ids.len()];
        let inputs = ort::inputs![
            "ids" => TensorRef::from_array_view((shape, ids.as_slice())).map_err(text_model::runtime)?,
            "mask" => TensorRef::from_array_view((shape, mask.as_slice())).map_err(text_model::runtime)?,
        ];
        let outputs = self.session.run(inputs).map_err(text_model::runtime)?;
        let floats = |name: &str| -> Result<Vec<f32>, TextModelError> {
            let value = outputs.get(name).ok_or_else(|| TextModelError::Runtime(format!("no output `{name}`")))?;
            Ok(value.try_extract_tensor::<f32>().map_err(text_model::runtime)?.1.to_vec())
        };
        let insult = self.shared.insult.map(|_| floats(insult_head::OUTPUT)).transpose()?;
        let one = |logits: Vec<f32>| match logits[..] {
            [logit] => Ok(logit),
            _ => Err(TextModelError::Runtime(format!("`{}` is not one number", insult_head::OUTPUT))),
        };
        Ok(Some(GraphOutput {
            embedding: floats("embedding")?,
            sentiment_logits: floats("sentiment")?,
            insult_logit: insult.map(one).transpose()?,
        }))
    }
}

impl TextModel for TextEncoder {
    type Answer = TurnText;

    fn ask(&mut self, texts: &[&str]) -> Result<Vec<TurnText>, TextModelError> {
        texts.iter().map(|text| self.encode_one(text)).collect()
    }
}

/// Encoders for the workers of a thread pool.
pub type EncoderPool = TextPool<TextEncoder>;

impl EncoderPool {
    /// `workers` encoders (at least one) of the model in `dir`.
    ///
    /// # Errors
    /// As `TextEncoder::load`.
    pub fn load(dir: &Path, environment: &Environment, workers: usize) -> Result<EncoderPool, TextModelError> {
        let source = Source::read(dir, environment)?;
        let others = (1..workers).map(|_| source.open()).collect::<Result<_, _>>()?;
        Ok(TextPool::new(source.open()?, others))
    }

    /// As `TextEncoder::sentiment_context`.
    pub fn sentiment_context(&self) -> Option<SentimentContext> {
        self.free().sentiment_context()
    }

    /// As `TextEncoder::read_acts`, by the first free encoder.
    ///
    /// # Errors
    /// As `TextEncoder::read_acts`.
    pub fn read_acts(
        &self,
        language: Language,
        turns: &[Turn],
        embeddings: &[Option<Embedding>],
        insults_permille: &[Option<u16>],
    ) -> Result<Option<ActReadings>, TextModelError> {
        self.free().read_acts(language, turns, embeddings, insults_permille)
    }
}
