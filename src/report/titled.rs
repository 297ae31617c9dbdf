//! A run with a name.

use crate::archive::Run;

/// A run, and what it is called where several stand side by side.
#[derive(Debug, Clone, Copy)]
pub struct Titled<'a> {
    /// The folder of the run, or its target.
    pub name: &'a str,
    /// The run.
    pub run: &'a Run,
}
