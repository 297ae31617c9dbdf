//! The steps that provide the program.

use std::collections::HashSet;
use std::path::Path;
use std::process::{Command, Output};

use super::job::Job;
use crate::support::child::seckill;
use crate::{stderr, stdout};

fn download(job: &Job, version: &str) -> Output {
    job.step(&["program.sh", "download"], &[("INPUT_VERSION", version)])
}

/// Packs the program as a release, and returns the name of the archive.
fn release(job: &Job) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/github/package.sh");
    let mut command = Command::new(script);
    command.arg(seckill().get_program()).arg("0.1.0").arg(job.path("release"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let files = std::fs::read_dir(job.path("release")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.min_by_key(String::len).unwrap()
}

#[test]
fn given_program_is_used() {
    let Some(job) = Job::new() else { return };
    job.write("workspace/text", "no program");
    let find = |inputs: &[(&str, &str)]| job.step(&["program.sh", "find"], inputs);
    let program = seckill().get_program().to_str().unwrap().to_owned();
    for (binary, version) in [("none", ""), ("text", ""), (".", ""), (&program, "0.1.0")] {
        let output = find(&[("INPUT_BINARY", binary), ("INPUT_VERSION", version)]);
        assert_eq!(output.status.code(), Some(2), "{binary}: {}", stdout(&output));
        assert!(stdout(&output).starts_with("::error "), "{}", stdout(&output));
    }
    assert_eq!(find(&[("INPUT_BINARY", &program)]).status.code(), Some(0));
    assert_eq!(job.outputs()["from"], "binary");
    assert_eq!(job.outputs()["program"], std::fs::canonicalize(program).unwrap().to_str().unwrap());
}

#[test]
fn program_is_built_from_the_source_by_default() {
    let Some(job) = Job::new() else { return };
    let output = job.step(&["program.sh", "find"], &[("RUNNER_OS", "Linux")]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let outputs = job.outputs();
    let root = job.path("temp/seckill");
    assert_eq!(outputs["from"], "source");
    assert_eq!(outputs["root"], root.to_str().unwrap());
    assert_eq!(outputs["program"], root.join("bin/seckill").to_str().unwrap());
    let key = outputs["key"].strip_prefix("seckill-Linux-").unwrap();
    let hash = key.trim_start_matches('-');
    assert!(hash.len() == 32 && hash.chars().all(|c| c.is_ascii_hexdigit()), "{key}");
    let built = job.step(&["program.sh", "build"], &[]);
    assert_eq!(built.status.code(), Some(0), "{}", stderr(&built));
    let action = env!("CARGO_MANIFEST_DIR");
    let root = root.display();
    let call = format!("cargo install --locked --features tls --path {action} --root {root}");
    assert_eq!(job.calls(), [call]);
}

#[test]
fn cached_program_is_that_of_the_same_source() {
    let Some(job) = Job::new() else { return };
    let files =
        ["Cargo.toml", "Cargo.lock", "src/main.rs", "templates/a.html", "deploy/nginx.conf"];
    files.iter().for_each(|file| job.write(&format!("action/{file}"), ""));
    let action = job.path("action");
    let key = || {
        let inputs = [("GITHUB_ACTION_PATH", action.to_str().unwrap())];
        let output = job.step(&["program.sh", "find"], &inputs);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        job.outputs()["key"].clone()
    };
    let mut keys = vec![key()];
    assert_eq!(key(), keys[0]);
    for file in files {
        job.write(&format!("action/{file}"), "changed");
        keys.push(key());
    }
    let distinct: HashSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len(), "{keys:?}");
    job.write("action/README.md", "another text");
    assert_eq!(key(), keys[files.len()]);
}

#[test]
fn release_is_fetched_and_its_checksum_compared() {
    let Some(job) = Job::new() else { return };
    let archive = release(&job);
    for version in ["0.1.0", "v0.1.0"] {
        let output = download(&job, version);
        assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    }
    let url = "https://github.com/owner/seckill/releases/download/v0.1.0";
    assert_eq!(job.calls()[..2], ["", ".sha256"].map(|end| format!("{url}/{archive}{end}")));
    let fetched = job.path("temp/seckill/bin/seckill");
    let version = Command::new(&fetched).arg("--version").output().unwrap();
    assert!(stdout(&version).starts_with("seckill "), "{}", stderr(&version));
    std::fs::remove_file(&fetched).unwrap();
    let path = job.path("release").join(&archive);
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let output = download(&job, "0.1.0");
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("does not have the SHA-256"), "{}", stdout(&output));
    assert!(!fetched.exists());
}

#[test]
fn checksums_of_other_files_do_not_count() {
    let Some(job) = Job::new() else { return };
    let archive = release(&job);
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  /dev/null\n";
    job.write(&format!("release/{archive}.sha256"), empty);
    let output = download(&job, "0.1.0");
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("is not about"), "{}", stdout(&output));
}

#[test]
fn versions_that_are_none_are_refused() {
    let Some(job) = Job::new() else { return };
    for version in ["latest", "../../../evil", "1.0.0/../..", "1.0.0 x", ""] {
        assert_eq!(download(&job, version).status.code(), Some(2), "{version}");
    }
    let inputs = [("INPUT_VERSION", "0.1.0"), ("ACTION_REPOSITORY", "")];
    assert_eq!(job.step(&["program.sh", "download"], &inputs).status.code(), Some(2));
    assert_eq!(job.calls(), [""; 0]);
}
