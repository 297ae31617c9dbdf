//! The known name that an unknown one most likely stands for.

/// Longest unknown name that is compared, in characters: longer than every known name.
const LEN_MAX: usize = 64;

/// The name that is most similar to an unknown one, or else the only one that begins with it.
/// `None` if no name is similar enough to be meant: within two edits, or within a third of the
/// characters of a long name.
pub fn nearest<N: AsRef<str>>(unknown: &str, names: impl IntoIterator<Item = N>) -> Option<N> {
    let len = unknown.chars().count();
    if len > LEN_MAX {
        return None;
    }
    let edits_max = if len <= 3 { 1 } else { (len / 3).max(2) };
    let mut names: Vec<_> = names.into_iter().collect();
    let edits = |name: &N| strsim::osa_distance(unknown, name.as_ref());
    let closest = (0..names.len()).min_by_key(|at| edits(&names[*at]));
    if let Some(at) = closest.filter(|at| edits(&names[*at]) <= edits_max) {
        return Some(names.swap_remove(at));
    }
    let mut longer =
        names.into_iter().filter(|name| len >= 3 && name.as_ref().starts_with(unknown));
    let only = longer.next();
    if longer.next().is_some() { None } else { only }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name_is_within_two_edits_or_begins_with_the_unknown_one() {
        let names = ["p99", "errors", "rate", "server.cpu_us_per_request", "server.rss_bytes_max"];
        let cases = [
            ("pp99", Some("p99")),
            ("eror", Some("errors")),
            ("server.cpu", Some("server.cpu_us_per_request")),
            ("server.cpu_us_per_req", Some("server.cpu_us_per_request")),
            ("server", None),
            ("banana", None),
            ("ab", None),
            ("", None),
        ];
        for (unknown, expected) in cases {
            assert_eq!(nearest(unknown, names), expected, "{unknown}");
        }
        let long = "x".repeat(LEN_MAX);
        assert_eq!(nearest(&long, [&long]), Some(&long));
        let longer = "x".repeat(LEN_MAX + 1);
        assert_eq!(nearest(&longer, [&longer]), None);
    }
}
