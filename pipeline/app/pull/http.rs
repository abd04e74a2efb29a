//! A file over HTTP: goes on where it stopped, tries again when a connection breaks, and says in words what is wrong.

use std::io::{ErrorKind, Read as _};
use std::time::Duration;

use anyhow::{Result, anyhow};
use callmark_models::manifest::ModelEntry;
use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, Proxy};

use super::part::Part;
use super::{PIECE_BYTES, Progress, megabytes};

/// Tries in a row that bring nothing.
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const SILENCE: Duration = Duration::from_secs(60);

const OFFLINE: &str = "without a network here, fetch the file on another machine and give its folder with --mirror DIR; behind a proxy, set HTTPS_PROXY";

/// Why a try failed.
struct Trouble {
    error: anyhow::Error,
    /// Another try may do better.
    passing: bool,
    /// The server's wish.
    pause: Option<Duration>,
}

impl Trouble {
    fn passing(message: String, hint: &str) -> Trouble {
        Trouble { error: anyhow!("{message}\nhint: {hint}"), passing: true, pause: None }
    }

    fn lasting(message: String, hint: &str) -> Trouble {
        Trouble { error: anyhow!("{message}\nhint: {hint}"), passing: false, pause: None }
    }
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Trouble {
        Trouble { error, passing: false, pause: None }
    }
}

/// Appends to the part until it has all bytes.
///
/// # Errors
/// Some trouble will not pass, or several tries in a row brought nothing.
pub fn fetch(url: &str, entry: &ModelEntry, part: &mut Part, progress: &Progress) -> Result<()> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(SILENCE))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .user_agent(concat!("callmark/", env!("CARGO_PKG_VERSION")))
        .proxy(Proxy::try_from_env())
        // The machine's own authorities: where TLS is inspected, the company's is among them.
        .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
        .build()
        .into();
    let (mut most, mut idle) = (part.length(), 0);
    while part.length() < entry.bytes {
        let Err(trouble) = attempt(&agent, url, entry, part, progress) else { continue };
        if !trouble.passing {
            return Err(trouble.error);
        }
        if part.length() > most {
            (most, idle) = (part.length(), 0);
        } else {
            idle += 1;
        }
        if idle >= TRIES {
            return Err(trouble.error);
        }
        let pause = trouble.pause.unwrap_or(FIRST_PAUSE * 2u32.pow(idle.saturating_sub(1))).min(LONGEST_PAUSE);
        let message = trouble.error.to_string();
        let first_line = message.lines().next().unwrap_or_default();
        progress.message(&format!("{first_line}; trying again in {:.1} s", pause.as_secs_f64()));
        std::thread::sleep(pause);
    }
    Ok(())
}

fn attempt(agent: &Agent, url: &str, entry: &ModelEntry, part: &mut Part, progress: &Progress) -> Result<(), Trouble> {
    let begin = part.length();
    // Compressed pieces could not be continued.
    let mut request = agent.get(url).header(header::ACCEPT_ENCODING, "identity");
    if begin > 0 {
        request = request.header(header::RANGE, format!("bytes={begin}-"));
        if let Some(tag) = part.tag(url) {
            request = request.header(header::IF_RANGE, tag);
        }
    }
    let response = request.call().map_err(|error| no_answer(url, &error))?;
    accept(url, entry, part, &response)?;
    let mut body = response.into_body().into_reader();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let broke = |cause: String, part: &Part| {
            let message = format!("the connection to {} ended after {}: {cause}", host(url), megabytes(part.length()));
            Trouble::passing(message, "run the same command again; it goes on where it stopped")
        };
        let count = match body.read(&mut piece) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(broke(error.to_string(), part)),
        };
        if count == 0 {
            let whole = part.length() == entry.bytes;
            return if whole { Ok(()) } else { Err(broke("no more bytes came".to_string(), part)) };
        }
        if part.length() + count as u64 > entry.bytes {
            part.restart()?;
            return Err(Trouble::lasting(
                format!("{} sends more than the {} bytes of {}", shown(url), entry.bytes, entry.name),
                "it is another file or version; use another --mirror",
            ));
        }
        if part.length() == 0 && piece[..count].trim_ascii_start().starts_with(b"<") {
            return Err(web_page(url));
        }
        part.append(&piece[..count])?;
        progress.at(part.length());
    }
}

/// Looks at status and headers, and brings the part to where the answer begins.
fn accept(url: &str, entry: &ModelEntry, part: &mut Part, response: &Response<Body>) -> Result<(), Trouble> {
    let headers = response.headers();
    match response.status() {
        StatusCode::PARTIAL_CONTENT => {
            let piece =
                headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok()).and_then(content_range);
            match piece {
                Some((begin, total)) if begin == part.length() && total.is_none_or(|total| total == entry.bytes) => {
                    Ok(())
                }
                _ => {
                    part.restart()?;
                    let message = format!("{} sent another piece of the file than was asked for", host(url));
                    Err(Trouble::passing(message, "use another --mirror"))
                }
            }
        }
        StatusCode::OK => {
            // No ranges here, or the file changed since: this is the file from its beginning.
            part.restart()?;
            let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
            if kind.starts_with("text/html") {
                return Err(web_page(url));
            }
            if let Some(length) = number(headers, header::CONTENT_LENGTH)
                && length != entry.bytes
            {
                return Err(Trouble::lasting(
                    format!("{} has {length} bytes instead of the {} of {}", shown(url), entry.bytes, entry.name),
                    "it is another file or version; use another --mirror",
                ));
            }
            // A weak tag does not promise equal bytes.
            let tag = headers.get(header::ETAG).and_then(|value| value.to_str().ok());
            if let Some(tag) = tag.filter(|tag| !tag.starts_with("W/")) {
                part.remember_tag(url, tag);
            }
            Ok(())
        }
        StatusCode::RANGE_NOT_SATISFIABLE => {
            part.restart()?;
            let message = format!("{} does not have the piece that is missing", host(url));
            Err(Trouble::passing(message, "use another --mirror"))
        }
        status => Err(refused(url, status, number(headers, header::RETRY_AFTER))),
    }
}

fn refused(url: &str, status: StatusCode, retry_after_s: Option<u64>) -> Trouble {
    let message = format!("{} answered {status}", shown(url));
    match status.as_u16() {
        404 | 410 => Trouble::lasting(
            message,
            "the file is not there (any more); with --mirror, the address must stand directly before the file's name",
        ),
        401 | 403 => Trouble::lasting(
            message,
            "the server does not give it to everybody; use another --mirror, or fetch the file with a browser and take it in with `callmark models add FILE`",
        ),
        407 => Trouble::lasting(
            message,
            "the proxy wants a name and a password: HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT",
        ),
        408 | 425 | 429 | 500.. => Trouble {
            pause: retry_after_s.map(Duration::from_secs),
            ..Trouble::passing(message, "the server has a problem; try again later or use another --mirror")
        },
        _ => Trouble::lasting(message, "use another --mirror"),
    }
}

fn no_answer(url: &str, error: &ureq::Error) -> Trouble {
    let host = host(url);
    match error {
        ureq::Error::HostNotFound => {
            Trouble::passing(format!("the name {host} is not known to this machine's network"), OFFLINE)
        }
        ureq::Error::ConnectProxyFailed(cause) => Trouble::lasting(
            format!("the proxy does not connect to {host}: {cause}"),
            "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY; the proxy may have to allow the address",
        ),
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::Pem(_) => untrusted(&host, error),
        ureq::Error::Io(cause) if cause.kind() == ErrorKind::InvalidData => untrusted(&host, error),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::TooManyRedirects | ureq::Error::RedirectFailed => {
            Trouble::lasting(format!("{} cannot be asked: {error}", shown(url)), "check the address")
        }
        _ => Trouble::passing(format!("there is no connection to {host}: {error}"), OFFLINE),
    }
}

fn untrusted(host: &str, error: &ureq::Error) -> Trouble {
    Trouble::lasting(
        format!("the certificate of {host} is not trusted: {error}"),
        "where TLS is inspected, install the company's certificate authority in the system, or name it with SSL_CERT_FILE",
    )
}

fn web_page(url: &str) -> Trouble {
    Trouble::lasting(
        format!("{} sent a web page instead of the file", host(url)),
        "a proxy or a sign-in page stands between; check HTTPS_PROXY, or fetch the file elsewhere and give its folder with --mirror DIR",
    )
}

fn number(headers: &HeaderMap, name: header::HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// `bytes 100-199/5000` → (100, 5000); `*` for an unknown length.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}

/// An address without a name and password in it.
pub fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_string() };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    format!("{scheme}://{}/{path}", authority.rsplit('@').next().unwrap_or(authority))
}

fn host(url: &str) -> String {
    shown(url).split('/').nth(2).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read_and_passwords_are_not_shown() {
        assert_eq!(content_range("bytes 100-199/5000"), Some((100, Some(5000))));
        assert_eq!(content_range("bytes 0-9/*"), Some((0, None)));
        for wrong in ["", "bytes */5000", "100-199/5000", "bytes -5/10"] {
            assert_eq!(content_range(wrong), None, "{wrong}");
        }
        assert_eq!(shown("https://ann:secret@mirror:8443/m/f.bin"), "https://mirror:8443/m/f.bin");
        assert_eq!(host("http://a.example/x"), "a.example");
    }
}
