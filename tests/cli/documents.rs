//! Every block of shell commands in README.md and docs/ that can be pasted is run here.
//!
//! A block whose language is `sh` is run in a new folder, with this program first in PATH; one
//! whose language is `console` is only read by people. `<!-- exits 3 -->` before a block says how
//! its last command ends.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use seckill::lab::free_port;

use crate::support::child::seckill;
use crate::support::skip::installed;

/// Longest time of a block, far more than any needs.
const TIME_MAX: Duration = Duration::from_secs(180);

/// The address of the documents, in whose place the tests use a free port.
const PORT: &str = "7001";

struct Block {
    /// The document and the line.
    at: String,
    script: String,
    code: i32,
}

/// The blocks of a document that can be run.
fn blocks(path: &Path, text: &str) -> Vec<Block> {
    let (mut found, mut code) = (Vec::new(), 0);
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let exits = line.strip_prefix("<!-- exits ").and_then(|rest| rest.strip_suffix(" -->"));
        if let Some(exits) = exits {
            code = exits.parse().unwrap();
            continue;
        }
        if let Some(language) = line.strip_prefix("```") {
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let script = inside.collect::<Vec<_>>().join("\n");
            if language == "sh" {
                let at = format!("{}:{}", path.display(), number + 1);
                found.push(Block { at, script, code });
            }
        }
        code = 0;
    }
    found
}

fn documents() -> Vec<PathBuf> {
    let docs = std::fs::read_dir("docs").unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|ext| ext == "md"));
    docs.chain([PathBuf::from("README.md")]).collect()
}

/// Runs a block, and returns its exit code, if it ends in time, with what it printed.
fn run(block: &Block) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let program = PathBuf::from(seckill().get_program());
    let path = std::env::var("PATH").unwrap_or_default();
    let port = free_port().unwrap().to_string();
    // `set -m` makes jobs, as in a shell at a terminal.
    let script = format!("set -em\n{}\n", block.script.replace(PORT, &port));
    let log = folder.path().join("log");
    let mut command = Command::new("bash");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SECKILL_") {
            command.env_remove(name);
        }
    }
    if block.script.contains("seckill serve &") {
        command
            .env("SECKILL_LISTEN", &port)
            .env("SECKILL_TARGET", format!("http://127.0.0.1:{port}"));
    }
    let file = std::fs::File::create(&log).unwrap();
    command.env("PATH", format!("{}:{path}", program.parent().unwrap().display()));
    command.current_dir(folder.path()).args(["-c", &script]).stdin(Stdio::null());
    command.stdout(file.try_clone().unwrap()).stderr(file);
    let mut child = command.process_group(0).spawn().unwrap();
    let deadline = Instant::now() + TIME_MAX;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status.code(),
            None if Instant::now() > deadline => {
                let group = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
                kill_process_group(group, Signal::TERM).unwrap();
                child.wait().unwrap();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    (status, std::fs::read_to_string(log).unwrap())
}

#[test]
fn each_block_of_shell_commands_runs_as_it_is_written() {
    let mut ran = 0;
    for path in documents() {
        for block in blocks(&path, &std::fs::read_to_string(&path).unwrap()) {
            let needs: &[&str] = match block.script.contains("seckill lab") {
                true => &["redis-server", "rabbitmq-server"],
                false => &[],
            };
            let needs =
                [needs, if block.script.contains("curl") { &["curl"] } else { &[] }].concat();
            if !installed(&needs) {
                continue;
            }
            // A race that a block is to show does not come out each time on a busy machine.
            let runs = std::iter::repeat_with(|| run(&block)).take(3);
            let mut runs = runs.skip_while(|(code, _)| block.code == 3 && *code == Some(0));
            let (code, printed) = runs.next().unwrap_or((Some(0), String::new()));
            // A machine without time for a load makes its run invalid, whatever the documents say.
            let is_invalid = block.code == 0 && code == Some(5) && printed.contains("INVALID");
            let is_right = code == Some(block.code) || is_invalid;
            assert!(is_right, "{}: exit code {code:?}\n{}\n{printed}", block.at, block.script);
            ran += 1;
        }
    }
    assert!(ran >= 8, "only {ran} blocks were run");
}

#[test]
fn blocks_are_found_with_their_lines_and_exit_codes() {
    let text = "text\n```sh\na\nb\n```\n<!-- exits 3 -->\n```sh\nc\n```\n```console\nd\n```\n";
    let found: Vec<_> = blocks(Path::new("x.md"), text)
        .into_iter()
        .map(|Block { at, script, code }| (at, script, code))
        .collect();
    let expected = [("x.md:2", "a\nb", 0), ("x.md:7", "c", 3)];
    assert_eq!(found, expected.map(|(at, script, code)| (at.to_owned(), script.to_owned(), code)));
}
