//! TLS to PostgreSQL: asked for in the address, and then verified.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::DbError;

/// Makes the choice of `config` a firm one, and answers what makes its connections.
///
/// `sslmode=require` in the address is TLS whose certificate must lead to an authority
/// in `ca`, or to one of the system's, and must name the host. Without it there is no
/// TLS: what would be used only if offered protects from nobody.
pub(crate) fn connector(
    config: &mut tokio_postgres::Config,
    ca: Option<&Path>,
) -> Result<MakeRustlsConnect, DbError> {
    let mut roots = RootCertStore::empty();
    if config.get_ssl_mode() == SslMode::Require {
        trust(&mut roots, ca)?;
    } else {
        config.ssl_mode(SslMode::Disable);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| DbError::Unavailable(format!("TLS to the database: {e}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(client))
}

fn trust(roots: &mut RootCertStore, ca: Option<&Path>) -> Result<(), DbError> {
    let Some(file) = ca else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(());
    };
    let wrong =
        |e: &dyn std::fmt::Display| DbError::Unavailable(format!("database.ca, {}: {e}", file.display()));
    for certificate in CertificateDer::pem_file_iter(file).map_err(|e| wrong(&e))? {
        let certificate = certificate.map_err(|e| wrong(&e))?;
        roots.add(certificate).map_err(|e| wrong(&e))?;
    }
    if roots.is_empty() {
        return Err(wrong(&"it holds no certificate"));
    }
    Ok(())
}
