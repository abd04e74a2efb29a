//! Getting, checking, adding and removing models, against a server on this machine that breaks off, lies and refuses.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::harness::{Place, Ran, project};

/// What the server was asked.
#[derive(Debug, Clone)]
struct Request {
    target: String,
    range_begin: Option<usize>,
    if_range: Option<String>,
}

/// What it answers. It sends `send` bytes of the body and closes the connection.
struct Reply {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    send: usize,
    /// After every 256 KiB.
    pause: Duration,
}

impl Reply {
    fn new(status: &'static str, body: Vec<u8>) -> Reply {
        let headers = vec![("Content-Length", body.len().to_string())];
        Reply { status, headers, send: body.len(), body, pause: Duration::ZERO }
    }

    /// The file as a good server gives it.
    fn file(bytes: &[u8], request: &Request) -> Reply {
        let mut reply = match request.range_begin {
            Some(begin) => {
                let mut reply = Reply::new("206 Partial Content", bytes[begin..].to_vec());
                let range = format!("bytes {begin}-{}/{}", bytes.len() - 1, bytes.len());
                reply.headers.push(("Content-Range", range));
                reply
            }
            None => Reply::new("200 OK", bytes.to_vec()),
        };
        reply.headers.push(("ETag", "\"v1\"".to_string()));
        reply
    }

    fn cut_after(mut self, bytes: usize) -> Reply {
        self.send = self.send.min(bytes);
        self
    }
}

struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
    sent: Arc<Mutex<Vec<usize>>>,
}

impl Server {
    /// `answer` gets the number of the request, from 0.
    fn start(answer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, sent) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let server = Server { port, seen: seen.clone(), sent: sent.clone() };
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, sent, answer) = (seen.clone(), sent.clone(), answer.clone());
                std::thread::spawn(move || {
                    while let Some(request) = read_request(&stream) {
                        let tunnel = request.target.starts_with("CONNECT ");
                        let number = {
                            let mut seen = seen.lock().unwrap();
                            seen.push(request.clone());
                            seen.len() - 1
                        };
                        let reply = answer(number, &request);
                        let count = write_reply(&stream, &reply);
                        sent.lock().unwrap().push(count);
                        if !(tunnel && reply.status.starts_with("200")) {
                            break;
                        }
                    }
                });
            }
        });
        server
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/ours.bin", self.port)
    }

    fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    fn sent(&self) -> usize {
        self.sent.lock().unwrap().iter().sum()
    }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut request =
        Request { target: line.trim_end().rsplit_once(' ')?.0.to_string(), range_begin: None, if_range: None };
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { return Some(request) };
        match name.to_ascii_lowercase().as_str() {
            "range" => request.range_begin = value.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok(),
            "if-range" => request.if_range = Some(value.to_string()),
            _ => {}
        }
    }
}

fn write_reply(mut stream: &TcpStream, reply: &Reply) -> usize {
    let headers: String = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    if stream.write_all(format!("HTTP/1.1 {}\r\n{headers}\r\n", reply.status).as_bytes()).is_err() {
        return 0;
    }
    let mut count = 0;
    for piece in reply.body[..reply.send].chunks(256 << 10) {
        if stream.write_all(piece).is_err() {
            break;
        }
        count += piece.len();
        std::thread::sleep(reply.pause);
    }
    let _ = stream.flush();
    count
}

fn starter_path() -> PathBuf {
    project().join("models/starter/starter-en-q8_0.bin")
}

fn starter() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| fs::read(starter_path()).unwrap())
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn own_models(place: &Place) -> PathBuf {
    place.folder.path().join("data/callmark/models")
}

/// A company's list with one model, `ours`.
fn offer(place: &Place, url: &str, bytes: &[u8]) {
    fs::create_dir_all(own_models(place)).unwrap();
    let hash = sha256(bytes);
    let size = bytes.len();
    let list = format!(
        "[[model]]\nname = \"ours\"\nfile = \"ours.bin\"\nurl = \"{url}\"\nbytes = {size}\nsha256 = \"{hash}\"\nlanguages = [\"en\"]\n"
    );
    fs::write(own_models(place).join("models.toml"), list).unwrap();
}

/// A command that knows no proxy of this machine.
fn command(place: &Place, arguments: &[&str]) -> Command {
    let mut command = place.command(arguments);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_ascii_lowercase());
    }
    command
}

fn run(place: &Place, arguments: &[&str]) -> Ran {
    Ran::new(command(place, arguments).output().unwrap())
}

fn pull(place: &Place) -> Ran {
    run(place, &["models", "pull", "ours"])
}

/// The names in the user's models folder.
pub fn files(place: &Place) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(own_models(place))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "models.toml")
        .collect();
    names.sort();
    names
}

fn pulled(place: &Place) -> Vec<u8> {
    fs::read(own_models(place).join("ours.bin")).unwrap()
}

/// Different offsets in every run; a failing run names its seed.
fn seed() -> u64 {
    let seed = std::env::var("CALLMARK_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("CALLMARK_TEST_SEED={seed}");
    seed
}

fn random(seed: u64, number: u64, below: usize) -> usize {
    let hash = Sha256::digest(format!("{seed} {number}").as_bytes());
    usize::from_le_bytes(hash[..8].try_into().unwrap()) % below
}

#[track_caller]
pub fn refused(ran: &Ran, parts: &[&str]) {
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    for part in parts.iter().chain(&["hint: "]) {
        assert!(ran.stderr.contains(part), "{part} is not in: {}", ran.stderr);
    }
}

#[test]
fn a_transfer_that_breaks_off_five_times_goes_on_where_it_stopped() {
    let place = Place::new();
    let seed = seed();
    let server = Server::start(move |number, request| {
        let reply = Reply::file(starter(), request);
        if number < 5 { reply.cut_after(1 + random(seed, number as u64, 3_000_000)) } else { reply }
    });
    offer(&place, &server.url(), starter());
    let ran = pull(&place).expect(0);
    assert!(ran.stdout.contains("SHA-256 are right"), "{}", ran.stdout);
    assert!(pulled(&place) == starter());
    assert_eq!(files(&place), ["ours.bin"]);
    let (seen, sent) = (server.seen(), server.sent.lock().unwrap().clone());
    assert_eq!(seen.len(), 6);
    let mut had = 0;
    for (request, sent) in seen.iter().zip(sent) {
        assert_eq!(request.range_begin.unwrap_or(0), had, "what was there is not fetched again");
        assert_eq!(request.if_range.is_some(), had > 0);
        had += sent;
    }
    assert_eq!(had, starter().len());
    assert!(pull(&place).expect(0).stdout.contains("was there already"));
    assert_eq!(server.seen().len(), 6, "an intact file is not asked for");
}

#[test]
fn a_pull_that_is_killed_five_times_goes_on_where_it_stopped() {
    let place = Place::new();
    let seed = seed();
    let server =
        Server::start(|_, request| Reply { pause: Duration::from_millis(10), ..Reply::file(starter(), request) });
    offer(&place, &server.url(), starter());
    let part = own_models(&place).join("ours.bin.part");
    let length = || fs::metadata(&part).map_or(0, |facts| facts.len() as usize);
    let mut starts = vec![0];
    for number in 0..5 {
        let aim = length() + 100_000 + random(seed, number, 2_500_000);
        let mut child = command(&place, &["models", "pull", "ours"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while length() < aim {
            assert!(child.try_wait().unwrap().is_none(), "it ended at {} of {aim}", length());
            assert!(began.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!own_models(&place).join("ours.bin").exists());
        starts.push(length());
    }
    pull(&place).expect(0);
    assert!(pulled(&place) == starter());
    assert_eq!(files(&place), ["ours.bin"]);
    let asked: Vec<usize> = server.seen().iter().map(|request| request.range_begin.unwrap_or(0)).collect();
    assert_eq!(asked, starts, "each one goes on where the one before was killed");
}

#[test]
fn a_server_without_ranges_is_asked_for_the_whole_file_again() {
    let place = Place::new();
    let server = Server::start(|number, _| {
        let reply = Reply::new("200 OK", starter().to_vec());
        if number == 0 { reply.cut_after(5_000_000) } else { reply }
    });
    offer(&place, &server.url(), starter());
    pull(&place).expect(0);
    assert!(pulled(&place) == starter());
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_file_that_changed_between_two_tries_is_not_glued_together() {
    // A server that knows If-Range gives the new version from its beginning.
    let place = Place::new();
    let server = Server::start(|number, request| {
        if number == 0 {
            let old: Vec<u8> = starter().iter().map(|byte| byte ^ 1).collect();
            // Its beginning is that of a model still.
            return Reply::file(&[&starter()[..100], &old[100..]].concat(), request).cut_after(5_000_000);
        }
        assert_eq!(request.if_range.as_deref(), Some("\"v1\""));
        let mut reply = Reply::new("200 OK", starter().to_vec());
        reply.headers.push(("ETag", "\"v2\"".to_string()));
        reply
    });
    offer(&place, &server.url(), starter());
    pull(&place).expect(0);
    assert!(pulled(&place) == starter());

    // One that does not know it: the SHA-256 decides, and the file is fetched once more.
    let place = Place::new();
    let part = own_models(&place).join("ours.bin.part");
    let server = Server::start(|_, request| Reply::file(starter(), request));
    offer(&place, &server.url(), starter());
    fs::write(&part, vec![b'g'; 5_000_000]).unwrap();
    let ran = pull(&place).expect(0);
    assert!(ran.stderr.contains("does not fit"), "{}", ran.stderr);
    assert!(pulled(&place) == starter());
    let asked: Vec<_> = server.seen().iter().map(|request| request.range_begin).collect();
    assert_eq!(asked, [Some(5_000_000), None]);
}

#[test]
fn wrong_files_are_refused_and_leave_nothing_behind() {
    let mut flipped = starter().to_vec();
    flipped[9_000_000] ^= 1;
    // A mirror that lists a hostile file with the right hash: the structure decides.
    let mut absurd = starter().to_vec();
    let name = b"decoder.token_embedding.weight";
    let at = absurd.windows(name.len()).position(|window| window == name).unwrap();
    absurd[at - 4..at].copy_from_slice(&i32::MAX.to_le_bytes());
    let page = b"<!DOCTYPE html><html><title>Sign in</title></html>".to_vec();
    let html = |body: Vec<u8>| {
        let mut reply = Reply::new("200 OK", body);
        reply.headers.push(("Content-Type", "text/html; charset=utf-8".to_string()));
        reply
    };
    let long_page = [page.clone(), vec![b' '; starter().len() - page.len()]].concat();
    type Answer = Box<dyn Fn(usize, &Request) -> Reply + Send + Sync>;
    let cases: Vec<(&str, Vec<u8>, Answer, Vec<&str>)> = vec![
        (
            "a flipped byte",
            starter().to_vec(),
            Box::new(move |_, request| Reply::file(&flipped, request)),
            vec!["SHA-256", "thrown away", "--mirror"],
        ),
        (
            "absurd sizes",
            absurd.clone(),
            Box::new(move |_, request| Reply::file(&absurd, request)),
            vec!["decoder.token_embedding.weight", "2147483647"],
        ),
        (
            "a shorter file",
            starter().to_vec(),
            Box::new(|_, _| Reply::new("200 OK", starter()[..16_000_000].to_vec())),
            vec!["16000000 bytes instead of", "another file or version"],
        ),
        (
            "a longer file of unknown length",
            starter().to_vec(),
            Box::new(|_, _| {
                let mut reply = Reply::new("200 OK", [starter(), b"more"].concat());
                reply.headers.clear();
                reply
            }),
            vec!["sends more than"],
        ),
        ("a page", starter().to_vec(), Box::new(move |_, _| html(page.clone())), vec!["web page", "HTTPS_PROXY"]),
        (
            "a page of the right length under a wrong type",
            starter().to_vec(),
            Box::new(move |_, _| Reply::new("200 OK", long_page.clone())),
            vec!["web page"],
        ),
        ("404", starter().to_vec(), Box::new(|_, _| Reply::new("404 Not Found", vec![])), vec!["404", "not there"]),
        ("403", starter().to_vec(), Box::new(|_, _| Reply::new("403 Forbidden", vec![])), vec!["403", "models add"]),
    ];
    for (what, offered, answer, parts) in cases {
        let place = Place::new();
        let server = Server::start(answer);
        offer(&place, &server.url(), &offered);
        let ran = pull(&place);
        println!("{what}: {}", ran.stderr);
        refused(&ran, &parts);
        assert_eq!(server.seen().len(), 1, "{what}: nothing is gained by asking again");
        let left = files(&place);
        assert!(left.iter().all(|name| name == "ours.bin.part"), "{what}: {left:?}");
        let part = own_models(&place).join("ours.bin.part");
        assert_eq!(fs::metadata(part).map_or(0, |facts| facts.len()), 0, "{what}: none of it is kept");
    }
}

#[test]
fn trouble_that_passes_is_waited_for_and_other_trouble_is_named() {
    let place = Place::new();
    let server = Server::start(|number, request| match number {
        0 => Reply::new("503 Service Unavailable", vec![]),
        1 => {
            let mut reply = Reply::new("429 Too Many Requests", vec![]);
            reply.headers.push(("Retry-After", "1".to_string()));
            reply
        }
        _ => Reply::file(starter(), request),
    });
    offer(&place, &server.url(), starter());
    let ran = pull(&place).expect(0);
    assert!(ran.stderr.contains("503") && ran.stderr.contains("trying again in 1.0 s"), "{}", ran.stderr);
    assert_eq!(server.seen().len(), 3);

    // Never more than four tries that bring nothing; what is there stays.
    let place = Place::new();
    let server = Server::start(|number, request| {
        if number == 0 { Reply::file(starter(), request).cut_after(1_000_000) } else { Reply::new("500 Oh", vec![]) }
    });
    offer(&place, &server.url(), starter());
    refused(&pull(&place), &["500", "later"]);
    assert_eq!(server.seen().len(), 5);
    assert_eq!(fs::metadata(own_models(&place).join("ours.bin.part")).unwrap().len(), 1_000_000);
    // `rm` also takes what is unfinished.
    run(&place, &["models", "rm", "ours", "--yes"]).expect(0);
    assert_eq!(files(&place), [""; 0]);

    // Nobody listens; a name that no network knows.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    offer(&place, &format!("http://127.0.0.1:{closed}/ours.bin"), starter());
    refused(&pull(&place), &["no connection", "--mirror DIR"]);
    offer(&place, "http://models.invalid/ours.bin", starter());
    refused(&pull(&place), &["models.invalid", "--mirror DIR"]);
    // An address that is none.
    offer(&place, "http://[broken/ours.bin", starter());
    refused(&pull(&place), &["check the address"]);
}

#[test]
fn the_proxy_of_the_environment_is_used() {
    let place = Place::new();
    let server = Server::start(|_, request| {
        if request.target.starts_with("CONNECT ") {
            return Reply { headers: vec![], ..Reply::new("200 Connection established", vec![]) };
        }
        Reply::file(starter(), request)
    });
    offer(&place, "http://models.invalid/ours.bin", starter());
    let proxy = format!("http://127.0.0.1:{}", server.port);
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        let ran = Ran::new(command(&place, &["models", "pull", "ours"]).env(variable, &proxy).output().unwrap());
        ran.expect(0);
        assert!(pulled(&place) == starter());
        fs::remove_file(own_models(&place).join("ours.bin")).unwrap();
    }
    assert!(server.seen().iter().any(|request| request.target.contains("models.invalid")), "{:?}", server.seen());
    let through = server.seen().len();
    let mut direct = command(&place, &["models", "pull", "ours"]);
    direct.env("HTTP_PROXY", &proxy).env("NO_PROXY", "models.invalid");
    refused(&Ran::new(direct.output().unwrap()), &["models.invalid"]);
    assert_eq!(server.seen().len(), through, "NO_PROXY goes past it");

    let refusing = Server::start(|_, _| Reply::new("403 Forbidden", vec![]));
    let mut command = command(&place, &["models", "pull", "ours"]);
    command.env("HTTP_PROXY", format!("http://127.0.0.1:{}", refusing.port));
    refused(&Ran::new(command.output().unwrap()), &["403"]);
}

#[test]
fn mirrors_are_addresses_or_folders() {
    let place = Place::new();
    offer(&place, "http://models.invalid/ours.bin", starter());
    let server = Server::start(|_, request| Reply::file(starter(), request));
    let base = format!("http://127.0.0.1:{}/mirror/", server.port);
    run(&place, &["models", "pull", "ours", "--mirror", &base]).expect(0);
    assert_eq!(server.seen()[0].target, "GET /mirror/ours.bin");
    run(&place, &["models", "rm", "ours", "--yes"]).expect(0);

    let stick = place.folder.path().join("stick");
    fs::create_dir(&stick).unwrap();
    let from = |stick: &Path| run(&place, &["models", "pull", "ours", "--mirror", stick.to_str().unwrap()]);
    refused(&from(&place.folder.path().join("none")), &["there is no folder"]);
    refused(&from(&stick), &["has no ours.bin", "models add"]);
    fs::write(stick.join("ours.bin"), &starter()[..1_000]).unwrap();
    refused(&from(&stick), &["1000 bytes instead of"]);
    let mut flipped = starter().to_vec();
    flipped[100_000] ^= 1;
    fs::write(stick.join("ours.bin"), &flipped).unwrap();
    refused(&from(&stick), &["SHA-256", "thrown away"]);
    fs::write(stick.join("ours.bin"), starter()).unwrap();
    from(&stick).expect(0);
    assert!(pulled(&place) == starter());

    // To another folder, to be carried; callmark does not look there.
    let bag = place.folder.path().join("bag");
    let ran =
        run(&place, &["models", "pull", "ours", "--to", bag.to_str().unwrap(), "--mirror", stick.to_str().unwrap()]);
    assert!(ran.expect(0).stderr.contains("models add ours.bin"));
    assert!(fs::read(bag.join("ours.bin")).unwrap() == starter());
    // What comes with callmark has no address.
    refused(&run(&place, &["models", "pull", "silero-vad"]), &["scripts/setup"]);
    refused(&run(&place, &["models", "pull", "turbo"]), &["did you mean \"large-v3-turbo"]);
}

#[test]
fn two_pulls_at_once_share_one_transfer() {
    let place = Place::new();
    let server =
        Server::start(|_, request| Reply { pause: Duration::from_millis(5), ..Reply::file(starter(), request) });
    offer(&place, &server.url(), starter());
    let start = || {
        let mut command = command(&place, &["models", "pull", "ours"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..3).map(|_| start()).collect();
    let outputs: Vec<Ran> =
        children.into_iter().map(|child| Ran::new(child.wait_with_output().unwrap()).expect(0)).collect();
    assert!(pulled(&place) == starter());
    assert_eq!(files(&place), ["ours.bin"]);
    assert_eq!((server.seen().len(), server.sent()), (1, starter().len()));
    let waited = outputs.iter().filter(|ran| ran.stderr.contains("waiting")).count();
    let there = outputs.iter().filter(|ran| ran.stdout.contains("was there already")).count();
    assert_eq!((waited, there), (2, 2));
}

#[test]
fn a_full_disk_is_noticed_before_the_first_byte() {
    let place = Place::new();
    let disk = place.folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(&disk).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        return eprintln!("skipped: this user may not mount a small disk");
    }
    let server = Server::start(|_, request| Reply::file(starter(), request));
    offer(&place, &server.url(), starter());
    let ran = run(&place, &["models", "pull", "ours", "--to", disk.to_str().unwrap()]);
    let seen = server.seen().len();
    Command::new("umount").arg(&disk).status().unwrap();
    refused(&ran, &["8 MB free", "--to DIR"]);
    assert_eq!(seen, 0);
}

#[test]
fn own_models_are_added_verified_used_and_removed() {
    let place = Place::new();
    let file = place.folder.path().join("ggml-company.bin");
    fs::copy(starter_path(), &file).unwrap();
    let file_text = file.to_str().unwrap();
    let wrong = "0".repeat(64);
    refused(&run(&place, &["models", "add", file_text, "--name", "ours", "--sha256", &wrong]), &["instead of"]);
    refused(&run(&place, &["models", "add", file_text, "--name", "a/b"]), &["--name"]);
    refused(&run(&place, &["models", "add", file_text, "--name", "ours", "--language", "zh"]), &["English-only"]);
    refused(&run(&place, &["models", "add", file_text, "--name", "tiny"]), &["another model named tiny"]);
    let hash = sha256(starter()).to_uppercase();
    run(&place, &["models", "add", file_text, "--name", "ours", "--sha256", &hash]).expect(0);
    let list = fs::read_to_string(own_models(&place).join("models.toml")).unwrap();
    let again = run(&place, &["models", "add", file_text, "--name", "ours"]).expect(0);
    assert!(again.stdout.contains("was there already"));
    assert_eq!(fs::read_to_string(own_models(&place).join("models.toml")).unwrap(), list);
    assert_eq!(files(&place), ["added"]);

    let rows = run(&place, &["models", "list", "--json"]).expect(0).json();
    let ours = rows.as_array().unwrap().iter().find(|row| row["name"] == "ours").unwrap().clone();
    assert_eq!((&ours["installed"], &ours["used"]), (&true.into(), &true.into()), "the best installed one: {ours}");
    let table = run(&place, &["models", "list"]).expect(0).stdout;
    assert!(table.contains("callmark models pull"), "{table}");
    let row = |ran: &Ran, name: &str| ran.json().as_array().unwrap().iter().find(|row| row["name"] == name).cloned();
    let verified = run(&place, &["models", "verify", "--json"]).expect(0);
    assert_eq!(row(&verified, "ours").unwrap()["ok"], true);
    assert_eq!(row(&verified, "starter-en").unwrap()["ok"], true);

    // It is used like the starter, with its settings: the same words at the same times.
    let call = project().join("sample-audio/T-1010.mp3");
    let out = |name: &str| place.folder.path().join(name);
    let words = |model: &str| {
        let (out, store) = (out(model), out(&format!("{model}.db")));
        let arguments = ["run", "--json", "--model", model, "--jobs", "1", "--out", out.to_str().unwrap()];
        let ran =
            run(&place, &[&arguments[..], &["--store", store.to_str().unwrap(), call.to_str().unwrap()]].concat());
        assert_eq!(ran.expect(0).json()["recogniser"], model);
        let captions = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
        let captions: Vec<PathBuf> = captions.filter(|path| path.extension().is_some_and(|end| end == "vtt")).collect();
        assert_eq!(captions.len(), 1);
        fs::read_to_string(&captions[0]).unwrap()
    };
    let spoken = words("ours");
    assert!(spoken.len() > 500);
    assert_eq!(spoken, words("starter-en"));

    // Damage is found; the file is replaced by adding it again.
    let copy = own_models(&place).join("added/ours.bin");
    let mut damaged = starter().to_vec();
    damaged[8_000_000] ^= 1;
    fs::write(&copy, &damaged).unwrap();
    let verified = run(&place, &["models", "verify", "ours"]).expect(2);
    assert!(verified.stdout.contains("FAILED") && verified.stderr.contains("SHA-256"), "{}", verified.stderr);
    refused(&run(&place, &["run", "--model", "ours", call.to_str().unwrap()]), &["SHA-256"]);
    run(&place, &["models", "add", file_text, "--name", "ours"]).expect(0);
    run(&place, &["models", "verify", "ours"]).expect(0);
    run(&place, &["models", "verify", "tiny"]).expect(2);
    refused(&run(&place, &["models", "verify", "tiniest"]), &["no model named"]);

    refused(&run(&place, &["models", "rm", "ours"]), &["--yes"]);
    run(&place, &["models", "rm", "ours", "--yes"]).expect(0);
    assert_eq!(fs::read_dir(own_models(&place).join("added")).unwrap().count(), 0);
    assert!(!own_models(&place).join("models.toml").exists());
    refused(&run(&place, &["models", "rm", "ours", "--yes"]), &["no model named"]);
    refused(&run(&place, &["models", "rm", "starter-en", "--yes"]), &["not in your own models folder"]);
    refused(&run(&place, &["models", "rm", "tiny", "--yes"]), &["not installed"]);
}

#[test]
fn files_that_are_no_models_are_not_added() {
    let place = Place::new();
    let add = |name: &str, bytes: &[u8]| {
        let path = place.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        run(&place, &["models", "add", path.to_str().unwrap()])
    };
    refused(&add("page.bin", b"<!DOCTYPE html><html><body>404</body></html>"), &["web page"]);
    refused(&add("cut.bin", &starter()[..10_000_000]), &["ends in the middle"]);
    refused(&add("pointer.bin", b"version https://git-lfs.github.com/spec/v1\noid sha256:00"), &["Git LFS"]);
    refused(&add("empty.bin", b""), &["ends in the middle"]);
    refused(&run(&place, &["models", "add", "none.bin"]), &["none.bin"]);
    assert!(!own_models(&place).exists());
    // The starter under any file name is the starter.
    let ran = add("renamed.bin", starter()).expect(0);
    assert!(ran.stdout.starts_with("starter-en: added"), "{}", ran.stdout);
    assert_eq!(files(&place), ["starter-en-q8_0.bin"]);
    assert!(add("renamed.bin", starter()).expect(0).stdout.contains("was there already"));
    // A broken list is named by every command that needs it.
    fs::write(own_models(&place).join("models.toml"), "[[model]]\nname = 1\n").unwrap();
    refused(&run(&place, &["models", "list"]), &["models.toml", "line 2"]);
}

#[test]
fn nothing_but_pull_touches_the_network() {
    let place = Place::new();
    let server = Server::start(|_, request| Reply::file(starter(), request));
    offer(&place, &server.url(), starter());
    let call = project().join("sample-audio/T-1010.mp3");
    let proxy = format!("http://127.0.0.1:{}", server.port);
    let out = place.out();
    for arguments in [
        vec!["models", "list"],
        vec!["models", "verify"],
        vec!["doctor"],
        vec!["run", "--jobs", "1", "--out", out.to_str().unwrap(), call.to_str().unwrap()],
        vec!["run", "--model", "ours", call.to_str().unwrap()],
    ] {
        let ran = Ran::new(command(&place, &arguments).env("ALL_PROXY", &proxy).output().unwrap());
        match arguments.as_slice() {
            ["run", "--model", ..] => refused(&ran, &["not installed", "models pull"]),
            ["run", ..] => {
                assert_eq!(ran.code, 0, "{}", ran.stderr);
                for part in ["notice: only the starter", "callmark models pull ", "cores"] {
                    assert!(ran.stderr.contains(part), "{part} is not in {}", ran.stderr);
                }
            }
            _ => assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr),
        }
    }
    assert!(server.seen().is_empty(), "{:?}", server.seen());
    pull(&place).expect(0);
    assert_eq!(server.seen().len(), 1, "and pull does");
}
