//! TLS for clients: whom they trust, and what a failed handshake means (cargo feature `tls`).
//!
//! Trusted are the system's certificates, or instead of them those that the environment variables
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` name, as with OpenSSL.

use std::io;
use std::sync::Arc;

use rustls_native_certs::load_native_certs;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

/// What to do about a certificate that nobody here vouches for.
const TRUST_IT: &str = "set SSL_CERT_FILE to a PEM file with the certificate of the CA that it \
                        comes from";

/// Makes ring the process's source of cryptography, unless it has one: for libraries that ask the
/// process for it.
pub fn install_provider() {
    // An error says that there is one, which is as good.
    let _ = ring::default_provider().install_default();
}

/// A client that trusts what the system trusts.
///
/// # Errors
/// When nothing is trusted: no certificates are installed, or `SSL_CERT_FILE` cannot be read.
pub fn client() -> io::Result<ClientConfig> {
    let found = load_native_certs();
    let mut roots = RootCertStore::empty();
    let (trusted, _) = roots.add_parsable_certificates(found.certs);
    if trusted > 0 {
        return trusting(roots);
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

/// A client that trusts nobody: for a library that wants one, and is used without TLS.
///
/// # Errors
/// None that is known; rustls may refuse.
pub fn client_without_trust() -> io::Result<ClientConfig> {
    trusting(RootCertStore::empty())
}

fn trusting(roots: RootCertStore) -> io::Result<ClientConfig> {
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let client = client.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    let mut client = client.with_root_certificates(roots).with_no_client_auth();
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Buyers come for the first time, each from a device of its own: they have nothing to resume.
    client.resumption = Resumption::disabled();
    Ok(client)
}

/// Says what a handshake's failure means, and what to do about it.
pub fn explain(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(wrong)) => explain_certificate(wrong),
        Some(Error::InvalidMessage(_)) => {
            "it answers, but not in TLS: is it http:// that is meant?".to_owned()
        }
        Some(Error::AlertReceived(alert)) => {
            format!("it refuses the TLS handshake ({alert:?}): is it the right server?")
        }
        _ => format!("the TLS handshake failed ({error}): is it the right server?"),
    }
}

fn explain_certificate(wrong: &CertificateError) -> String {
    match wrong {
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
                "its certificate is a CA's own, which is none for a server: have that CA sign \
                 another (CA:FALSE), and {TRUST_IT}"
            )
        }
        // Their text is rustls's.
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
        "its certificate is for another name: it {names}. Call the server by such a name, or \
         give it a certificate for this one. Trust in its CA (SSL_CERT_FILE) does not help"
    )
}
