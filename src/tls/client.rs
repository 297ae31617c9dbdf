//! The configuration of clients, and explanations of failed handshakes.
//!
//! Clients trust the system's certificates, unless the environment variables `SSL_CERT_FILE` or
//! `SSL_CERT_DIR` name others, as with OpenSSL.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls_native_certs::load_native_certs;
use tokio_rustls::rustls::client::{Resumption, WebPkiServerVerifier};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, ConfigBuilder, Error, RootCertStore, WantsVerifier,
};

use super::trust::Trust;
use super::verify::Listed;

/// The cure for a certificate of an untrusted CA.
const TRUST_IT: &str = "set SSL_CERT_FILE to a PEM file with the certificate of the CA that it \
                        comes from (`bench` also takes that file as --cacert)";

/// Installs ring as the process's default provider of cryptography, for libraries that use the
/// default.
pub fn install_provider() {
    // An error means that a provider is already installed, which is sufficient.
    let _ = ring::default_provider().install_default();
}

/// The configuration of a client that trusts these certificates.
///
/// # Errors
/// Returns an error if no certificate is trusted: none is installed, or the file of them cannot be
/// read.
pub fn client(trust: &Trust) -> io::Result<ClientConfig> {
    match trust {
        Trust::System => trusting(system()?),
        Trust::File(path) => listed(path),
        Trust::Anyone => verified_by(Listed {
            certificates: Vec::new(),
            usual: None,
            provider: Arc::new(ring::default_provider()),
        }),
    }
}

/// The configuration of a client that trusts what is in a PEM file.
fn listed(path: &Path) -> io::Result<ClientConfig> {
    let invalid = |problem: String| {
        io::Error::other(format!("cannot use --cacert {}: {problem}", path.display()))
    };
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let certificates: Vec<CertificateDer<'static>> =
        certificates.map_err(|error| invalid(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    let (trusted, _) = roots.add_parsable_certificates(certificates.clone());
    if trusted == 0 {
        return Err(invalid("there is no certificate in it: give a PEM file".to_owned()));
    }
    let provider = Arc::new(ring::default_provider());
    let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let usual = Some(usual.build().map_err(io::Error::other)?);
    verified_by(Listed { certificates, usual, provider })
}

/// The system's certificates, or those that `SSL_CERT_FILE` names.
fn system() -> io::Result<RootCertStore> {
    check_cert_file()?;
    let found = load_native_certs();
    let mut roots = RootCertStore::empty();
    let (trusted, _) = roots.add_parsable_certificates(found.certs);
    if trusted > 0 {
        return Ok(roots);
    }
    let why = match found.errors.first() {
        Some(error) => error.to_string(),
        None => "there are none in a PEM file".to_owned(),
    };
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        format!(
            "no certificates to trust ({why}): install ca-certificates, or set SSL_CERT_FILE to \
             a PEM file with them"
        ),
    ))
}

/// Checks that the file which `SSL_CERT_FILE` names can be read, if it is set.
///
/// # Errors
/// The error names the variable and the file.
pub fn check_cert_file() -> io::Result<()> {
    let Some(path) = std::env::var_os("SSL_CERT_FILE") else { return Ok(()) };
    File::open(&path).map(drop).map_err(|error| {
        let path = path.to_string_lossy().into_owned();
        let message = format!(
            "SSL_CERT_FILE from the environment names `{path}`, which cannot be read ({error}): \
             correct it, or unset it to trust the system's certificates"
        );
        io::Error::new(error.kind(), message)
    })
}

/// The configuration of a client that trusts no certificate: for a library that requires a
/// configuration although it is used without TLS.
///
/// # Errors
/// Returns an error if rustls rejects the configuration.
pub fn client_without_trust() -> io::Result<ClientConfig> {
    trusting(RootCertStore::empty())
}

fn trusting(roots: RootCertStore) -> io::Result<ClientConfig> {
    Ok(finished(builder()?.with_root_certificates(roots).with_no_client_auth()))
}

fn verified_by(verifier: Listed) -> io::Result<ClientConfig> {
    let client = builder()?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Ok(finished(client.with_no_client_auth()))
}

fn builder() -> io::Result<ConfigBuilder<ClientConfig, WantsVerifier>> {
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    client.with_safe_default_protocol_versions().map_err(io::Error::other)
}

fn finished(mut client: ClientConfig) -> ClientConfig {
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Sessions are not resumed: each buyer connects for the first time, from its own device.
    client.resumption = Resumption::disabled();
    client
}

/// Explains why a handshake failed, and names the cure.
pub fn explain(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(error)) => explain_certificate(error),
        Some(Error::InvalidMessage(_)) => {
            "it answers, but not in TLS: is it http:// that is meant?".to_owned()
        }
        Some(Error::AlertReceived(alert)) => {
            format!("it refuses the TLS handshake ({alert:?}): is it the right server?")
        }
        _ => format!("the TLS handshake failed ({error}): is it the right server?"),
    }
}

fn explain_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            format!("its certificate is not trusted on this machine: {TRUST_IT}")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired: renew it, or set this machine's clock right. Trust in \
             its CA (SSL_CERT_FILE) does not help"
                .to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet: is this machine's clock right?".to_owned()
        }
        CertificateError::NotValidForName => not_for_name(&[]),
        CertificateError::NotValidForNameContext { presented, .. } => not_for_name(presented),
        CertificateError::Other(other) if other.0.to_string() == "CaUsedAsEndEntity" => {
            format!(
                "its certificate is a CA's own, which is no server's: give exactly \
                 this one to `bench` as --cacert, or have that CA sign another (CA:FALSE), and \
                 {TRUST_IT}"
            )
        }
        // The other errors have the text of rustls.
        other => format!("its certificate is not accepted ({other}): replace it, or {TRUST_IT}"),
    }
}

fn not_for_name(presented: &[String]) -> String {
    let names = if presented.is_empty() {
        "names no host as its subjectAltName".to_owned()
    } else {
        format!("is for {}", presented.join(", "))
    };
    format!(
        "its certificate is for another name: it {names}. Use such a name for the server, or \
         give it a certificate for this one. Trust in its CA (SSL_CERT_FILE) does not help"
    )
}
