//! A certification authority for one test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

const NEW_KEY: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/// A CA that machines can trust.
pub(crate) struct Authority {
    folder: TempDir,
    /// Its certificate.
    pub(crate) certificate: PathBuf,
}

/// A certificate with its key, both as PEM files.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    /// A CA with this name.
    pub(crate) fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        Self::named(&format!("CA {}", MADE.fetch_add(1, Ordering::Relaxed)))
    }

    pub(crate) fn named(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = folder.path().join("ca.pem");
        let name = format!("/CN={name}");
        let subject = ["-x509", "-subj", &name, "-days", "2"];
        let files = ["-keyout", "ca.key", "-out", "ca.pem"];
        openssl(folder.path(), "req", &[NEW_KEY, &subject, &files]);
        Self { folder, certificate }
    }

    /// Issues a certificate for a server on this machine.
    pub(crate) fn issue(&self) -> Issued {
        self.issue_for("DNS:localhost,IP:127.0.0.1,IP:::1", 2)
    }

    /// Issues a certificate for these names, valid for this many days; with 0, until the present
    /// second is over.
    pub(crate) fn issue_for(&self, names: &str, days: u32) -> Issued {
        let folder = self.folder.path();
        let names = format!("subjectAltName={names}");
        let subject = ["-subj", "/CN=a server", "-addext", &names];
        openssl(folder, "req", &[NEW_KEY, &subject, &["-keyout", "s.key", "-out", "s.csr"]]);
        let days = days.to_string();
        let signed = ["-req", "-in", "s.csr", "-days", &days, "-copy_extensions", "copy"];
        let by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "s.pem"];
        openssl(folder, "x509", &[&signed, &by]);
        Issued { certificate: folder.join("s.pem"), key: folder.join("s.key") }
    }

    /// The CA's own certificate, used like a server's.
    pub(crate) fn itself(&self) -> Issued {
        let key = self.folder.path().join("ca.key");
        Issued { certificate: self.certificate.clone(), key }
    }
}

fn openssl(folder: &Path, what: &str, args: &[&[&str]]) {
    let mut command = Command::new("openssl");
    command.arg(what).args(args.concat()).current_dir(folder).stdin(Stdio::null());
    let output = command.output().expect("the tests of TLS need the command openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
