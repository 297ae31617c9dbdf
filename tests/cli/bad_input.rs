//! Invalid input is rejected with an error that says how to correct it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use super::{bench, stderr, stdout};
use crate::support::child::{Serving, seckill};

#[test]
fn invalid_flags_exit_2_and_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    file("key.toml", "threads = 1\n\nramps = \"1s\"\n");
    file("value.toml", "threads = 1\ntimeout = \"soon\"\n");
    file("server.toml", "[server]\nstocks = 1\n");
    file("range.toml", "threads = 1\n[server]\nper-buyer = 0\n");
    file("table.toml", "[serverr]\nstock = 1\n");
    let cases: &[(&[&str], &str)] = &[
        (&["--threads", "0"], "--threads: must be at least 1"),
        (&["--ramp", "20"], "write 20s, 1m30s or 250ms"),
        (&["--thread", "3"], "--threads"),
        (&["--buyers", "many"], "neither new, thread nor a number"),
        (&["--timeout", "0s"], "--timeout: must be above 0"),
        #[cfg(not(feature = "tls"))]
        (&["--target", "https://localhost"], "build with TLS: cargo build --release --features"),
        (&["--target", "localhost:7001"], "not of the form http://host:port"),
        (&["--spawn", "--target", "http://127.0.0.1:1"], "leave one out"),
        (&["--item", "a b"], "--item: must be 1 to 64 characters"),
        (&["--", "--stock", "3"], "add --spawn"),
        (&["--spawn", "--", "--stok", "3"], "--stock"),
        (&["--spawn", "--", "--per-buyer", "0"], "--per-buyer: 0 is not between 1"),
        (&["--profile", "key.toml"], "key.toml:3: unknown key `ramps`: the nearest is `ramp`"),
        (&["--profile", "value.toml"], "timeout in value.toml:2: `soon` is not a time"),
        (&["--profile", "server.toml"], "server.toml:2: unknown key `stocks`"),
        (&["--profile", "range.toml"], "per-buyer in range.toml:3: 0 is not between 1"),
        (&["--profile", "table.toml"], "unknown key `serverr`: the nearest is `server`"),
        (&["--duration", "0s"], "--duration: must be above 0"),
    ];
    for (args, cure) in cases {
        let output = bench(folder.path(), args);
        let printed = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {printed}");
        assert!(printed.contains(cure), "{args:?}: {printed}");
        assert_eq!(stdout(&output), "", "{args:?}");
    }
}

#[test]
fn conflicting_flags_exit_2_and_are_named() {
    let rate = ["--rate", "100/s"];
    let conflicts: &[(&[&str], &str)] = &[
        (&["--threads", "5"], "--threads: with a rate it is --max-threads"),
        (&["--ramp", "5s"], "--ramp: with a rate it is --stage"),
        (&["--loops", "5"], "--loops: with a rate it is --duration"),
        (&["--think", "5ms"], "--think: has no effect with a rate"),
        (&["--stampede"], "--stampede: starts threads and not a rate"),
        (&["--buyers", "thread"], "--buyers: with a rate any thread"),
        (&["--stage", "5s:10"], "--stage: with --rate it must lead to a rate, such as 10s:5k/s"),
        (&["--stage", "5s:5k/s", "--duration", "5s"], "--duration: the stages say how long"),
        (&["--warmup", "10s"], "--warmup: must be shorter than the run"),
        (&["--max-threads", "0"], "--max-threads: must be at least 1"),
    ];
    for (args, cure) in conflicts {
        assert_usage(&[&rate, *args].concat(), cure);
    }
    let conflicts: &[(&[&str], &str)] = &[
        (&["--arrival", "poisson"], "--arrival: applies only to a --rate: add one"),
        (&["--max-threads", "5"], "--max-threads: applies only to a --rate: use --threads"),
        (&["--stage", "5s:10", "--duration", "5s"], "--duration: the stages say how long"),
        (&["--stage", "5s:10,5s:10/s"], "--stage: either all lead to threads (10s:350) or all to"),
        (&["--stage", "5s:10", "--stage", "5s:1k/s"], "--stage: either all lead to threads"),
        (&["--stage", "5s:10", "--ramp", "5s"], "--ramp: the stages are the ramp"),
        (
            &["--stage", "5s:10", "--stampede"],
            "--stage: cannot be combined with --stampede: leave it out",
        ),
        (
            &["--stampede", "--ramp", "5s"],
            "--ramp: cannot be combined with --stampede: leave it out",
        ),
        (&["--stage", "0s:10"], "--stage: all together must last longer than 0"),
        (&["--stage", "5s:0"], "--stage: must lead to at least 1 thread"),
        (&["--stage", "5s:0/s"], "--stage: must lead to more than 0/s"),
        (&["--duration", "5s", "--warmup", "5s"], "--warmup: must be shorter than the run"),
        (&["--retry-on", "429"], "--retry-on: configures retries: add --retry N"),
        (&["--retry-backoff", "1s"], "--retry-backoff: configures retries: add --retry N"),
        (&["--retry-budget", "5%"], "--retry-budget: configures retries: add --retry N"),
    ];
    for (args, cure) in conflicts {
        assert_usage(args, cure);
    }
}

#[test]
fn malformed_load_flags_exit_2_with_a_valid_example() {
    let cases: &[(&[&str], &str)] = &[
        (&["--rate", "100"], "write 500/s or 5k/s"),
        (&["--rate", "0/s"], "--rate"),
        (&["--rate", "11M/s"], "--rate: 11000000/s is over 10000000/s"),
        (&["--rate", "1/s", "--arrival", "bursty"], "constant"),
        (&["--stage", "350"], "write 10s:350 for threads, or 10s:5k/s for a rate"),
        (&["--stage", "5s:many"], "write 10s:350 for threads, or 10s:5k/s for a rate"),
        (&["--stage", "5s:2M"], "--stage: 2000000 is over 1048576"),
        (&["--stage", "8days:5"], "--stage: 8days is over 7days"),
        (&["--think", "normal:1s"], "uniform:1s..3s"),
        (&["--think", "uniform:3s..1s"], "uniform:1s..3s"),
        (&["--think", "8days"], "--think: 8days is over 7days"),
        (&["--double-click", "101%"], "--double-click"),
        (&["--double-click", "half"], "--double-click"),
        (&["--retry", "101"], "--retry: 101 is over 100"),
        (&["--retry", "1", "--retry-on", "418"], "429, 503, unknown, connect"),
        (&["--retry", "1", "--retry-backoff", "11s"], "--retry-backoff: 11s is over 10s"),
        (&["--retry", "1", "--retry-budget", "20"], "--retry-budget"),
        (&["--buyers", "10:0"], "10k:1.1"),
        (&["--warmup", "soon"], "write 20s, 1m30s or 250ms"),
        (&["--connect-timeout", "0s"], "--connect-timeout: must be above 0"),
        (&["--follow=perhaps"], "--follow"),
    ];
    for (args, cure) in cases {
        assert_usage(args, cure);
    }
}

/// A bench with these arguments exits with 2 before it does anything, and prints this advice.
#[track_caller]
fn assert_usage(args: &[&str], cure: &str) {
    let output = bench(Path::new("."), args);
    let printed = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {printed}");
    assert!(printed.contains(cure), "{args:?}: {printed}");
    assert_eq!(stdout(&output), "", "{args:?}");
}

#[test]
fn run_that_cannot_start_exits_1_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = bench(folder.path(), &["--target", &format!("http://{closed}")]);
    let printed = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert_eq!(printed.lines().count(), 1, "{printed}");
    assert!(printed.contains("`seckill serve`") && printed.contains("--spawn"), "{printed}");

    let output = bench(folder.path(), &["--profile", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output).matches("No such file").count(), 1, "{}", stderr(&output));

    let output = bench(folder.path(), &["--spawn", "--threads", "1M"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("ulimit -n 1000128"), "{}", stderr(&output));
}

#[test]
fn target_that_is_no_seckill_server_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let answers: [(&[u8], &str); 2] = [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not in HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "is not a seckill server"),
    ];
    for (answer, expected) in answers {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = format!("http://{}", listener.local_addr().unwrap());
        let peer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 16]).unwrap();
            stream.write_all(answer).unwrap();
            // Read until the client closes, so that the client does not see a reset.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        let output = bench(folder.path(), &["--target", &target]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        peer.join().unwrap();
    }
}

fn serve(args: &[&str]) -> std::process::Output {
    seckill().arg("serve").args(args).output().unwrap()
}

#[test]
fn server_that_cannot_start_exits_1_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let running = Serving::start(&data, &[]);
    let address = running.url.strip_prefix("http://").unwrap();
    let elsewhere = folder.path().join("elsewhere");
    let occupied = serve(&["--listen", address, "--data", elsewhere.to_str().unwrap()]);
    assert_eq!(occupied.status.code(), Some(1));
    assert!(stderr(&occupied).contains("--listen"), "{}", stderr(&occupied));
    assert!(!elsewhere.exists(), "a server that cannot listen leaves no folder");

    let second = serve(&["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
    assert_eq!(second.status.code(), Some(1));
    let holder = format!("(pid {})", running.child.id());
    assert!(stderr(&second).contains(&holder), "{}", stderr(&second));

    let unwritable = serve(&["--listen", "127.0.0.1:0", "--data", "/proc/no-such-folder"]);
    assert_eq!(unwritable.status.code(), Some(1));
    assert!(stderr(&unwritable).contains("--data"), "{}", stderr(&unwritable));
}

#[test]
fn server_rejects_invalid_flags_and_a_foreign_journal() {
    let cases: &[(&[&str], &str)] = &[
        (&["--stock=-1"], "--stock"),
        (&["--item", "a/b"], "--item: must be"),
        (&["--opens-at", "tomorrow"], "2030-01-01T10:00:00Z"),
        (&["--opens-at", "+2h", "--closes-at", "+1h"], "closes before it opens"),
        (&["--rate-limit", "5"], "write 500/s"),
        (&["--admin-token", ""], "--admin-token: the token is empty"),
        (&["--log", "info=info=info"], "--log"),
        (&["--max-connections", "100M"], "ulimit -n"),
    ];
    for (args, expected) in cases {
        let output = serve(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{args:?}: {}", stderr(&output));
    }
    let folder = tempfile::tempdir().unwrap();
    damage(folder.path());
    let data = folder.path().to_str().unwrap();
    let output = serve(&["--listen", "127.0.0.1:0", "--data", data]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("damaged at byte 28"), "{}", stderr(&output));
}

/// A data folder whose store's journal has a flipped byte in its first record.
fn damage(data: &Path) {
    Serving::start(data, &[]).kill();
    let path = data.join("sale.journal");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[28 + 28 + 3] ^= 1;
    std::fs::write(&path, bytes).unwrap();
}
