//! `action.yml`, its scripts, and the workflows here and in the documentation fit each other.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::workflows::{below, expressions_in_run, keys, steps, unknown_steps, used, variables};
use crate::{assert_none, root};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Path and text of `action.yml`, of all workflows, and of the pages that have parts of some.
fn files() -> Vec<(String, String)> {
    let mut paths = vec!["action.yml".to_owned()];
    for (folder, extension) in
        [(".github/workflows", "yml"), ("docs/examples", "yml"), ("docs", "md")]
    {
        let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let named = entries.filter(|path| path.extension().is_some_and(|e| e == extension));
        let name = |path: &Path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let before = paths.len();
        paths.extend(named.map(|path| name(&path)));
        assert!(paths.len() > before, "{folder} has none");
    }
    paths.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

#[test]
fn no_expression_is_part_of_a_script() {
    let files = files();
    let offences = files.iter().flat_map(|(path, text)| expressions_in_run(path, text));
    assert_none(&offences.collect::<Vec<_>>());
}

#[test]
fn expressions_refer_to_steps_that_exist() {
    let files = files();
    let yaml = files.iter().filter(|(path, _)| path.ends_with(".yml"));
    assert_none(&yaml.flat_map(|(path, text)| unknown_steps(path, text)).collect::<Vec<_>>());
}

#[test]
fn inputs_are_declared_and_used() {
    let action = read("action.yml");
    assert_eq!(keys(&action, "inputs"), used(&action, "inputs."));
    assert_eq!(keys(&action, "outputs"), ["exit-code", "report", "verdict"].into());
}

#[test]
fn uses_of_the_action_give_inputs_that_it_has() {
    let action = read("action.yml");
    let inputs = keys(&action, "inputs");
    let mut uses = 0;
    for (path, text) in files() {
        for step in steps(&text) {
            let is_use = |line: &&str| {
                let name = line.trim().trim_start_matches("- ").strip_prefix("uses: ");
                name.is_some_and(|name| name == "./" || name.starts_with("OWNER/seckill@"))
            };
            if step.iter().any(is_use) {
                uses += 1;
                let given = below(&step, "with");
                let unknown: Vec<_> = given.difference(&inputs).collect();
                assert!(unknown.is_empty(), "{path}: {unknown:?} are no inputs");
            }
        }
    }
    assert!(uses >= 3, "{uses}");
}

#[test]
fn every_step_of_the_action_gives_its_script_what_it_reads() {
    let action = read("action.yml");
    let own = ["LC_ALL", "INPUT_VERSION", "ACTION_REPOSITORY", "INPUT_BINARY"];
    let mut scripts = BTreeSet::new();
    for step in steps(&action) {
        let Some(run) = step.iter().find_map(|line| line.trim().strip_prefix("run: ")) else {
            continue;
        };
        let script = run.split('/').next_back().unwrap().split('"').next().unwrap();
        let path = format!("deploy/github/{script}");
        let mode = fs::metadata(root().join(&path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{path} is not executable");
        let given = below(&step, "env");
        let text = read(&path);
        // Each step of program.sh reads a part of its variables.
        let read = variables(&text);
        let missing: Vec<_> = read.difference(&given).filter(|name| !own.contains(name)).collect();
        assert!(missing.is_empty(), "{path} reads {missing:?}, which its step does not give");
        let unread = given.difference(&read).filter(|name| !name.starts_with("GH_"));
        assert_eq!(unread.collect::<Vec<_>>(), [&""; 0], "{path} does not read them");
        scripts.insert(path);
    }
    assert_eq!(scripts.len(), 3);
}

#[test]
fn every_workflow_names_its_permissions() {
    let files = files();
    let workflows = files.iter().filter(|(path, _)| path.ends_with(".yml") && path != "action.yml");
    let bare = workflows.filter(|(_, text)| !text.contains("\npermissions:\n"));
    assert_none(&bare.map(|(path, _)| format!("{path}: no permissions")).collect::<Vec<_>>());
}
