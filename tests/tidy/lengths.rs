//! How long files and lines may be.

const COLUMNS_MAX: usize = 100;
const FILE_LINES_MAX: usize = 350;
const FILE_LINES_MEDIAN_MAX: usize = 120;

/// `main` is a table of contents.
const MAIN_LINES_MAX: usize = 59;

pub(crate) fn too_long(files: &[(String, String)]) -> Vec<String> {
    let mut offences = Vec::new();
    for (path, text) in files {
        let max = if path == "src/main.rs" { MAIN_LINES_MAX } else { FILE_LINES_MAX };
        let lines = text.lines().count();
        if lines > max {
            offences.push(format!("{path}: {lines} lines, at most {max}"));
        }
        let columns = text.lines().map(|line| line.chars().count()).enumerate();
        let long = columns.filter(|(_, columns)| *columns > COLUMNS_MAX);
        offences.extend(long.map(|(at, columns)| {
            format!("{path}:{}: {columns} columns, at most {COLUMNS_MAX}", at + 1)
        }));
    }
    offences
}

pub(crate) fn median_too_long(files: &[(String, String)]) -> Vec<String> {
    let mut lines: Vec<_> = files.iter().map(|(_, text)| text.lines().count()).collect();
    lines.sort_unstable();
    let median = lines[lines.len() / 2];
    let is_long = median > FILE_LINES_MEDIAN_MAX;
    let offence = || format!("median of files: {median} lines, at most {FILE_LINES_MEDIAN_MAX}");
    is_long.then(offence).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: String) -> [(String, String); 1] {
        [(path.to_owned(), text)]
    }

    #[test]
    fn long_lines_are_found_and_measured_in_characters() {
        let found = |line: String| too_long(&file("src/a.rs", format!("\n{line}\n")));
        assert_eq!(found("é".repeat(100)), [""; 0]);
        assert_eq!(found("é".repeat(101)), ["src/a.rs:2: 101 columns, at most 100"]);
        let string = format!("\"{}\"", "x".repeat(120));
        assert_eq!(found(string), ["src/a.rs:2: 122 columns, at most 100"]);
    }

    #[test]
    fn long_files_are_found() {
        let found = |path: &str, lines: usize| too_long(&file(path, "\n".repeat(lines)));
        assert_eq!(found("src/a.rs", 350), [""; 0]);
        assert_eq!(found("src/a.rs", 351), ["src/a.rs: 351 lines, at most 350"]);
        assert_eq!(found("src/main.rs", 59), [""; 0]);
        assert_eq!(found("src/main.rs", 60), ["src/main.rs: 60 lines, at most 59"]);
    }

    #[test]
    fn a_long_median_is_found() {
        let found = |lines: [usize; 3]| {
            median_too_long(&lines.map(|lines| ("src/a.rs".into(), "\n".repeat(lines))))
        };
        assert_eq!(found([1, 120, 350]), [""; 0]);
        assert_eq!(found([1, 121, 121]), ["median of files: 121 lines, at most 120"]);
    }
}
