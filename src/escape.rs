//! Escapes text from recorded runs and tested systems, which may contain any characters.

use std::borrow::Cow;

/// Maximum length of an escaped text, in characters.
const LEN_MAX: usize = 500;

/// Escapes characters that could control a terminal or begin a new line, and cuts the text at 500
/// characters.
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_harmless = |c: char| !c.is_control() && !is_format(c);
    if text.chars().all(is_harmless) && text.len() <= LEN_MAX {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::new();
    for c in text.chars().take(LEN_MAX) {
        match is_harmless(c) {
            true => escaped.push(c),
            false => escaped.extend(c.escape_default()),
        }
    }
    if text.chars().nth(LEN_MAX).is_some() {
        escaped.push('…');
    }
    Cow::Owned(escaped)
}

/// Whether a character is invisible, or changes the direction or the lines of what follows it.
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        // No characters, and not allowed in XML.
        | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_long_texts_are_cut() {
        assert_eq!(printable("stock 10, für 秒杀"), "stock 10, für 秒杀");
        assert_eq!(printable("a\x1b[2J\nNOT OVERSOLD"), "a\\u{1b}[2J\\nNOT OVERSOLD");
        assert_eq!(printable("ab\u{fffe}cd"), "ab\\u{fffe}cd");
        assert_eq!(printable("ab\u{202e}cd\u{200b}"), "ab\\u{202e}cd\\u{200b}");
        assert_eq!(printable(&"x".repeat(600)).chars().count(), LEN_MAX + 1);
    }
}
