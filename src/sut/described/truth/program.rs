//! Running a program without a shell, with bounds for its time and its output.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};

use crate::escape::printable;

use super::around::Read;
use super::error::Problem;
use super::limits::{BODY_LEN_MAX, STDERR_LEN_MAX, STDERR_LINES_MAX, STDERR_SHOWN_MAX};

/// A program that is to run.
#[derive(Debug)]
pub(super) struct Program {
    /// The program and its arguments.
    pub(super) words: Vec<String>,
    /// Variables that are added to its environment.
    pub(super) variables: Vec<(&'static str, String)>,
    /// What it reads from stdin.
    pub(super) input: String,
    /// The Debian package that has it, if it is known.
    pub(super) package: Option<&'static str>,
}

/// Kills a program's process group when it is dropped, with all that the program has started.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            // It is no error if nothing is left of it.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

/// What a program has written, and how it ended.
struct Ended {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Runs a program in the folder of the description, and returns its output.
pub(super) async fn run(read: &Read<'_>, program: Program) -> Result<Vec<u8>, Problem> {
    let (name, arguments) =
        program.words.split_first().ok_or_else(|| Problem::lasting("there is no program"))?;
    let shown = read.shown(name);
    let folder = match read.around.folder {
        folder if folder.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    let mut command = Command::new(name);
    command.args(arguments).envs(program.variables).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = command.process_group(0).kill_on_drop(true).spawn();
    let child = started.map_err(|error| not_started(&shown, program.package, &error))?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let mut group = Group(pid);
    let ended = tokio::time::timeout(read.limit(), finish(child, program.input)).await;
    let ended = ended.map_err(|_| read.timed_out(&format!("`{shown}`")))?;
    let ended = ended.map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => {
            Problem::lasting(format!("`{shown}` writes more than {} MiB", BODY_LEN_MAX >> 20))
        }
        _ => Problem::passing(format!("cannot run `{shown}`: {error}")),
    })?;
    // Its id may be another process's from now on.
    group.0 = None;
    if ended.status.success() {
        return Ok(ended.stdout);
    }
    // Before anything is cut off, so that no part of a secret is shown.
    let said = read.without_secrets(&last_lines(&ended.stderr));
    let cut = said.chars().count().saturating_sub(STDERR_SHOWN_MAX);
    let said: String = said.chars().skip(cut).collect();
    let said = if said.is_empty() { said } else { format!(": {}", printable(&said)) };
    Err(Problem::passing(format!("`{shown}` ended with {}{said}", ended.status)))
}

fn not_started(shown: &str, package: Option<&str>, error: &io::Error) -> Problem {
    Problem::lasting(match (error.kind(), package) {
        (io::ErrorKind::NotFound, Some(package)) => {
            format!("`{shown}` is not installed: it is in the Debian package {package}")
        }
        (io::ErrorKind::NotFound, None) => {
            format!("there is no program `{shown}` in PATH: install it, or write its whole path")
        }
        _ => format!("cannot start `{shown}`: {error}"),
    })
}

async fn finish(mut child: Child, input: String) -> io::Result<Ended> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // A program that fills one pipe must not wait for another one.
    let (_, stdout, stderr) =
        tokio::join!(write(stdin, input), bounded(stdout), last_bytes(stderr));
    Ok(Ended { stdout: stdout?, stderr: stderr?, status: child.wait().await? })
}

/// Writes the input. A program that does not read it is no problem.
async fn write(stdin: Option<ChildStdin>, input: String) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input.as_bytes()).await;
        let _ = stdin.shutdown().await;
    }
}

async fn bounded(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut output = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(BODY_LEN_MAX as u64 + 1).read_to_end(&mut output).await?;
    }
    if output.len() > BODY_LEN_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(output) }
}

async fn last_bytes(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(mut pipe) = pipe else { return Ok(kept) };
    let mut piece = [0; 4096];
    loop {
        let len = pipe.read(&mut piece).await?;
        if len == 0 {
            return Ok(kept);
        }
        kept.extend_from_slice(&piece[..len]);
        if kept.len() > 2 * STDERR_LEN_MAX {
            kept.drain(..kept.len() - STDERR_LEN_MAX);
        }
    }
}

/// The last lines of what a program wrote, with ` | ` between them.
fn last_lines(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(STDERR_LINES_MAX)..].join(" | ")
}
