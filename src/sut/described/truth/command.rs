//! Commands of the description, whose output has the data.

use crate::sut::described::text::Text;
use crate::sut::described::wrong::Wrong;

use super::around::Read;
use super::check;
use super::error::Problem;
use super::program::{self, Program};

/// A command.
#[derive(Debug)]
pub(super) struct Command(Vec<Text>);

impl Command {
    pub(super) fn new(words: &toml::Spanned<Vec<toml::Spanned<String>>>) -> Result<Self, Wrong> {
        check::command(words).map(Self)
    }

    /// Runs it, and returns its output.
    pub(super) async fn output(&self, read: &Read<'_>) -> Result<Vec<u8>, Problem> {
        let words = self.0.iter().map(|word| read.expand(word, None, str::to_owned));
        let words = words.collect::<Result<_, _>>()?;
        let (variables, input, package) = (Vec::new(), String::new(), None);
        program::run(read, Program { words, variables, input, package }).await
    }
}
