//! The text models of all languages, and what they say: sentiment, embedding and acts of a call's turns, embeddings of `meaning` phrases.
//!
//! Embeddings and acts are always those of the language's own encoder. Sentiment is, too, unless the configuration names a classifier.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context as _, Result, anyhow, bail};
use callmark_core::recording::Language;
use callmark_core::transcript::{ActReadings, Embedding, Transcript, TurnScores};
use callmark_models::classifier::{self, Classified, ClassifierPool, TextClassifier};
use callmark_models::runtime;
use callmark_models::text_encoder::{self, EncoderPool, TextEncoder};
use callmark_models::text_model::{TextModel, TextModelError, TextPool};
use callmark_store::Store;

use crate::analysis::Analyst;
use crate::commands::explain;
use crate::config::Config;
use crate::install::{Install, known_models};

/// Models by language, each opened when the first text in its language comes: most sites have calls in one. Without an encoder `meaning` is
/// unknown and sentiment not applicable in that language, never guessed.
#[derive(Default)]
pub struct TextEncoders(BTreeMap<Language, Slot>);

struct Slot {
    hashes: TextModelHashes,
    encoder: Opened<TextEncoder>,
    classifier: Option<Opened<TextClassifier>>,
    /// Of the classifier's sessions.
    classifier_mb: u64,
}

/// `None` when it could not be opened.
type Opened<M> = LazyLock<Option<TextPool<M>>, Box<dyn FnOnce() -> Option<TextPool<M>> + Send>>;

fn lazily<M: TextModel>(open: impl FnOnce() -> Result<TextPool<M>, TextModelError> + Send + 'static) -> Opened<M> {
    LazyLock::new(Box::new(|| {
        // The files were checked: memory is short. Calls go on without, and are scored again when there is more.
        open().inspect_err(|error| eprintln!("warning: sentiment and meaning are left out: {error}")).ok()
    }))
}

/// What made a call's text scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextModelHashes {
    pub encoder: String,
    /// `None`: sentiment is the encoder's own.
    pub classifier: Option<String>,
}

const ENCODER: &str = "encoder";

impl TextModelHashes {
    /// Under what text scores are stored and evaluations known: another of either model is another.
    pub fn key(&self) -> String {
        match &self.classifier {
            None => self.encoder.clone(),
            Some(classifier) => format!("{}+{classifier}", self.encoder),
        }
    }

    /// What reads the sentiment.
    pub fn sentiment(&self) -> &str {
        self.classifier.as_deref().unwrap_or(&self.encoder)
    }

    /// Writes them into a record's provenance.
    pub fn tell(&self, models: &mut BTreeMap<String, String>) {
        models.insert(ENCODER.to_string(), self.encoder.clone());
        models.extend(self.classifier.iter().map(|hash| (classifier::KIND.to_string(), hash.clone())));
    }

    /// Takes them out of a record's provenance.
    pub fn take(models: &mut BTreeMap<String, String>) -> Option<TextModelHashes> {
        let (encoder, classifier) = (models.remove(ENCODER), models.remove(classifier::KIND));
        encoder.map(|encoder| TextModelHashes { encoder, classifier })
    }
}

/// A classifier that the configuration names, checked.
pub struct ChosenClassifier {
    pub name: String,
    pub folder: PathBuf,
    /// SHA-256 of its description, which names its other files by theirs.
    pub hash: String,
    model_bytes: u64,
}

impl ChosenClassifier {
    /// The classifier of a language, if the configuration names one.
    ///
    /// # Errors
    /// It is missing, damaged or not made for the language: another sentiment than the one that was asked for would be wrong.
    pub fn find(install: &Install, config: &Config, language: Language) -> Result<Option<ChosenClassifier>> {
        let Some(name) = config.sentiment_classifier.of(language) else { return Ok(None) };
        let found = known_models()?.find_of_kind(name, classifier::KIND, &install.model_folders());
        let file = found
            .map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))
            .with_context(|| format!("the configuration names {name} in sentiment_classifier.{}", language.code()))?;
        let folder = file.path.parent().map(Path::to_path_buf).unwrap_or_default();
        let description = classifier::Description::read(&folder).map_err(explain_text)?;
        if !description.languages.contains(&language) {
            let (name, code) = (&description.name, language.code());
            bail!(
                "the classifier {name} is not made for `{code}`\nhint: take it out of sentiment_classifier.{code}, or write the language into its classifier.toml and add it again"
            );
        }
        let model_bytes = classifier::size_bytes(&folder, &description);
        Ok(Some(ChosenClassifier { name: name.to_string(), folder, hash: file.sha256, model_bytes }))
    }
}

/// With what to do about it.
pub fn explain_text(error: TextModelError) -> anyhow::Error {
    let hint = error.hint();
    anyhow!("{error}\nhint: {hint}")
}

impl TextEncoders {
    /// Finds and checks the encoders that come with callmark and the classifiers that the configuration names; `workers` of a language will be
    /// opened. An encoder that is not as it should be is left out with a warning.
    ///
    /// # Errors
    /// A classifier that the configuration names cannot be used.
    pub fn open(
        install: &Install,
        config: &Config,
        workers: usize,
        warnings: &mut Vec<String>,
    ) -> Result<TextEncoders> {
        let environment = match runtime::onnx_runtime(install.onnx_runtime().as_deref()) {
            Ok(environment) => environment,
            Err(error) => {
                warnings.push(format!("sentiment and meaning are left out: {error} (hint: {})", error.hint()));
                return Ok(TextEncoders::default());
            }
        };
        let mut slots = BTreeMap::new();
        for language in Language::ALL {
            let chosen = ChosenClassifier::find(install, config, language)?;
            let folder = install.text_model(language);
            let encoder = match text_encoder::check(&folder) {
                Ok(hash) => hash,
                Err(error) => {
                    let code = language.code();
                    warnings.push(format!("sentiment and meaning are left out for calls in `{code}`: {error}"));
                    continue;
                }
            };
            let hashes = TextModelHashes { encoder, classifier: chosen.as_ref().map(|chosen| chosen.hash.clone()) };
            let classifier_mb =
                chosen.as_ref().map_or(0, |chosen| classifier::sessions_mb(chosen.model_bytes, workers));
            let encoder = lazily(move || EncoderPool::load(&folder, environment, workers));
            let open =
                |chosen: ChosenClassifier| lazily(move || ClassifierPool::load(&chosen.folder, environment, workers));
            slots.insert(language, Slot { hashes, encoder, classifier: chosen.map(open), classifier_mb });
        }
        Ok(TextEncoders(slots))
    }

    /// Memory that the sessions of the classifiers take beside everything else, MB.
    pub fn classifier_mb(&self) -> u64 {
        self.0.values().map(|slot| slot.classifier_mb).sum()
    }

    /// The models of a language.
    pub fn hashes(&self, language: Option<Language>) -> Option<&TextModelHashes> {
        self.0.get(&language?).map(|slot| &slot.hashes)
    }

    /// Embeddings of free texts in a language; `None` without an encoder for it.
    ///
    /// # Errors
    /// The encoder fails.
    pub fn embed(&self, language: Language, texts: &[String]) -> Result<Option<Vec<Embedding>>, TextModelError> {
        let Some(slot) = self.0.get(&language) else { return Ok(None) };
        if texts.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let Some(pool) = slot.encoder.as_ref() else { return Ok(None) };
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(Some(pool.ask(&texts)?.into_iter().map(|t| t.embedding).collect()))
    }

    /// Sentiment of texts in a language, also where it is uncertain; `None` without a model for it.
    ///
    /// # Errors
    /// The model fails.
    pub fn classify(&self, language: Language, texts: &[&str]) -> Result<Option<Vec<Classified>>, TextModelError> {
        let Some(slot) = self.0.get(&language) else { return Ok(None) };
        if let Some(classifier) = &slot.classifier {
            return classifier.as_ref().map(|pool| pool.ask(texts)).transpose();
        }
        let Some(pool) = slot.encoder.as_ref() else { return Ok(None) };
        let own = |sentiment| Classified { sentiment, is_certain: true };
        Ok(Some(pool.ask(texts)?.into_iter().map(|t| own(t.sentiment)).collect()))
    }

    /// Scores from an earlier run, else from the models of the call's language; the hashes name what made them.
    ///
    /// # Errors
    /// A model fails.
    pub fn scores(
        &self,
        transcript: &Transcript,
        stored: Option<TurnScores>,
    ) -> Result<(TurnScores, Option<TextModelHashes>), TextModelError> {
        let hashes = self.hashes(transcript.language).cloned();
        if let Some(scores) = stored {
            return Ok((scores, hashes));
        }
        match transcript.language.and_then(|language| self.turn_scores(language, transcript).transpose()) {
            Some(scores) => Ok((scores?, hashes)),
            None => Ok((no_scores(transcript), None)),
        }
    }

    fn turn_scores(&self, language: Language, transcript: &Transcript) -> Result<Option<TurnScores>, TextModelError> {
        let Some(slot) = self.0.get(&language) else { return Ok(None) };
        let Some(encoder) = slot.encoder.as_ref() else { return Ok(None) };
        let texts: Vec<&str> = transcript.turns.iter().map(|t| t.text.as_str()).collect();
        let (mut sentiment, mut embeddings, mut insults) = (Vec::new(), Vec::new(), Vec::new());
        for read in encoder.ask(&texts)? {
            sentiment.push(Some(read.sentiment));
            embeddings.push(Some(read.embedding));
            insults.push(read.insult_permille);
        }
        let acts = encoder.read_acts(language, &transcript.turns, &embeddings, &insults)?;
        if slot.classifier.is_none() {
            let sentiment_context = encoder.sentiment_context();
            return Ok(Some(TurnScores { sentiment, sentiment_context, embeddings, acts }));
        }
        let classified = self.classify(language, &texts)?;
        let certain = |c: Classified| c.is_certain.then_some(c.sentiment);
        // A site's classifier was measured on turns alone.
        Ok(classified.map(|all| TurnScores {
            sentiment: all.into_iter().map(certain).collect(),
            sentiment_context: None,
            embeddings,
            acts,
        }))
    }

    /// The acts of a call from what was read of its turns for other roles: embeddings, and insults among the acts of then; `None` when nothing
    /// here can read them.
    ///
    /// # Errors
    /// The model fails.
    pub fn read_acts_again(
        &self,
        transcript: &Transcript,
        scores: &TurnScores,
    ) -> Result<Option<ActReadings>, TextModelError> {
        let slot = transcript.language.and_then(|language| Some((language, self.0.get(&language)?)));
        let Some((language, slot)) = slot else { return Ok(None) };
        let Some(encoder) = slot.encoder.as_ref() else { return Ok(None) };
        let insults = scores.acts.as_ref().map(ActReadings::insults_permille).unwrap_or_default();
        encoder.read_acts(language, &transcript.turns, &scores.embeddings, &insults)
    }

    /// Fills in the embeddings of `meaning` phrases: stored ones first, so that every machine uses the same bytes. New ones are stored.
    pub fn prepare_phrases(&self, analyst: &mut Analyst, store: &dyn Store) -> Result<()> {
        self.fill_phrases(analyst, store)?.into_iter().try_for_each(|fresh| fresh.keep(store))
    }

    /// The same without storing anything; what the store did not have.
    pub fn fill_phrases(&self, analyst: &mut Analyst, store: &dyn Store) -> Result<Vec<FreshPhrases>> {
        let fill = |(language, slot): (&Language, &Slot)| {
            let encoder_hash = slot.hashes.encoder.clone();
            let missing = analyst.load_phrases(*language, &encoder_hash, store)?;
            let embeddings = self.embed(*language, &missing)?.unwrap_or_default();
            let phrases: Vec<(String, Embedding)> = missing.into_iter().zip(embeddings).collect();
            analyst.phrases.entry(*language).or_default().extend(phrases.iter().cloned());
            Ok(FreshPhrases { encoder_hash, phrases })
        };
        self.0.iter().map(fill).collect()
    }
}

/// Embeddings that the store does not have yet.
pub struct FreshPhrases {
    encoder_hash: String,
    phrases: Vec<(String, Embedding)>,
}

impl FreshPhrases {
    pub fn keep(&self, store: &dyn Store) -> Result<()> {
        store.put_phrases(&self.encoder_hash, &self.phrases).map_err(explain)
    }
}

fn no_scores(transcript: &Transcript) -> TurnScores {
    TurnScores {
        sentiment: vec![None; transcript.turns.len()],
        embeddings: vec![None; transcript.turns.len()],
        ..TurnScores::default()
    }
}
