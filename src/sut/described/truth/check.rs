//! Checks that the tables of all sources share.

use std::time::Duration;

use toml::Spanned;

use crate::sut::described::secrets::{self, ENV};
use crate::sut::described::text::Text;
use crate::sut::described::wrong::Wrong;
use crate::units::Span;

use super::around::PAGE;
use super::limits::{TIMEOUT_DEFAULT, TIMEOUT_MAX};

/// A key of a table: its name, where it is if it is given, and the kinds of source that take it.
pub(super) type Key = (&'static str, Option<usize>, &'static [&'static str]);

/// Where a key is, if it is given.
pub(super) fn at<T>(value: Option<&Spanned<T>>) -> Option<usize> {
    value.map(|value| value.span().start)
}

/// Finds the kind of source in a table at byte `table_at`, which must be one of `kinds`, and checks
/// that all of its keys belong to that kind.
pub(super) fn kind(
    table_at: usize,
    kinds: &[(&'static str, Option<usize>)],
    keys: &[Key],
) -> Result<&'static str, Wrong> {
    let names = || kinds.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let mut given = kinds.iter().filter_map(|(name, at)| Some((*name, (*at)?)));
    let Some((kind, _)) = given.next() else {
        return Err(Wrong::at(table_at, format!("names no source: give one of {}", names())));
    };
    if let Some((other, at)) = given.next() {
        let problem = format!("`{kind}` and `{other}` are two sources: give one of {}", names());
        return Err(Wrong::at(at, problem));
    }
    for (key, at, takers) in keys {
        if let Some(at) = at.filter(|_| !takers.contains(&kind)) {
            let takers = takers.join(" or ");
            let problem = format!("`{key}` belongs to {takers}, and not to {kind}: leave it out");
            return Err(Wrong::at(at, problem));
        }
    }
    Ok(kind)
}

/// Parses a text whose placeholders are those of truth and reset.
pub(super) fn text(value: &Spanned<String>, may_page: bool) -> Result<Text, Wrong> {
    let text = Text::parse(value.get_ref()).map_err(|error| Wrong::of(value, error))?;
    check_names(&text, value.span().start, may_page)?;
    Ok(text)
}

/// Checks that the placeholders are those of truth and reset, and that the environment has them.
pub(super) fn check_names(text: &Text, at: usize, may_page: bool) -> Result<(), Wrong> {
    for name in text.names() {
        if let Some(variable) = name.strip_prefix(ENV) {
            secrets::variable(variable).map_err(|problem| Wrong::at(at, problem))?;
            continue;
        }
        if matches!(name, "item" | "seed" | "target") || (may_page && name == PAGE) {
            continue;
        }
        let known = if may_page { "item, seed, target, page" } else { "item, seed, target" };
        let shown = crate::escape::printable(name);
        let problem = format!("`{{{{{shown}}}}}` is not known here: use {known} or env.NAME");
        return Err(Wrong::at(at, problem));
    }
    Ok(())
}

/// The time limit of one piece.
pub(super) fn timeout(value: Option<&Spanned<Span>>) -> Result<Duration, Wrong> {
    let Some(value) = value else { return Ok(TIMEOUT_DEFAULT) };
    let Span(limit) = *value.get_ref();
    if limit.is_zero() || limit > TIMEOUT_MAX {
        let (given, max) = (Span(limit), Span(TIMEOUT_MAX));
        return Err(Wrong::of(value, format!("`{given}` must be above 0, and at most {max}")));
    }
    Ok(limit)
}

/// The command and its arguments.
pub(super) fn command(value: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<Text>, Wrong> {
    let words: Vec<Text> =
        value.get_ref().iter().map(|word| text(word, false)).collect::<Result<_, _>>()?;
    if value.get_ref().first().is_none_or(|program| program.get_ref().is_empty()) {
        return Err(Wrong::of(
            value,
            "must be a program and its arguments: [\"program\", \"arg\"]",
        ));
    }
    if let Some(nul) = value.get_ref().iter().find(|word| word.get_ref().contains('\0')) {
        return Err(Wrong::of(nul, "an argument cannot contain a NUL character"));
    }
    Ok(words)
}
