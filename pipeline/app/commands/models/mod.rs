//! `callmark models`: which recognisers and classifiers there are, and getting, checking, adding and removing them.

mod add;
mod add_classifier;
mod list;
mod remove;
mod verify;

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use callmark_models::manifest::ModelError;

use crate::FINISHED;
use crate::cli::{Common, ModelsCommand, PullArgs};
use crate::install::{known_models, user_models};
use crate::pull::{Origin, megabytes, pull};

pub fn run(command: &ModelsCommand, common: &Common) -> Result<u8> {
    match command {
        ModelsCommand::List { json } => list::list(*json, common),
        ModelsCommand::Pull(args) => fetch(args, common),
        ModelsCommand::Verify { names, json } => verify::verify(names, *json),
        ModelsCommand::Add(args) => add::add(args, common),
        ModelsCommand::Rm { name, yes } => remove::remove(name, *yes, common),
    }
}

fn fetch(args: &PullArgs, common: &Common) -> Result<u8> {
    let manifest = known_models()?;
    let entry = manifest.known(&args.name).map_err(explain)?;
    let origin = Origin::of(entry, args.mirror.as_deref())?;
    let folder = match (&args.to, &entry.added_in) {
        (Some(folder), _) => folder.clone(),
        // Beside the list that names it.
        (None, Some(folder)) => folder.join(&entry.file).parent().map_or(folder.clone(), PathBuf::from),
        (None, None) => own_folder()?,
    };
    let pulled = pull(entry, &origin, &folder, common.quiet)?;
    let what = if pulled.was_there { "was there already" } else { "fetched" };
    let (name, size, path) = (&entry.name, megabytes(entry.bytes), pulled.path.display());
    println!("{name}: {what}, {size}, size and SHA-256 are right: {path}");
    if args.to.is_some() && !common.quiet {
        eprintln!("to use it elsewhere: carry the file there and run `callmark models add {}`", entry.file_name());
    }
    Ok(FINISHED)
}

/// Where the user's own models are.
fn own_folder() -> Result<PathBuf> {
    user_models().ok_or_else(|| anyhow!("no place for models\nhint: set HOME, or XDG_DATA_HOME"))
}

fn explain(error: ModelError) -> anyhow::Error {
    let hint = error.hint();
    anyhow!("{error}\nhint: {hint}")
}
