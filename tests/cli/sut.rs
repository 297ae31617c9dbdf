//! `seckill sut`: descriptions are written and tried out; and what a run by a description reports.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Output;

use rustix::process::Signal;

use super::{stderr, stdout};
use crate::support::child::{eventually, seckill, signal, wait};
use crate::support::scripted::{Reply, Scripted, answer};

fn run(folder: &Path, words: &[&str]) -> Output {
    let mut command = seckill();
    command.current_dir(folder).args(words).env("SHOP_ADMIN_TOKEN", "s3cret").output().unwrap()
}

#[test]
fn written_description_of_each_kind_can_be_tried_out() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..100).map(|user| format!("user{user},x\n")).collect();
    fs::write(folder.path().join("accounts.csv"), format!("name,password\n{rows}")).unwrap();
    let shops: [&[&str]; 5] = [
        &[],
        &["--login", "POST /login"],
        &["--accepted", "202", "--result", "GET /orders/{{request_id}}"],
        &["--body", "form", "--won", "302", "--sold-out", "410", "--name", "\"a\\\n[shop]\u{1b}"],
        &["--accepted", "200", "--won", "200", "--sold-out", "200"],
    ];
    for (number, shop) in shops.into_iter().enumerate() {
        for orders in ["sql", "redis", "http", "command"] {
            let name = format!("{orders}-{number}.toml");
            let target = ["--target", "http://127.0.0.1:1", "--orders", orders];
            let words = [&["sut", "init", &name][..], &target, shop].concat();
            let output = run(folder.path(), &words);
            let accounts: &[&str] =
                if number == 1 { &["--buyers-from", "accounts.csv"] } else { &[] };
            let check = [&["seckill sut check", &name][..], accounts].concat().join(" ");
            let told = format!("wrote {name}: complete it, then try it out with: {check}\n");
            assert_eq!((output.status.code(), stderr(&output)), (Some(0), told));
            // Only the shop itself is missing then: the file could be read.
            for verb in [&["sut", "check", &name][..], &["bench", "--profile", &name]] {
                let output = run(folder.path(), &[verb, accounts].concat());
                let told = "no server answers at http://127.0.0.1:1: start the shop there";
                assert_eq!(output.status.code(), Some(1), "{words:?}: {}", stderr(&output));
                assert!(stderr(&output).contains(told), "{words:?}: {}", stderr(&output));
            }
        }
    }
}

#[test]
fn flag_that_makes_no_description_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, told) in [
        (&["--purchase", "POST"][..], "--purchase: `POST` is no request: write it as POST /path"),
        (&["--purchase", "POSTorders"], "`POSTorders` is no request: write it as POST /path, such"),
        (&["--purchase", "FETCH /x"], "--purchase: `FETCH` is none of GET, POST, PUT, PATCH, "),
        (&["--purchase", "POST /a{{b c"], "--purchase: "),
        (
            &["--login", "x"],
            "--login: `x` is no request: write it as POST /path, such as POST /login",
        ),
        (&["--won", "99"], "--won: 99 is no status of an answer: 200 to 599, such as 201"),
        (&["--accepted", "600"], "--accepted: 600 is no status of an answer"),
        (&["--sold-out", "0"], "--sold-out: 0 is no status of an answer: 200 to 599, such as 409"),
        (&["--accepted", "202", "--result", "/r"], "--result: `/r` is no request"),
        (&["--target", "nohost"], "--target: `nohost` is not of the form http://host:port"),
        (&["--target", "ftp://x"], "--target: `ftp://x` is not of the form http://host:port"),
    ] {
        let output = run(folder.path(), &[&["sut", "init", "shop.toml"], flags].concat());
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(told), "no {told} in {}", stderr(&output));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{flags:?}");
    }
    // The file is to be completed: neither the host nor the values have to be there yet.
    let later = ["--target", "http://shop.invalid", "--purchase", "POST /o?k={{env.NOT_SET_YET}}"];
    let output = run(folder.path(), &[&["sut", "init", "shop.toml"][..], &later].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn existing_file_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.toml");
    fs::write(&file, "mine").unwrap();
    std::os::unix::fs::symlink("elsewhere.toml", folder.path().join("link.toml")).unwrap();
    for name in ["shop.toml", "link.toml"] {
        let output = run(folder.path(), &["sut", "init", name]);
        let told = format!("{name} exists, and is not overwritten: name another file");
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains(&told), "{}", stderr(&output));
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert!(!folder.path().join("elsewhere.toml").exists());
    let output = run(folder.path(), &["sut", "init", "nowhere/shop.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cannot write nowhere/shop.toml: No such file"));
}

/// A shop that answers every request in this way, and its description with this table.
fn shop(folder: &Path, reply: Reply, table: &str) -> Scripted {
    let server = Scripted::always(reply);
    let purchase = "[purchase]\nrequest = \"POST /orders\"\njson = { buyer = \"{{buyer}}\" }\n";
    let outcome = "[[outcome]]\nstatus = 201\nis = \"won\"\norder_id = \"json /id\"\n";
    let text = format!("target = \"{}\"\n{purchase}{outcome}{table}", server.url());
    fs::write(folder.join("shop.toml"), text).unwrap();
    server
}

#[test]
fn attempt_is_shown_even_if_the_orders_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let orders = "[truth.orders]\ncommand = [\"false\"]\nformat = \"csv\"\n";
    let reply = Reply::Bytes(answer(201, "", "{\"id\":\"\u{1b}[2J7\"}"));
    let server = shop(folder.path(), reply, orders);
    let output = run(folder.path(), &["sut", "check", "shop.toml"]);
    let text = stdout(&output);
    assert_eq!((output.status.code(), stderr(&output)), (Some(1), String::new()), "{text}");
    for expected in [
        "! Before   truth.orders: `false` ended with exit status: 1",
        "\npurchase: POST /orders\n  sent       {\"buyer\":\"",
        "\n  answered   201 in ",
        " ms: {\"id\":\"\\u{1b}[2J7\"}\n",
        "! After    truth.orders: `false`",
        "Something does not fit: see the lines that begin with `!`.",
    ] {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn answer_that_no_outcome_matches_is_shown_by_check_and_by_reports() {
    let folder = tempfile::tempdir().unwrap();
    let reply = Reply::Bytes(answer(418, "", "I am a <teapot>\u{1b}[31m\n"));
    let _server = shop(folder.path(), reply, "");
    let checked = stdout(&run(folder.path(), &["sut", "check", "shop.toml"]));
    let told = "! understood as an error: no [[outcome]] matches the answer";
    assert!(checked.contains(told), "{checked}");
    let bench = ["bench", "--profile", "shop.toml", "--no-audit", "--threads", "3"];
    let output = run(folder.path(), &[&bench[..], &["--out", "run"]].concat());
    let text = stdout(&output);
    let beginning = "status 418: I am a <teapot>\\u{1b}[31m";
    assert!(text.contains(&format!("no [[outcome]] has it: {beginning}")), "{text}");
    assert!(text.contains("http_418 3"), "{text}");
    // Nothing was read of the stock.
    assert!(!text.contains("sold out before the run"), "{text}");
    let json = run(folder.path(), &[&bench[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        json["unmatched"],
        serde_json::json!([format!("no [[outcome]] has it: {beginning}")])
    );
    let html = run(folder.path(), &["report", "run", "--html", "run.html"]);
    assert_eq!(html.status.code(), Some(0), "{}", stderr(&html));
    let html = fs::read_to_string(folder.path().join("run.html")).unwrap();
    assert!(html.contains("I am a &#60;teapot&#62;") && !html.contains("<teapot>"));
}

#[test]
fn secrets_of_the_environment_are_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let reply = Reply::Bytes(answer(201, "", "{\"id\":\"s3cret\"}"));
    let before = r#"
[[before]]
request = "GET /a?k={{env.SHOP_ADMIN_TOKEN}}"
extract = { id = "json /id" }
headers = { X-Token = "{{ env.SHOP_ADMIN_TOKEN }}" }
[[after]]
request = "POST /b"
json = { k = "{{env.SHOP_ADMIN_TOKEN}}" }
"#;
    let server = shop(folder.path(), reply, before);
    let text = stdout(&run(folder.path(), &["sut", "check", "shop.toml"]));
    assert!(text.contains("GET /a?k=…"), "{text}");
    assert!(
        text.contains("extracted  id = …") && text.contains(r#"sent       {"k":"…"}"#),
        "{text}"
    );
    assert!(!text.contains("s3cret"), "{text}");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn no_part_of_a_secret_is_shown_where_an_answer_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let reply = || Reply::Bytes(answer(500, "", &format!("{}s3cret", "x".repeat(157))));
    let setup =
        "[[setup]]\nname = \"a\\u001b[31mb\"\nrequest = \"GET /{{env.SHOP_ADMIN_TOKEN}}\"\n";
    let after = "[[after]]\nrequest = \"GET /{{env.SHOP_ADMIN_TOKEN}}\"\n";
    for (table, told) in [(setup, "step `a\\u{1b}[31mb`: status 500: xxx"), (after, "Unmatched")] {
        let _server = shop(folder.path(), reply(), table);
        let bench = ["bench", "--profile", "shop.toml", "--no-audit", "--threads", "1", "--json"];
        for words in [&bench[..], &bench[..6]] {
            let output = run(folder.path(), words);
            let text = format!("{}{}", stdout(&output), stderr(&output));
            assert!(!text.contains("xs3") && !text.contains('\u{1b}'), "{text}");
            assert!(words.len() == 7 || text.contains(told), "{told} is not in: {text}");
        }
    }
}

#[test]
fn orders_of_another_item_stop_a_run_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let reply = || Reply::Bytes(answer(201, "", "{\"id\":1}"));
    let orders = |only: &str| {
        let command = "command = [\"echo\", \"order_id,item\\n1,tea\\n2,coffee\"]";
        format!("[shop]\nstock = 5\n[truth.orders]\n{command}\nformat = \"csv\"\n{only}")
    };
    let bench = ["bench", "--profile", "shop.toml", "--item", "tea", "--threads", "1"];
    let server = shop(folder.path(), reply(), &orders(""));
    let output = run(folder.path(), &bench);
    let told = "there are orders of `coffee`, and the run buys `tea`: say with `only` which";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
    assert_eq!((output.status.code(), server.requests().len()), (Some(2), 0));
    let server = shop(folder.path(), reply(), &orders("only = { item = \"tea\" }\n"));
    let output = run(folder.path(), &bench);
    assert_eq!(server.requests().len(), 1, "{}", stderr(&output));
}

/// The item of the run is `tea`, and the shop's own name of it is 77: that it is the right one can
/// neither be proved nor denied.
#[test]
fn shop_that_names_the_item_otherwise_is_not_accused() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo order_id,buyer,item; cat orders";
    let orders = format!("command = [\"sh\", \"-c\", \"{script}\"]\nformat = \"csv\"\n");
    let orders = format!("[shop]\nstock = 1\n[truth.orders]\n{orders}");
    fs::write(folder.path().join("orders"), "").unwrap();
    let file = folder.path().join("orders");
    let server = Scripted::start(move |request| {
        let buyer = request.text().split('"').nth(3).unwrap_or_default().to_owned();
        fs::write(&file, format!("1,{buyer},77\n")).unwrap();
        Reply::Bytes(answer(201, "", "{\"id\":1}"))
    });
    let purchase = "[purchase]\nrequest = \"POST /orders\"\njson = { buyer = \"{{buyer}}\" }\n";
    let outcome = "[[outcome]]\nstatus = 201\nis = \"won\"\norder_id = \"json /id\"\n";
    let text = format!("target = \"{}\"\n{purchase}{outcome}{orders}", server.url());
    fs::write(folder.path().join("shop.toml"), text).unwrap();
    let bench = ["bench", "--profile", "shop.toml", "--item", "tea", "--threads", "1"];
    let output = run(folder.path(), &bench);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(text.contains("NOT OVERSOLD: stock 1, sold 1 "), "{text}");
}

#[test]
fn program_of_a_check_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let orders = "[truth.orders]\nformat = \"csv\"\n\
                  command = [\"sh\", \"-c\", \"echo $$ > pid.new; mv pid.new pid; sleep 1000\"]\n";
    let _server = shop(folder.path(), Reply::Bytes(answer(201, "", "{}")), orders);
    let mut check = seckill();
    check.current_dir(folder.path()).args(["sut", "check", "shop.toml"]);
    let mut check = check.spawn().unwrap();
    let pid = folder.path().join("pid");
    eventually("the program runs", || pid.exists());
    signal(check.id(), Signal::INT);
    assert_eq!(wait(&mut check).code(), Some(130));
    let process = format!("/proc/{}", fs::read_to_string(&pid).unwrap().trim());
    eventually("the program has ended", || !Path::new(&process).exists());
}

#[test]
fn variable_that_is_no_text_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let table = "[[after]]\nrequest = \"GET /{{env.SHOP_ADMIN_TOKEN}}\"\n";
    let _server = shop(folder.path(), Reply::Bytes(answer(201, "", "{}")), table);
    let mut check = seckill();
    check.current_dir(folder.path()).args(["sut", "check", "shop.toml"]);
    let output = check.env("SHOP_ADMIN_TOKEN", OsStr::from_bytes(b"\xff")).output().unwrap();
    let told = "SHOP_ADMIN_TOKEN from the environment is not UTF-8: set it anew";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn stock_and_item_are_those_of_the_orders() {
    let folder = tempfile::tempdir().unwrap();
    let reply = || Reply::Bytes(answer(410, "", "{}"));
    let refused = "[[outcome]]\nstatus = 410\nis = \"refused\"\nreason = \"sold_out\"\n";
    let orders = r#"
[truth.orders]
command = ["echo", "order_id,item\n1,tea"]
format = "csv"
[truth.stock]
command = ["echo", "10"]
"#;
    let check = |stock: &str, orders: &str, more: &[&str]| {
        let _server = shop(folder.path(), reply(), &format!("{refused}{stock}{orders}"));
        let output = run(folder.path(), &[&["sut", "check", "shop.toml"], more].concat());
        (output.status.code(), stdout(&output))
    };
    let (code, text) = check("", orders, &[]);
    let told = "the orders tell of their items, and no item is named: add item = ";
    assert!(code == Some(1) && text.contains(told), "{text}");
    let item = ["--item", "tea"];
    let (code, text) = check("", orders, &item);
    assert!(code == Some(0) && text.contains("which is a refusal only: see a purchase"), "{text}");
    let (code, text) = check("[shop]\nstock = 12\n", orders, &item);
    let told = "! stock     `stock` in [shop] is 12, but 10 units are left and 1 are sold";
    assert!(code == Some(1) && text.contains(told), "{text}");
}

#[test]
fn wrong_value_is_blamed_on_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let _server = shop(folder.path(), Reply::Bytes(answer(201, "", "{}")), "");
    for (flag, variable, value, problem) in [
        ("--target", "SECKILL_TARGET", "x", "`x` is not of the form http://host:port"),
        ("--item", "SECKILL_ITEM", "a b", "must be 1 to 64 characters"),
        ("--buyers-from", "SECKILL_BUYERS_FROM", "none.csv", "none.csv: "),
    ] {
        let output = run(folder.path(), &["sut", "check", "shop.toml", flag, value]);
        let told = format!("{flag}: {problem}");
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(&told), "no {told} in {}", stderr(&output));
        let mut command = seckill();
        command.current_dir(folder.path()).env(variable, value);
        let output = command.args(["sut", "check", "shop.toml"]).output().unwrap();
        let told = format!("{variable} from the environment: {problem}");
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(&told), "no {told} in {}", stderr(&output));
    }
}
