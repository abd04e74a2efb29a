//! `callmark models add --classifier DIR`: checks a sentiment classifier and copies its folder to the user's models.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use callmark_models::classifier::{self, DESCRIPTION, KIND};
use callmark_models::manifest::{ModelEntry, RecogniserSettings, file_sha256, verify_file};
use callmark_models::runtime;

use super::add;
use crate::FINISHED;
use crate::cli::Common;
use crate::install::{Install, known_models};
use crate::pull::megabytes;
use crate::text_encoders::explain_text;

pub fn add(from: &Path, common: &Common) -> Result<u8> {
    let library = Install::find()?.onnx_runtime();
    let environment = runtime::onnx_runtime(library.as_deref()).map_err(|e| anyhow!("{e}\nhint: {}", e.hint()))?;
    let description = classifier::check(from, environment)
        .map_err(explain_text)
        .with_context(|| format!("{} was not added", from.display()))?;
    let name = description.name.as_str();
    let written = from.join(DESCRIPTION);
    let entry = ModelEntry {
        name: name.to_string(),
        kind: KIND.to_string(),
        file: format!("{}/{name}/{DESCRIPTION}", add::FOLDER),
        url: None,
        bytes: size(&written)?,
        sha256: file_sha256(&written).map_err(super::explain)?,
        languages: description.languages.iter().map(|language| language.code().to_string()).collect(),
        licence: description.licence.clone(),
        source: "the folder itself, when it was added".to_string(),
        verified: true,
        memory_mb: None,
        memory_estimated: false,
        real_time_factor_1_core: None,
        note: "sentiment classifier".to_string(),
        recogniser: RecogniserSettings::default(),
        added_in: None,
    };
    let manifest = known_models()?;
    if manifest.entry(name).is_some_and(|known| known.sha256 != entry.sha256) {
        bail!(
            "there is another model named {name}\nhint: remove that one (`callmark models rm {name}`), or change `name` in {DESCRIPTION}"
        );
    }
    let own = super::own_folder()?;
    let path = own.join(&entry.file);
    let folder = path.parent().unwrap_or(&own);
    let was_there = path.is_file() && verify_file(&path, &entry).is_ok();
    if !was_there {
        for file in description.files() {
            let check = |copy: &Path| description.check_copy(file, copy).map_err(explain_text);
            add::take_in(&from.join(file), &folder.join(file), size(&from.join(file))?, check)?;
        }
        // Last: with it the classifier is complete.
        add::take_in(&written, &path, entry.bytes, |copy| match file_sha256(copy).map_err(super::explain)? {
            same if same == entry.sha256 => Ok(()),
            _ => bail!("{} changed while it was copied\nhint: add it again", written.display()),
        })?;
    }
    if manifest.entry(name).is_none() {
        add::list(&own, &entry)?;
    }
    let what = if was_there { "was there already" } else { "added" };
    let bytes = classifier::size_bytes(folder, &description);
    println!("{name}: {what}, {}, checked with its golden examples: {}", megabytes(bytes), folder.display());
    if !common.quiet {
        for language in &description.languages {
            let code = language.code();
            eprintln!(
                "to use it: sentiment_classifier.{code} = {name:?} in the configuration, or --set sentiment_classifier.{code}={name}"
            );
        }
        if !description.knows_neutral() {
            eprintln!(
                "it knows no neutral label: give it an uncertain_below_permille, or plain sentences count as negative or positive"
            );
        }
    }
    Ok(FINISHED)
}

fn size(file: &Path) -> Result<u64> {
    Ok(std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len())
}
