//! Certificates in files (PEM): whom `hybi connect` trusts, and who `hybi echo` is.

use std::path::Path;
use std::sync::Arc;

use hybi_std::rustls::pki_types::pem::PemObject as _;
use hybi_std::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use hybi_std::rustls::{ClientConfig, RootCertStore, ServerConfig, crypto};

/// A client that trusts the authorities in this file, and nobody else.
pub(crate) fn client_config(authorities: &Path) -> Result<Arc<ClientConfig>, String> {
    let cannot = |error: &dyn std::fmt::Display| format!("cannot use {}: {error}", authorities.display());
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authorities)? {
        roots.add(certificate).map_err(|error| cannot(&error))?;
    }
    let builder = ClientConfig::builder_with_provider(ring()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| cannot(&error))?.with_root_certificates(roots);
    Ok(Arc::new(builder.with_no_client_auth()))
}

/// A server with this certificate, the ones between it and the authority behind it, and its key.
pub(crate) fn server_config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let chain = certificates(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| format!("cannot read a key from {}: {error}", key.display()))?;
    let builder = ServerConfig::builder_with_provider(ring()).with_safe_default_protocol_versions();
    let config = builder.and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private));
    let config = config
        .map_err(|error| format!("cannot use {} with {}: {error}", certificate.display(), key.display()))?;
    Ok(Arc::new(config))
}

/// At least one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if certificates.is_empty() => {
            Err(format!("there is no certificate in {}", file.display()))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("cannot read certificates from {}: {error}", file.display())),
    }
}

fn ring() -> Arc<crypto::CryptoProvider> {
    Arc::new(crypto::ring::default_provider())
}
