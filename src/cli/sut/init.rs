//! `seckill sut init`: a description with comments, to be completed.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;

use anyhow::Context;

use super::args::{Body, Orders, SutInitArgs};
use super::{Failure, say};

pub(super) fn init(args: &SutInitArgs) -> Result<u8, Failure> {
    let text = description(args);
    let path = &args.file;
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    let name = path.display();
    say(format_args!("wrote {name}: complete it, then try it out with: seckill sut check {name}"));
    Ok(0)
}

/// The description as TOML.
fn description(args: &SutInitArgs) -> String {
    let mut text = String::new();
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut add = |part: &str| text.push_str(part);
    add(&format!(
        "# A shop as `seckill bench` loads and judges it. Try it out with one attempt:\n\
         #   seckill sut check FILE\n\
         # then load it:\n\
         #   seckill bench --profile FILE{}\n\
         # Flags of `seckill bench` come first.\n\
         target = {}\n\
         threads = 100\n\
         stampede = true\n\
         # item = \"phone\"           # {{{{item}}}} below\n\n\
         [shop]\n\
         name = {}\n\
         # per_buyer = 1            # orders that one buyer may have; checked if it is given\n\
         # stock = 10               # units at the opening, if [truth.stock] cannot tell\n\n",
        if args.login.is_some() { " --buyers-from accounts.csv" } else { "" },
        quoted(&args.target),
        quoted(&args.name),
    ));
    if let Some(login) = &args.login {
        add(&format!(
            "# Runs once for each virtual user, before the load. Cookies are kept for each user;\n\
             # {{{{csv.NAME}}}} is a column of --buyers-from, and the column `buyer`, or else the \
             first\n# one, is {{{{buyer}}}}.\n\
             [[setup]]\n\
             request = {}\n\
             json = {{ name = \"{{{{csv.name}}}}\", password = \"{{{{csv.password}}}}\" }}\n\
             # json POINTER, header NAME, cookie NAME, or text REGEX with one group\n\
             extract = {{ token = \"json /token\" }}\n\n",
            quoted(login)
        ));
    }
    add(&format!(
        "# The request that is judged. {{{{buyer}}}} and {{{{request_id}}}} are UUIDs. Steps \
         around it are\n# [[before]] and [[after]], like [[setup]].\n\
         [purchase]\n\
         request = {}\n",
        quoted(&args.purchase)
    ));
    if args.login.is_some() {
        add("headers = { authorization = \"Bearer {{token}}\" }\n");
    }
    let key = if args.body == Body::Json { "json" } else { "form" };
    add(&format!(
        "{key} = {{ buyer = \"{{{{buyer}}}}\", request_id = \"{{{{request_id}}}}\" }}\n\n\
         # What its answers mean: the first outcome of which all conditions hold.\n"
    ));
    if let Some(accepted) = args.accepted {
        add(&format!("[[outcome]]\nstatus = {accepted}\nis = \"accepted\"\n\n"));
    }
    add(&format!(
        "[[outcome]]\n\
         status = {}\n\
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
        args.won, args.sold_out
    ));
    if let Some(result) = &args.result {
        add(&format!(
            "# How the decision of an accepted attempt is asked for.\n\
             [result]\n\
             request = {}\n\
             [[result.outcome]]\n\
             json = {{ \"/status\" = \"queued\" }}\n\
             is = \"queued\"\n\
             [[result.outcome]]\n\
             json = {{ \"/status\" = \"won\" }}\n\
             is = \"won\"\n\
             [[result.outcome]]\n\
             json = {{ \"/status\" = \"lost\" }}\n\
             is = \"lost\"\n\n",
            quoted(result)
        ));
    }
    let _ = write!(text, "{}", truth(args.orders));
    text
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
             sql = \"update products set stock = 10 where id = 1\"\n"
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
