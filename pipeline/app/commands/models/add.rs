//! `callmark models add`: takes a recogniser's file in: a known one under its name, any other with its SHA-256 in the list of added models.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use callmark_core::recording::Language;
use callmark_models::added;
use callmark_models::ggml::WhisperShape;
use callmark_models::manifest::{Manifest, ModelEntry, RecogniserSettings, file_sha256, verify_file, verify_whisper};

use super::add_classifier;
use crate::FINISHED;
use crate::cli::{AddModelArgs, Common};
use crate::install::known_models;
use crate::pull::{enough_space, megabytes};

/// Where added files lie in the user's folder: none is taken for another model by its file's name.
pub const FOLDER: &str = "added";

pub fn add(args: &AddModelArgs, common: &Common) -> Result<u8> {
    match (&args.file, &args.classifier) {
        (_, Some(folder)) => add_classifier::add(folder, common),
        (Some(file), None) => add_recogniser(file, args, common),
        (None, None) => bail!("nothing to add\nhint: give a model's file, or --classifier DIR"),
    }
}

fn add_recogniser(file: &Path, args: &AddModelArgs, common: &Common) -> Result<u8> {
    let shape = verify_whisper(file).map_err(super::explain)?;
    let sha256 = file_sha256(file).map_err(super::explain)?;
    if let Some(wanted) = &args.sha256
        && !wanted.eq_ignore_ascii_case(&sha256)
    {
        bail!(
            "{} has the SHA-256 {sha256} instead of {wanted}\nhint: it is damaged or another version; fetch or copy it again",
            file.display()
        );
    }
    let folder = super::own_folder()?;
    let manifest = known_models()?;
    let known = manifest.models.iter().find(|entry| entry.kind == "recogniser" && entry.sha256 == sha256);
    let name = match (&args.name, known) {
        (Some(name), _) => name.clone(),
        (None, Some(known)) => known.name.clone(),
        (None, None) => name_of(file),
    };
    let entry = match manifest.entry(&name) {
        Some(entry) if entry.sha256 == sha256 => entry.clone(),
        Some(_) => bail!("there is another model named {name}\nhint: give this one a --name of its own"),
        None => new_entry(&name, &sha256, file, shape, args, known, &manifest)?,
    };
    let path = match &entry.added_in {
        Some(folder) => folder.join(&entry.file),
        None if manifest.entry(&name).is_some() => folder.join(entry.file_name()),
        None => folder.join(&entry.file),
    };
    let was_there = path.is_file() && verify_file(&path, &entry).is_ok();
    if !was_there {
        take_in(file, &path, entry.bytes, |copy| verify_file(copy, &entry).map(|_| ()).map_err(super::explain))?;
    }
    if manifest.entry(&name).is_none() {
        list(&folder, &entry)?;
    }
    let what = if was_there { "was there already" } else { "added" };
    println!("{name}: {what}, {}, SHA-256 {sha256}: {}", megabytes(entry.bytes), path.display());
    if !common.quiet && entry.languages.is_empty() {
        eprintln!("it is taken for a model of every language; --language says otherwise");
    }
    Ok(FINISHED)
}

/// The file's name without what all such files have.
fn name_of(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    stem.strip_prefix("ggml-").unwrap_or(&stem).to_string()
}

fn new_entry(
    name: &str,
    sha256: &str,
    file: &Path,
    shape: WhisperShape,
    args: &AddModelArgs,
    known: Option<&ModelEntry>,
    manifest: &Manifest,
) -> Result<ModelEntry> {
    if !added::is_name(name) {
        bail!("{name:?} cannot be a model's name\nhint: give --name with letters, digits, `.`, `_` and `-`");
    }
    if !shape.multilingual() && args.language.iter().any(|language| *language != Language::En) {
        bail!("{} is an English-only model\nhint: leave --language out", file.display());
    }
    let given: Vec<String> = args.language.iter().map(|language| language.code().to_string()).collect();
    let languages = match known {
        _ if !given.is_empty() => given,
        Some(known) => known.languages.clone(),
        None if shape.multilingual() => Vec::new(),
        None => vec![Language::En.code().to_string()],
    };
    let bytes = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    // A fine-tune needs what the model needs from which it was made: the one of nearly the same size.
    let like = known.or_else(|| {
        manifest.models.iter().find(|entry| entry.kind == "recogniser" && entry.bytes.abs_diff(bytes) * 100 < bytes)
    });
    Ok(ModelEntry {
        name: name.to_string(),
        kind: "recogniser".to_string(),
        file: format!("{FOLDER}/{name}.bin"),
        url: None,
        bytes,
        sha256: sha256.to_string(),
        languages,
        licence: known.map(|known| known.licence.clone()).unwrap_or_default(),
        source: "the file itself, when it was added".to_string(),
        verified: true,
        memory_mb: like.and_then(|entry| entry.memory_mb),
        memory_estimated: true,
        real_time_factor_1_core: like.and_then(|entry| entry.real_time_factor_1_core),
        note: String::new(),
        recogniser: known.map_or_else(RecogniserSettings::default, |known| known.recogniser),
        added_in: None,
    })
}

/// Puts an entry into the folder's list, in place of one of the same name.
pub fn list(folder: &Path, entry: &ModelEntry) -> Result<()> {
    let put = |models: &mut Vec<ModelEntry>| {
        models.retain(|model| model.name != entry.name);
        models.push(entry.clone());
    };
    added::update(folder, put).map_err(super::explain)
}

/// Copies a file of so many bytes to its place; it gets its name when the copy is checked.
pub fn take_in(from: &Path, path: &Path, bytes: u64, check: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let folder = path.parent().map_or_else(PathBuf::new, PathBuf::from);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    enough_space(&folder, bytes)?;
    let failed = |error: std::io::Error| {
        anyhow!("{} cannot be written: {error}\nhint: check the folder and the space on its disk", path.display())
    };
    let mut copy = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o644))
        .tempfile_in(&folder)
        .map_err(failed)?;
    let source = File::open(from).with_context(|| format!("cannot read {}", from.display()))?;
    // A file that grows meanwhile does not fill the disk.
    std::io::copy(&mut source.take(bytes + 1), &mut copy).map_err(failed)?;
    copy.flush().and_then(|()| copy.as_file().sync_all()).map_err(failed)?;
    check(copy.path())?;
    copy.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
