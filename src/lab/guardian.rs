//! What ends a process when whoever started it could not.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Reads what to kill, a line each, of which the last counts; at the end of file, which comes when
/// the process at the other end has gone in whatever way, kills it and removes the folder `$1`.
///
/// What is being killed may still make files while the folder is removed: hence several tries.
const SCRIPT: &str = r#"
PATH=$PATH:/usr/bin:/bin
trap '' HUP INT QUIT TERM
target=
while read -r line; do target=$line; done
if [ -n "$target" ]; then kill -s KILL -- "$target" 2>/dev/null; fi
if [ -n "$1" ]; then
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf -- "$1" 2>/dev/null && break
        sleep 0.1
    done
fi
"#;

/// A shell in a process group of its own that kills what it guards, and removes a folder, as soon
/// as the process that holds this value has ended, even by `kill -9`; or when this is dropped.
#[derive(Debug)]
pub struct Guardian {
    shell: Child,
    /// Open as long as this process lives.
    orders: Option<ChildStdin>,
}

impl Guardian {
    /// Starts a guardian that guards no process yet.
    pub fn start(folder: Option<&Path>) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "seckill-lab-guardian"])
            .arg(folder.unwrap_or(Path::new("")))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let orders = shell.stdin.take();
        Ok(Self { shell, orders })
    }

    /// From now on guards this process group, and nothing else.
    pub fn guard_group(&mut self, group: u32) -> io::Result<()> {
        self.order(&format!("-{group}\n"))
    }

    /// From now on guards this one process, and nothing else.
    pub fn guard_process(&mut self, pid: u32) -> io::Result<()> {
        self.order(&format!("{pid}\n"))
    }

    /// From now on guards no process.
    pub fn forget(&mut self) -> io::Result<()> {
        self.order("\n")
    }

    /// An order is shorter than `PIPE_BUF`: it arrives whole or not at all.
    fn order(&mut self, order: &str) -> io::Result<()> {
        match &mut self.orders {
            Some(orders) => orders.write_all(order.as_bytes()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.orders.take());
        // It has little left to do.
        let _ = self.shell.wait();
    }
}
