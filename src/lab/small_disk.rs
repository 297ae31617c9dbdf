//! A small file system of a child process alone, which can be full.
//!
//! It is a tmpfs in a mount namespace of its own, which a holder keeps as long as this value lives.
//! No other process sees it mounted, and nothing has to be unmounted. Users who are not root get a
//! user namespace with it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use super::binary::find;
use super::child::{ChildProcess, Scope};

/// The size of the disk, as `mount` reads it: room for about a million attempts.
const SIZE: &str = "size=256m,mode=700";

/// Mounts the disk on `$1`, says so, and keeps the namespace. `tail` would end with its stdout.
const HOLD: &str = r#"
mount -t tmpfs -o "$2" tmpfs "$1" && echo mounted && exec tail -f /dev/null >/dev/null
"#;

/// How long mounting may take.
const MOUNT_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes that are written at once to fill the disk.
const PIECE: usize = 1 << 16;

/// A disk that can be filled.
#[derive(Debug)]
pub struct SmallDisk {
    holder: ChildProcess,
    /// Where it is mounted, as its own processes see it.
    folder: PathBuf,
    nsenter: PathBuf,
    is_root: bool,
}

impl SmallDisk {
    /// Mounts a disk on this folder, which exists.
    ///
    /// # Errors
    /// When the programs of util-linux are not installed, or the system does not let this user
    /// mount in a namespace of its own.
    pub fn mount(folder: &Path) -> io::Result<Self> {
        let missing = || io::Error::other("unshare and nsenter are not installed: util-linux");
        let (unshare, nsenter) = (find("unshare"), find("nsenter"));
        let (unshare, nsenter) = unshare.zip(nsenter).ok_or_else(missing)?;
        let is_root = rustix::process::geteuid().is_root();
        let mut holder = ChildProcess::new(Scope::Group, None)?;
        holder.start(&unshare, |command| {
            if !is_root {
                command.args(["--user", "--map-root-user"]);
            }
            command.args(["--mount", "--", "/bin/sh", "-c", HOLD, "seckill-disk"]);
            command.arg(folder).arg(SIZE);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        })?;
        match holder.first_line(MOUNT_TIMEOUT)?.as_str() {
            "mounted" => Ok(Self { holder, folder: folder.to_owned(), nsenter, is_root }),
            _ => Err(io::Error::other(
                "this user may not mount a small disk in a namespace of its own: allow user \
                 namespaces (sysctl kernel.unprivileged_userns_clone=1, or AppArmor's \
                 kernel.apparmor_restrict_unprivileged_userns=0), or be root",
            )),
        }
    }

    /// The program that starts another one where the disk is mounted.
    pub fn program(&self) -> &Path {
        &self.nsenter
    }

    /// Its arguments, before those of the other program.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments = vec!["--mount".into()];
        if !self.is_root {
            arguments.extend(["--user".into(), "--preserve-credentials".into()]);
        }
        arguments.extend([format!("--target={}", self.holder.pid()).into(), "--".into()]);
        arguments
    }

    /// Fills the disk until nothing more can be written.
    ///
    /// # Errors
    /// When it cannot be reached, or another error than a full disk comes.
    pub fn fill(&self) -> io::Result<()> {
        let mut file = File::options().append(true).create(true).open(self.filler())?;
        loop {
            // A shorter write fills what is left.
            match file.write(&[0; PIECE]) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes room again.
    ///
    /// # Errors
    /// When the disk cannot be reached.
    pub fn free(&self) -> io::Result<()> {
        fs::remove_file(self.filler())
    }

    /// The file that fills the disk, as this process sees it.
    fn filler(&self) -> PathBuf {
        let inside = self.folder.strip_prefix("/").unwrap_or(&self.folder);
        Path::new("/proc")
            .join(self.holder.pid().to_string())
            .join("root")
            .join(inside)
            .join("full")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_is_full_until_there_is_room_again() {
        let folder = tempfile::tempdir().unwrap();
        let disk = match SmallDisk::mount(folder.path()) {
            Ok(disk) => disk,
            Err(error) => return println!("skipped: {error}"),
        };
        let writes = || {
            let mut command = std::process::Command::new(disk.program());
            command.args(disk.arguments()).arg("/bin/sh");
            let script = r#"head -c 100000 /dev/zero >>"$1/file""#;
            command.args(["-c", script, "sh"]).arg(folder.path()).stderr(Stdio::null());
            command.status().unwrap().success()
        };
        assert!(writes());
        disk.fill().unwrap();
        assert!(!writes());
        disk.free().unwrap();
        assert!(writes());
        assert!(!folder.path().join("file").exists(), "no other process sees it");
    }
}
