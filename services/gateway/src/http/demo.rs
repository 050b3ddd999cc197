//! `/demo`: the page on which people talk by hand, in development only.
//!
//! The page is part of the program; the official client of Socket.IO is not. It is read from
//! where npm put it, so that nothing of it is in what production runs.

use std::path::{Path, PathBuf};

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

/// The page runs what it brings and talks to this address alone. What people recorded is
/// played from memory before it is sent.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const PAGE: &str = "text/html; charset=utf-8";

/// The path of the official client below `/demo/`.
const CLIENT: &str = "socket.io.js";
/// What the official client may have; the real one has 45 kB.
const LARGEST_CLIENT: u64 = 1 << 20;

macro_rules! part {
    ($name:literal, $kind:expr) => {
        ($name, $kind, include_str!(concat!("assets/demo/", $name)))
    };
}

/// Name, type and content of what the page consists of.
const PARTS: [(&str, &str, &str); 12] = [
    part!("index.html", PAGE),
    part!("demo.css", STYLE),
    part!("main.js", SCRIPT),
    part!("account.js", SCRIPT),
    part!("line.js", SCRIPT),
    part!("talk.js", SCRIPT),
    part!("company.js", SCRIPT),
    part!("bubble.js", SCRIPT),
    part!("booth.js", SCRIPT),
    part!("sound.js", SCRIPT),
    part!("lists.js", SCRIPT),
    part!("dom.js", SCRIPT),
];

/// The page, where there is one.
#[derive(Clone, Debug)]
pub(crate) struct Demo {
    client: PathBuf,
}

impl Demo {
    /// A page whose client of Socket.IO is the file `client`, which need not be there yet; none
    /// where no file is named, as in production.
    pub(crate) fn new(client: &Path) -> Option<Self> {
        let named = !client.as_os_str().is_empty();
        named.then(|| Self {
            client: client.to_owned(),
        })
    }

    /// A file of the page, if that is what is asked for. They are no operations of the interface.
    pub(crate) async fn answer(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let rest = request.path().strip_prefix("/demo")?;
        let name = match rest {
            "" | "/" => "index.html",
            path => path.strip_prefix('/')?,
        };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        if name == CLIENT {
            return Some(self.client().await);
        }
        let (_, kind, content) = PARTS.iter().find(|(part, ..)| *part == name)?;
        Some(answer(StatusCode::OK, kind).body(*content))
    }

    async fn client(&self) -> HttpResponse {
        match read(&self.client).await {
            Ok(script) => answer(StatusCode::OK, SCRIPT).body(script),
            Err(error) => {
                let path = self.client.display();
                tracing::info!(%error, %path, "the page under /demo lacks the client of Socket.IO");
                answer(StatusCode::NOT_FOUND, "text/plain; charset=utf-8")
                    .body("The client of Socket.IO is not installed: `make demo` does that.\n")
            }
        }
    }
}

fn answer(status: StatusCode, kind: &str) -> actix_web::HttpResponseBuilder {
    let mut builder = HttpResponse::build(status);
    builder
        .content_type(kind)
        .insert_header(("content-security-policy", POLICY))
        // Another build brings another page.
        .insert_header(("cache-control", "no-cache"));
    builder
}

/// The file, unless it is larger than a client of Socket.IO would be.
async fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    use tokio::io::AsyncReadExt as _;
    let file = tokio::fs::File::open(path).await?;
    let mut bytes = Vec::new();
    let read = file.take(LARGEST_CLIENT + 1).read_to_end(&mut bytes).await?;
    if u64::try_from(read).unwrap_or(u64::MAX) > LARGEST_CLIENT {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}
