//! The reaper: what kills a child process when its parent could not.

use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// Reads what to kill, one target per line; the last line counts. At the end of file, which comes
/// when the parent has ended in any way, it kills the target and removes the folder `$1`.
///
/// A process that is being killed may still create files while the folder is removed: hence
/// several tries.
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

/// A shell in its own process group that kills a target, and removes a folder, as soon as the
/// process that holds this value has ended, even by `kill -9`; or when this is dropped.
#[derive(Debug)]
pub(super) struct Reaper {
    shell: Child,
    /// The write end of the shell's stdin. It stays open as long as this process lives.
    targets: Option<ChildStdin>,
}

impl Reaper {
    /// Starts a reaper that has no target yet.
    pub(super) fn start(folder: Option<&Path>) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "seckill-reaper"])
            .arg(folder.unwrap_or(Path::new("")))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let targets = shell.stdin.take();
        Ok(Self { shell, targets })
    }

    /// Where a child process registers itself: it opens this file, writes a line with its process
    /// id, or with `-` and its process group, and closes the file. The line is shorter than
    /// `PIPE_BUF`, so it arrives whole. The file cannot be opened any more when this process has
    /// ended.
    pub(super) fn registry(&self) -> io::Result<PathBuf> {
        let targets = self.targets.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(format!("/proc/{}/fd/{}", std::process::id(), targets.as_raw_fd()).into())
    }

    /// Removes the target. Must be called before the target's process id is free for others.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        self.targets.as_mut().ok_or(io::ErrorKind::BrokenPipe)?.write_all(b"\n")
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        // Closes the pipe, on which the shell does its work and ends.
        drop(self.targets.take());
        let _ = self.shell.wait();
    }
}
