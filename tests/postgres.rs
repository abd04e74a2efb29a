//! docs/tables.sql in a real PostgreSQL: an export can be loaded, and again, with its types and views.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{millipoints, project, read_csv, sample_from_references};

/// A server of its own, without a port: it listens on a socket in its folder, and ends with the test.
struct Server {
    folder: tempfile::TempDir,
    process: Child,
}

/// Debian keeps the server's programs of every version in a folder of their own.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists()).max();
    found.expect("hint: scripts/setup-tests installs PostgreSQL for this test")
}

/// PostgreSQL refuses to run as root: then as the user that its package makes.
fn as_server(program: &Path) -> Command {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Server {
    fn start() -> Server {
        let (programs, folder) = (programs(), tempfile::tempdir().unwrap());
        if std::fs::metadata(folder.path()).unwrap().uid() == 0 {
            succeed(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let data = folder.path().join("data");
        let mut initialise = as_server(&programs.join("initdb"));
        succeed(initialise.args(["--username=qa", "--auth=trust", "--encoding=UTF8", "--no-sync", "-D"]).arg(&data));
        let mut server = as_server(&programs.join("postgres"));
        server.arg("-D").arg(&data).args(["-c", "listen_addresses=", "-c", "fsync=off", "-c"]);
        server.arg(format!("unix_socket_directories={}", folder.path().display()));
        let process = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Server { folder, process };
        let begin = Instant::now();
        let ready = || {
            let mut ask = Command::new(programs.join("pg_isready"));
            ask.arg("-h").arg(server.folder.path()).stdout(Stdio::null()).status().unwrap().success()
        };
        while !ready() {
            assert!(begin.elapsed() < Duration::from_secs(60), "PostgreSQL does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        server
    }

    fn psql(&self) -> Command {
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-U", "qa", "-d", "postgres", "-h"]).arg(self.folder.path());
        psql
    }

    fn ask(&self, query: &str) -> String {
        succeed(self.psql().args(["-At", "-c", query])).trim().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server's own number: the process may be the one that changed the user.
        let stop = |pid: &str| Command::new("kill").args(["-INT", pid]).status();
        let number = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap_or_default();
        if let Some(pid) = number.lines().next() {
            let _ = stop(pid);
        }
        let _ = self.process.wait();
    }
}

#[test]
fn an_export_can_be_loaded_and_asked() {
    let export = tempfile::tempdir().unwrap();
    let target = export.path().join("tables");
    sample_from_references().run(&["export", target.to_str().unwrap()]).expect(0);
    let server = Server::start();
    // Again: what was loaded before is replaced.
    for _ in 0..2 {
        succeed(server.psql().arg("-qf").arg(project().join("docs/tables.sql")).current_dir(&target));
    }
    let mut tables: Vec<String> =
        read_csv(&target.join("columns.csv")).iter().map(|column| column["table"].clone()).collect();
    tables.dedup();
    assert!(tables.len() > 8, "{tables:?}");
    for table in &tables {
        let rows = read_csv(&target.join(format!("{table}.csv"))).len();
        assert_eq!(server.ask(&format!("SELECT count(*) FROM callmark.{table}")), rows.to_string(), "{table}");
    }
    // Decimals are exact, not floating-point.
    let scores = read_csv(&target.join("calls.csv"));
    let sum: i64 = scores.iter().filter(|call| !call["score"].is_empty()).map(|call| millipoints(&call["score"])).sum();
    assert!(sum > 0);
    assert_eq!(server.ask("SELECT (sum(score) * 1000)::bigint FROM callmark.calls"), sum.to_string());
    let views = server.ask("SELECT table_name FROM information_schema.views WHERE table_schema = 'callmark'");
    assert_eq!(views.lines().count(), 5, "{views}");
    for view in views.lines() {
        assert_ne!(server.ask(&format!("SELECT count(*) FROM callmark.{view}")), "0", "{view}");
    }
}
