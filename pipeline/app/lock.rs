//! One transcribing run at a time per store. The lock goes with the process, also after kill -9.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Who holds the lock, for the one who is turned away.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Holder {
    pub process: u32,
    pub host: String,
    /// RFC 3339.
    pub since: String,
}

/// Held until dropped.
#[derive(Debug)]
pub struct Lock {
    _file: Option<File>,
}

impl Lock {
    /// Takes the lock of a store.
    ///
    /// # Errors
    /// Another run holds it (the message says who), or the file cannot be made.
    pub fn take(store_url: &str) -> Result<Lock> {
        let Some(path) = path(store_url) else { return Ok(Lock { _file: None }) };
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the store's folder {}", folder.display()))?;
        }
        let mut file = open(&path)?;
        match file.try_lock() {
            Ok(()) => {
                let holder = Holder {
                    process: std::process::id(),
                    host: std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_string(),
                    since: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                };
                file.set_len(0)?;
                file.write_all(&serde_json::to_vec(&holder)?)?;
                Ok(Lock { _file: Some(file) })
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                let who = match serde_json::from_str::<Holder>(&text) {
                    Ok(h) => format!("process {} on {}, since {}", h.process, h.host, h.since),
                    Err(_) => "it has only just begun".to_string(),
                };
                bail!(
                    "another run ({who}) works on the store {store_url}\nhint: wait for it or stop it, or use another --store; `show`, `reps`, `review` and `score` work meanwhile"
                )
            }
            Err(std::fs::TryLockError::Error(error)) => Err(error).context("cannot lock the store"),
        }
    }
}

/// Beside the store's file; a store in memory needs none.
fn path(store_url: &str) -> Option<PathBuf> {
    let path = store_url.strip_prefix("sqlite:").unwrap_or(store_url);
    let path = path.strip_prefix("//").unwrap_or(path);
    (path != ":memory:").then(|| PathBuf::from(format!("{path}.lock")))
}

fn open(path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true).mode(0o600);
    options.open(path).with_context(|| format!("cannot open the lock {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("night.db").display());
        let first = Lock::take(&url).unwrap();
        let error = Lock::take(&url).unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())) && error.contains("hint:"), "{error}");
        drop(first);
        Lock::take(&url).unwrap();
    }
}
