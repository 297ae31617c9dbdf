//! The house rules that no compiler checks: which module may import which, and how long lines,
//! functions and `main.rs` may be. ARCHITECTURE.md tells the reasons.

#![allow(clippy::unwrap_used)] // In a test, that is an assertion.

use std::fs;
use std::path::{Path, PathBuf};

/// Each floor's modules. A module imports from floors below its own.
const FLOORS: &[&[&str]] = &[
    &["units", "clock", "api", "design", "dice", "tls"],
    &["sale", "journal", "profile", "stats"],
    &["store", "queue", "load", "audit", "lab", "nemesis"],
    &["server", "report"],
    &["cli", "main"],
];

/// Imports between modules of one floor that are wanted all the same.
const SIBLINGS: &[(&str, &str)] = &[
    // What was asked and what was measured is said in the domain's words.
    ("profile", "sale"),
    ("stats", "sale"),
    // The workers write the history that the audit reads.
    ("load", "audit"),
    // `main` only calls it.
    ("main", "cli"),
];

/// What sees a server only as a client does, and what it must not know.
const OUTSIDERS: &[&str] = &["load", "audit"];
const INSIDES: &[&str] = &["server", "queue", "store"];

const COLUMNS_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 70;
const MAIN_LINES_MAX: usize = 59;

#[test]
fn modules_import_only_what_is_below_them() {
    none(in_sources(&["src"], forbidden_imports));
}

#[test]
fn the_judge_sees_only_what_a_client_sees() {
    none(in_sources(&["src"], insider_imports));
}

#[test]
fn every_module_has_a_floor() {
    none(in_sources(&["src"], homeless));
}

#[test]
fn functions_are_short() {
    none(in_sources(&["src", "tests", "benches"], long_functions));
}

#[test]
fn lines_are_short() {
    none(in_sources(&["src", "tests", "benches"], long_lines));
}

#[test]
fn main_is_a_table_of_contents() {
    none(in_sources(&["src"], long_main));
}

/// Fails with all offenders at once.
#[track_caller]
fn none(offenders: Vec<String>) {
    assert!(offenders.is_empty(), "{} found:\n{}", offenders.len(), offenders.join("\n"));
}

/// Runs a check over every Rust file in these folders; a folder may be missing.
fn in_sources(folders: &[&str], check: fn(&Source) -> Vec<String>) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    folders.iter().for_each(|folder| rust_files(&root.join(folder), &mut paths));
    assert!(!paths.is_empty(), "no sources in {}", root.display());
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        check(&Source::new(name, &fs::read_to_string(path).unwrap()))
    };
    paths.iter().flat_map(read).collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// A file with its path from the package's root, and its text with and without what is no code.
struct Source {
    path: String,
    text: String,
    code: String,
}

/// A word or a sign of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token<'a> {
    text: &'a str,
    line: usize,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), code: code_of(text) }
    }

    /// The names of the modules on the way from the root to this file.
    fn modules(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        path.split('/').filter(|name| !["mod", "lib"].contains(name)).collect()
    }

    fn offence(&self, line: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{line}: {what}", self.path)
    }

    fn tokens(&self) -> Vec<Token<'_>> {
        let mut tokens = Vec::new();
        for (at, line) in self.code.lines().enumerate() {
            let mut rest = line.trim_start();
            while !rest.is_empty() {
                let word = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
                let len = match word {
                    0 if rest.starts_with("::") => 2,
                    0 => rest.chars().next().map_or(1, char::len_utf8),
                    len => len,
                };
                tokens.push(Token { text: &rest[..len], line: at + 1 });
                rest = rest[len..].trim_start();
            }
        }
        tokens
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The text with every comment, string and character replaced by spaces, line for line.
fn code_of(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let in_word = at > 0 && is_word(chars[at - 1]);
        let skipped = skipped_len(&chars[at..], in_word);
        for c in &chars[at..at + skipped] {
            code.push(if *c == '\n' { '\n' } else { ' ' });
        }
        at += skipped;
        if skipped == 0 {
            code.push(chars[at]);
            at += 1;
        }
    }
    code
}

/// How many characters of a comment, a string or a character begin here.
fn skipped_len(chars: &[char], in_word: bool) -> usize {
    match chars {
        ['/', '/', ..] => chars.iter().position(|c| *c == '\n').unwrap_or(chars.len()),
        ['/', '*', ..] => block_comment_len(chars),
        ['"', ..] => quoted_len(chars, '"'),
        ['\'', '\\', ..] | ['\'', _, '\'', ..] => quoted_len(chars, '\''),
        ['r', ..] if !in_word => raw_string_len(chars, 1),
        ['b' | 'c', 'r', ..] if !in_word => raw_string_len(chars, 2),
        _ => 0,
    }
}

fn block_comment_len(chars: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < chars.len() {
        match chars[at..] {
            ['/', '*', ..] => depth += 1,
            ['*', '/', ..] => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn quoted_len(chars: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// The length of `r#"…"#` whose prefix is this long; 0 where it is no such string.
fn raw_string_len(chars: &[char], prefix_len: usize) -> usize {
    let hashes = chars[prefix_len..].iter().take_while(|c| **c == '#').count();
    let begin = prefix_len + hashes;
    if chars.get(begin) != Some(&'"') {
        return 0;
    }
    let ends = |at: &usize| {
        chars[*at] == '"' && chars[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes
    };
    (begin + 1..chars.len()).find(ends).map_or(chars.len(), |at| at + 1 + hashes)
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// Every path from the crate's root, as the module that it leads into: `crate::x`, `seckill::x`,
/// `use crate::{x, y::z}`, and as many `super` as lead up to the root.
fn imports(source: &Source) -> Vec<Token<'_>> {
    let tokens = source.tokens();
    let mut found = Vec::new();
    // Inline modules around the token, each as the depth of braces that it ends at.
    let (mut inline, mut depth) = (Vec::new(), 0);
    let mut at = 0;
    while at < tokens.len() {
        let before = at.checked_sub(1).map(|before| tokens[before].text);
        match tokens[at].text {
            "{" => {
                let name = at.checked_sub(2).map(|mod_at| tokens[mod_at].text);
                if name == Some("mod") {
                    inline.push(depth);
                }
                depth += 1;
            }
            "}" => {
                depth -= 1;
                inline.pop_if(|ends_at| *ends_at == depth);
            }
            "crate" | "seckill" if before != Some("::") => {
                found.extend(heads(&tokens[at + 1..]));
            }
            "super" if before != Some("::") => {
                let supers = tokens[at..].chunks(2).take_while(|pair| pair[0].text == "super");
                let supers = supers.count();
                if supers == source.modules().len() + inline.len() {
                    found.extend(heads(&tokens[at + 2 * supers - 1..]));
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The first names of the paths that go on here: one after `::`, several after `::{`.
fn heads<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let Some([colons, first, rest @ ..]) = tokens.get(..) else { return Vec::new() };
    if colons.text != "::" {
        return Vec::new();
    }
    if first.text != "{" {
        return vec![*first];
    }
    let (mut depth, mut begins, mut found) = (1, true, Vec::new());
    for token in rest {
        match token.text {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," => begins = true,
            _ if begins && depth == 1 => {
                found.push(*token);
                begins = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found
}

fn forbidden_imports(source: &Source) -> Vec<String> {
    // The root only names its modules.
    let Some(from) = source.modules().first().map(|from| (*from).to_owned()) else {
        return Vec::new();
    };
    let offence = |to: Token<'_>| {
        let below = match (floor(&from), floor(to.text)) {
            (Some(floor_from), Some(floor_to)) => floor_to < floor_from,
            _ => false,
        };
        let allowed = below || to.text == from || SIBLINGS.contains(&(&*from, to.text));
        (!allowed).then(|| source.offence(to.line, format_args!("{from} imports {}", to.text)))
    };
    imports(source).into_iter().filter_map(offence).collect()
}

fn insider_imports(source: &Source) -> Vec<String> {
    let modules = source.modules();
    let Some(from) = modules.first().filter(|from| OUTSIDERS.contains(from)) else {
        return Vec::new();
    };
    let inside = imports(source).into_iter().filter(|to| INSIDES.contains(&to.text));
    inside.map(|to| source.offence(to.line, format_args!("{from} knows {}", to.text))).collect()
}

fn homeless(source: &Source) -> Vec<String> {
    let modules = source.modules();
    let homeless = modules.first().filter(|module| floor(module).is_none());
    homeless
        .map(|module| source.offence(1, format_args!("{module} has no floor")))
        .into_iter()
        .collect()
}

fn long_lines(source: &Source) -> Vec<String> {
    let columns = source.text.lines().map(|line| line.chars().count()).enumerate();
    let long = columns.filter(|(_, columns)| *columns > COLUMNS_MAX);
    long.map(|(at, columns)| source.offence(at + 1, format_args!("{columns} columns"))).collect()
}

fn long_main(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let long = source.path == "src/main.rs" && lines > MAIN_LINES_MAX;
    long.then(|| source.offence(lines, format_args!("{lines} lines"))).into_iter().collect()
}

/// Functions that are longer than one screen, from `fn` to the closing brace.
fn long_functions(source: &Source) -> Vec<String> {
    let tokens = source.tokens();
    let offence = |at: usize| {
        let ([word, name, ..], Some(end)) = (&tokens[at..], body_end(&tokens[at..])) else {
            return None;
        };
        let lines = end.line - word.line + 1;
        let long = word.text == "fn" && name.text != "(" && lines > FUNCTION_LINES_MAX;
        long.then(|| source.offence(word.line, format_args!("{} has {lines} lines", name.text)))
    };
    let functions = (0..tokens.len()).filter(|at| tokens[*at].text == "fn");
    functions.filter_map(offence).collect()
}

/// The brace that closes the body of the function that begins here; `None` if it has no body.
fn body_end<'a>(tokens: &[Token<'a>]) -> Option<Token<'a>> {
    let (mut depth, mut in_body) = (0, false);
    for token in tokens {
        match token.text {
            ";" if depth == 0 => return None,
            "{" | "(" | "[" => {
                in_body |= depth == 0 && token.text == "{";
                depth += 1;
            }
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if in_body && depth == 0 {
            return Some(*token);
        }
    }
    None
}

/// The checks, on sources that are known to be good or bad.
mod checks {
    use super::*;

    fn imported(path: &str, text: &str) -> Vec<(String, usize)> {
        let source = Source::new(path, text);
        imports(&source).into_iter().map(|to| (to.text.to_owned(), to.line)).collect()
    }

    fn names(path: &str, text: &str) -> Vec<String> {
        imported(path, text).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn an_import_is_found_however_it_is_written() {
        let found = imported("src/load/run.rs", "\nuse crate::ids::ItemId;\n");
        assert_eq!(found, [("sale".to_owned(), 2)]);
        for (text, modules) in [
            ("use crate::{sale, store::{self, Store}, units::{Rate, Span}, queue};", 4),
            ("use crate::{\n    sale::{ItemId, OrderId},\n    store,\n};", 2),
            ("pub(crate) fn f() -> crate::sale::Id { crate :: store :: f() }", 2),
            ("use seckill::{sale, store};", 2),
            ("use super::super::sale;", 1),
            ("mod tests { use super::super::super::sale; }", 1),
            ("mod tests { mod deep { use super::super::super::super::sale; } }", 1),
            ("mod tests {} use super::super::sale;", 1),
            ("fn f() { if a {} } use super::super::sale;", 1),
            ("macro_rules! m { () => { $crate::sale::f() } }", 1),
            ("const C: char = '\"'; use crate::sale;", 1),
            ("const C: char = '\\''; use crate::sale;", 1),
            ("fn f<'a>(a: &'a str) -> &'a str { crate::sale::f(a) }", 1),
            ("const R: &str = r#\"\"\"#; use crate::sale;", 1),
            ("const S: &str = \"\\\"\"; use crate::sale;", 1),
            ("/* a /* b */ c */ use crate::sale;", 1),
            ("use crate::*;", 1),
        ] {
            let found = names("src/load/run.rs", text);
            assert_eq!(found.len(), modules, "{text}: {found:?}");
            assert!(text.contains('*') || found[0] == "sale", "{text}: {found:?}");
        }
    }

    #[test]
    fn what_is_no_import_is_left_alone() {
        for text in [
            "//! Of [`crate::server`].",
            "/// Of [`crate::server`].",
            "// use crate::server;",
            "/* use crate::server;\n /* */ use crate::server; */",
            "const S: &str = \"crate::server\";",
            "const S: &str = \"\\\"crate::server\";",
            "const S: &str = r#\"\"crate::server\"#;",
            "const S: &[u8] = br\"crate::server\\\";",
            "use super::server;",
            "use super::{server, store};",
            "mod tests { use super::*; use super::super::server; }",
            "pub(crate) struct Server;",
            "use other::crate_::server;",
        ] {
            assert_eq!(names("src/load/run.rs", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn files_on_the_first_level_reach_the_root_sooner() {
        assert_eq!(names("src/units.rs", "use super::server;"), ["server"]);
        assert_eq!(names("src/load/mod.rs", "use super::server;"), ["server"]);
        assert_eq!(names("src/units.rs", "mod tests { use super::*; }"), [""; 0]);
        assert_eq!(names("src/report/html/page.rs", "use super::super::super::cli;"), ["cli"]);
        assert_eq!(names("src/report/html/page.rs", "use super::super::json;"), [""; 0]);
    }

    #[test]
    fn only_lower_floors_and_the_table_may_be_imported() {
        for (path, module, good) in [
            ("src/load/run.rs", "units", true),
            ("src/load/run.rs", "sale", true),
            ("src/load/run.rs", "load", true),
            ("src/load/run.rs", "audit", true),
            ("src/load/run.rs", "queue", false),
            ("src/load/run.rs", "report", false),
            ("src/audit/ids.rs", "load", false),
            ("src/stats/live.rs", "sale", true),
            ("src/sale/mod.rs", "stats", false),
            ("src/units.rs", "clock", false),
            ("src/units.rs", "cli", false),
            ("src/server/run.rs", "report", false),
            ("src/main.rs", "cli", true),
            ("src/cli/mod.rs", "main", false),
            ("src/cli/mod.rs", "attic", false),
            ("src/attic.rs", "units", false),
        ] {
            let source = Source::new(path, &format!("\nuse crate::{{{module}::A}};"));
            let offences = match good {
                true => Vec::new(),
                false => {
                    let from = source.modules()[0];
                    vec![format!("{path}:2: {from} imports {module}")]
                }
            };
            assert_eq!(forbidden_imports(&source), offences, "{path} {module}");
        }
        assert_eq!(forbidden_imports(&Source::new("src/lib.rs", "pub use crate::cli;")), [""; 0]);
    }

    #[test]
    fn the_judge_is_kept_outside() {
        let text = "use crate::{\n    sale,\n    store::A,\n};\n// crate::queue\n";
        let offences = |path| insider_imports(&Source::new(path, text));
        assert_eq!(offences("src/load/run.rs"), ["src/load/run.rs:3: load knows store"]);
        assert_eq!(offences("src/audit/mod.rs"), ["src/audit/mod.rs:3: audit knows store"]);
        assert_eq!(offences("src/server/mod.rs"), [""; 0]);
    }

    #[test]
    fn every_long_function_is_found() {
        let body = |lines: usize| "    f();\n".repeat(lines);
        let function = |lines: usize| format!("fn f(a: [u8; 3]) -> u8 {{\n{}}}\n", body(lines - 2));
        let found = |text: &str| long_functions(&Source::new("src/a.rs", text));
        assert_eq!(found(&function(70)), [""; 0]);
        assert_eq!(found(&function(71)), ["src/a.rs:1: f has 71 lines"]);
        let two = format!("{}impl A {{\n{}{}}}\n", function(70), function(71), function(80));
        assert_eq!(found(&two), ["src/a.rs:72: f has 71 lines", "src/a.rs:143: f has 80 lines"]);
        let none =
            format!("trait A {{ fn f(a: fn() -> u8); }}\nconst A: &[A] = &[\n{}];", body(80));
        assert_eq!(found(&none), [""; 0]);
        let brace = format!("fn f() {{\n'{{'; \"{{\"; // {{\n}}\n{}", body(80));
        assert_eq!(found(&brace), [""; 0]);
    }

    #[test]
    fn columns_are_counted_in_characters() {
        let found = |line: &str| long_lines(&Source::new("src/a.rs", &format!("\n{line}\n")));
        assert_eq!(found(&"é".repeat(100)), [""; 0]);
        assert_eq!(found(&"é".repeat(101)), ["src/a.rs:2: 101 columns"]);
        assert_eq!(found(&format!("\"{}\"", "x".repeat(120))), ["src/a.rs:2: 122 columns"]);
    }

    #[test]
    fn homes_and_main_are_measured() {
        assert_eq!(homeless(&Source::new("src/load/run.rs", "")), [""; 0]);
        assert_eq!(homeless(&Source::new("src/lib.rs", "")), [""; 0]);
        let attic = homeless(&Source::new("src/attic/mod.rs", ""));
        assert_eq!(attic, ["src/attic/mod.rs:1: attic has no floor"]);
        assert_eq!(long_main(&Source::new("src/main.rs", &"\n".repeat(59))), [""; 0]);
        let long = long_main(&Source::new("src/main.rs", &"\n".repeat(60)));
        assert_eq!(long, ["src/main.rs:60: 60 lines"]);
    }
}
