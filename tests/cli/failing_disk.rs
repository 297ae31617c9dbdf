//! A disk that fails, turns read-only, or loses its folder under load: the server accepts nothing
//! more, says why, and ends; everything that it had accepted is there after the next start.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::{Command, Stdio};

use seckill::history::{Answered, Beginning, History};
use seckill::profile::{BenchFlags, Think};
use seckill::units::Count;

use super::disk_full::{SmallDisk, mount};
use super::preload;
use crate::support::child::{Serving, seckill, wait};
use crate::support::client::{self, Loading, PLENTY, Sale, TOKEN};
use crate::support::skip::skip;

/// Attempts before the disk fails.
const BEFORE: u64 = 200;

const FLAGS: [&str; 2] = ["--admin-token", TOKEN];

/// A load that goes on until it is ended, though nobody answers any more.
fn load(sale: &Sale) -> Loading {
    let pause = std::time::Duration::from_millis(2);
    let loading = sale.load(&BenchFlags {
        threads: Some(Count(8)),
        loops: Some(Count(100_000)),
        think: Some(Think::Constant(pause)),
        ..client::flags()
    });
    loading.wait_for(BEFORE);
    loading
}

/// Waits for the end of a server, which must say this, and returns what its clients were answered.
fn ends(server: Serving, loading: Loading, words: &[&str]) -> History {
    let (status, printed) = server.wait();
    assert_eq!(status.code(), Some(1), "{printed}");
    for word in words {
        assert!(printed.contains(word), "no {word} in {printed}");
    }
    loading.end().history
}

/// Starts again, and checks that nothing is lost that was accepted.
fn assert_nothing_is_lost(data: &Path, sale: &Sale, history: &mut History) {
    let server = Serving::start(data, &FLAGS);
    let audit = sale.at(&server.url).assert_audit_passes(history);
    assert!(audit.accepted > 0, "{audit:#?}");
}

#[test]
fn failed_write_or_sync_ends_the_server_without_losing_accepted_attempts() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = preload::library(folder.path(), "failing_disk.c") else {
        skip("no C compiler is installed");
        return;
    };
    let fail_as = folder.path().join("fail-as");
    let (broken, read_only) = ("Input/output error", "Read-only file system");
    for (number, (failure, error)) in [
        ("fdatasync EIO sale.journal", broken),
        ("write EIO sale.journal", broken),
        ("write EROFS sale.journal", read_only),
    ]
    .into_iter()
    .enumerate()
    {
        let data = folder.path().join(format!("data-{number}"));
        let mut command = seckill();
        command.env("LD_PRELOAD", &library).env("FAIL_AS", &fail_as);
        let server = Serving::start_as(command, &data, &FLAGS);
        let sale = Sale::open(&server.url, "tea", PLENTY);
        let loading = load(&sale);
        // In one step: a file without its content would be no failure.
        let fresh = folder.path().join("fresh");
        fs::write(&fresh, failure).unwrap();
        fs::rename(&fresh, &fail_as).unwrap();
        let file = failure.rsplit(' ').next().unwrap();
        let mut history = ends(server, loading, &[error, file]);
        fs::remove_file(&fail_as).unwrap();
        assert_nothing_is_lost(&data, &sale, &mut history);
    }
}

#[test]
fn limit_of_a_files_size_ends_the_server_without_losing_accepted_attempts() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut command = Command::new("bash");
    command.args(["-c", "ulimit -f 128 && exec \"$0\" \"$@\""]).arg(seckill().get_program());
    command.stdout(Stdio::piped());
    let server = Serving::start_as(command, &data, &FLAGS);
    let sale = Sale::open(&server.url, "tea", PLENTY);
    let loading = load(&sale);
    let mut history = ends(server, loading, &["File too large", ".journal"]);
    assert_nothing_is_lost(&data, &sale, &mut history);
}

#[test]
fn moved_folder_ends_the_server_and_has_everything_that_was_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let (data, moved) = (folder.path().join("data"), folder.path().join("moved"));
    let server = Serving::start(&data, &FLAGS);
    let sale = Sale::open(&server.url, "tea", PLENTY);
    let loading = load(&sale);
    fs::rename(&data, &moved).unwrap();
    let mut history = ends(server, loading, &["moved or deleted", ".journal"]);
    assert_nothing_is_lost(&moved, &sale, &mut history);
}

#[test]
fn journal_that_is_cut_ends_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(folder.path(), &FLAGS);
    let sale = Sale::open(&server.url, "tea", PLENTY);
    let loading = load(&sale);
    let journal = OpenOptions::new().write(true).open(folder.path().join("sale.journal")).unwrap();
    // Just before a write, a cut is not noticed: it leaves a hole, and no shorter file.
    for _ in 0..1_000 {
        journal.set_len(1_000).unwrap();
    }
    ends(server, loading, &["was cut while the server was using it", "sale.journal"]);
}

#[test]
fn nothing_is_accepted_after_the_folder_was_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Serving::start(&data, &FLAGS);
    let sale = Sale::open(&server.url, "tea", PLENTY);
    let loading = load(&sale);
    fs::remove_dir_all(&data).unwrap();
    let deleted_us = Beginning::now().unix_us();
    let history = ends(server, loading, &["moved or deleted", ".journal"]);
    let sent_later = history.entries.iter().filter(|e| history.began_us + e.sent_us > deleted_us);
    let accepted = sent_later.filter(|entry| entry.answered != Answered::Unknown).count();
    assert_eq!(accepted, 0, "a restart would not find them");
}

#[test]
fn read_only_folder_is_refused_at_the_start() {
    let Some(disk) = SmallDisk::mount("1m") else {
        skip("only root may mount the small file system that it makes read-only");
        return;
    };
    for is_used in [false, true] {
        let data = disk.path().join(format!("used-{is_used}"));
        if is_used {
            let server = Serving::start(&data, &FLAGS);
            server.kill();
        }
        assert!(mount(disk.path(), "remount,ro"));
        let mut start: Command = seckill();
        start.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data).args(FLAGS);
        let mut child = start.spawn().unwrap();
        let status = wait(&mut child);
        let printed = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
        assert_eq!(status.code(), Some(1), "{printed}");
        let (error, cure) = ("Read-only file system", "have it mounted for writing");
        assert!(printed.contains(error) && printed.contains(cure), "{printed}");
        assert!(mount(disk.path(), "remount,rw"));
    }
}
