//! The command of `seckill lab`: found, run to its end, and never left behind.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use anyhow::{Context, anyhow};
use procfs::ProcResult;
use procfs::process::{Process, Stat};
use rustix::process::Signal;

use crate::lab::{ChildProcess, Scope, find};

use super::signals::Signals;
use super::{Failure, say};

/// The command to run, whose program was found.
pub(super) struct LabCommand {
    program: PathBuf,
    args: Vec<OsString>,
}

impl LabCommand {
    pub(super) fn new(program: &OsString, args: &[OsString]) -> Result<Self, Failure> {
        let found = match program.to_str() {
            Some("seckill") => Some(std::env::current_exe()?),
            _ => find(program),
        };
        let not_found = || {
            let (name, path) = (program.to_string_lossy(), Path::new(program));
            let is_path = path.components().count() > 1;
            let problem = match is_path && path.is_file() {
                true => "it is not executable: `chmod +x` it, or name its interpreter before it",
                false => "no such program; write its path, or add it to PATH",
            };
            anyhow!("cannot run `{name}`: {problem}")
        };
        Ok(Self { program: found.ok_or_else(not_found)?, args: args.to_vec() })
    }

    /// Runs the command to its end, and returns its exit code.
    pub(super) async fn run(
        self,
        variables: &[(String, String)],
        signals: &mut Signals,
    ) -> Result<u8, Failure> {
        let Self { program, args } = self.with_odd_variables(std::env::vars_os())?;
        let mut child = ChildProcess::new(scope(), None)?;
        let started = child.start(&program, |command| {
            command.args(&args).envs(variables.iter().map(|(name, value)| (name, value)));
        });
        started.with_context(|| format!("cannot run `{}`", program.display()))?;
        let mut is_second = false;
        let status = loop {
            tokio::select! {
                status = child.ended() => break status?,
                signal = signals.which() => match is_second {
                    true => child.kill()?,
                    false => forward(signal, &child)?,
                },
            }
            is_second = true;
        };
        Ok(code(status))
    }

    /// Wraps the command in `env` if the environment has variables whose names are not
    /// identifiers, such as `a.b`. The command starts as a shell, which does not pass them on.
    fn with_odd_variables(
        self,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> anyhow::Result<Self> {
        let odd = environment.filter(|(name, _)| !is_identifier(name));
        let odd: Vec<_> = odd.map(|(name, value)| [name, value].join("=".as_ref())).collect();
        if odd.is_empty() {
            return Ok(self);
        }
        let env = find("env").context("cannot find `env`, which passes on odd variables")?;
        let args = [odd, vec![self.program.into()], self.args].concat();
        Ok(Self { program: env, args })
    }
}

/// Whether a shell can have a variable of this name.
fn is_identifier(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    name.iter().all(is_word) && name.first().is_some_and(|first| !first.is_ascii_digit())
}

/// Forwards a signal to the command, unless the terminal has sent it to both.
fn forward(signal: Signal, child: &ChildProcess) -> Result<(), Failure> {
    say("lab: waiting for the command to end; send another signal to kill it");
    if signal == Signal::INT && in_foreground() {
        return Ok(());
    }
    Ok(child.signal(signal)?)
}

/// What gets signals, and is killed with the lab: without a terminal, the command with what it has
/// started, in a group of their own. With one, the command stays in the group of the lab, since it
/// could not read from the terminal otherwise, and Ctrl-C would not reach both.
fn scope() -> Scope {
    match own_stat() {
        Ok(stat) if stat.tty_nr == 0 => Scope::Group,
        _ => Scope::Process,
    }
}

/// Whether Ctrl-C on the terminal reaches this process group, and so the command as well.
fn in_foreground() -> bool {
    own_stat().is_ok_and(|stat| stat.tty_nr != 0 && stat.tpgid == stat.pgrp)
}

fn own_stat() -> ProcResult<Stat> {
    Process::myself().and_then(|process| process.stat())
}

/// The exit code that a shell would report.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
