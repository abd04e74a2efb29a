//! How much memory a process has and had, as Linux counts it.

use std::path::PathBuf;

/// `None`: this process.
fn field(process: Option<u32>, name: &str) -> Option<u64> {
    let folder = process.map_or("self".to_string(), |id| id.to_string());
    let text = std::fs::read_to_string(PathBuf::from("/proc").join(folder).join("status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes << 10)
}

/// Most memory that the process ever had in use. `None` where it is not told, or the process is gone.
pub fn peak_bytes(process: Option<u32>) -> Option<u64> {
    field(process, "VmHWM")
}

/// Memory in use now.
pub fn resident_bytes() -> Option<u64> {
    field(None, "VmRSS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_used_shows() {
        let before = resident_bytes().unwrap();
        let held = std::hint::black_box(vec![1u8; 64 << 20]);
        assert!(resident_bytes().unwrap() > before + (48 << 20));
        assert!(peak_bytes(None).unwrap() >= held.len() as u64);
        assert_eq!(peak_bytes(Some(u32::MAX)), None);
    }
}
