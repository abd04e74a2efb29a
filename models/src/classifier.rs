//! Sentiment classifiers that a site plugs in: a folder with any ONNX text classifier, its `tokenizer.json` and `classifier.toml`,
//! which says what goes in, what comes out, and what the labels mean (docs/classifiers.md).
//!
//! Its labels become negative, neutral and positive; probabilities of labels that mean the same add up.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path};
use std::sync::Arc;

use callmark_core::recording::Language;
use callmark_core::transcript::Sentiment;
use ort::environment::Environment;
use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, TensorElementType, TensorRef, ValueType};
use serde::Deserialize;
use tokenizers::Tokenizer;

use crate::text_model::{self, Folder, TextModel, TextModelError, TextPool};
use crate::{added, sentiment};

/// What `kind` such models have in a manifest.
pub const KIND: &str = "sentiment_classifier";
/// The file that describes a classifier. It names the others by their SHA-256, so its own stands for the whole.
pub const DESCRIPTION: &str = "classifier.toml";

/// Model files of all sessions together, MB: a large classifier gets fewer sessions than there are workers, which then wait for one another.
const SESSIONS_MB: u64 = 2_000;
/// Memory of one session: 505 to 515 MB for a float32 file of 411 MB (an embedding and 12 layers; ONNX Runtime 1.24.4, 128 tokens, 2026-11-29).
const SESSION_PERMILLE_OF_FILE: u64 = 1_250;

/// `classifier.toml`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    schema: u32,
    pub name: String,
    pub languages: Vec<Language>,
    pub licence: String,
    model: String,
    tokenizer: String,
    inputs: Inputs,
    /// Name of the graph's output: one logit per label.
    output: String,
    /// In the order of the output.
    labels: Vec<Label>,
    #[serde(default)]
    lower_case: bool,
    /// Tokens that are read, special ones included; the rest of a longer text is not.
    max_tokens: usize,
    /// Logits are divided by it.
    #[serde(default = "one")]
    temperature: f64,
    /// No sentiment is given where the most likely class has less.
    #[serde(default)]
    uncertain_below_permille: u16,
    sha256: BTreeMap<String, String>,
    /// How far probabilities of the golden examples may be off.
    golden_tolerance: f64,
    golden: Vec<Golden>,
}

fn one() -> f64 {
    1.0
}

/// What the graph calls its inputs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inputs {
    input_ids: String,
    attention_mask: Option<String>,
    token_type_ids: Option<String>,
}

impl Inputs {
    fn names(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.input_ids).chain(&self.attention_mask).chain(&self.token_type_ids)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    /// The model's own word for it; for people.
    #[serde(rename = "name")]
    _name: String,
    means: Class,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Class {
    Negative,
    Neutral,
    Positive,
}

/// A text with the probabilities that it must get.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    text: String,
    negative: f64,
    neutral: f64,
    positive: f64,
}

impl Description {
    /// Reads and checks `classifier.toml`; no other file.
    ///
    /// # Errors
    /// It cannot be read, or something in it cannot be right.
    pub fn read(dir: &Path) -> Result<Description, TextModelError> {
        let folder = folder(dir);
        let description: Description = folder.read_manifest(1..=1, |description: &Description| description.schema)?;
        match description.mistake() {
            Some(mistake) => Err(folder.mistake(mistake.to_string())),
            None => Ok(description),
        }
    }

    fn mistake(&self) -> Option<&'static str> {
        let is_plain = |file: &String| {
            let mut parts = Path::new(file).components();
            matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) && file != DESCRIPTION
        };
        let has = |class| self.labels.iter().any(|label| label.means == class);
        let is_probability = |golden: &Golden| {
            let all = [golden.negative, golden.neutral, golden.positive];
            all.iter().all(|p| (0.0..=1.0).contains(p)) && (all.iter().sum::<f64>() - 1.0).abs() <= 0.01
        };
        if !added::is_name(&self.name) {
            Some("`name` must consist of letters, digits, `.`, `_` and `-`")
        } else if self.languages.is_empty() {
            Some("`languages` is empty")
        } else if !is_plain(&self.model) || !is_plain(&self.tokenizer) || self.model == self.tokenizer {
            Some("`model` and `tokenizer` must be names of two files in this folder")
        } else if !(has(Class::Negative) && has(Class::Positive)) {
            Some("no label means negative, or none means positive")
        } else if !(8..=4_096).contains(&self.max_tokens) {
            Some("`max_tokens` must lie between 8 and 4096")
        } else if !(0.05..=20.0).contains(&self.temperature) {
            Some("`temperature` must lie between 0.05 and 20")
        } else if self.uncertain_below_permille > 999 {
            Some("`uncertain_below_permille` must lie between 0 and 999")
        } else if !(0.0..=0.05).contains(&self.golden_tolerance) {
            Some("`golden_tolerance` must lie between 0 and 0.05")
        } else if self.golden.is_empty() || !self.golden.iter().all(is_probability) {
            Some("`golden` needs examples whose three probabilities sum to 1")
        } else {
            None
        }
    }

    /// The files beside the description.
    pub fn files(&self) -> [&str; 2] {
        [&self.model, &self.tokenizer]
    }

    /// False: every text gets negative or positive, or nothing where that is uncertain.
    pub fn knows_neutral(&self) -> bool {
        self.labels.iter().any(|label| label.means == Class::Neutral)
    }

    /// Checks a copy of one of its files, under whatever name.
    ///
    /// # Errors
    /// The copy cannot be read or is not what the description says.
    pub fn check_copy(&self, file: &str, copy: &Path) -> Result<(), TextModelError> {
        let folder = folder(copy.parent().unwrap_or(copy));
        let name = copy.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let expected = self.sha256.get(file).cloned().unwrap_or_default();
        folder.read_checked(&name, &BTreeMap::from([(name.clone(), expected)])).map(|_| ())
    }
}

fn folder(dir: &Path) -> Folder<'_> {
    Folder { path: dir, manifest: DESCRIPTION }
}

/// Checks description and hashes of a classifier's folder without opening the model.
///
/// # Errors
/// A file is missing or is not what the description says, or the description is wrong.
pub fn check_files(dir: &Path) -> Result<Description, TextModelError> {
    let description = Description::read(dir)?;
    for file in description.files() {
        folder(dir).read_checked(file, &description.sha256)?;
    }
    Ok(description)
}

/// Size of a classifier's files together, as far as they are there.
pub fn size_bytes(dir: &Path, description: &Description) -> u64 {
    let size = |file: &str| std::fs::metadata(dir.join(file)).map_or(0, |facts| facts.len());
    description.files().into_iter().chain([DESCRIPTION]).map(size).sum()
}

/// Memory that the sessions for `workers` take, MB.
pub fn sessions_mb(model_bytes: u64, workers: usize) -> u64 {
    sessions(model_bytes, workers) as u64 * (model_bytes * SESSION_PERMILLE_OF_FILE / 1000).div_ceil(1_000_000)
}

/// Sessions that `workers` share of a model of this size.
pub fn sessions(model_bytes: u64, workers: usize) -> usize {
    let fitting = SESSIONS_MB * 1_000_000 / model_bytes.max(1);
    workers.min(usize::try_from(fitting).unwrap_or(workers)).max(1)
}

/// Checks everything that can be known before the first call: files, the graph against its description, that what is odd in texts
/// neither fails nor comes out differently the second time, and the golden examples.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(dir: &Path, environment: &Environment) -> Result<Description, TextModelError> {
    let (mut classifier, _) = TextClassifier::load(dir, environment)?;
    let description = classifier.files.description.clone();
    let longest = "word ".repeat(description.max_tokens);
    for (probe, text) in [
        ("an empty text", ""),
        ("emoji", "great \u{1F600}\u{1F44D}\u{1F3FD} \u{1F469}\u{200D}\u{1F467}"),
        ("control characters", "well\u{0}\u{7}\u{1B}[0m \u{202E}\u{FEFF}then\u{FFFD}\r\n\t."),
        ("a text of max_tokens tokens", longest.as_str()),
    ] {
        let failed = |cause: String| TextModelError::Probe { probe, cause };
        let mut answer = || {
            classifier.classify(text).map_err(|error| match error {
                TextModelError::Runtime(cause) => failed(cause),
                other => other,
            })
        };
        if answer()? != answer()? {
            return Err(failed("it gives another answer the second time".to_string()));
        }
    }
    for (n, golden) in description.golden.iter().enumerate() {
        let found = classifier.probabilities(&golden.text)?;
        let expected = Probabilities([golden.negative, golden.neutral, golden.positive]);
        let off = found.0.iter().zip(expected.0).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        if off > description.golden_tolerance {
            return Err(TextModelError::Golden {
                number: n + 1,
                expected: expected.to_string(),
                found: found.to_string(),
                tolerance: description.golden_tolerance,
            });
        }
    }
    Ok(description)
}

/// Probabilities of negative, neutral and positive.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Probabilities([f64; 3]);

impl fmt::Display for Probabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [negative, neutral, positive] = self.0;
        write!(f, "negative {negative:.4}, neutral {neutral:.4}, positive {positive:.4}")
    }
}

/// What a classifier says about one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classified {
    pub sentiment: Sentiment,
    /// False: the most likely class lies in the uncertain band.
    pub is_certain: bool,
}

struct Files {
    description: Description,
    tokenizer: Tokenizer,
}

/// One session of a classifier.
pub struct TextClassifier {
    files: Arc<Files>,
    session: Session,
}

impl TextClassifier {
    /// Checks the folder's files and opens one session on one thread; also the model's bytes, for more of them.
    fn load(dir: &Path, environment: &Environment) -> Result<(TextClassifier, Vec<u8>), TextModelError> {
        let folder = folder(dir);
        let description = Description::read(dir)?;
        let tokenizer = folder.read_checked(&description.tokenizer, &description.sha256)?;
        let tokenizer = text_model::tokenizer(&tokenizer, description.max_tokens)?;
        let model = folder.read_checked(&description.model, &description.sha256)?;
        let session = text_model::open_session(&model, environment)?;
        check_graph(&session, &description)
            .map_err(|detail| TextModelError::Graph { file: folder.shown(&description.model), detail })?;
        Ok((TextClassifier { files: Arc::new(Files { description, tokenizer }), session }, model))
    }

    fn classify(&mut self, text: &str) -> Result<Classified, TextModelError> {
        if !text_model::has_words(text) {
            return Ok(Classified { sentiment: Sentiment::NO_WORDS, is_certain: true });
        }
        let sentiment = Sentiment::rounded(self.probabilities(text)?.0);
        let Sentiment { negative_permille, neutral_permille, positive_permille } = sentiment;
        let highest = negative_permille.max(neutral_permille).max(positive_permille);
        Ok(Classified { sentiment, is_certain: highest >= self.files.description.uncertain_below_permille })
    }

    fn probabilities(&mut self, text: &str) -> Result<Probabilities, TextModelError> {
        let Files { description, tokenizer } = self.files.as_ref();
        let encoding = match description.lower_case {
            true => text_model::tokens(tokenizer, &text.to_lowercase())?,
            false => text_model::tokens(tokenizer, text)?,
        };
        let numbers = |values: &[u32]| values.iter().map(|value| i64::from(*value)).collect::<Vec<i64>>();
        let (ids, mask) = (numbers(encoding.get_ids()), numbers(encoding.get_attention_mask()));
        let types = numbers(encoding.get_type_ids());
        let all = [
            (Some(&description.inputs.input_ids), &ids),
            (description.inputs.attention_mask.as_ref(), &mask),
            (description.inputs.token_type_ids.as_ref(), &types),
        ];
        let mut inputs: Vec<(&str, SessionInputValue)> = Vec::with_capacity(all.len());
        for (name, values) in all {
            let Some(name) = name else { continue };
            let tensor = TensorRef::from_array_view(([1, values.len()], values.as_slice()));
            inputs.push((name, tensor.map_err(text_model::runtime)?.into()));
        }
        let outputs = self.session.run(inputs).map_err(text_model::runtime)?;
        let no_output = || TextModelError::Runtime(format!("no output `{}`", description.output));
        let output = outputs.get(description.output.as_str()).ok_or_else(no_output)?;
        let logits = output.try_extract_tensor::<f32>().map_err(text_model::runtime)?.1;
        if logits.len() != description.labels.len() {
            let detail = format!("{} logits for {} labels", logits.len(), description.labels.len());
            return Err(TextModelError::Graph { file: description.model.clone(), detail });
        }
        let by_label = sentiment::softmax(logits, description.temperature)
            .ok_or_else(|| TextModelError::Runtime("a logit is not a number".into()))?;
        let mut sums = [0.0; 3];
        for (label, probability) in description.labels.iter().zip(by_label) {
            sums[label.means as usize] += probability;
        }
        Ok(Probabilities(sums))
    }
}

/// What the graph has and its description does not say, or the reverse.
fn check_graph(session: &Session, description: &Description) -> Result<(), String> {
    let names = |outlets: &[Outlet]| outlets.iter().map(|o| format!("`{}`", o.name())).collect::<Vec<_>>().join(", ");
    let described: Vec<&String> = description.inputs.names().collect();
    for name in &described {
        let input = session.inputs().iter().find(|input| input.name() == name.as_str());
        let input =
            input.ok_or_else(|| format!("it has no input `{name}`; its inputs are {}", names(session.inputs())))?;
        if !matches!(input.dtype(), ValueType::Tensor { ty: TensorElementType::Int64, .. }) {
            return Err(format!("its input `{name}` does not take 64-bit integers"));
        }
    }
    if let Some(other) = session.inputs().iter().find(|input| !described.iter().any(|name| *name == input.name())) {
        return Err(format!("it also needs the input `{}`", other.name()));
    }
    let output = session.outputs().iter().find(|output| output.name() == description.output);
    let output = output.ok_or_else(|| {
        format!("it has no output `{}`; its outputs are {}", description.output, names(session.outputs()))
    })?;
    let ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } = output.dtype() else {
        return Err(format!("its output `{}` is not of 32-bit floating-point numbers", description.output));
    };
    let labels = description.labels.len() as i64;
    match shape.last() {
        Some(classes) if *classes >= 0 && *classes != labels => {
            Err(format!("it has {classes} classes, and {labels} labels are described"))
        }
        _ => Ok(()),
    }
}

impl TextModel for TextClassifier {
    type Answer = Classified;

    fn ask(&mut self, texts: &[&str]) -> Result<Vec<Classified>, TextModelError> {
        texts.iter().map(|text| self.classify(text)).collect()
    }
}

/// Sessions of a classifier for the workers of a thread pool.
pub type ClassifierPool = TextPool<TextClassifier>;

impl ClassifierPool {
    /// Sessions for `workers` (at least one, fewer than workers when the model is large) of the classifier in `dir`.
    ///
    /// # Errors
    /// A file is missing or is not what the description says, or ONNX Runtime refuses it.
    pub fn load(dir: &Path, environment: &Environment, workers: usize) -> Result<ClassifierPool, TextModelError> {
        let (first, model) = TextClassifier::load(dir, environment)?;
        let another = |_| {
            let session = text_model::open_session(&model, environment)?;
            Ok(TextClassifier { files: Arc::clone(&first.files), session })
        };
        let others = (1..sessions(model.len() as u64, workers)).map(another).collect::<Result<_, TextModelError>>()?;
        Ok(TextPool::new(first, others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_models_share_few_sessions() {
        assert_eq!(sessions(20_000_000, 16), 16);
        assert_eq!(sessions(500_000_000, 16), 4);
        assert_eq!(sessions(5_000_000_000, 16), 1);
        assert_eq!(sessions(0, 0), 1);
        assert_eq!((sessions_mb(411_000_000, 2), sessions_mb(411_000_000, 16)), (2 * 514, 4 * 514));
    }
}
