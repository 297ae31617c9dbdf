//! Libraries that replace functions of the C library in a server, so that its disk fails as wanted.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles a source of this folder; returns `None` where no C compiler is installed.
pub(super) fn library(folder: &Path, source: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli").join(source);
    let library = folder.join(source).with_extension("so");
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(path).arg("-ldl");
    compile.output().is_ok_and(|output| output.status.success()).then_some(library)
}
