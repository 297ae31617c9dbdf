//! On a full disk, the server exits with an error that says what to do, and loses no accepted
//! attempt.

use std::path::Path;
use std::process::Command;

use super::{TOKEN, bench, last_line, stderr, stdout};
use crate::support::child::{Serving, seckill};
use crate::support::skip::skip;

/// A small file system for one test; unmounted when dropped.
pub(super) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts it; returns `None` where that is not permitted.
    pub(super) fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        mount(folder.path(), &format!("size={size}")).then_some(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    fn grow(&self, size: &str) {
        assert!(mount(self.path(), &format!("remount,size={size}")));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

/// Mounts a file system in memory, or mounts it again with other options.
pub(super) fn mount(path: &Path, options: &str) -> bool {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(path);
    mount.output().is_ok_and(|output| output.status.success())
}

#[test]
fn full_temporary_folder_is_named() {
    let Some(disk) = SmallDisk::mount("64k") else {
        skip("only root may mount the small file system that it fills");
        return;
    };
    std::fs::write(disk.path().join("rest"), vec![0; 60 << 10]).unwrap();
    let mut bench = seckill();
    bench.args(["bench", "--spawn"]).env("TMPDIR", disk.path()).current_dir("/");
    let output = bench.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    let said = stderr(&output);
    assert!(said.contains("no space") || said.contains("No space"), "{said}");
    assert!(said.contains(&*disk.path().to_string_lossy()), "{said}");
}

#[test]
fn full_disk_ends_the_server_without_losing_accepted_attempts() {
    let Some(disk) = SmallDisk::mount("128k") else {
        skip("only root may mount the small file system that it fills");
        return;
    };
    let (data, folder) = (disk.path().join("data"), tempfile::tempdir().unwrap());
    let flags = ["--stock", "100k", "--admin-token", TOKEN];
    let server = Serving::start(&data, &flags);
    let load = ["--threads", "4", "--loops", "2k", "--settle-timeout", "1s", "--json"];
    let load = [&load[..], &["--admin-token", TOKEN]].concat();
    let run = bench(folder.path(), &[&["--target", &server.url], &load[..]].concat());
    assert_eq!(run.status.code(), Some(4), "nothing can be concluded: {}", stderr(&run));
    let (status, printed) = server.wait();
    assert_eq!(status.code(), Some(1), "{printed}");
    assert!(
        printed.contains("No space left on device") && printed.contains("make room"),
        "{printed}"
    );
    let json: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let accepted = json["requests"]["by_outcome"]["queued"].as_u64().unwrap();
    assert!(accepted > 0, "{json:#}");

    disk.grow("16m");
    let server = Serving::start(&data, &flags);
    let again = ["--target", &server.url, "--admin-token", TOKEN];
    let output = bench(folder.path(), &again);
    assert_eq!(output.status.code(), Some(0), "{}{}", stderr(&output), stdout(&output));
    let orders = last_line(&output).split("sold ").nth(1).unwrap().to_owned();
    let orders: u64 = orders.split(',').next().unwrap().parse().unwrap();
    assert!(orders > accepted, "{accepted} were accepted, then one more, {orders} were sold");
}
