//! Rules about the sources that neither the compiler nor clippy checks: which module may import
//! which, that no files of one module import each other in a circle, how long files and lines may
//! be, and whether the GitHub action and workflows fit each other. ARCHITECTURE.md gives the
//! reasons.
//!
//! clippy checks how long functions are (`too_many_lines`, 70 lines), and rustfmt wraps code, but
//! neither comments nor strings.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test reports it by failing")]

mod action;
mod circles;
mod crate_map;
mod floors;
mod lengths;
mod paths;
mod workflows;

use std::fs;
use std::path::Path;

use crate_map::CrateMap;

#[test]
fn modules_import_only_from_lower_floors() {
    assert_none(&floors::upward_imports(&sources()));
}

#[test]
fn load_sut_and_judge_do_not_import_server_queue_or_store() {
    assert_none(&floors::inside_knowledge(&sources()));
}

#[test]
fn every_module_has_a_floor() {
    assert_none(&floors::modules_without_floor(&sources()));
}

#[test]
fn lib_only_declares_modules() {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    assert_none(&floors::not_declarations(&text));
}

#[test]
fn files_do_not_import_each_other_in_circles() {
    assert_none(&circles::circles(&sources()));
}

#[test]
fn files_and_lines_are_short() {
    assert_none(&lengths::too_long(&rust_files(&["src", "tests", "benches"])));
}

#[test]
fn most_files_are_shorter_than_a_few_screens() {
    assert_none(&lengths::median_too_long(&rust_files(&["src"])));
}

#[test]
fn one_file_has_unsafe_code() {
    let is_allowed = |text: &str| text.contains("allow(unsafe_code") || text.contains("unsafe {");
    let files = rust_files(&["src"]).into_iter().filter(|(_, text)| is_allowed(text));
    let names: Vec<String> = files.map(|(name, _)| name).collect();
    assert_eq!(names, ["src/load/ring/kernel.rs"]);
}

fn sources() -> CrateMap {
    CrateMap::new(&rust_files(&["src"]))
}

/// Fails with all offences at once.
#[track_caller]
fn assert_none(offences: &[String]) {
    assert!(offences.is_empty(), "{} offences:\n{}", offences.len(), offences.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Path from the package's root, and text, of every Rust file in these folders.
fn rust_files(folders: &[&str]) -> Vec<(String, String)> {
    let mut files = Vec::new();
    folders.iter().for_each(|folder| collect(&root().join(folder), &mut files));
    assert!(!files.is_empty(), "no sources in {}", root().display());
    files.sort();
    files
}

fn collect(folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}
