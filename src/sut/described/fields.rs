//! The field lines of a head.

/// The lines of a head that have this name.
pub(super) fn fields<'a>(head: &'a [u8], name: &str) -> impl Iterator<Item = &'a [u8]> {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    lines.filter_map(move |line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let is_named = line[..colon].eq_ignore_ascii_case(name.as_bytes());
        is_named.then(|| line[colon + 1..].trim_ascii())
    })
}
