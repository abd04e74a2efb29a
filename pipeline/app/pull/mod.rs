//! `callmark models pull`: a model file from its public address, a mirror or a folder to its place. What was received stays beside
//! it as `NAME.part`, also after kill -9, and is taken up again; size, SHA-256 and structure are right before it gets its name.

mod http;
mod part;

use std::fs::File;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use callmark_models::manifest::{ModelEntry, ModelError, verify_file};
use indicatif::{ProgressBar, ProgressStyle};
use part::Part;

/// Left free on the disk beside the file itself.
const SPARE_BYTES: u64 = 16 << 20;
const PIECE_BYTES: usize = 256 << 10;

/// Where a file is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Address(String),
    Folder(PathBuf),
}

impl Origin {
    /// The model's own address, or a mirror: an address that stands before the file's name (or the file's own), or a folder.
    ///
    /// # Errors
    /// The model has no address and there is no mirror, or the folder does not exist.
    pub fn of(entry: &ModelEntry, mirror: Option<&str>) -> Result<Origin> {
        let file = entry.file_name();
        match mirror {
            Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
                let url = url.trim_end_matches('/');
                Ok(Origin::Address(if url.ends_with(&format!("/{file}")) {
                    url.to_string()
                } else {
                    format!("{url}/{file}")
                }))
            }
            Some(folder) if Path::new(folder).is_dir() => Ok(Origin::Folder(PathBuf::from(folder))),
            Some(other) => bail!(
                "there is no folder {other}\nhint: --mirror takes a folder, or an address that begins with https://"
            ),
            None => match &entry.url {
                Some(url) => Ok(Origin::Address(url.clone())),
                None => bail!(
                    "{} is not pulled: it comes with callmark or with scripts/setup\nhint: `callmark models list` shows what can be pulled; with --mirror it is taken from there",
                    entry.name
                ),
            },
        }
    }
}

/// What a pull did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    pub path: PathBuf,
    /// It was there and intact before.
    pub was_there: bool,
}

/// Puts a model's file into a folder.
///
/// # Errors
/// It could not be had whole; what was received stays for the next try, unless it is known to be wrong.
pub fn pull(entry: &ModelEntry, origin: &Origin, folder: &Path, quiet: bool) -> Result<Pulled> {
    std::fs::create_dir_all(folder).with_context(|| {
        format!("cannot make the folder {}\nhint: choose another one with --to DIR", folder.display())
    })?;
    let target = folder.join(entry.file_name());
    let intact = |path: &Path| path.is_file() && verify_file(path, entry).is_ok();
    if intact(&target) {
        return Ok(Pulled { path: target, was_there: true });
    }
    let mut part = Part::open(&target, || {
        if !quiet {
            eprintln!("another callmark pulls {}; waiting for it", entry.name);
        }
    })?;
    if intact(&target) {
        part.remove()?;
        return Ok(Pulled { path: target, was_there: true });
    }
    if part.length() > entry.bytes {
        part.restart()?;
    }
    // A continued file whose pieces do not fit together is fetched once more as a whole.
    let mut continued = part.length() > 0;
    loop {
        enough_space(folder, entry.bytes - part.length())?;
        let progress = Progress::start(entry, part.length(), quiet);
        match origin {
            Origin::Address(url) => http::fetch(url, entry, &mut part, &progress)?,
            Origin::Folder(from) => copy(from, entry, &mut part, &progress)?,
        }
        progress.checking();
        part.sync()?;
        match verify_file(part.path(), entry) {
            Ok(_) => break,
            Err(error) if matches!(error, ModelError::Read { .. }) => bail!("{error}\nhint: {}", error.hint()),
            Err(_) if continued => {
                progress.message("what was there from an earlier try does not fit; fetching the whole file");
                continued = false;
                part.restart()?;
            }
            Err(error) => {
                let from = match origin {
                    Origin::Address(url) => http::shown(url),
                    Origin::Folder(from) => from.display().to_string(),
                };
                part.remove()?;
                bail!(
                    "{} from {from} is not the file it should be and was thrown away: {error}\nhint: try again or use another --mirror; if it stays so, that place offers another version or a damaged file",
                    entry.name
                );
            }
        }
    }
    part.finish(&target)?;
    Ok(Pulled { path: target, was_there: false })
}

/// From a folder: a stick, a network share.
fn copy(from: &Path, entry: &ModelEntry, part: &mut Part, progress: &Progress) -> Result<()> {
    let places = [from.join(entry.file_name()), from.join(&entry.file)];
    let Some(path) = places.iter().find(|path| path.is_file()) else {
        bail!(
            "the folder {} has no {}\nhint: the file must have that name; one with another name is taken in by `callmark models add FILE`",
            from.display(),
            entry.file_name()
        )
    };
    let failed =
        |error| anyhow!("{} cannot be read: {error}\nhint: check the folder and its permissions", path.display());
    let mut source = File::open(path).map_err(failed)?;
    let found = source.metadata().map_err(failed)?.len();
    if found != entry.bytes {
        bail!(
            "{} has {found} bytes instead of {}\nhint: copy the file into the folder again",
            path.display(),
            entry.bytes
        );
    }
    part.restart()?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = source.read(&mut piece).map_err(failed)?;
        if count == 0 {
            return Ok(());
        }
        part.append(&piece[..count])?;
        progress.at(part.length());
    }
}

/// Before the first byte: a disk that is full at 90 % has cost an hour.
pub fn enough_space(folder: &Path, needed: u64) -> Result<()> {
    let Ok(volume) = rustix::fs::statvfs(folder) else { return Ok(()) };
    let free = volume.f_bavail.saturating_mul(volume.f_frsize);
    if free >= needed.saturating_add(SPARE_BYTES) {
        return Ok(());
    }
    bail!(
        "the disk of {} has {} free, {} are needed\nhint: free space there, or choose another folder with --to DIR",
        folder.display(),
        megabytes(free),
        megabytes(needed + SPARE_BYTES)
    )
}

pub fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}

/// A bar on a terminal, nothing elsewhere.
pub struct Progress {
    bar: ProgressBar,
    name: String,
    quiet: bool,
}

impl Progress {
    fn start(entry: &ModelEntry, done: u64, quiet: bool) -> Progress {
        let bar = if quiet || !std::io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else {
            let bar = ProgressBar::new(entry.bytes).with_position(done);
            let style = ProgressStyle::with_template(
                "{msg}  {bar:24} {percent:>3}%  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left",
            );
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(entry.name.clone());
            // Speed and time left count from here, not from what an earlier try brought.
            bar.reset_eta();
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        };
        Progress { bar, name: entry.name.clone(), quiet }
    }

    fn at(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    fn checking(&self) {
        self.bar.set_message(format!("{}: checking", self.name));
    }

    fn message(&self, text: &str) {
        if self.quiet {
        } else if self.bar.is_hidden() {
            eprintln!("{}: {text}", self.name);
        } else {
            self.bar.println(format!("{}: {text}", self.name));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
