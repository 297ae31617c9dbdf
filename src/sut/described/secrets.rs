//! [`Secrets`]: values that must not be shown, such as those of `{{env.NAME}}` in a description.

use std::cmp::Reverse;
use std::env::VarError;

use crate::escape::printable;

use super::text::{json_escaped, percent_encoded};

/// Begins the name of a placeholder for a variable of the environment.
pub(super) const ENV: &str = "env.";

/// What stands for a value, and where a text was cut off.
const CUT: &str = "…";

/// From how many bytes on the beginning of a value is hidden: fewer tell nothing.
const BEGINNING_MIN: usize = 3;

/// The value of a variable of the environment that a description names.
///
/// # Errors
/// When there is none, or it is no text.
pub(super) fn variable(name: &str) -> Result<String, String> {
    // A name with `=` or NUL is none, and looking one up is safe nevertheless.
    std::env::var(name).map_err(|error| {
        let shown = printable(name);
        match error {
            VarError::NotPresent => format!("the environment has no {shown}: export {shown}=…"),
            VarError::NotUnicode(_) => {
                format!("{shown} from the environment is not UTF-8: set it anew")
            }
        }
    })
}

/// From how many bytes on any part of a value is hidden in what programs say.
const PART_MIN: usize = 6;

/// Values that must not be shown.
#[derive(Debug, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// The variables of the environment that this description names.
    pub(super) fn of(description: &str) -> Self {
        let placeholders = description.split("{{").skip(1);
        let names =
            placeholders.filter_map(|rest| rest.split("}}").next()?.trim().strip_prefix(ENV));
        let mut secrets = Self::default();
        names.filter_map(|name| std::env::var(name).ok()).for_each(|value| secrets.add(&value));
        secrets
    }

    /// Adds a value, in each form in which it may be shown.
    pub(super) fn add(&mut self, value: &str) {
        let on_one_line = value.replace(['\0', '\n', '\r'], "");
        for form in [value.to_owned(), percent_encoded(value), json_escaped(value), on_one_line] {
            if !form.is_empty() && !self.0.contains(&form) {
                self.0.push(form);
            }
        }
        // A secret may be a part of another one, which would be shown in part.
        self.0.sort_by_key(|value| Reverse(value.len()));
    }

    /// A text without these values, and without the beginning of one where the text was cut off.
    pub fn hide(&self, text: &str) -> String {
        let whole = self.0.iter().fold(text.to_owned(), |text, value| text.replace(value, CUT));
        let mut hidden = String::with_capacity(whole.len());
        let mut parts = whole.split(CUT).peekable();
        while let Some(part) = parts.next() {
            let is_cut = parts.peek().is_some();
            hidden.push_str(if is_cut { self.without_beginning(part) } else { part });
            hidden.push_str(if is_cut { CUT } else { "" });
        }
        hidden
    }

    /// A text without these values and without any longer part of one.
    pub(super) fn hide_parts(&self, text: &str) -> String {
        let mut left = &*self.hide(text);
        let mut hidden = String::with_capacity(left.len());
        while let Some(first) = left.chars().next() {
            let len = self.longest_part(left);
            match len >= PART_MIN {
                true => hidden.push_str(CUT),
                false => hidden.push(first),
            }
            left = &left[if len >= PART_MIN { len } else { first.len_utf8() }..];
        }
        hidden
    }

    /// How many bytes at the beginning of a text are a part of a value.
    fn longest_part(&self, text: &str) -> usize {
        let common = |part: &str| {
            let same = part.chars().zip(text.chars()).take_while(|(a, b)| a == b);
            same.map(|(letter, _)| letter.len_utf8()).sum()
        };
        let parts =
            self.0.iter().flat_map(|value| value.char_indices().map(|(at, _)| &value[at..]));
        parts.map(common).max().unwrap_or(0)
    }

    /// A text without the beginning of a value that it ends with.
    fn without_beginning<'a>(&self, text: &'a str) -> &'a str {
        let begins = |value: &str| {
            let ends = value.char_indices().map(|(at, _)| at).rev();
            ends.take_while(|len| *len >= BEGINNING_MIN).find(|len| text.ends_with(&value[..*len]))
        };
        let longest = self.0.iter().filter_map(|value| begins(value)).max();
        &text[..text.len() - longest.unwrap_or(0)]
    }

    /// A text without these values, escaped and on one line.
    pub(super) fn shown(&self, text: &str) -> String {
        printable(&self.hide(text)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_in_each_form() {
        let mut secrets = Secrets::default();
        secrets.add("p w\"");
        secrets.add("p w\"2");
        let shown = secrets.shown("p w\"2, p%20w%22 and p w\\\", \x1b");
        assert_eq!(shown, "…, … and …, \\u{1b}");
        assert_eq!(Secrets::default().hide("a"), "a");
    }

    #[test]
    fn beginning_of_a_secret_is_hidden_where_a_text_was_cut_off() {
        let mut secrets = Secrets::default();
        secrets.add("topsecret");
        assert_eq!(secrets.hide("Bearer topsecre…"), "Bearer …");
        assert_eq!(secrets.hide("a top… b, to…, top"), "a … b, to…, top");
        assert_eq!(secrets.hide("x topsecret… y"), "x …… y");
        assert_eq!(secrets.hide_parts("near opsecret' and topsec, secre"), "near …' and …, secre");
    }

    #[test]
    fn variables_are_found_wherever_a_description_names_them() {
        let path = std::env::var("PATH").unwrap();
        let secrets = Secrets::of("a = \"{{ env.PATH }}\" # {{item}} {{env.NOT_SET_HERE}}");
        assert_eq!(secrets.hide(&format!("<{path}>")), "<…>");
        assert_eq!(secrets.hide("item"), "item");
    }
}
