//! Orders and numbers from commands and from the clients of databases.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::{NO_TARGET, buyers, installed, orders, site, truth};

fn shell(script: &str, lines: &str) -> String {
    format!("[truth.orders]\ncommand = [\"sh\", \"-c\", '''{script}''']\n{lines}\n")
}

#[tokio::test]
async fn command_runs_in_the_folder_of_the_description() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("orders.csv"), "buyer\nann\n").unwrap();
    let text = "[truth.orders]\ncommand = [\"cat\", \"orders.csv\"]\nformat = \"csv\"\n";
    let truth = truth(text).unwrap();
    let found = truth.orders(&site(NO_TARGET, folder.path()).around()).await;
    assert_eq!(buyers(&found.unwrap()), ["ann"]);
}

#[tokio::test]
async fn list_of_a_document_is_found_in_an_output() {
    let text = shell(
        "echo '{\"l\":[{\"b\":1}]}'",
        "format = \"json\"\nlist = \"/l\"\n\
                                                    fields = { buyer = \"/b\" }",
    );
    assert_eq!(buyers(&orders(&text).await.unwrap()), ["1"]);
}

#[tokio::test]
async fn failed_command_is_an_error_with_the_last_lines_of_stderr() {
    let script = "for n in 1 2 3 4 5; do echo line $n >&2; done; printf '\\033[2J' >&2; exit 3";
    let error = orders(&shell(script, "format = \"lines\"")).await.unwrap_err().to_string();
    let expected = "truth.orders: `sh` ended with exit status: 3: line 4 | line 5 | \\u{1b}[2J";
    assert_eq!(error, expected);
    let endless = "head -c 5000000 /dev/zero >&2; exit 1";
    let error = orders(&shell(endless, "format = \"lines\"")).await.unwrap_err().to_string();
    assert!(error.len() < 10_000, "{}", error.len());
}

#[tokio::test]
async fn no_part_of_a_secret_is_left_where_stderr_is_cut_off() {
    let secret = std::env::var("PATH").unwrap();
    let script = "printf %s \"$0\" >&2; head -c 395 /dev/zero | tr '\\0' x >&2; exit 3";
    let text = format!(
        "[truth.orders]\nformat = \"lines\"\n\
         command = [\"sh\", \"-c\", '''{script}''', \"{{{{env.PATH}}}}\"]\n"
    );
    let error = orders(&text).await.unwrap_err().problem;
    let end = &secret[secret.len() - 4..];
    assert!(error.ends_with(&"x".repeat(395)) && !error.contains(end), "{error}");
}

#[tokio::test]
async fn missing_program_is_named() {
    let text = "[truth.orders]\ncommand = [\"no-such-program\"]\nformat = \"lines\"\n";
    let error = orders(text).await.unwrap_err().problem;
    let expected = "there is no program `no-such-program` in PATH: install it, or write its whole \
                    path";
    assert_eq!(error, expected);
}

#[tokio::test]
async fn endless_output_and_garbage_are_bounded() {
    let error = orders(&shell("yes", "format = \"lines\"")).await.unwrap_err().problem;
    assert_eq!(error, "`sh` writes more than 64 MiB");
    let garbage = orders(&shell("head -c 100000 /dev/urandom", "format = \"json\"")).await;
    assert!(garbage.unwrap_err().problem.starts_with("it is no JSON"));
}

#[tokio::test]
async fn hanging_command_is_killed_with_all_that_it_has_started() {
    let folder = tempfile::tempdir().unwrap();
    // The inner process keeps stdout open after the shell would have ended.
    let script = "sleep 1000 & echo $! > pid; wait";
    let text = shell(script, "format = \"lines\"\ntimeout = \"2s\"");
    let truth = truth(&text).unwrap();
    let mut site = site(NO_TARGET, folder.path());
    site.deadline = Instant::now() + Duration::from_millis(2_100);
    let error = truth.orders(&site.around()).await.unwrap_err().problem;
    assert!(error.contains("has not ended"), "{error}");
    let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
    let is_alive = || match std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())) {
        // After the name in parentheses: the state.
        Ok(stat) => !stat.rsplit(") ").next().unwrap().starts_with(['Z', 'X']),
        Err(_) => false,
    };
    let limit = std::time::Instant::now() + Duration::from_secs(10);
    while is_alive() {
        assert!(std::time::Instant::now() < limit, "process {pid} goes on");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn sqlite_is_queried() {
    if !installed("sqlite3") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let create = "create table o (uid text, oid integer, item text); \
                  insert into o values ('a,\"b', 1, 'phone'), ('c', null, 'phone'), ('d', 3, 'x');";
    let file = folder.path().join("shop.db");
    let created = std::process::Command::new("sqlite3").arg(&file).arg(create).status();
    assert!(created.unwrap().success());
    let text = "[truth.orders]\n\
         sql = \"select uid as buyer, oid from o where item = '{{item}}' order by rowid\"\n\
         database = \"sqlite:shop.db\"\nfields = { order_id = \"oid\" }\n\
         [truth.stock]\nsql = \"select 10 - count(*) from o\"\ndatabase = \"sqlite:shop.db\"\n\
         [truth.queued]\nsql = \"select max(oid) from o where 0\"\ndatabase = \"sqlite:shop.db\"\n";
    let read = truth(text).unwrap();
    let found = read.orders(&site(NO_TARGET, folder.path()).around()).await;
    let found = found.unwrap();
    assert_eq!(buyers(&found), ["a,\"b", "c"]);
    let ids: Vec<_> = found.iter().map(|found| found.order_id.as_deref()).collect();
    assert_eq!(ids, [Some("1"), None]);
    let stock = read.stock(&site(NO_TARGET, folder.path()).around()).await;
    assert_eq!(stock.unwrap(), Some(7));
    let queued = read.queued(&site(NO_TARGET, folder.path()).around()).await;
    assert_eq!(queued.unwrap(), Some(0));
    let wrong = truth(&text.replace("from o where item", "from orders where item")).unwrap();
    let error = wrong.orders(&site(NO_TARGET, folder.path()).around()).await;
    let error = error.unwrap_err().problem;
    assert!(error.contains("no such table: orders"), "{error}");
    let written = truth(&text.replace("select uid", "delete from o; select uid")).unwrap();
    let error = written.orders(&site(NO_TARGET, folder.path()).around()).await;
    assert!(error.unwrap_err().problem.contains("readonly"));
}

#[tokio::test]
async fn password_of_a_database_is_not_shown() {
    if !installed("psql") {
        return;
    }
    let text = "[truth.orders]\nsql = \"select 1\"\n\
                database = \"postgres://ann:hush%20hush@127.0.0.1:1/shop\"\n";
    let read = truth(text).unwrap();
    let error = read.orders(&site(NO_TARGET, Path::new("")).around()).await;
    let error = error.unwrap_err().problem;
    assert!(error.contains("Connection refused") && !error.contains("hush"), "{error}");
}
