//! Floors: a module imports from its own folder or from a lower floor, never from a higher one nor
//! from a neighbour on its own floor. There are no exceptions.

use proc_macro2::{TokenStream, TokenTree};

use crate::crate_map::{CrateMap, File};

/// Each floor's modules, lowest floor first. A module need not exist yet.
const FLOORS: &[&[&str]] = &[
    &[
        "ids",
        "units",
        "secret",
        "escape",
        "similar",
        "gradual_map",
        "split_table",
        "packed_name",
        "clock",
        "random",
        "tls",
    ],
    &["api", "settings", "flaws", "http_client"],
    &["sale", "journal", "history", "profile", "stats"],
    &["store", "queue", "sut", "judge", "lab", "monitor"],
    &["server", "load", "archive", "faults"],
    &["bench", "report"],
    &["cli"],
    &["main"],
];

/// What sees a server only as a client does, and what it must not know.
const OUTSIDE: &[&str] = &["load", "sut", "judge"];
const INSIDE: &[&str] = &["server", "queue", "store"];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// Each other module that a file imports from, with the first line that does.
fn imports(map: &CrateMap, file: &File) -> Vec<(String, usize)> {
    let mut found: Vec<(String, usize)> = Vec::new();
    for mention in &file.mentions {
        let path = map.absolute(file, mention).unwrap_or_default();
        let Some(to) = path.into_iter().next() else { continue };
        if Some(to.as_str()) != file.top() && !found.iter().any(|(known, _)| *known == to) {
            found.push((to, mention.line));
        }
    }
    found
}

/// One line for each import of each file that `is_wrong`; the root only names its modules.
fn wrong_imports(map: &CrateMap, is_wrong: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut offences = Vec::new();
    for file in &map.files {
        let Some(from) = file.top() else { continue };
        let wrong = imports(map, file).into_iter().filter(|(to, _)| is_wrong(from, to));
        offences.extend(wrong.map(|(to, line)| {
            let floors = [from, &to].map(|module| {
                floor(module).map_or_else(|| "no floor".into(), |floor| format!("floor {floor}"))
            });
            format!("{}:{line}: {from} ({}) imports {to} ({})", file.path, floors[0], floors[1])
        }));
    }
    offences
}

pub(crate) fn upward_imports(map: &CrateMap) -> Vec<String> {
    wrong_imports(map, |from, to| match (floor(from), floor(to)) {
        (Some(from), Some(to)) => to >= from,
        _ => true,
    })
}

pub(crate) fn inside_knowledge(map: &CrateMap) -> Vec<String> {
    wrong_imports(map, |from, to| OUTSIDE.contains(&from) && INSIDE.contains(&to))
}

pub(crate) fn modules_without_floor(map: &CrateMap) -> Vec<String> {
    let mut tops: Vec<_> = map.files.iter().filter_map(File::top).collect();
    tops.sort_unstable();
    tops.dedup();
    let homeless = tops.into_iter().filter(|top| floor(top).is_none());
    homeless.map(|top| format!("src/{top}: has no floor in tests/tidy/floors.rs")).collect()
}

/// What a source holds besides `pub mod name;` and attributes.
pub(crate) fn not_declarations(text: &str) -> Vec<String> {
    let tokens: Vec<TokenTree> = text.parse::<TokenStream>().unwrap().into_iter().collect();
    let mut rest = &tokens[..];
    let is = |token: &TokenTree, word: &str| token.to_string() == word;
    while let Some(first) = rest.first() {
        rest = match rest {
            [hash, TokenTree::Group(_), rest @ ..] if is(hash, "#") => rest,
            [hash, bang, TokenTree::Group(_), rest @ ..] if is(hash, "#") && is(bang, "!") => rest,
            [public, rest @ ..] if is(public, "pub") => rest,
            [module, _, end, rest @ ..] if is(module, "mod") && is(end, ";") => rest,
            _ => {
                let line = first.span().start().line;
                return vec![format!("src/lib.rs:{line}: declares more than modules: `{first}`")];
            }
        };
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crate_map::tests::map;

    fn imported(path: &str, text: &str) -> Vec<(String, usize)> {
        let map = map(&[(path, text)]);
        imports(&map, &map.files[0])
    }

    fn names(path: &str, text: &str) -> Vec<String> {
        imported(path, text).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn imports_are_found_however_they_are_written() {
        let found = imported("src/load/run.rs", "\nuse crate::sale::ItemId;\n");
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
    fn other_mentions_of_modules_are_no_imports() {
        for text in [
            "//! Of [`crate::server`].",
            "/// Of [`crate::server`].\nstruct A;",
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
    fn super_is_resolved_at_every_depth() {
        assert_eq!(names("src/units.rs", "use super::server;"), ["server"]);
        assert_eq!(names("src/load/mod.rs", "use super::server;"), ["server"]);
        assert_eq!(names("src/units.rs", "mod tests { use super::*; }"), [""; 0]);
        assert_eq!(names("src/report/html/page.rs", "use super::super::super::cli;"), ["cli"]);
        assert_eq!(names("src/report/html/page.rs", "use super::super::json;"), [""; 0]);
    }

    #[test]
    fn only_lower_floors_may_be_imported() {
        for (path, module, is_allowed) in [
            ("src/load/run.rs", "units", true),
            ("src/load/run.rs", "sale", true),
            ("src/load/run.rs", "sut", true),
            ("src/load/run.rs", "load", true),
            ("src/load/run.rs", "server", false),
            ("src/load/run.rs", "report", false),
            ("src/load/run.rs", "attic", false),
            ("src/judge/ids.rs", "load", false),
            ("src/sale/mod.rs", "stats", false),
            ("src/units.rs", "clock", false),
            ("src/units.rs", "cli", false),
            ("src/api.rs", "ids", true),
            ("src/main.rs", "cli", true),
            ("src/cli/mod.rs", "main", false),
            ("src/attic.rs", "units", false),
            ("src/lib.rs", "cli", true),
        ] {
            for text in [
                format!("\nuse crate::{{{module}::A}};"),
                format!("\nfn f() {{ crate::{module}::f() }}"),
                format!("\n#[cfg(test)] mod tests {{ fn f() {{ crate::{module}::f() }} }}"),
            ] {
                let offences = upward_imports(&map(&[(path, &text)]));
                assert_eq!(offences.is_empty(), is_allowed, "{path} {text}: {offences:?}");
                assert!(offences.iter().all(|offence| offence.starts_with(&format!("{path}:2: "))));
            }
        }
    }

    #[test]
    fn clients_do_not_know_the_server() {
        let text = "use crate::{\n    sale,\n    store::A,\n};\n// crate::queue\n";
        let offences = |path| inside_knowledge(&map(&[(path, text)]));
        let expected = "src/load/run.rs:1: load (floor 4) imports store (floor 3)";
        assert_eq!(offences("src/load/run.rs"), [expected]);
        assert_eq!(offences("src/judge/mod.rs").len(), 1);
        assert_eq!(offences("src/sut/mod.rs").len(), 1);
        assert_eq!(offences("src/server/mod.rs"), [""; 0]);
    }

    #[test]
    fn modules_without_floor_are_found() {
        let map = map(&[("src/load/run.rs", ""), ("src/lib.rs", ""), ("src/attic/mod.rs", "")]);
        let expected = "src/attic: has no floor in tests/tidy/floors.rs";
        assert_eq!(modules_without_floor(&map), [expected]);
    }

    #[test]
    fn a_root_that_does_more_than_declare_is_found() {
        let good =
            "//! Docs.\n#![allow(x)]\npub mod a;\n#[cfg(feature = \"b\")]\npub mod b;\nmod c;";
        assert_eq!(not_declarations(good), [""; 0]);
        for (text, line) in [("mod a;\npub use a::B;", 2), ("fn f() {}", 1), ("mod a {}", 1)] {
            let offences = not_declarations(text);
            assert_eq!(offences.len(), 1, "{text}");
            assert!(offences[0].starts_with(&format!("src/lib.rs:{line}: ")), "{offences:?}");
        }
    }
}
