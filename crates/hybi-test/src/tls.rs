//! A certificate authority that exists for one run of a test: nothing is read from a file that could expire.
//!
//! ```
//! use hybi_test::tls::Authority;
//! let authority = Authority::new();
//! let server = authority.server_config(&["localhost", "127.0.0.1"]);
//! let client = authority.client_config(); // trusts it, and nobody else
//! # let _ = (server, client);
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};

/// A certificate authority.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key.
#[derive(Debug)]
pub struct Identity {
    key: KeyPair,
    certificate: rcgen::Certificate,
}

/// Files with a certificate, its key, and the authority's certificate, as foreign programs want them; removed when
/// this is dropped.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Authority {
    /// A new one, that nobody else knows.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
        let key = new_key();
        let name = format!("hybi test authority {}", public_key_hash(&key)); // two of the same name are confused
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, key).expect("ring can sign");
        Self { issuer }
    }

    /// A certificate for these names and IP addresses.
    pub fn issue(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |_| {})
    }

    /// One whose time is over.
    pub fn issue_expired(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |params| params.not_after = date_time_ymd(2001, 1, 1))
    }

    fn issue_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("they are names");
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut params);
        let key = new_key();
        let certificate = params.signed_by(&key, &self.issuer).expect("ring can sign");
        Identity { key, certificate }
    }

    /// What a client needs to trust this authority, and nobody else.
    pub fn client_config(&self) -> Arc<ClientConfig> {
        self.client_config_with(rustls::DEFAULT_VERSIONS)
    }

    /// The same in these versions of TLS.
    pub fn client_config_with(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("it is a certificate");
        let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(versions);
        let builder = builder.expect("ring has them").with_root_certificates(roots);
        Arc::new(builder.with_no_client_auth())
    }

    /// What a server with these names needs.
    pub fn server_config(&self, names: &[&str]) -> Arc<ServerConfig> {
        self.issue(names).server_config()
    }
}

impl Identity {
    /// What a server that is this needs.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.expect("ring has them").with_no_client_auth();
        let chain: Vec<CertificateDer<'static>> = vec![self.certificate.der().clone()];
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).expect("it is a key");
        Arc::new(builder.with_single_cert(chain, key).expect("they belong together"))
    }

    /// The hash of the public key, in base64, as browsers can be told to accept it.
    pub fn public_key_hash(&self) -> String {
        public_key_hash(&self.key)
    }

    /// Writes it to files.
    pub fn write(&self, authority: &Authority) -> Files {
        let name =
            format!("hybi-tls-{}-{}", std::process::id(), &self.public_key_hash().replace('/', "-")[..16]);
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).expect("a folder of its own");
        let files = Files { folder };
        let write = |path: PathBuf, text: String| std::fs::write(path, text).expect("there is room");
        write(files.certificate(), self.certificate.pem());
        write(files.key(), self.key.serialize_pem());
        write(files.authority(), authority.issuer.pem());
        files
    }
}

impl Files {
    /// The certificate, for `--tls-cert`.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// Its key, for `--tls-key`.
    pub fn key(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// The authority's certificate, for `--ca`.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// `--tls-cert=..` and `--tls-key=..`, for a foreign server.
    pub fn server_arguments(&self) -> [String; 2] {
        [option("tls-cert", &self.certificate()), option("tls-key", &self.key())]
    }

    /// `--ca=..`, for a foreign client.
    pub fn client_argument(&self) -> String {
        option("ca", &self.authority())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn option(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("ring can")
}

fn public_key_hash(key: &KeyPair) -> String {
    let spki = rcgen::PublicKeyData::subject_public_key_info(key);
    STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, &spki))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
