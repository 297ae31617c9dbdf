//! A job of GitHub Actions: its environment, and stand-ins for the programs that need the network.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::child::seckill;
use crate::support::skip::installed;

/// The values of inputs that are not given, as in `action.yml`.
const DEFAULTS: [(&str, &str); 9] = [
    ("INPUT_PROFILE", ""),
    ("INPUT_ARGS", ""),
    ("INPUT_FAIL_IF", ""),
    ("INPUT_BASELINE", ""),
    ("INPUT_OUT", "run"),
    ("INPUT_NAME", "seckill"),
    ("INPUT_BINARY", ""),
    ("INPUT_VERSION", ""),
    ("ACTION_REPOSITORY", "owner/seckill"),
];

pub(super) struct Job {
    folder: TempDir,
}

impl Job {
    /// A job for the pull request 7, on which nobody has commented.
    ///
    /// Returns `None`, and reports the test as skipped, without a program that the scripts need.
    pub(super) fn new() -> Option<Self> {
        if !installed(&["bash", "jq"]) {
            return None;
        }
        let job = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["workspace", "temp"] {
            std::fs::create_dir(job.path(folder)).unwrap();
        }
        job.write("event.json", &json!({"pull_request": {"number": 7}}).to_string());
        job.write("comments.json", "[]");
        Some(job)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The text of a file; empty if it does not exist.
    pub(super) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Runs a script of `deploy/github/` as a step.
    pub(super) fn step(&self, script: &[&str], inputs: &[(&str, &str)]) -> Output {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = std::env::var("PATH").unwrap();
        let stand_ins = root.join("tests/cli/action/bin");
        let mut command = Command::new(root.join("deploy/github").join(script[0]));
        command.args(&script[1..]).current_dir(self.path("workspace")).env_clear();
        command.env("PATH", format!("{}:{path}", stand_ins.display()));
        command.env("GITHUB_ACTION_PATH", root).env("FAKE", self.folder.path());
        command.env("RUNNER_TEMP", self.path("temp")).env("PROGRAM", seckill().get_program());
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_REPOSITORY", "owner/shop");
        command.env("GITHUB_SERVER_URL", "https://github.com").env("GITHUB_RUN_ID", "42");
        for (name, file) in [
            ("GITHUB_EVENT_PATH", "event.json"),
            ("GITHUB_OUTPUT", "output"),
            ("GITHUB_STEP_SUMMARY", "summary"),
        ] {
            command.env(name, self.path(file));
        }
        command.envs(DEFAULTS).envs(inputs.iter().copied()).output().unwrap()
    }

    /// Runs the bench, then the step that comments, and returns what they printed.
    pub(super) fn run(&self, inputs: &[(&str, &str)]) -> (Output, Output) {
        let bench = self.step(&["run.sh"], inputs);
        let code = self.outputs()["exit-code"].clone();
        (bench, self.comment(&code))
    }

    pub(super) fn comment(&self, code: &str) -> Output {
        let artifact = "https://github.com/owner/shop/actions/runs/42/artifacts/5";
        self.step(&["comment.sh"], &[("EXIT_CODE", code), ("ARTIFACT_URL", artifact)])
    }

    /// The outputs of the steps so far.
    pub(super) fn outputs(&self) -> HashMap<String, String> {
        let text = self.read("output");
        let pairs = text.lines().map(|line| line.split_once('=').unwrap());
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    pub(super) fn comments(&self) -> Vec<Value> {
        serde_json::from_str(&self.read("comments.json")).unwrap()
    }

    /// The calls of the programs that need the network.
    pub(super) fn calls(&self) -> Vec<String> {
        self.read("calls").lines().map(str::to_owned).collect()
    }
}
