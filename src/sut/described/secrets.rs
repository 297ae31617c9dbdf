//! [`Secrets`]: values that must not be shown, such as those of `{{env.NAME}}` in a description.

use std::cmp::Reverse;

use crate::escape::printable;

use super::text::{json_escaped, percent_encoded};

/// Begins the name of a placeholder for a variable of the environment.
pub(super) const ENV: &str = "env.";

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

    /// A text without these values.
    pub fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, value| text.replace(value, "…"))
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
    fn variables_are_found_wherever_a_description_names_them() {
        let path = std::env::var("PATH").unwrap();
        let secrets = Secrets::of("a = \"{{ env.PATH }}\" # {{item}} {{env.NOT_SET_HERE}}");
        assert_eq!(secrets.hide(&format!("<{path}>")), "<…>");
        assert_eq!(secrets.hide("item"), "item");
    }
}
