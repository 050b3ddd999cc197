//! TLS with a certificate that is exchanged while the gateway runs.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;

use crate::config::TlsSettings;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The certificate in use.
#[derive(Debug)]
pub(crate) struct Certificate {
    settings: TlsSettings,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
    changed_at: Mutex<Option<SystemTime>>,
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(
            self.current
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        )
    }
}

impl Certificate {
    /// Reads the files; the error is a sentence for the operator.
    pub(crate) fn load(settings: &TlsSettings) -> anyhow::Result<Arc<Self>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let current = read(settings, &provider)?;
        Ok(Arc::new(Self {
            settings: settings.clone(),
            provider,
            current: RwLock::new(Arc::new(current)),
            changed_at: Mutex::new(modified(settings)),
        }))
    }

    /// The server's side, speaking HTTP/2 and HTTP/1.1.
    pub(crate) fn server(self: Arc<Self>) -> anyhow::Result<ServerConfig> {
        let mut config = ServerConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Takes changed files over until `stop`. Files that cannot be used change nothing.
    pub(crate) async fn follow(self: Arc<Self>, stop: CancellationToken) {
        while stop
            .run_until_cancelled(tokio::time::sleep(LOOK_EVERY))
            .await
            .is_some()
        {
            self.look();
        }
    }

    fn look(&self) {
        let now = modified(&self.settings);
        let mut changed_at = self.changed_at.lock().unwrap_or_else(PoisonError::into_inner);
        if now == *changed_at {
            return;
        }
        match read(&self.settings, &self.provider) {
            Ok(fresh) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
                *changed_at = now;
                tracing::info!("the certificate was exchanged");
            }
            Err(error) => {
                tracing::error!(%error, "the changed certificate cannot be used; the old one stays");
            }
        }
    }
}

fn read(settings: &TlsSettings, provider: &CryptoProvider) -> anyhow::Result<CertifiedKey> {
    let named = |path: &Path| format!("gateway.tls: {}", path.display());
    let chain = CertificateDer::pem_file_iter(&settings.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| named(&settings.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&settings.key).with_context(|| named(&settings.key))?;
    CertifiedKey::from_der(chain, key, provider).with_context(|| named(&settings.certificate))
}

/// When either file changed last.
fn modified(settings: &TlsSettings) -> Option<SystemTime> {
    let of = |path: &Path| std::fs::metadata(path).ok()?.modified().ok();
    of(&settings.certificate).max(of(&settings.key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path) -> TlsSettings {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (certificate, key) = (dir.join("tls.crt"), dir.join("tls.key"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        TlsSettings { certificate, key }
    }

    #[test]
    fn a_changed_certificate_is_taken_over_and_a_broken_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let certificate = Certificate::load(&write(dir.path())).unwrap();
        let serving = || {
            certificate
                .current
                .read()
                .unwrap()
                .end_entity_cert()
                .unwrap()
                .to_vec()
        };
        let first = serving();
        write(dir.path());
        *certificate.changed_at.lock().unwrap() = None;
        certificate.look();
        let second = serving();
        assert_ne!(first, second);
        std::fs::write(dir.path().join("tls.crt"), "rubbish").unwrap();
        *certificate.changed_at.lock().unwrap() = None;
        certificate.look();
        assert_eq!(second, serving());
    }
}
