//! Query parameters.

use std::borrow::Cow;

/// The value of one query parameter, decoded; the first of several.
pub(super) fn query_value<'a>(query: Option<&'a str>, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = form_urlencoded::parse(query?.as_bytes());
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}
