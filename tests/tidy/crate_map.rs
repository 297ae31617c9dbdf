//! A crate's files as modules, and which file a path leads to.

use std::collections::HashMap;

use crate::paths::{Kind, Mention, mentions};

/// `use` declarations that a name may go through. There are more only where one binds a name to
/// itself, as `use serde::serde` would.
const BINDINGS_MAX: usize = 8;

/// One file.
#[derive(Debug)]
pub(crate) struct File {
    /// From the package's root.
    pub(crate) path: String,
    /// The names on the way from the crate's root to it: none for `src/lib.rs`.
    pub(crate) module: Vec<String>,
    pub(crate) mentions: Vec<Mention>,
    /// Which mention is the `use` at the top of the file that binds a name.
    bindings: HashMap<String, usize>,
}

impl File {
    fn new((path, text): &(String, String)) -> Self {
        let names = path.trim_start_matches("src/").trim_end_matches(".rs").split('/');
        let module = names.filter(|name| !["mod", "lib"].contains(name));
        let module = module.map(str::to_owned).collect();
        let mentions = mentions(text);
        let binding = |(at, mention): (usize, &Mention)| match &mention.kind {
            Kind::Use { name, .. } if mention.inside.is_empty() => Some((name.clone(), at)),
            _ => None,
        };
        let bindings = mentions.iter().enumerate().filter_map(binding).collect();
        Self { path: path.clone(), module, mentions, bindings }
    }

    fn binding(&self, name: &str) -> Option<&Mention> {
        self.bindings.get(name).map(|at| &self.mentions[*at])
    }

    /// The module under the crate's root that it belongs to.
    pub(crate) fn top(&self) -> Option<&str> {
        self.module.first().map(String::as_str)
    }

    fn is_folder(&self) -> bool {
        self.path.ends_with("/mod.rs")
    }
}

/// All files of the crate.
#[derive(Debug)]
pub(crate) struct CrateMap {
    pub(crate) files: Vec<File>,
    by_module: HashMap<Vec<String>, usize>,
}

impl CrateMap {
    /// From path and text of each file.
    pub(crate) fn new(files: &[(String, String)]) -> Self {
        let files: Vec<File> = files.iter().map(File::new).collect();
        let by_module = files.iter().enumerate().map(|(at, f)| (f.module.clone(), at)).collect();
        Self { files, by_module }
    }

    /// A path of a file from the crate's root; `None` if it leads out of the crate.
    pub(crate) fn absolute(&self, file: &File, mention: &Mention) -> Option<Vec<String>> {
        self.absolute_through(file, mention, BINDINGS_MAX)
    }

    fn absolute_through(&self, file: &File, mention: &Mention, left: usize) -> Option<Vec<String>> {
        let here = [&file.module[..], &mention.inside].concat();
        let (head, rest) = mention.names.split_first()?;
        match head.as_str() {
            "crate" | "seckill" => Some(rest.to_vec()),
            "self" => Some([&here[..], rest].concat()),
            "super" => {
                let supers = mention.names.iter().take_while(|name| *name == "super").count();
                let left = here.len().checked_sub(supers)?;
                Some([&here[..left], &mention.names[supers..]].concat())
            }
            _ => {
                let child = [&here[..], &mention.names[..1]].concat();
                // A single name that is no `use` is rather a variable than a module.
                let may_be_child = mention.names.len() > 1 || mention.kind != Kind::Code;
                if may_be_child && self.by_module.contains_key(&child) {
                    return Some([&here[..], &mention.names].concat());
                }
                // What an inline module sees of its file comes by `super`.
                let bound = file.binding(head).filter(|_| mention.inside.is_empty() && left > 0)?;
                let target = self.absolute_through(file, bound, left - 1)?;
                Some([&target[..], rest].concat())
            }
        }
    }

    /// The file that a path from the crate's root leads to, through re-exports where there are any.
    pub(crate) fn file_of(&self, path: &[String]) -> Option<usize> {
        self.resolve(path, BINDINGS_MAX)
    }

    fn resolve(&self, path: &[String], left: usize) -> Option<usize> {
        let known =
            (1..=path.len()).rev().find(|len| self.by_module.contains_key(&path[..*len]))?;
        let at = self.by_module[&path[..known]];
        let file = &self.files[at];
        let through = path.get(known).and_then(|name| file.binding(name));
        let target = through.filter(|_| left > 0).and_then(|bound| {
            let target = [&self.absolute(file, bound)?[..], &path[known + 1..]].concat();
            self.resolve(&target, left - 1)
        });
        Some(target.unwrap_or(at))
    }

    /// Whether a `mod.rs` only passes this on from its own folder to others.
    pub(crate) fn is_own_re_export(&self, file: &File, mention: &Mention) -> bool {
        let is_public = matches!(mention.kind, Kind::Use { is_public: true, .. });
        let is_own = |path: Vec<String>| path.starts_with(&file.module);
        file.is_folder() && is_public && self.absolute(file, mention).is_some_and(is_own)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn map(files: &[(&str, &str)]) -> CrateMap {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        CrateMap::new(&files.iter().map(owned).collect::<Vec<_>>())
    }

    /// The files that the file with this text leads to; it is `src/room/a.rs`.
    fn targets(text: &str) -> Vec<String> {
        let map = map(&[
            ("src/room/a.rs", text),
            ("src/room/mod.rs", "mod a; mod b; pub use b::Item; use c::Hidden; pub struct Own;"),
            ("src/room/b.rs", "pub struct Item;"),
            ("src/room/c/mod.rs", "mod d; pub use d::Hidden;"),
            ("src/room/c/d.rs", "pub struct Hidden;"),
            ("src/other.rs", "pub use crate::room::Item as Renamed;"),
        ]);
        let file = &map.files[0];
        let paths = file.mentions.iter().filter_map(|mention| map.absolute(file, mention));
        let files = paths.filter_map(|path| map.file_of(&path));
        files.map(|at| map.files[at].path.trim_start_matches("src/").to_owned()).collect()
    }

    #[test]
    fn paths_lead_to_files_through_re_exports() {
        for (text, expected) in [
            ("use super::b;", vec!["room/b.rs"]),
            ("use crate::room::b::Item;", vec!["room/b.rs"]),
            ("use super::Item;", vec!["room/b.rs"]),
            ("use super::{Item, Own};", vec!["room/b.rs", "room/mod.rs"]),
            ("use super::Hidden;", vec!["room/c/d.rs"]),
            ("use super::*;", vec!["room/mod.rs"]),
            ("use crate::other::Renamed;", vec!["room/b.rs"]),
            (
                "mod tests { use super::*; use super::super::b::Item; }",
                vec!["room/a.rs", "room/b.rs"],
            ),
            ("use super::c; fn f() { c::Hidden::new() }", vec!["room/c/mod.rs", "room/c/d.rs"]),
            ("use std::fmt; fn f() { fmt::Debug::x(); b::g() }", vec![]),
        ] {
            assert_eq!(targets(text), expected, "{text}");
        }
    }
}
