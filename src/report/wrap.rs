//! Long lines of a report, broken at spaces.

/// Columns of a usual terminal.
const COLUMNS: usize = 80;

/// The column at which the texts of a report begin, after their names.
pub(super) const TEXT_FROM: usize = 11;

/// Breaks lines that are longer than a terminal is wide. A word that is longer stays whole.
pub(super) fn wrapped(text: &str) -> String {
    let lines = text.lines().map(|line| match line.chars().count() <= COLUMNS {
        true => line.to_owned(),
        false => broken(line),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn broken(line: &str) -> String {
    let own = line.chars().take_while(|c| *c == ' ').count();
    let indent = " ".repeat(if own == 0 { TEXT_FROM } else { own });
    let (mut text, mut columns) = (String::new(), 0);
    for (at, word) in line.split(' ').enumerate() {
        let len = word.chars().count();
        let is_empty = text.chars().all(|c| c == ' ');
        if columns + 1 + len > COLUMNS && !is_empty {
            text = text.trim_end().to_owned() + "\n" + &indent + word;
            columns = indent.len() + len;
        } else {
            let space = if at == 0 { "" } else { " " };
            text = text + space + word;
            columns += space.len() + len;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_line_is_broken_at_spaces_and_indented() {
        let words = "word ".repeat(30);
        let text = wrapped(&format!("Errors     {}\nshort", words.trim_end()));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines.iter().all(|line| line.chars().count() <= COLUMNS), "{text}");
        assert!(lines[0].starts_with("Errors     word"), "{text}");
        assert!(lines[1].starts_with("           word"), "{text}");
        assert_eq!(lines[3], "short");
        assert_eq!(text.matches("word").count(), 30);
    }

    #[test]
    fn indent_of_a_line_is_kept_and_a_long_word_stays_whole() {
        let long = "x".repeat(90);
        assert_eq!(wrapped(&format!("   {long} y")), format!("   {long}\n   y"));
    }
}
