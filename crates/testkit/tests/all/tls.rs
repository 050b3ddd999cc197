//! Engines that are reached by TLS: whose certificate is believed, and whose is not.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parlour_db::Db;
use parlour_events::{Broker, BrokerSettings};
use parlour_testkit::{Database, Vhost};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use url::Url;

/// How PostgreSQL's clients ask for TLS (protocol 3.0, SSLRequest): a length and a code.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// An end of TLS before an engine that speaks without, with a certificate of its own.
struct Secured {
    address: SocketAddr,
    folder: TempDir,
}

impl Secured {
    async fn before(engine: String, postgres: bool) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), made.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(pass(client, acceptor.clone(), engine.clone(), postgres));
            }
        });
        Self { address, folder }
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

async fn pass(
    mut client: TcpStream,
    acceptor: TlsAcceptor,
    engine: String,
    postgres: bool,
) -> std::io::Result<()> {
    if postgres {
        let mut asked = [0; SSL_REQUEST.len()];
        client.read_exact(&mut asked).await?;
        if asked != SSL_REQUEST {
            return Ok(());
        }
        client.write_all(b"S").await?;
    }
    let mut secure = acceptor.accept(client).await?;
    let mut engine = TcpStream::connect(engine).await?;
    copy_bidirectional(&mut secure, &mut engine).await.map(drop)
}

fn db(database: &Database, line: &Secured, ca: Option<&Path>, query: &str) -> Db {
    let mut settings = database.settings();
    settings.url = format!("{}{query}", database.url(Some(line.address))).into();
    settings.ca = ca.map(Path::to_owned);
    Db::new(&settings, "counter").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_reached_by_tls_that_is_verified() {
    let database = Database::of(&[crate::demo::counter::service()]).await;
    let line = Secured::before(database.address(), true).await;
    let other = Secured::before(database.address(), true).await;
    let db_of = |ca: Option<&Path>, query: &str| db(&database, &line, ca, query);

    let good = db_of(Some(&line.ca()), "?sslmode=require");
    good.ping().await.unwrap();
    drop(good.session().await.unwrap());

    let stranger = db_of(Some(&other.ca()), "?sslmode=require");
    let refused = stranger.ping().await.unwrap_err().to_string();
    assert!(refused.contains("certificate"), "{refused}");
    let public = db_of(None, "?sslmode=require");
    let refused = public.ping().await.unwrap_err().to_string();
    assert!(refused.contains("certificate"), "{refused}");
    // Nothing is tried in the clear where TLS was asked for, nor TLS where it was not.
    db_of(Some(&line.ca()), "").ping().await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_certificates_is_named() {
    let database = Database::of(&[crate::demo::counter::service()]).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut settings = database.settings();
    settings.url = format!("{}?sslmode=require", database.url(None)).into();
    settings.ca = Some(file.path().to_owned());
    let refused = Db::new(&settings, "counter").err().unwrap().to_string();
    assert!(refused.contains("database.ca"), "{refused}");
    assert!(refused.contains(file.path().to_str().unwrap()), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_is_reached_by_tls_that_is_verified() {
    let vhost = Vhost::create().await;
    let plain = Url::parse(&vhost.url(None)).unwrap();
    let engine = format!("{}:{}", plain.host_str().unwrap(), plain.port().unwrap());
    let line = Secured::before(engine.clone(), false).await;
    let other = Secured::before(engine, false).await;
    let broker = |ca: PathBuf| {
        let secure = vhost.url(Some(line.address)).replacen("amqp://", "amqps://", 1);
        let mut settings = BrokerSettings::at(secure);
        settings.ca = Some(ca);
        Broker::new(settings)
    };

    broker(line.ca()).unwrap().ping().await.unwrap();

    broker(other.ca()).unwrap().ping().await.unwrap_err();
    let missing = line.folder.path().join("missing.pem");
    let refused = broker(missing).err().unwrap().to_string();
    assert!(
        refused.contains("broker.ca") && refused.contains("missing.pem"),
        "{refused}"
    );
}
