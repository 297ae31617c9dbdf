//! Mistakes in the description of a shop, and in the flags beside it: each is named with its line
//! or its flag, and with the cure.

use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use super::{stderr, stdout};
use crate::support::child::seckill;

/// A description, and what stderr says of it.
type Mistake = (&'static str, &'static str);

const WON: &str = "\n[[outcome]]\nstatus = 201\nis = \"won\"\n";

/// Wrong descriptions, to which an outcome is added.
const STEPS: &[Mistake] = &[
    // Keys and tables.
    ("[purchase]\nrequest = \"POST /o\"\nheder = {}", "3: unknown key `heder`: the nearest is `he"),
    ("[purchase]\nrequest = \"POST /o\"\nzzz = 1", "3: unknown key `zzz`: the keys here are reque"),
    ("[shop]\nnmae = \"x\"\n[purchase]\nrequest = \"POST /o\"", "2: unknown key `nmae`: the neare"),
    ("[purchase]\nrequest = \"POST /o\"\n[outcomes]", "3: unknown key `outcomes`: the nearest is"),
    ("[shop]\nper_buyer = 0\n[purchase]\nrequest = \"POST /o\"", "2: invalid value: integer `0`"),
    ("[shop]\nname = \"x\"", "1: there is no [purchase]: add it, with request = \"POST /path\""),
    ("[purchase]\njson = {}", "1: `request` is missing: add request = \"POST /path\""),
    ("[[purchase]]\nrequest = \"POST /o\"", "1: there is one [purchase]: write it in single"),
    ("[purchase]\nrequest = \"POST /o\"\n[before]\nrequest = \"GET /\"", "3: there may be seve"),
    ("shop = 5\n[purchase]\nrequest = \"POST /o\"", "1: this is a table: write its name in [brac"),
    ("[purchase]\nrequest = \"POST /o\"\nstatus = 201", "2: outcomes say what its answers mean: l"),
    (
        "[purchase]\nrequest = \"POST /o\"\n[[after]]\nrequest = \"GET /\"\nidempotent = true",
        "4: `i",
    ),
    (
        "[purchase]\nrequest = \"POST /o\"\n[[after]]\nrequest = \"GET /\"\nstatus = []",
        "4: `status` names no status: leave it out for 200 to 399",
    ),
    // Requests.
    (
        "[purchase]\nrequest = \"POST http://127.0.0.1/o\"",
        "2: a request goes to the --target: give",
    ),
    ("[purchase]\nrequest = \"/o\"", "2: `/o` is no request: write it as POST /path"),
    ("[purchase]\nrequest = \"POST /a b\"", "2: `POST /a b` is no request: write it as POST /path"),
    ("[purchase]\nrequest = \"BUY /o\"", "2: `BUY` is none of GET, POST, PUT, PATCH, DELETE"),
    (
        "[purchase]\nrequest = \"POST /o\"\nheaders = { Host = \"a\" }",
        "3: the header `Host` is made by the load generator: leave it out",
    ),
    (
        "[purchase]\nrequest = \"POST /o\"\nheaders = { a = \"b\\r\\nc: d\" }",
        "3: `a: b\\r\\nc: d` cannot be a header",
    ),
    (
        "[purchase]\nrequest = \"POST /o\"\njson = {}\nbody = \"a\"",
        "2: a request has one body: json, form or body",
    ),
    // Placeholders.
    ("[purchase]\nrequest = \"POST /{{buyr}}\"", "2: `{{buyr}}` is not known here: the nearest is"),
    ("[purchase]\nrequest = \"POST /{{qwertyui}}\"", "an earlier step has to extract it"),
    ("[purchase]\nrequest = \"POST /{{item\"", "2: a placeholder begins with {{ and does not end"),
    ("[purchase]\nrequest = \"POST /{{item}}\"", "2: `{{item}}` needs --item NAME"),
    ("[purchase]\nrequest = \"POST /{{csv.a}}\"", "is a column of a file: add --buyers-from FILE"),
    (
        "[purchase]\nrequest = \"POST /{{env.NO_SUCH_VARIABLE}}\"",
        "2: the environment has no NO_SUCH_VARIABLE: export NO_SUCH_VARIABLE=…",
    ),
    (
        "[purchase]\nrequest = \"POST /{{id}}\"\n[[after]]\nrequest = \"GET /\"\n\
         extract = { id = \"json /id\" }",
        "2: `{{id}}` is not known here",
    ),
    (
        "[purchase]\nrequest = \"POST /o\"\n[[after]]\nrequest = \"GET /\"\n\
         extract = { ticket = \"json /id\" }\n[result]\nrequest = \"GET /{{ticket}}\"\n\
         [[result.outcome]]\nis = \"won\"",
        "7: `{{ticket}}` is not known here",
    ),
    // Extractions.
    (
        "[purchase]\nrequest = \"POST /o\"\nextract = { a = \"body /x\" }",
        "3: `body /x` does not say where the value is: json POINTER, header NAME, header NAME",
    ),
    (
        "[purchase]\nrequest = \"POST /o\"\nextract = { a = \"json x\" }",
        "3: `x` is not a JSON pointer: write \"/x\"",
    ),
    (
        "[purchase]\nrequest = \"POST /o\"\nextract = { a = \"text abc\" }",
        "3: `abc` must have one group, which is the value",
    ),
    (
        "[purchase]\nrequest = \"POST /o\"\nextract = { a = \"text (\" }",
        "3: `(` is no regular expression: unclosed group",
    ),
    (
        "[purchase]\nrequest = \"POST /o\"\nextract = { item = \"json /id\" }",
        "3: `{{item}}` has a meaning of its own: take another name",
    ),
    (
        "[purchase]\nrequest = \"POST /o\"\nextract = { \"a b\" = \"json /id\" }",
        "3: `a b` is no name: use letters, digits, `_`, `-` and `.`",
    ),
    // Orders and reset.
    (
        "[purchase]\nrequest = \"POST /o\"\n[truth.orders]\ncommand = \"echo x\"",
        "4: a list is expected: write [",
    ),
    (
        "[purchase]\nrequest = \"POST /o\"\n[truth.orders]\nsql = \"select\"",
        "4: needs `database`: ",
    ),
    ("[purchase]\nrequest = \"POST /o\"\n[truth.orders]\n", "3: names no source: give one of http"),
    (
        "[purchase]\nrequest = \"POST /o\"\n[[reset]]\nrequest = \"POST /r/{{buyer}}\"",
        "4: `{{buyer}}` is not known here: use item, seed, target or env.NAME",
    ),
];

/// Wrong outcomes of a purchase whose request is in line 2.
const OUTCOMES: &[Mistake] = &[
    ("", "2: what its answers mean is missing: add [[outcome]]"),
    ("[[outcome]]\nis = \"wone\"", "4: `wone` is no outcome: the nearest is `won`"),
    ("[[outcome]]\nis = \"qwerty\"", "4: `qwerty` is no outcome: it is one of accepted, won, lost"),
    ("[[outcome]]\nstatus = 201", "3: `is` is missing: add it"),
    ("[[outcome]]\nis = \"won\"\nstat = 1", "5: unknown key `stat`: the nearest is `status`"),
    ("[[outcome]]\nis = \"won\"\nstatus = \"201\"", "5: a status is a number, or a list of number"),
    ("[[outcome]]\nis = \"won\"\nstatus = 99", "4: 99 is no status of an answer: 200 to 599"),
    ("[outcome]\nis = \"won\"", "3: there may be several [[outcome]]: write it in two brackets"),
    (
        "[[outcome]]\nis = \"refused\"\norder_id = \"json /id\"",
        "4: `order_id` belongs to an outcome that is won: leave it out",
    ),
    (
        "[[outcome]]\nis = \"won\"\nreason = \"sold_out\"",
        "4: `reason` belongs to an outcome that is refused or lost: leave it out",
    ),
    (
        "[[outcome]]\nis = \"lost\"\nno_effect = false",
        "4: `no_effect` belongs to an outcome that is refused: leave it out",
    ),
    (
        "[[outcome]]\nis = \"refused\"\nreason = \"Sold out!\"",
        "5: `Sold out!` is no reason: at most 40 of a-z, 0-9 and _",
    ),
    (
        "[[outcome]]\nis = \"won\"\njson = { status = 1 }",
        "5: `status` is not a JSON pointer: write \"/status\"",
    ),
    (
        "[[outcome]]\nis = \"won\"\njson = { \"/a\" = \"/(/\" }",
        "5: not a regular expression: unclosed group",
    ),
    (
        "[[outcome]]\nis = \"won\"\nstatus = 200\n[[outcome]]\nstatus = 200\nis = \"lost\"",
        "8: outcome number 1 has each answer that this one could have: add a condition to it, such",
    ),
    (
        "[[outcome]]\nis = \"won\"\n[[outcome]]\nstatus = 409\nis = \"refused\"",
        "7: outcome number 1 has each answer that this one could have: put this one before it, or",
    ),
    (
        "[[outcome]]\nis = \"won\"\nstatus = 200\n[[outcome]]\nis = \"rejected\"\nstatus = 400\n\
         [[outcome]]\nis = \"refused\"\nstatus = 400\ntext = \"sold\"",
        "10: outcome number 2 has each answer that this one could have: put this one before it",
    ),
    ("[[outcome]]\nis = \"won\"\nstatus = []", "4: `status` names no status: leave it out for any"),
    (
        "[[outcome]]\nis = \"won\"\nheader = { \"lo cation\" = \"a\" }",
        "5: this header has a name that none can have",
    ),
    (
        "[[outcome]]\nis = \"won\"\nheader = { location = \"[\" }",
        "5: `[` is no regular expression: unclosed character class",
    ),
];

/// Flags, and what stderr says of them beside [`RIGHT`].
const FLAGS: &[(&[&str], &str)] = &[
    (&["--sut", "shop.toml"], "--sut: the profile describes a shop as well: leave out one"),
    (&["--spawn"], "--spawn: starts `seckill serve`, and no shop: leave it out"),
    (&["--stock", "5"], "--stock: opens a sale of `seckill serve`: use --reset, and `stock` in"),
    (&["--rate", "5/s"], "--rate: [[setup]] is for each virtual user: use --threads"),
    (&["--follow"], "--follow: the description has no [result] to wait for: leave it out"),
    (&["--reset"], "--reset: the description has no [[reset]]: add one"),
    (
        &["--buyers-from", "two.csv", "--threads", "3"],
        "--buyers-from: has 2 buyers, and each of the 3 virtual users is one: add rows, or give",
    ),
    (&["--buyers-from", "two.csv", "--buyers", "new"], "--buyers: has them all from --buyers-from"),
    (
        &["--buyers-from", "two.csv", "--buyers", "3"],
        "--buyers: 3 are more than the 2 rows of --buyers-from",
    ),
    (&["--buyers-from", "no.csv"], "--buyers-from: no.csv: No such file"),
    (&["--buyers-from", "empty.csv"], "--buyers-from: empty.csv: has no row after the one that"),
    (&["--buyers-from", "same.csv"], "--buyers-from: same.csv: lines 2 and 4 have the same buyer"),
];

const RIGHT: &str = "[purchase]\nrequest = \"POST /o\"\n[[setup]]\nrequest = \"POST /login\"\n";

/// Loads a port on which nothing listens, with this description.
fn bench(folder: &Path, description: &str, flags: &[&str]) -> Output {
    std::fs::write(folder.join("shop.toml"), description).unwrap();
    let mut command = seckill();
    command.current_dir(folder).args(["bench", "--profile", "shop.toml"]);
    if !flags.contains(&"--target") {
        command.args(["--target", "http://127.0.0.1:1"]);
    }
    command.args(flags).output().unwrap()
}

#[track_caller]
fn assert_told(output: &Output, code: i32, cure: &str, what: &str) {
    let printed = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{what}: {printed}");
    assert!(printed.contains(cure), "no {cure} in: {printed}\n{what}");
    assert_eq!((stdout(output), printed.lines().count()), (String::new(), 1), "{printed}");
}

#[test]
fn mistake_in_a_description_is_named_with_its_line_and_its_cure() {
    let folder = tempfile::tempdir().unwrap();
    let steps = STEPS.iter().map(|(text, told)| (format!("{text}{WON}"), told));
    let outcomes = OUTCOMES.iter();
    let outcomes =
        outcomes.map(|(text, told)| (format!("[purchase]\nrequest = \"POST /o\"\n{text}\n"), told));
    for (text, told) in steps.chain(outcomes) {
        // Those that begin with a number are of that line.
        let is_line = told.split(": ").next().is_some_and(|line| line.parse::<u32>().is_ok());
        let told = if is_line { format!("seckill: shop.toml:{told}") } else { told.to_string() };
        assert_told(&bench(folder.path(), &text, &[]), 2, &told, &text);
    }
}

#[test]
fn flag_that_does_not_fit_the_description_is_named_with_its_cure() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    file("two.csv", "name\nann\nbob\n");
    file("same.csv", "name\nann\nbob\nann\n");
    file("empty.csv", "name\n");
    let right = format!("{RIGHT}{WON}");
    for (flags, told) in FLAGS {
        assert_told(&bench(folder.path(), &right, flags), 2, told, &format!("{flags:?}"));
    }
    let column = "[purchase]\nrequest = \"POST /{{csv.nme}}\"\n";
    let output = bench(folder.path(), &format!("{column}{WON}"), &["--buyers-from", "two.csv"]);
    let told = "shop.toml:2: the file of --buyers-from has no column `nme`, only name";
    assert_told(&output, 2, told, column);
    for flags in [&["--reset"][..], &["--buyers-from", "two.csv"]] {
        let output = seckill().current_dir(folder.path()).arg("bench").args(flags).output();
        let told = format!("{}: needs a description of the shop: add --sut FILE", flags[0]);
        assert_told(&output.unwrap(), 2, &told, "no description");
    }
}

#[test]
fn file_without_a_description_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| seckill().current_dir(folder.path()).args(words).output().unwrap();
    std::fs::write(folder.path().join("plain.toml"), "threads = 5\n").unwrap();
    let told = "plain.toml:1: there is no [purchase]: add it, with request = \"POST /path\"";
    assert_told(&run(&["bench", "--sut", "plain.toml"]), 2, told, "--sut");
    assert_told(&run(&["sut", "check", "plain.toml"]), 2, told, "sut check");
    let told = "--sut: cannot read nowhere.toml: No such file";
    assert_told(&run(&["bench", "--sut", "nowhere.toml"]), 1, told, "--sut");
    let told = "cannot read the profile nowhere.toml: No such file";
    assert_told(&run(&["sut", "check", "nowhere.toml"]), 1, told, "sut check");
    std::fs::write(folder.path().join("shop.toml"), format!("{RIGHT}{WON}")).unwrap();
    let told = "--target: name the address of the shop, such as http://127.0.0.1:8080";
    assert_told(&run(&["bench", "--profile", "shop.toml"]), 2, told, "no target");
}

/// Nothing of the shop is changed before it is known to run.
#[test]
fn shop_that_does_not_run_is_named_before_its_stock_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let told =
        "no server answers at http://127.0.0.1:1: start the shop there, or give its --target";
    let reset = "[[reset]]\ncommand = [\"touch\", \"restored\"]\n";
    let text = format!("{RIGHT}{reset}{WON}");
    for flags in [&[][..], &["--no-audit"], &["--reset"]] {
        assert_told(&bench(folder.path(), &text, flags), 1, told, &format!("{flags:?}"));
    }
    let mut check = seckill();
    check.current_dir(folder.path()).args(["sut", "check", "shop.toml", "--reset"]);
    assert_told(&check.args(["-t", "http://127.0.0.1:1"]).output().unwrap(), 1, told, "sut check");
    assert!(!folder.path().join("restored").exists());
}

#[test]
fn run_whose_orders_cannot_be_read_does_not_begin() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let purchase = "[purchase]\nrequest = \"POST /o\"\n";
    let orders = "[truth.orders]\nformat = \"csv\"\ncommand = ";
    let cases = [
        ("", "the description does not say where the orders are: add [truth.orders]"),
        ("[\"false\"]\n", "truth.orders: `false` ended with exit status: 1"),
        ("[\"./no-such-program\"]\n", "truth.orders: "),
        ("[\"echo\", \"a,b\\n\\n1\"]\n", "truth.orders: it is no CSV"),
    ];
    for (command, because) in cases {
        let orders = if command.is_empty() { String::new() } else { format!("{orders}{command}") };
        let text = format!("{purchase}{orders}{WON}");
        let output = bench(folder.path(), &text, &["--json", "--target", &target]);
        let told = format!("this run could not be audited: {because}");
        assert_told(&output, 2, &told, command);
        assert!(stderr(&output).ends_with("; add --no-audit to load only\n"), "{output:?}");
    }
    let waits = "at=stock<50% what=client do=down";
    let flags = ["--json", "--no-audit", "--fault", waits, "--target", &target];
    let output = bench(folder.path(), &format!("{purchase}{WON}"), &flags);
    assert_told(&output, 2, "waits for the stock, which the shop's description does not", waits);
    listener.set_nonblocking(true).unwrap();
    // Each run has looked whether the shop is there, and has sent it nothing.
    while let Ok((mut connection, _)) = listener.accept() {
        let mut sent = String::new();
        std::io::Read::read_to_string(&mut connection, &mut sent).unwrap();
        assert_eq!(sent, "");
    }
}
