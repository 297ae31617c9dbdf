//! What the names of placeholders stand for in the requests of a description.

use crate::escape::printable;
use crate::similar::nearest;

/// The value of a name that is the same for all virtual users; `None` if it is no such name.
pub(super) type Fixed<'a> = dyn Fn(&str) -> Option<Result<String, String>> + 'a;

/// A value that differs between virtual users or attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    Buyer,
    RequestId,
    Thread,
    /// A column of the file of buyers.
    Column(usize),
    /// What a step has extracted.
    Extracted(usize),
}

/// What the names of placeholders stand for.
pub(super) struct Names<'a> {
    /// Values that are the same for all, as text: the item, the seed, variables.
    pub(super) fixed: &'a Fixed<'a>,
    /// The columns of the file of buyers, if one is given.
    pub(super) columns: Option<&'a [String]>,
    /// What is extracted by the steps so far.
    pub(super) extracted: &'a [String],
}

/// What a name stands for.
pub(super) enum Meaning {
    Fixed(String),
    Value(Value),
}

/// Names that have a meaning of their own.
const OWN: [&str; 6] = ["buyer", "request_id", "item", "seed", "thread", "target"];

/// Checks the name of something that is extracted.
///
/// # Errors
/// When it could not be used, since it means something else, or is none.
pub(super) fn check_new(name: &str, fixed: &Fixed<'_>) -> Result<(), String> {
    let shown = printable(name);
    if OWN.contains(&name) || name.starts_with("csv.") || fixed(name).is_some() {
        return Err(format!("`{{{{{shown}}}}}` has a meaning of its own: take another name"));
    }
    let is_letter = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
    match !name.is_empty() && name.chars().all(is_letter) {
        true => Ok(()),
        false => Err(format!("`{shown}` is no name: use letters, digits, `_`, `-` and `.`")),
    }
}

impl Names<'_> {
    /// What a name stands for.
    ///
    /// # Errors
    /// When it is not known, or has no value.
    pub(super) fn meaning(&self, name: &str) -> Result<Meaning, String> {
        if let Some(fixed) = (self.fixed)(name) {
            return fixed.map(Meaning::Fixed);
        }
        if let Some(column) = name.strip_prefix("csv.") {
            let columns = self.columns.ok_or_else(|| {
                format!("`{{{{{name}}}}}` is a column of a file: add --buyers-from FILE")
            })?;
            let found = columns.iter().position(|known| known == column);
            return found.map(|column| Meaning::Value(Value::Column(column))).ok_or_else(|| {
                let columns = columns.join(", ");
                format!("the file of --buyers-from has no column `{column}`, only {columns}")
            });
        }
        let value = match (name, self.columns) {
            // The buyer is the column of that name, or the first one.
            ("buyer", Some(columns)) => {
                Value::Column(columns.iter().position(|column| column == "buyer").unwrap_or(0))
            }
            ("buyer", None) => Value::Buyer,
            ("request_id", _) => Value::RequestId,
            ("thread", _) => Value::Thread,
            _ => match self.extracted.iter().rposition(|known| known == name) {
                Some(slot) => Value::Extracted(slot),
                None => return Err(self.unknown(name)),
            },
        };
        Ok(Meaning::Value(value))
    }

    fn unknown(&self, name: &str) -> String {
        let known = OWN.into_iter().chain(self.extracted.iter().map(String::as_str));
        let cure = match nearest(name, known) {
            Some(nearest) => format!("the nearest is `{{{{{nearest}}}}}`"),
            None => "an earlier step has to extract it".to_owned(),
        };
        format!("`{{{{{}}}}}` is not known here: {cure}", printable(name))
    }
}
