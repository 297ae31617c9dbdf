//! `seckill sut init`: a description with comments, to be completed.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};

use anyhow::{Context, anyhow};

use crate::cli::report_files::{is_stdout, not_stdout};

use super::args::{Body, Orders, SutInitArgs};
use super::valid::check;
use super::{Failure, say};

pub(super) fn init(args: &SutInitArgs) -> Result<u8, Failure> {
    let path = &args.file;
    if is_stdout(path) {
        return Err(not_stdout("FILE"));
    }
    check(args)?;
    let text = description(args);
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            anyhow!("{} exists, and is not overwritten: name another file", path.display())
        }
        _ => anyhow!("cannot write {}: {error}", path.display()),
    })?;
    let written = file.write_all(text.as_bytes()).inspect_err(|_| drop(fs::remove_file(path)));
    written.with_context(|| format!("cannot write {}", path.display()))?;
    let (name, accounts) = (path.display(), accounts(args));
    say(format_args!(
        "wrote {name}: complete it, then try it out with: seckill sut check {name}{accounts}"
    ));
    Ok(0)
}

/// The description as TOML.
fn description(args: &SutInitArgs) -> String {
    [
        head(args),
        login(args),
        purchase(args),
        outcomes(args),
        result(args),
        truth(args.orders).into(),
    ]
    .concat()
}

/// The flag that a shop needs in which buyers log in.
fn accounts(args: &SutInitArgs) -> &'static str {
    if args.login.is_some() { " --buyers-from accounts.csv" } else { "" }
}

/// A text in quotation marks.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn head(args: &SutInitArgs) -> String {
    format!(
        "# A shop as `seckill bench` loads and judges it. Try it out with one attempt:\n\
         #   seckill sut check FILE{}\n\
         # then load it:\n\
         #   seckill bench --profile FILE{}\n\
         # Flags of `seckill bench` come first.\n\
         target = {}\n\
         threads = 100\n\
         stampede = true\n\
         # item = \"phone\"           # {{{{item}}}} below\n\
         {}\n\
         [shop]\n\
         name = {}\n\
         # per_buyer = 1            # orders that one buyer may have; checked if it is given\n\
         # stock = 10               # units at the opening, if [truth.stock] cannot tell\n\n",
        accounts(args),
        accounts(args),
        quoted(&args.target),
        if args.login.is_some() {
            "# buyers-from = \"accounts.csv\"  # with a line of names\n"
        } else {
            ""
        },
        quoted(&args.name),
    )
}

fn login(args: &SutInitArgs) -> String {
    let Some(login) = &args.login else { return String::new() };
    format!(
        "# Runs once for each virtual user, before the load. Cookies are kept for each user;\n\
         # {{{{csv.NAME}}}} is a column of --buyers-from, and the column `buyer`, or else the \
         first\n# one, is {{{{buyer}}}}.\n\
         [[setup]]\n\
         request = {}\n\
         json = {{ name = \"{{{{csv.name}}}}\", password = \"{{{{csv.password}}}}\" }}\n\
         # json POINTER, header NAME, header NAME REGEX, cookie NAME, or text REGEX; a REGEX\n\
         # has one group, which is the value\n\
         extract = {{ token = \"json /token\" }}\n\n",
        quoted(login)
    )
}

fn purchase(args: &SutInitArgs) -> String {
    let headers = match args.login {
        Some(_) => "headers = { authorization = \"Bearer {{token}}\" }\n",
        None => "",
    };
    let body = if args.body == Body::Json { "json" } else { "form" };
    format!(
        "# The request that is judged. {{{{buyer}}}} and {{{{request_id}}}} are UUIDs. Steps \
         around it are\n# [[before]] and [[after]], like [[setup]].\n\
         [purchase]\n\
         request = {}\n\
         {headers}\
         {body} = {{ buyer = \"{{{{buyer}}}}\", request_id = \"{{{{request_id}}}}\" }}\n\n",
        quoted(&args.purchase)
    )
}

fn outcomes(args: &SutInitArgs) -> String {
    let accepted = args.accepted.map(|status| {
        let text = text_if_again(status, &[args.won, args.sold_out], "accepted");
        format!("[[outcome]]\nstatus = {status}\n{text}is = \"accepted\"\n\n")
    });
    format!(
        "# What its answers mean: the first outcome of which all conditions hold.\n\
         {}\
         [[outcome]]\n\
         status = {}\n\
         {}\
         # json = {{ \"/status\" = \"paid\" }}    # pointer = value, \"/regex/\", or \"*\" for \
         anything\n\
         is = \"won\"\n\
         # order_id = \"json /id\"\n\n\
         [[outcome]]\n\
         status = {}\n\
         is = \"refused\"\n\
         # or already_bought, not_open, closed, rate_limited, unavailable, or a word of your own\n\
         reason = \"sold_out\"\n\
         # no_effect = false        # if a refused attempt may have had an effect all the same\n\n",
        accepted.unwrap_or_default(),
        args.won,
        text_if_again(args.won, &[args.sold_out], "thank you"),
        args.sold_out
    )
}

/// A condition on the text of an answer whose status has another meaning, too.
fn text_if_again(status: u16, later: &[u16], text: &str) -> String {
    match later.contains(&status) {
        true => format!("text = \"{text}\"       # a pattern that only such an answer has\n"),
        false => String::new(),
    }
}

fn result(args: &SutInitArgs) -> String {
    let Some(result) = &args.result else { return String::new() };
    let outcome = |is: &str| {
        format!("[[result.outcome]]\njson = {{ \"/status\" = \"{is}\" }}\nis = \"{is}\"\n")
    };
    let outcomes: String = ["queued", "won", "lost"].map(outcome).concat();
    format!(
        "# How the decision of an accepted attempt is asked for.\n\
         [result]\n\
         request = {}\n\
         {outcomes}\n",
        quoted(result)
    )
}

/// Where the orders and the stock are, by an example of the kind.
fn truth(orders: Orders) -> &'static str {
    match orders {
        Orders::Sql => {
            "# The orders, each one a row. Columns named buyer, request_id, order_id, item, status \
             and\n# so on are understood; whatever is not told is not checked.\n\
             [truth.orders]\n\
             database = \"sqlite:shop.db\"          # or postgres://… or mysql://…\n\
             sql = \"select user_id as buyer, id as order_id from orders\"\n\n\
             [truth.stock]\n\
             database = \"sqlite:shop.db\"\n\
             sql = \"select stock from products where id = 1\"\n\n\
             # Runs before the load, if --reset is given.\n\
             [[reset]]\n\
             database = \"sqlite:shop.db\"\n\
             sql = \"delete from orders; update products set stock = 10 where id = 1\"\n"
        }
        Orders::Redis => {
            "# The orders: a list, set, sorted set, hash or stream. The groups of the pattern are\n\
             # buyer, request_id, order_id and so on; whatever is not told is not checked.\n\
             [truth.orders]\n\
             redis = \"redis://127.0.0.1:6379\"\n\
             key = \"orders\"\n\
             pattern = '(?<buyer>[0-9a-f-]{36})'\n\n\
             [truth.stock]\n\
             redis = \"redis://127.0.0.1:6379\"\n\
             key = \"stock\"\n\n\
             # Runs before the load, if --reset is given.\n\
             [[reset]]\n\
             redis = \"redis://127.0.0.1:6379\"\n\
             set = { stock = \"10\" }\n\
             delete = [\"orders\"]\n"
        }
        Orders::Http => {
            "# The orders: pages of a list in JSON. Each field is a pointer into one of them;\n\
             # whatever is not told is not checked.\n\
             [truth.orders]\n\
             http = \"GET /admin/orders?page={{page}}\"\n\
             headers = { authorization = \"Bearer {{env.SHOP_ADMIN_TOKEN}}\" }\n\
             list = \"/items\"\n\
             fields = { buyer = \"/customer\", order_id = \"/id\" }\n\n\
             [truth.stock]\n\
             http = \"GET /admin/products/1\"\n\
             headers = { authorization = \"Bearer {{env.SHOP_ADMIN_TOKEN}}\" }\n\
             json = \"/stock\"\n\n\
             # Runs before the load, if --reset is given.\n\
             [[reset]]\n\
             request = \"PUT /admin/products/1\"\n\
             headers = { authorization = \"Bearer {{env.SHOP_ADMIN_TOKEN}}\" }\n\
             json = { stock = 10 }\n"
        }
        Orders::Command => {
            "# The orders: a program that prints one JSON object for each, or CSV with a header.\n\
             # Fields named buyer, request_id, order_id, item, status and so on are understood;\n\
             # whatever is not told is not checked. It runs in the folder of this file.\n\
             [truth.orders]\n\
             command = [\"./orders.sh\"]\n\
             format = \"csv\"                       # or ndjson, json, tsv, lines\n\n\
             [truth.stock]\n\
             command = [\"./stock.sh\"]\n\n\
             # Runs before the load, if --reset is given.\n\
             [[reset]]\n\
             command = [\"./reset.sh\"]\n"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::*;
    use crate::cli::args::{Cli, Command};
    use crate::cli::sut::SutCommand;
    use crate::profile::Profile;
    use crate::sut::{Accounts, Description, Setting};

    #[test]
    fn description_of_every_kind_is_a_profile_that_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = folder.path().join("accounts.csv");
        std::fs::write(&accounts, "name,password\nann,x\n").unwrap();
        let variables = [("SHOP_ADMIN_TOKEN", "a token")];
        for orders in ["sql", "redis", "http", "command"] {
            let file = folder.path().join(format!("{orders}.toml"));
            let words = ["seckill", "sut", "init", file.to_str().unwrap(), "--orders", orders];
            let more = ["--login", "POST /login", "--accepted=202", "--result", "GET /r/{{buyer}}"];
            let cli = Cli::try_parse_from(words.iter().chain(&more)).unwrap();
            let Command::Sut(SutCommand::Init(args)) = cli.command else { panic!("{words:?}") };
            init(&args).unwrap();
            let profile = Profile::read(&file).unwrap();
            assert_eq!(profile.bench.stampede, Some(true));
            if orders == "http" && std::env::var(variables[0].0).is_err() {
                // A variable that is not set is an error with its name.
                let error = read(&file, &accounts).unwrap_err();
                assert!(error.contains(variables[0].0), "{error}");
                continue;
            }
            assert_eq!(read(&file, &accounts), Ok("my shop".to_owned()), "{orders}");
        }
    }

    fn read(file: &Path, accounts: &Path) -> Result<String, String> {
        let accounts = Some(Accounts::read(accounts).unwrap());
        let description =
            Description::read(file, Setting { item: None, seed: 1, repeats: false, accounts });
        description.map(|shop| shop.name().to_owned()).map_err(|error| error.to_string())
    }
}
