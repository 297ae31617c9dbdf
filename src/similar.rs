//! The known name that an unknown one most likely stands for.

/// Longest unknown name that is compared, in characters: longer than every known name.
const LEN_MAX: usize = 64;

/// The name that is meant by an unknown one: one within an edit, else the only one that begins with
/// it, else the most similar one within two edits, or within a third of the characters of a long
/// name. `None` if no name is similar enough.
pub fn nearest<N: AsRef<str>>(unknown: &str, names: impl IntoIterator<Item = N>) -> Option<N> {
    let len = unknown.chars().count();
    if len > LEN_MAX {
        return None;
    }
    let mut names: Vec<_> = names.into_iter().collect();
    let edits = |at: &usize| strsim::osa_distance(unknown, names[*at].as_ref());
    let closest =
        |edits_max| (0..names.len()).min_by_key(edits).filter(|at| edits(at) <= edits_max);
    let begins = |at: &usize| len >= 3 && names[*at].as_ref().starts_with(unknown);
    let mut longer = (0..names.len()).filter(begins);
    let only = longer.next().filter(|_| longer.next().is_none());
    let edits_max = if len <= 3 { 1 } else { (len / 3).max(2) };
    let found = closest(1).or(only).or_else(|| closest(edits_max))?;
    Some(names.swap_remove(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name_is_within_two_edits_or_begins_with_the_unknown_one() {
        let names = [
            "p99",
            "errors",
            "rate",
            "full",
            "fail-if",
            "server.cpu_us_per_request",
            "server.rss_bytes_max",
        ];
        let cases = [
            ("pp99", Some("p99")),
            ("eror", Some("errors")),
            ("fail", Some("fail-if")),
            ("ful", Some("full")),
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
