//! What is there of a file that is being fetched: `NAME.part` beside its place. One process at a time writes to it: the lock goes
//! with the process. `NAME.part.tag` remembers which version of which address it is.

use std::fs::File;
use std::io::{ErrorKind, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

pub struct Part {
    file: File,
    path: PathBuf,
    length: u64,
}

impl Part {
    /// Opens and locks the part of a file, or begins it. `waiting` is called when another process has it.
    pub fn open(target: &Path, waiting: impl Fn()) -> Result<Part> {
        let mut name = target.as_os_str().to_owned();
        name.push(".part");
        let path = PathBuf::from(name);
        let failed = |error| broken(&path, error);
        loop {
            let mut options = File::options();
            let file = options.create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(std::fs::TryLockError::WouldBlock) => {
                    waiting();
                    file.lock().map_err(failed)?;
                }
                Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
            }
            // The one before may have finished: then this is the finished file under its old name, and a new part begins.
            let opened = file.metadata().map_err(failed)?;
            let same = std::fs::metadata(&path).is_ok_and(|now| (now.dev(), now.ino()) == (opened.dev(), opened.ino()));
            if same {
                let mut part = Part { file, path, length: opened.len() };
                part.file.seek(SeekFrom::End(0)).map_err(|error| broken(&part.path, error))?;
                return Ok(part);
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    /// Throws away what is there.
    pub fn restart(&mut self) -> Result<()> {
        let _ = std::fs::remove_file(self.tag_path());
        let emptied = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        emptied.map_err(|error| broken(&self.path, error))?;
        self.length = 0;
        Ok(())
    }

    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| broken(&self.path, error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// The version that the address had when this part was begun.
    pub fn tag(&self, url: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.tag_path()).ok()?;
        let (of, tag) = text.split_once('\n')?;
        (of == url).then(|| tag.to_string())
    }

    pub fn remember_tag(&self, url: &str, tag: &str) {
        // Without it the next try asks without a condition, and the SHA-256 decides.
        let _ = std::fs::write(self.tag_path(), format!("{url}\n{tag}"));
    }

    pub fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|error| broken(&self.path, error))
    }

    /// Gives the file its name; whoever waits for the lock sees that afterwards.
    pub fn finish(self, target: &Path) -> Result<()> {
        let _ = std::fs::remove_file(self.tag_path());
        std::fs::rename(&self.path, target).map_err(|error| broken(target, error))?;
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| broken(target, error))
    }

    pub fn remove(self) -> Result<()> {
        let _ = std::fs::remove_file(self.tag_path());
        std::fs::remove_file(&self.path).map_err(|error| broken(&self.path, error))
    }

    fn tag_path(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".tag");
        PathBuf::from(name)
    }
}

fn broken(path: &Path, error: std::io::Error) -> anyhow::Error {
    let hint = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "the disk is full: free space and run the same command again, which goes on where it stopped; or choose another folder with --to DIR"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "choose a folder that you may write to with --to DIR"
        }
        _ => "check the folder and its disk",
    };
    anyhow!("{} cannot be written: {error}\nhint: {hint}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_taken_up_again_and_finished_once() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("m.bin");
        let waits = std::cell::Cell::new(0);
        let waiting = || waits.set(waits.get() + 1);
        let mut part = Part::open(&target, waiting).unwrap();
        part.append(b"one").unwrap();
        part.remember_tag("https://a/m.bin", "\"v1\"");
        drop(part);
        let mut part = Part::open(&target, waiting).unwrap();
        assert_eq!((part.length(), part.tag("https://b/m.bin")), (3, None), "the tag is that of one address");
        assert_eq!(part.tag("https://a/m.bin").as_deref(), Some("\"v1\""));
        part.append(b"two").unwrap();
        // A second one waits, then begins a new part, because this one became the file.
        let second = std::thread::scope(|scope| {
            let second = scope.spawn(|| Part::open(&target, || ()).unwrap());
            std::thread::sleep(std::time::Duration::from_millis(100));
            part.finish(&target).unwrap();
            second.join().unwrap()
        });
        assert_eq!((second.length(), waits.get()), (0, 0));
        assert_eq!(std::fs::read(&target).unwrap(), b"onetwo");
        second.remove().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
