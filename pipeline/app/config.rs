//! Configuration: how the site works. Flags say what this run does.
//!
//! Layers, each over the one before: built-in default, file, environment (`CALLMARK_…`), flags (`--set KEY=VALUE`).
//! Every layer is checked alone first, so that an error names its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use callmark_core::recording::{Direction, Language, Metadata, is_han};
use callmark_core::redaction::Entity;
use callmark_core::transcript::Transcript;
use globset::{GlobBuilder, GlobMatcher};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

use crate::channel_map::ChannelMap;
use crate::cli::Common;
use crate::clips::ClipKind;
use crate::indicator_settings::IndicatorConfig;
use crate::journey_settings::JourneyConfig;
use crate::read::activity::mapping::{Mapping, check_mappings};
use crate::read::metadata::fields::Field;
use crate::read::metadata::file_name::FileNamePattern;
use crate::read::metadata::reps::{Rep, Reps, check_reps};

/// The commented default; also the documentation of every key.
pub const DEFAULT: &str = include_str!("default-config.toml");

/// The environment variable of each key that has one; lists and tables belong into the file.
const VARIABLES: &[(&str, &str)] = &[
    ("channels", "CALLMARK_CHANNELS"),
    ("model", "CALLMARK_MODEL"),
    ("speaker_encoder", "CALLMARK_SPEAKER_ENCODER"),
    ("overlap_detector", "CALLMARK_OVERLAP_DETECTOR"),
    ("sentiment_classifier.en", "CALLMARK_SENTIMENT_CLASSIFIER_EN"),
    ("sentiment_classifier.zh", "CALLMARK_SENTIMENT_CLASSIFIER_ZH"),
    ("vocabulary", "CALLMARK_VOCABULARY"),
    ("vocabulary_file", "CALLMARK_VOCABULARY_FILE"),
    ("max_minutes", "CALLMARK_MAX_MINUTES"),
    ("report.language", "CALLMARK_REPORT_LANGUAGE"),
    ("report.clips", "CALLMARK_REPORT_CLIPS"),
    ("night.settle_s", "CALLMARK_SETTLE_S"),
    ("night.on_finish", "CALLMARK_ON_FINISH"),
    ("night.metrics_file", "CALLMARK_METRICS_FILE"),
    ("night.log_format", "CALLMARK_LOG_FORMAT"),
    ("night.worker_memory_mb", "CALLMARK_WORKER_MEMORY_MB"),
    ("night.give_up_base_s", "CALLMARK_GIVE_UP_BASE_S"),
    ("night.give_up_factor", "CALLMARK_GIVE_UP_FACTOR"),
];

/// Half of a Whisper decoder's positions, without its marks.
const VOCABULARY_TOKENS: u32 = 220;

const KEYS_HINT: &str = "`callmark config` prints every key with its default";

/// The merged configuration of one start. Keys are missing only while a layer is checked alone: the built-in file has all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    #[serde(deserialize_with = "channel_map")]
    pub channels: ChannelMap,
    #[serde(deserialize_with = "text")]
    pub model: Option<String>,
    /// A name in the manifest, or `none`.
    #[serde(deserialize_with = "text")]
    pub speaker_encoder: Option<String>,
    /// Likewise.
    #[serde(deserialize_with = "text")]
    pub overlap_detector: Option<String>,
    pub sentiment_classifier: SentimentClassifiers,
    #[serde(deserialize_with = "text")]
    pub vocabulary: Option<String>,
    #[serde(deserialize_with = "text")]
    pub vocabulary_file: Option<String>,
    #[serde(rename = "max_minutes", deserialize_with = "minutes")]
    pub max_duration_s: u32,
    #[serde(rename = "source")]
    pub sources: Vec<Source>,
    #[serde(rename = "route")]
    pub routes: Vec<Route>,
    pub report: ReportSettings,
    pub redaction: RedactionSettings,
    pub metadata: MetadataSettings,
    #[serde(rename = "rep", deserialize_with = "reps")]
    pub reps: Vec<Rep>,
    #[serde(rename = "import", deserialize_with = "imports")]
    pub imports: Vec<Mapping>,
    pub indicators: IndicatorConfig,
    pub journey: JourneyConfig,
    pub night: NightSettings,
    /// Where relative scorecard paths start.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The file that was read, if there is one.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// Every key with its value and where that came from, for `callmark config --show`.
    #[serde(skip)]
    pub settings: BTreeMap<String, (Value, Origin)>,
}

/// `[sentiment_classifier]`: names in the manifest, by language; `None`: the text model that comes with callmark.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SentimentClassifiers {
    #[serde(deserialize_with = "text")]
    en: Option<String>,
    #[serde(deserialize_with = "text")]
    zh: Option<String>,
}

impl SentimentClassifiers {
    pub fn of(&self, language: Language) -> Option<&str> {
        match language {
            Language::En => self.en.as_deref(),
            Language::Zh => self.zh.as_deref(),
        }
    }
}

/// `[report]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportSettings {
    pub language: Language,
    pub clips: ClipKind,
}

impl Default for ReportSettings {
    fn default() -> Self {
        ReportSettings { language: Language::En, clips: ClipKind::Opus }
    }
}

/// `[redaction]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedactionSettings {
    /// Empty: nothing is redacted.
    pub entities: BTreeSet<Entity>,
    /// The store keeps the transcript as it was recognised, too.
    pub keep_original: bool,
}

impl RedactionSettings {
    /// Whether everything that is wanted has been taken out of the transcript.
    pub fn is_done(&self, transcript: &Transcript) -> bool {
        let before = transcript.redaction.as_ref();
        before.map_or(self.entities.is_empty(), |before| self.entities.is_subset(&before.entities))
    }

    /// Whether a stored transcript can stand for what would be recognised now: what was taken out of it must not be wanted again.
    pub fn can_use(&self, stored: &Transcript) -> bool {
        let redaction = stored.redaction.as_ref();
        redaction.is_none_or(|before| !self.keep_original && before.entities.is_subset(&self.entities))
    }
}

/// `[metadata]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetadataSettings {
    /// The site's own patterns; the built-in ones are tried after them.
    pub file_names: Vec<FileNamePattern>,
    /// Column of the site's tables → the field that it is.
    pub columns: BTreeMap<String, Field>,
}

/// `[night]`: unattended runs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NightSettings {
    #[serde(deserialize_with = "between::<_, 0, 86_400>")]
    pub settle_s: u32,
    #[serde(deserialize_with = "text")]
    pub on_finish: Option<String>,
    #[serde(deserialize_with = "path")]
    pub metrics_file: Option<PathBuf>,
    pub log_format: LogFormat,
    /// 0: from the model and the lanes.
    #[serde(deserialize_with = "between::<_, 0, 16_777_216>")]
    pub worker_memory_mb: u32,
    #[serde(deserialize_with = "between::<_, 1, 86_400>")]
    pub give_up_base_s: u32,
    #[serde(deserialize_with = "between::<_, 1, 10_000>")]
    pub give_up_factor: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Recordings of one recorder, by where they lie.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    #[serde(deserialize_with = "glob")]
    files: GlobMatcher,
    #[serde(deserialize_with = "channel_map")]
    pub channels: ChannelMap,
}

impl Source {
    pub fn holds(&self, recording: &Path) -> bool {
        std::path::absolute(recording).is_ok_and(|path| self.files.is_match(path))
    }
}

/// One line of the table that says which scorecard a call gets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    pub campaign: Option<Vec<String>>,
    pub call_type: Option<Vec<String>>,
    pub direction: Option<Vec<Direction>>,
    pub language: Option<Vec<Language>>,
    pub scorecard: String,
}

impl Route {
    /// True when every condition of the route holds for the call.
    pub fn matches(&self, metadata: &Metadata, language: Option<Language>) -> bool {
        let among = |list: &Option<Vec<String>>, value: &Option<String>| match list {
            None => true,
            Some(list) => value.as_ref().is_some_and(|v| list.iter().any(|l| l.eq_ignore_ascii_case(v))),
        };
        among(&self.campaign, &metadata.campaign)
            && among(&self.call_type, &metadata.call_type)
            && self.direction.as_ref().is_none_or(|l| metadata.direction.is_some_and(|d| l.contains(&d)))
            && self.language.as_ref().is_none_or(|l| language.is_some_and(|d| l.contains(&d)))
    }
}

/// Which layer a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    File(PathBuf),
    Environment(&'static str),
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path) => write!(f, "file {}", path.display()),
            Origin::Environment(variable) => write!(f, "environment {variable}"),
            Origin::Flag => f.write_str("flag --set"),
        }
    }
}

impl Config {
    /// The languages that the routes ask for; empty when a route takes any.
    pub fn languages(&self) -> BTreeSet<Language> {
        if self.routes.iter().any(|route| route.language.is_none()) {
            return BTreeSet::new();
        }
        self.routes.iter().flat_map(|route| route.language.iter().flatten().copied()).collect()
    }

    /// The id of the rep whom a user names, perhaps by an alias.
    pub fn rep_id(&self, name: &str) -> String {
        Reps::new(&self.reps).id(name).to_string()
    }

    /// Reads the given file, or `./callmark.toml`, or the user's configuration; environment and `--set` over it.
    pub fn load(common: &Common) -> Result<Config> {
        let path = common.config.clone().or_else(usual_file);
        let mut layers = Vec::new();
        if let Some(path) = &path {
            layers.push((Origin::File(path.clone()), read_file(path)?));
        }
        for (key, variable) in VARIABLES {
            if let Some(value) = std::env::var_os(variable).filter(|value| !value.is_empty()) {
                let value = value.into_string().map_err(|_| anyhow!("{variable} is not UTF-8"))?;
                let layer = one_key(key, &value).with_context(|| format!("in the environment variable {variable}"))?;
                layers.push((Origin::Environment(variable), layer));
            }
        }
        for pair in &common.set {
            let layer = pair
                .split_once('=')
                .ok_or_else(|| anyhow!("no `=` in it\nhint: write --set report.language=zh"))
                .and_then(|(key, value)| one_key(key.trim(), value.trim()))
                .with_context(|| format!("in --set {pair}"))?;
            layers.push((Origin::Flag, layer));
        }
        let mut config = Config::merge(layers)?;
        let folder = path.as_deref().and_then(Path::parent).filter(|p| !p.as_os_str().is_empty());
        config.folder = folder.unwrap_or(Path::new(".")).to_path_buf();
        config.file = path;
        config.read_vocabulary()?;
        Ok(config)
    }

    fn merge(layers: Vec<(Origin, Table)>) -> Result<Config> {
        let (mut merged, mut settings) = (Table::new(), BTreeMap::new());
        let base = toml::from_str(DEFAULT).context("the built-in configuration is damaged")?;
        for (origin, layer) in std::iter::once((Origin::Default, base)).chain(layers) {
            overlay(&mut merged, layer, "", &origin, &mut settings);
        }
        let mut config: Config = Value::Table(merged).try_into().map_err(|error| explain(&error, None))?;
        config.settings = settings;
        Ok(config)
    }

    /// Puts the words of `vocabulary_file` behind `vocabulary`, and sees that the recogniser can hold them.
    fn read_vocabulary(&mut self) -> Result<()> {
        if let Some(file) = &self.vocabulary_file {
            let path = self.folder.join(file);
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read the vocabulary_file {}", path.display()))?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            let words: Vec<&str> = self.vocabulary.as_deref().into_iter().chain(lines).collect();
            self.vocabulary = Some(words.join(", ")).filter(|words| !words.is_empty());
        }
        // About four Latin letters or two thirds of a Han character make a token.
        let thirds = |c: char| if is_han(c) { 18 } else { 3 };
        let tokens: u32 = self.vocabulary.iter().flat_map(|words| words.chars().map(thirds)).sum::<u32>() / 12;
        if tokens > VOCABULARY_TOKENS {
            bail!(
                "the vocabulary is too long: about {tokens} tokens, and a Whisper model looks at {VOCABULARY_TOKENS}\n\
                 hint: keep the names that it gets wrong; common words it knows"
            );
        }
        Ok(())
    }

    /// Everything in the configuration that can change a transcript, in one line for hashing.
    pub fn transcription_key(&self) -> String {
        format!("vocabulary={}", self.vocabulary.as_deref().unwrap_or(""))
    }
}

/// `./callmark.toml`, else the user's configuration, if there is one.
fn usual_file() -> Option<PathBuf> {
    let user = user_folder("XDG_CONFIG_HOME", ".config").map(|d| d.join("callmark/config.toml"));
    [Some(PathBuf::from("callmark.toml")), user].into_iter().flatten().find(|path| path.is_file())
}

/// Reads and checks one configuration file.
pub fn read_file(path: &Path) -> Result<Table> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read the configuration {}", path.display()))?;
    parse(&text).with_context(|| format!("in the configuration {}", path.display()))
}

/// A layer's keys and values, checked against the types of [`Config`].
fn parse(text: &str) -> Result<Table> {
    toml::from_str::<Config>(text).map_err(|error| explain(&error, Some(text)))?;
    toml::from_str(text).map_err(|error| explain(&error, Some(text)))
}

/// A layer of one key, from text: the type is the default's.
fn one_key(key: &str, text: &str) -> Result<Table> {
    let known = Config::merge(vec![])?.settings;
    let value = match known.get(key).map(|(value, _)| value) {
        Some(Value::String(_)) => Value::String(text.to_string()),
        Some(_) => toml::from_str::<Table>(&format!("value = {text}"))
            .ok()
            .and_then(|mut table| table.remove("value"))
            .ok_or_else(|| anyhow!("`{text}` is no value for {key}"))?,
        None => {
            let suggestion = did_you_mean(key, known.keys().map(String::as_str));
            bail!("there is no key `{key}`{suggestion}\nhint: {KEYS_HINT}")
        }
    };
    // Known keys have no dots of their own: those of lists and tables of the site are not set one by one.
    let (sections, last) = key.rsplit_once('.').map_or(("", key), |(sections, last)| (sections, last));
    let mut layer = Table::from_iter([(last.to_string(), value)]);
    for section in sections.rsplit('.').filter(|section| !section.is_empty()) {
        layer = Table::from_iter([(section.to_string(), Value::Table(layer))]);
    }
    let check: Result<Config, _> = Value::Table(layer.clone()).try_into();
    check.map(|_| layer).map_err(|error| explain(&error, None))
}

/// Lays `over` on `base`, key by key; a list replaces a list. Remembers where each value came from.
fn overlay(
    base: &mut Table,
    over: Table,
    prefix: &str,
    origin: &Origin,
    settings: &mut BTreeMap<String, (Value, Origin)>,
) {
    for (key, value) in over {
        let bare = key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        let name = format!("{prefix}{}", if bare { key.clone() } else { Value::String(key.clone()).to_string() });
        match (value, base.get_mut(&key)) {
            (Value::Table(over), Some(Value::Table(below))) => {
                overlay(below, over, &format!("{name}."), origin, settings);
            }
            (Value::Table(over), _) => {
                let mut section = Table::new();
                overlay(&mut section, over, &format!("{name}."), origin, settings);
                base.insert(key, Value::Table(section));
            }
            (value, _) => {
                settings.insert(name, (value.clone(), origin.clone()));
                base.insert(key, value);
            }
        }
    }
}

/// A TOML error as one sentence with its line, and with the key that was probably meant.
fn explain(error: &toml::de::Error, text: Option<&str>) -> anyhow::Error {
    let place = error.span().zip(text).map_or(String::new(), |(span, text)| {
        let before = text.get(..span.start).unwrap_or(text);
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        format!("line {}, column {column}: ", before.matches('\n').count() + 1)
    });
    let message = error.message().trim_end();
    let mut quoted = message.split('`').skip(1).step_by(2);
    let wrong = quoted.next().unwrap_or("");
    if message.starts_with("unknown field") {
        let suggestion = did_you_mean(wrong, quoted);
        return anyhow!("{place}there is no key `{wrong}` here{suggestion}\nhint: {KEYS_HINT}");
    }
    if message.starts_with("unknown variant") {
        let known: Vec<&str> = quoted.collect();
        let suggestion = did_you_mean(wrong, known.iter().copied());
        return anyhow!("{place}`{wrong}` is none of {}{suggestion}\nhint: {KEYS_HINT}", known.join(", "));
    }
    let hint = if message.contains("hint:") { String::new() } else { format!("\nhint: {KEYS_HINT}") };
    anyhow!("{place}{message}{hint}")
}

/// `; did you mean …?` when one of the known words is near, else nothing.
pub fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let word = word.to_lowercase();
    let near = known.map(|k| (strsim::damerau_levenshtein(&word, &k.to_lowercase()), k)).min();
    match near {
        Some((distance, near)) if distance <= 2 && distance * 3 <= near.chars().count() => {
            format!("; did you mean `{near}`?")
        }
        _ => String::new(),
    }
}

/// Environment variables that look like a misspelt one of ours, with what was probably meant.
pub fn misspelt_variables() -> Vec<String> {
    const OTHERS: &[&str] = &[
        "CALLMARK_CONFIG",
        "CALLMARK_STORE",
        "CALLMARK_HOME",
        "CALLMARK_MODELS",
        "CALLMARK_ONNXRUNTIME",
        "CALLMARK_LOG",
        "CALLMARK_VARIANT",
    ];
    let known = || VARIABLES.iter().map(|(_, variable)| *variable).chain(OTHERS.iter().copied());
    let set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    set.filter(|name| name.starts_with("CALLMARK_") && !known().any(|k| k == name))
        .filter_map(|name| {
            let suggestion = did_you_mean(&name, known());
            (!suggestion.is_empty()).then(|| format!("the environment variable {name} is not known{suggestion}"))
        })
        .collect()
}

fn channel_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ChannelMap, D::Error> {
    ChannelMap::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// A pattern for whole paths; one that does not begin at the root may begin anywhere.
fn glob<'de, D: Deserializer<'de>>(deserializer: D) -> Result<GlobMatcher, D::Error> {
    let pattern = String::deserialize(deserializer)?;
    let anywhere = if pattern.starts_with('/') { pattern } else { format!("**/{pattern}") };
    Ok(GlobBuilder::new(&anywhere).literal_separator(true).build().map_err(D::Error::custom)?.compile_matcher())
}

/// Blank means not set.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Some(String::deserialize(deserializer)?).filter(|value| !value.trim().is_empty()))
}

fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    Ok(text(deserializer)?.map(PathBuf::from))
}

fn between<'de, D: Deserializer<'de>, const LOW: u32, const HIGH: u32>(deserializer: D) -> Result<u32, D::Error> {
    let value = i64::deserialize(deserializer)?;
    u32::try_from(value)
        .ok()
        .filter(|value| (LOW..=HIGH).contains(value))
        .ok_or_else(|| D::Error::custom(format!("must lie between {LOW} and {HIGH}, not {value}")))
}

fn minutes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    Ok(between::<_, 1, 1440>(deserializer)? * 60)
}

fn reps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Rep>, D::Error> {
    let reps = Vec::deserialize(deserializer)?;
    check_reps(&reps).map_err(D::Error::custom)?;
    Ok(reps)
}

fn imports<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Mapping>, D::Error> {
    let mappings = Vec::deserialize(deserializer)?;
    check_mappings(&mappings).map_err(D::Error::custom)?;
    Ok(mappings)
}

/// `$VARIABLE`, else `$HOME/<fallback>`.
pub fn user_folder(variable: &str, fallback: &str) -> Option<PathBuf> {
    let set = std::env::var_os(variable).filter(|v| !v.is_empty()).map(PathBuf::from);
    set.or_else(|| std::env::var_os("HOME").filter(|v| !v.is_empty()).map(|home| PathBuf::from(home).join(fallback)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use callmark_core::performance::{IndicatorKind, WeightProfile};

    fn merged(file: &str) -> Config {
        Config::merge(vec![(Origin::File("f.toml".into()), parse(file).unwrap())]).unwrap()
    }

    #[test]
    fn a_word_list_joins_the_vocabulary() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("words.txt"), "# products\nNorthgate Gold\n\n  Acme Telecom \n").unwrap();
        let read = |vocabulary: &str, file: &str| {
            let layer = parse(&format!("vocabulary = {vocabulary:?}\nvocabulary_file = {file:?}")).unwrap();
            let mut config = Config::merge(vec![(Origin::Flag, layer)]).unwrap();
            config.folder = folder.path().to_path_buf();
            config.read_vocabulary().map(|()| config.vocabulary)
        };
        assert_eq!(read("Zed", "words.txt").unwrap().as_deref(), Some("Zed, Northgate Gold, Acme Telecom"));
        assert_eq!(read("", "words.txt").unwrap().as_deref(), Some("Northgate Gold, Acme Telecom"));
        assert_eq!(read("Zed", "").unwrap().as_deref(), Some("Zed"));
        assert!(read("", "none.txt").unwrap_err().to_string().contains("none.txt"));
        assert!(read(&"word ".repeat(200), "").unwrap_err().to_string().contains("hint:"));
        assert!(read(&"字".repeat(150), "").unwrap_err().to_string().contains("too long"));
    }

    #[test]
    fn routes_pick_the_first_that_holds() {
        let config = Config::merge(vec![]).unwrap();
        let route = |call_type: Option<&str>, direction| {
            let metadata = Metadata { call_type: call_type.map(Into::into), direction, ..Metadata::default() };
            config.routes.iter().find(|r| r.matches(&metadata, Some(Language::En))).map(|r| r.scorecard.clone())
        };
        assert_eq!(route(Some("Sales"), None).as_deref(), Some("telesales"));
        assert_eq!(route(Some("support"), Some(Direction::Outbound)).as_deref(), Some("support"));
        assert_eq!(route(Some("Collections"), Some(Direction::Outbound)).as_deref(), Some("collections"));
        assert_eq!(route(None, Some(Direction::Outbound)).as_deref(), Some("telesales"));
        assert_eq!(route(None, None).as_deref(), Some("support"));
    }

    #[test]
    fn the_built_in_file_has_every_key() {
        let config = Config::merge(vec![]).unwrap();
        for (key, _) in VARIABLES {
            assert!(config.settings.contains_key(*key), "{key}");
        }
        assert_eq!(config.max_duration_s, 240 * 60);
        assert_eq!((config.night.settle_s, config.night.give_up_factor), (30, 20));
        assert_eq!((config.report.language, config.report.clips), (Language::En, ClipKind::Opus));
        assert!(config.redaction.entities.iter().eq(&Entity::ALL) && !config.redaction.keep_original);
        assert_eq!(config.channels, ChannelMap::sides(0, 1));
        assert!(config.model.is_none() && config.night.on_finish.is_none() && config.night.metrics_file.is_none());
        // What the comments show must work when the comment signs are taken away.
        let examples: String =
            DEFAULT.lines().filter_map(|line| line.strip_prefix("#: ").map(|l| format!("{l}\n"))).collect();
        let config = merged(&examples);
        let (elsewhere, crossed) = (Path::new("/rec/a.wav"), Path::new("/rec/genesys/2025/a.wav"));
        assert_eq!([elsewhere, crossed].map(|path| config.sources[0].holds(path)), [false, true]);
        assert_eq!(config.sources[0].channels, ChannelMap::sides(1, 0));
        assert!(!config.reps.is_empty() && !config.metadata.columns.is_empty());
        let sources: Vec<&str> = config.imports.iter().map(|mapping| mapping.name.as_str()).collect();
        assert_eq!(sources, ["crm", "cdr", "deals"]);
        let journey = config.journey.settings();
        let items: Vec<&str> = journey.items.iter().map(|item| item.id.as_str()).collect();
        assert_eq!(items, ["need_graded", "own_words", "cross_team_step", "proactive_visit"]);
        assert_eq!((journey.stale_days, journey.neglect_days, journey.top_share_permille), (7, 14, 200));
        let settings = config.indicators.settings();
        assert_eq!(settings.team_profiles["flash-sale"], WeightProfile::Sprint);
        let benchmark = settings.benchmarks[&IndicatorKind::CallsPerDay];
        assert_eq!((benchmark.full_milli, benchmark.full_new_hire_milli), (100_000, Some(80_000)));
        assert!(IndicatorKind::ALL.iter().eq(settings.benchmarks.keys()));
        assert!(!config.metadata.file_names.is_empty());
    }

    #[test]
    fn later_layers_win_key_by_key() {
        let file = parse("model = 'tiny'\nmax_minutes = 10\n[night]\nsettle_s = 5\nlog_format = 'json'\n").unwrap();
        let config = Config::merge(vec![
            (Origin::File("f.toml".into()), file),
            (Origin::Environment("CALLMARK_SETTLE_S"), one_key("night.settle_s", "6").unwrap()),
            (Origin::Environment("CALLMARK_MODEL"), one_key("model", "base").unwrap()),
            (Origin::Flag, one_key("model", "small").unwrap()),
        ])
        .unwrap();
        assert_eq!((config.model.as_deref(), config.max_duration_s, config.night.settle_s), (Some("small"), 600, 6));
        assert_eq!(config.night.log_format, LogFormat::Json);
        let origin = |key: &str| config.settings[key].1.to_string();
        assert_eq!(origin("model"), "flag --set");
        assert_eq!(origin("night.settle_s"), "environment CALLMARK_SETTLE_S");
        assert_eq!(origin("max_minutes"), "file f.toml");
        assert_eq!(origin("channels"), "default");
    }

    #[test]
    fn mistakes_say_where_and_what_was_meant() {
        let cases = [
            ("chanels = \"auto\"", "line 1, column 1", "`channels`"),
            ("\n[nigth]\nsettle_s = 3", "line 2", "`night`"),
            ("[night]\n\nsettel_s = 3", "line 3, column 1", "`settle_s`"),
            ("[sentiment_classifier]\nfr = \"x\"", "line 2", "no key `fr`"),
            ("max_minutes = 0", "line 1", "between 1 and 1440, not 0"),
            ("max_minutes = \"x\"", "line 1", "invalid type"),
            ("[[source]]\nfiles = \"a[\"\nchannels = \"auto\"", "line 2", "error parsing glob"),
            ("channels = \"left\"", "line 1", "not a channel map"),
            ("[report]\nlanguage = \"fr\"", "line 2", "en, zh"),
            ("[report]\nclips = \"opsu\"", "line 2", "did you mean `opus`?"),
            ("[redaction]\nentities = [\"cards\"]", "line 2", "did you mean `card`?"),
            ("[metadata]\nfile_names = ['(?<rep_id>']", "line 2", "regular expression"),
            ("[metadata]\nfile_names = ['(?<rep>x)']", "line 2", "rep_id"),
            ("[metadata.columns]\n\"Agent\" = \"repid\"", "line 2", "rep_id"),
            ("[[rep]]\nid = \"r1\"\nteams = [{ team = \"a\", since = \"soon\" }]", "line 3", "2025-03-01"),
            ("[[rep]]\nid = \"r1\"\naliases = [\"X y\"]\n[[rep]]\nid = \"r2\"\naliases = [\"xY\"]", "line", "r1"),
            ("[indicators]\nprofile = \"spint\"", "line", "did you mean `sprint`?"),
            ("[indicators.call_per_day]\nfull = 3", "line", "did you mean `calls_per_day`?"),
            ("[indicators.calls_per_day]\nful = 3", "line", "did you mean `full`?"),
            ("[[import]]\nname = 'a'\nrep = 'R'\ndate = 'D'\ndialed = 'C'", "line", "did you mean `dialled`?"),
            ("[[import]]\nname = 'a'\nrep = 'R'\ndate = 'D'", "line", "names no measure"),
            (
                "[[journey.item]]\nid = 'a'\nwhat = 'b'\nevent = 'visitt'\nbefore = 'contract'",
                "line",
                "did you mean `visit`?",
            ),
            ("[journey]\nstale_days = 0", "line 2", "between 1"),
            ("[journey]\nstale_day = 3", "line 2", "did you mean `stale_days`?"),
            ("max_minutes 3", "line 1", "hint:"),
        ];
        for (text, place, meaning) in cases {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(place) && error.contains(meaning) && error.contains("hint:"), "{text}: {error}");
        }
        let error = one_key("night.setle_s", "3").unwrap_err().to_string();
        assert!(error.contains("`night.settle_s`"), "{error}");
        assert!(one_key("indicators.connect_rate.full", "0.28").is_ok());
        assert!(one_key("night.settle_s", "soon").is_err() && one_key("max_minutes", "0").is_err());
    }
}
