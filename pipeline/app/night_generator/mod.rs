//! Writes a made-up night: transcripts and recordings of a call centre that does not exist, with mistakes planted by each
//! rep's true skill, metadata with gaps, broken files, and the truth about all of it in `planted.csv`.
//!
//! The same seed writes the same bytes; a call does not depend on how many others there are.

mod audio;
mod broken;
mod centre;
mod random;
mod script;
pub mod stored;
mod text;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use callmark_core::recording::Language;

use audio::Voices;
use centre::{CAMPAIGNS, Campaign, Rep};
use random::Random;
use script::{Planted, Subject};

const CALL: u64 = 2;
/// The truth for checks; a run of the folder leaves it alone.
const PLANTED: &str = "planted.csv";
const REPS: &str = "planted-reps.csv";
/// Calls without a row in the metadata whose file names tell rep and time.
const NAMED_BY_RECORDER_PERMILLE: u32 = 50;
/// Calls that nothing tells about.
const UNKNOWN_PERMILLE: u32 = 10;

pub struct Options {
    pub folder: PathBuf,
    pub calls: u64,
    pub audio: u64,
    pub seed: u64,
    pub broken_permille: u32,
    pub languages: Vec<Language>,
    /// Where the sentences of audio calls are cut from.
    pub samples: PathBuf,
    pub last_day: jiff::civil::Date,
    pub encoding: Encoding,
}

/// How the metadata table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Encoding {
    #[value(name = "utf-8")]
    Utf8,
    /// As Excel writes CSV in UTF-8
    #[value(name = "utf-8-bom")]
    Utf8Bom,
    /// As Excel writes Unicode text
    #[value(name = "utf-16")]
    Utf16,
    /// As Excel writes CSV in China
    Gbk,
}

/// What was written.
#[derive(Debug, Default, serde::Serialize)]
pub struct Written {
    pub text_calls: u64,
    pub audio_calls: u64,
    pub broken_files: u64,
    pub reps: usize,
    pub bytes: u64,
}

/// One row of `planted.csv`.
#[derive(serde::Serialize)]
struct PlantedRow<'a> {
    file: &'a str,
    /// Empty when the metadata do not tell it.
    call_id: &'a str,
    /// `call`: one for each good file; `planted`: a mistake; `control`: something done well; `broken`: must fail.
    kind: &'a str,
    requirement_id: &'a str,
    outcome: &'a str,
    begin_ms: Option<i64>,
    end_ms: Option<i64>,
    /// `call`, `broken`: a made-up word that occurs in this file alone (not in audio). Then, for `broken`, the damage.
    rare_word: &'a str,
    damage: &'a str,
}

/// One row of `metadata.csv`.
#[derive(serde::Serialize)]
struct MetadataRow<'a> {
    file: &'a str,
    call_id: &'a str,
    rep_id: &'a str,
    customer_id: &'a str,
    team: &'a str,
    campaign: &'a str,
    direction: &'a str,
    call_type: &'a str,
    language: &'a str,
    start_ts: &'a str,
    tz: &'a str,
}

/// One call before it is written.
struct Call {
    /// What is in the file, or what is wrong with it.
    content: Content,
    extension: &'static str,
    campaign: &'static Campaign,
    rare_word: String,
}

enum Content {
    Good { bytes: Vec<u8>, planted: Vec<Planted> },
    Broken { bytes: Vec<u8>, damage: &'static str },
}

/// Writes a night into a new or empty folder.
pub fn write(options: &Options) -> Result<Written> {
    let folder = &options.folder;
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty\nhint: name a new folder", folder.display());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    if options.audio > 0 && !options.languages.contains(&Language::En) {
        bail!("audio calls are in English: there are no Chinese voices\nhint: --audio 0, or --language en,zh");
    }
    let voices = if options.audio > 0 { Some(Voices::load(&options.samples)?) } else { None };
    let reps = centre::reps(options.seed, options.calls + options.audio, &options.languages);
    fs::write(folder.join(".callmarkignore"), "planted*.csv\n")?;
    write_reps(&folder.join(REPS), &reps)?;
    let mut metadata = csv::Writer::from_writer(Vec::new());
    let mut planted = csv::Writer::from_path(folder.join(PLANTED))?;
    let mut written = Written { reps: reps.len(), ..Written::default() };
    for index in 0..options.calls + options.audio {
        let spoken = index >= options.calls;
        let mut random = Random::new(options.seed, CALL, index);
        let rep = loop {
            // Reps without a voice write no audio calls.
            let rep = &reps[random.below(reps.len())];
            if !spoken || rep.language == Language::En {
                break rep;
            }
        };
        let start = centre::start(&mut random, options.last_day);
        let mistakes_permille = rep.mistakes_permille * start.tired_permille / 1000;
        let call = match &voices {
            Some(voices) if spoken => audio_call(options, voices, rep, mistakes_permille, index, &mut random),
            _ => text_call(options, rep, mistakes_permille, start.when, index, &mut random)?,
        };
        let call_id = format!("N{}-{index:06}", options.seed);
        let (day, time) = (start.when.date().to_string(), start.when.strftime("%Y-%m-%dT%H-%M-%S").to_string());
        let known = random.below(1000) as u32;
        let name = if (UNKNOWN_PERMILLE..UNKNOWN_PERMILLE + NAMED_BY_RECORDER_PERMILLE).contains(&known) {
            format!("{call_id}_AGENT_{}_DT_{time}.{}", rep.id, call.extension)
        } else {
            format!("{call_id}.{}", call.extension)
        };
        let in_table = known >= UNKNOWN_PERMILLE + NAMED_BY_RECORDER_PERMILLE;
        let file = format!("{day}/{name}");
        if in_table {
            let chinese = rep.language == Language::Zh;
            metadata.serialize(MetadataRow {
                file: &file,
                call_id: &call_id,
                rep_id: &rep.id,
                customer_id: &format!("K-{:05}", random.below(100_000)),
                team: &rep.team,
                campaign: call.campaign.name,
                direction: if call.campaign.outbound { "outbound" } else { "inbound" },
                call_type: call.campaign.call_type,
                language: rep.language.code(),
                start_ts: &start.when.to_string(),
                tz: if chinese { "Asia/Shanghai" } else { "America/New_York" },
            })?;
        }
        write_planted(&mut planted, &file, if in_table { &call_id } else { "" }, &call)?;
        fs::create_dir_all(folder.join(&day))?;
        let bytes = match &call.content {
            Content::Good { bytes, .. } | Content::Broken { bytes, .. } => bytes,
        };
        fs::write(folder.join(&file), bytes).with_context(|| format!("cannot write {file}"))?;
        written.bytes += bytes.len() as u64;
        match call.content {
            Content::Broken { .. } => written.broken_files += 1,
            Content::Good { .. } if spoken => written.audio_calls += 1,
            Content::Good { .. } => written.text_calls += 1,
        }
    }
    planted.flush()?;
    let table = metadata.into_inner().map_err(|e| e.into_error())?;
    fs::write(folder.join("metadata.csv"), encode(&String::from_utf8(table)?, options.encoding))?;
    Ok(written)
}

fn text_call(
    options: &Options,
    rep: &Rep,
    mistakes_permille: i64,
    when: jiff::civil::DateTime,
    index: u64,
    random: &mut Random,
) -> Result<Call> {
    let campaign = &CAMPAIGNS[random.below(CAMPAIGNS.len())];
    let rare_word = rare_word(options.seed, index);
    if random.chance(options.broken_permille) {
        return Ok(broken_call(campaign, rare_word, random));
    }
    let subject = Subject {
        campaign,
        rep,
        language: rep.language,
        mistakes_permille,
        daypart: match when.hour() {
            ..12 => 0,
            12..17 => 1,
            _ => 2,
        },
        rare_word: &rare_word,
        seconds: random.log_normal(240.0).clamp(60.0, 1_800.0),
    };
    let mut script = script::write(&subject, random)?;
    let format = text::SHARES[random.weighted(&text::SHARES.map(|(_, share)| share))].0;
    if !format.has_times() {
        let timing = ["disclose_recording", "interrupting", "long_unexplained_silence"];
        script.planted.retain(|p| !timing.contains(&p.requirement.as_str()));
        script.planted.iter_mut().for_each(|p| p.span = None);
    }
    let bytes = text::render(&script, format, rep.language);
    let content = Content::Good { bytes, planted: script.planted };
    Ok(Call { content, extension: format.extension(), campaign, rare_word })
}

fn audio_call(
    options: &Options,
    voices: &Voices,
    rep: &Rep,
    mistakes_permille: i64,
    index: u64,
    random: &mut Random,
) -> Call {
    if random.chance(options.broken_permille) {
        return broken_call(&CAMPAIGNS[0], rare_word(options.seed, index), random);
    }
    let seconds = random.log_normal(40.0).clamp(20.0, 90.0);
    let assembled = voices.assemble(rep.voice, seconds, mistakes_permille, random);
    let fitting: Vec<usize> = (0..CAMPAIGNS.len()).filter(|i| CAMPAIGNS[*i].call_type == assembled.call_type).collect();
    let format = audio::FORMATS[random.below(audio::FORMATS.len())];
    let bytes = audio::render(&assembled.channels, format);
    Call {
        content: Content::Good { bytes, planted: assembled.planted },
        extension: "wav",
        campaign: &CAMPAIGNS[random.pick(&fitting)],
        rare_word: String::new(),
    }
}

fn broken_call(campaign: &'static Campaign, rare_word: String, random: &mut Random) -> Call {
    let said = format!("Hello, my password is {rare_word} and nobody may read it");
    let broken::Broken { damage, extension, bytes } = broken::broken(random, &said);
    Call { content: Content::Broken { bytes, damage }, extension, campaign, rare_word }
}

/// A pronounceable word that no language has and no other call of the seed.
fn rare_word(seed: u64, index: u64) -> String {
    const CONSONANTS: [&str; 16] = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "zw", "kr"];
    const VOWELS: [&str; 4] = ["a", "e", "i", "u"];
    // 64 syllables: four of them hold the index, the last one the seed.
    let syllable = |n: u64| format!("{}{}", CONSONANTS[(n % 64 / 4) as usize], VOWELS[(n % 4) as usize]);
    let mixed = (index + 1).wrapping_mul(0x9E_3779) & 0xFF_FFFF;
    (0..4).map(|place| syllable(mixed >> (6 * place))).chain([syllable(seed), "x".into()]).collect()
}

fn write_planted<W: std::io::Write>(table: &mut csv::Writer<W>, file: &str, call_id: &str, call: &Call) -> Result<()> {
    let row = PlantedRow {
        file,
        call_id,
        kind: "call",
        requirement_id: "",
        outcome: "",
        begin_ms: None,
        end_ms: None,
        rare_word: &call.rare_word,
        damage: "",
    };
    match &call.content {
        Content::Broken { damage, .. } => {
            table.serialize(PlantedRow { kind: "broken", outcome: "failed", damage, ..row })?
        }
        Content::Good { planted, .. } => {
            table.serialize(&row)?;
            // Without metadata nobody knows which scorecard the call gets.
            for planted in planted.iter().filter(|_| !call_id.is_empty()) {
                table.serialize(PlantedRow {
                    kind: if planted.outcome == "clean" { "control" } else { "planted" },
                    requirement_id: &planted.requirement,
                    outcome: &planted.outcome,
                    begin_ms: planted.span.map(|s| s.0),
                    end_ms: planted.span.map(|s| s.1),
                    rare_word: "",
                    ..row
                })?;
            }
        }
    }
    Ok(())
}

fn write_reps(path: &Path, reps: &[Rep]) -> Result<()> {
    let mut file = fs::File::create(path)?;
    writeln!(file, "rep_id,team,language,mistakes_permille")?;
    for rep in reps {
        writeln!(file, "{},{},{},{}", rep.id, rep.team, rep.language.code(), rep.mistakes_permille)?;
    }
    Ok(())
}

fn encode(text: &str, encoding: Encoding) -> Vec<u8> {
    let utf16 = |text: &str| std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    match encoding {
        Encoding::Utf8 => text.as_bytes().to_vec(),
        Encoding::Utf8Bom => ["\u{FEFF}", text].concat().into_bytes(),
        Encoding::Utf16 => utf16(text),
        Encoding::Gbk => encoding_rs::GBK.encode(text).0.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rare_words_are_rare() {
        let words: BTreeSet<String> = (0..30_000).map(|index| rare_word(1, index)).collect();
        assert_eq!(words.len(), 30_000);
        assert_ne!(rare_word(1, 5), rare_word(2, 5));
    }

    #[test]
    fn the_same_seed_writes_the_same_bytes_and_more_calls_change_none() {
        let night = |calls, seed| {
            let folder = tempfile::tempdir().unwrap();
            let options = Options {
                folder: folder.path().join("night"),
                calls,
                audio: 0,
                seed,
                broken_permille: 100,
                languages: vec![Language::En, Language::Zh],
                samples: PathBuf::new(),
                last_day: jiff::civil::date(2025, 3, 7),
                encoding: Encoding::Utf8,
            };
            let written = write(&options).unwrap();
            assert!(written.broken_files > 0 && written.text_calls + written.broken_files == calls);
            let files = walkdir::WalkDir::new(&options.folder).sort_by_file_name().into_iter().map(Result::unwrap);
            let read = |e: walkdir::DirEntry| (e.file_name().to_os_string(), fs::read(e.path()).unwrap());
            files.filter(|e| e.file_type().is_file()).map(read).collect::<std::collections::BTreeMap<_, _>>()
        };
        let first = night(120, 1);
        assert_eq!(first, night(120, 1));
        assert!(first.len() > 120);
        let more = night(180, 1);
        let calls = |files: &std::collections::BTreeMap<std::ffi::OsString, Vec<u8>>| -> BTreeSet<Vec<u8>> {
            files.values().filter(|bytes| !bytes.starts_with(b"file,")).cloned().collect()
        };
        assert!(
            calls(&first).intersection(&calls(&more)).count() > 110,
            "the calls of the shorter night are in the longer"
        );
        assert!(calls(&first).intersection(&calls(&night(120, 2))).count() < 10);
    }
}
