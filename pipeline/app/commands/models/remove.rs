//! `callmark models rm`: only what lies in the user's own folder.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use callmark_core::recording::Language;
use callmark_models::manifest::{ModelEntry, Presence, presence};
use callmark_models::{added, classifier};

use super::add;
use crate::FINISHED;
use crate::cli::Common;
use crate::commands::confirm;
use crate::config::Config;
use crate::install::{Install, known_models};

pub fn remove(name: &str, yes: bool, common: &Common) -> Result<u8> {
    let manifest = known_models()?;
    let entry = manifest.known(name).map_err(super::explain)?;
    let own = super::own_folder()?;
    let own_entry = entry.added_in.as_ref() == Some(&own);
    let found = match &entry.added_in {
        Some(folder) if *folder != own => Presence::Missing,
        _ => presence(entry, std::slice::from_ref(&own)),
    };
    // An unfinished transfer goes too.
    let part = |path: &PathBuf| PathBuf::from(format!("{}.part", path.display()));
    let parts: Vec<PathBuf> = [own.join(&entry.file), own.join(entry.file_name())].iter().map(part).collect();
    let mut files: Vec<PathBuf> = parts.into_iter().filter(|path| path.is_file()).collect();
    // A flat name is the same twice.
    files.dedup();
    if let Presence::Installed(path) | Presence::Damaged(path) = found {
        files.insert(0, path);
    }
    let listed = own_entry && entry.url.is_none();
    if files.is_empty() && !listed {
        match presence(entry, &Install::find()?.model_folders()) {
            Presence::Installed(path) | Presence::Damaged(path) => bail!(
                "{name} is not in your own models folder; it lies at {}\nhint: what came with callmark or belongs to others stays; remove it where it was installed",
                path.display()
            ),
            Presence::Missing => bail!("{name} is not installed\nhint: `callmark models list` shows what is"),
        }
    }
    if !yes {
        confirm(&format!("remove {name}"), "give --yes")?;
    }
    let own_folder = classifier_folder(&own, entry).filter(|folder| folder.is_dir());
    if let Some(folder) = &own_folder {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        println!("removed {}", folder.display());
        files.clear();
    }
    for file in files {
        std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        let _ = std::fs::remove_file(format!("{}.tag", file.display()));
        println!("removed {}", file.display());
    }
    // An entry with an address stays: it can be pulled again.
    if listed {
        added::update(&own, |models| models.retain(|model| model.name != name)).map_err(super::explain)?;
    }
    // A broken configuration is no reason to keep a model.
    let config = Config::load(common).unwrap_or_default();
    for language in Language::ALL.into_iter().filter(|_| own_folder.is_some()) {
        if config.sentiment_classifier.of(language) == Some(name) {
            eprintln!("the configuration still names it: take it out of sentiment_classifier.{}", language.code());
        }
    }
    Ok(FINISHED)
}

/// The folder that `models add --classifier` made for a classifier; nobody else's.
fn classifier_folder(own: &Path, entry: &ModelEntry) -> Option<PathBuf> {
    let folder = Path::new(add::FOLDER).join(&entry.name);
    let is_ours = entry.kind == classifier::KIND && Path::new(&entry.file) == folder.join(classifier::DESCRIPTION);
    is_ours.then(|| own.join(folder))
}
