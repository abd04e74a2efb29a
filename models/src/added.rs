//! Models that a site added: a list, `models.toml`, beside their files, in the form of the built-in manifest. Entries with a `url`
//! can be pulled, so that a company can offer its own models to its machines.

use std::fs::File;
use std::io::Write as _;
use std::path::{Component, Path};

use serde::Serialize;

use crate::manifest::{self, ModelEntry, ModelError};

/// The list's name in a models folder.
pub const LIST: &str = "models.toml";

const HEAD: &str = "\
# Models that were added to callmark. `callmark models add` and `models rm` rewrite this file: values are kept, comments are not.
# With `url`, `callmark models pull` fetches the file; `[model.recogniser]` says how it wants its sound and how it is judged.
";

#[derive(Serialize)]
struct Written<'a> {
    model: &'a [ModelEntry],
}

/// What was added in a folder; nothing when there is no list.
///
/// # Errors
/// The list cannot be read, or an entry of it cannot be right.
pub fn read(folder: &Path) -> Result<Vec<ModelEntry>, ModelError> {
    let path = folder.join(LIST);
    let failed = |cause: String| ModelError::Added { path: path.display().to_string(), action: "read", cause };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error.to_string())),
    };
    let mut models = manifest::read(&text).map_err(|error| failed(error.to_string()))?;
    for model in &mut models {
        if let Some(mistake) = mistake(model) {
            return Err(failed(format!("the model {:?}: {mistake}", model.name)));
        }
        model.added_in = Some(folder.to_path_buf());
    }
    Ok(models)
}

/// Whether this can be a model's name: it also names files.
pub fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty() && !name.starts_with('.') && name.len() <= 100 && name.chars().all(allowed)
}

fn mistake(model: &ModelEntry) -> Option<&'static str> {
    let is_hash =
        model.sha256.len() == 64 && model.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let stays_inside = Path::new(&model.file).components().all(|part| matches!(part, Component::Normal(_)));
    if model.name.is_empty() || model.name.contains(['/', '\\']) {
        Some("its name is empty or looks like a path")
    } else if !is_hash {
        Some("its sha256 is not 64 lower-case hexadecimal digits")
    } else if model.file.is_empty() || !stays_inside {
        Some("its file must lie below the folder of the list")
    } else if model.bytes == 0 {
        Some("its size is 0")
    } else {
        None
    }
}

/// Changes the list of a folder, one process at a time; the new list replaces the old one as a whole.
///
/// # Errors
/// The list cannot be read or written.
pub fn update(folder: &Path, change: impl FnOnce(&mut Vec<ModelEntry>)) -> Result<(), ModelError> {
    let path = folder.join(LIST);
    let failed = |error: std::io::Error| ModelError::Added {
        path: path.display().to_string(),
        action: "written",
        cause: error.to_string(),
    };
    let handle = File::open(folder).map_err(failed)?;
    // Some network file systems have no locks for folders; two people who add models there at one moment are rare.
    let _locked = handle.lock();
    let mut models = read(folder)?;
    let before = models.clone();
    change(&mut models);
    if models == before {
        return Ok(());
    }
    if models.is_empty() {
        return std::fs::remove_file(&path).map_err(failed);
    }
    let text = toml::to_string(&Written { model: &models })
        .map_err(|error| failed(std::io::Error::other(error.to_string())))?;
    let mut file = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(format!("{HEAD}\n{text}").as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Manifest, RecogniserSettings};

    fn entry(name: &str) -> ModelEntry {
        let mut entry = Manifest::built_in().unwrap().entry("tiny").unwrap().clone();
        entry.name = name.to_string();
        entry.file = format!("{name}.bin");
        entry
    }

    #[test]
    fn the_list_comes_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), []);
        let mut ours = entry("ours");
        ours.recogniser = RecogniserSettings { confidence_floor_permille: 550, ..RecogniserSettings::default() };
        update(folder.path(), |models| models.extend([ours.clone(), entry("other")])).unwrap();
        let found = read(folder.path()).unwrap();
        ours.added_in = Some(folder.path().to_path_buf());
        assert_eq!((found.len(), &found[0]), (2, &ours));
        update(folder.path(), |models| models.clear()).unwrap();
        assert!(!folder.path().join(LIST).exists(), "an empty list is none");
    }

    #[test]
    fn what_a_site_added_goes_first_and_mistakes_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut ours = entry("base");
        ours.languages = vec!["zh".into()];
        update(folder.path(), |models| models.push(ours)).unwrap();
        let manifest = Manifest::with_added(&[folder.path().to_path_buf()]).unwrap();
        assert_eq!(manifest.entry("base").unwrap().languages, ["zh"]);
        assert_eq!(manifest.models.iter().filter(|model| model.name == "base").count(), 1);
        let good = std::fs::read_to_string(folder.path().join(LIST)).unwrap();
        for (from, to, part) in [
            ("file = \"base.bin\"", "file = \"../../etc/passwd\"", "below the folder"),
            ("file = \"base.bin\"", "file = \"/etc/passwd\"", "below the folder"),
            ("name = \"base\"", "name = \"a/b\"", "path"),
            ("bytes = 77691713", "bytes = 0", "size"),
            ("sha256 = \"be", "sha256 = \"BE", "lower-case"),
            ("bytes = ", "bites = ", "bites"),
        ] {
            assert!(good.contains(from), "{from}: {good}");
            std::fs::write(folder.path().join(LIST), good.replace(from, to)).unwrap();
            let error = read(folder.path()).unwrap_err().to_string();
            assert!(error.contains(part), "{part} is not in {error}");
        }
    }
}
