//! Mistakes in a description, which are found before anything is read.

use super::{reset, truth};

/// The mistake in a table of orders with these lines, and the text at which it is.
fn mistake(lines: &str) -> (String, String) {
    let text = format!("[truth.orders]\n{lines}\n");
    let wrong = truth(&text).expect_err(lines);
    (text[wrong.at..].lines().next().unwrap_or_default().to_owned(), wrong.problem)
}

#[test]
fn a_table_names_exactly_one_source_and_only_its_keys() {
    for (lines, at, problem) in [
        (
            "timeout = \"1s\"",
            "[truth.orders]",
            "names no source: give one of http, redis, sql, command",
        ),
        (
            "http = \"GET /a\"\nsql = \"select 1\"",
            "\"select 1\"",
            "`http` and `sql` are two sources: give one of http, redis, sql, command",
        ),
        (
            "http = \"GET /a\"\nkey = \"b\"",
            "\"b\"",
            "`key` belongs to redis, and not to http: leave it out",
        ),
        (
            "redis = \"redis://h\"",
            "\"redis://h\"",
            "needs `key`: the name of the key that has the \
                                                    data",
        ),
        (
            "command = [\"a\"]",
            "[\"a\"]",
            "needs `format`: write \"ndjson\", \"json\", \"csv\", \"tsv\" or \"lines\"",
        ),
        (
            "sql = \"select 1\"",
            "\"select 1\"",
            "needs `database`: write sqlite:FILE, postgres://user@host/database or \
             mysql://user@host/database",
        ),
    ] {
        assert_eq!(mistake(lines), (at.to_owned(), problem.to_owned()), "{lines}");
    }
}

/// Checks the message for each of these mistakes.
fn check_mistakes(mistakes: &[(&str, &str)]) {
    for (lines, problem) in mistakes {
        assert_eq!(mistake(lines).1, *problem, "{lines}");
    }
}

#[test]
fn mistakes_in_sources_are_found() {
    check_mistakes(&[
        ("http = \"FETCH /a\"", "must be a method and a URL: write \"GET /path\" (GET or POST)"),
        ("http = \"GET a\"", "`a` is not a path at the target, nor an http:// or https:// URL"),
        (
            "http = \"GET /{{itm}}\"",
            "`{{itm}}` is not known here: use item, seed, target, page or \
                                    env.NAME",
        ),
        (
            "http = \"GET /{{env.NO_SUCH_NAME}}\"",
            "the environment has no NO_SUCH_NAME: export \
                                                 NO_SUCH_NAME=…",
        ),
        ("http = \"GET /{{item\"", "a placeholder begins with {{ and does not end: write {{item}}"),
        ("http = \"GET /a\"\nlist = \"b\"", "`b` is not a JSON pointer: write \"/b\""),
        (
            "http = \"GET /a\"\nfirst_page = 0",
            "needs {{page}} in the request, such as GET \
                                              /orders?page={{page}}",
        ),
        ("http = \"GET /{{page}}\"\nnext = \"/n\"", "{{page}} is used, too: leave out one"),
        (
            "http = \"GET /a\"\nformat = \"csv\"\nlist = \"/b\"",
            "is a pointer into a document: it \
                                                               needs format = \"json\"",
        ),
        ("http = \"GET /a\"\nbody = \"\"\njson = {}", "`body` is given, too: leave out one"),
        ("http = \"GET /a\"\ntimeout = \"0s\"", "`0s` must be above 0, and at most 10m"),
    ]);
}

#[test]
fn mistakes_about_fields_are_found() {
    check_mistakes(&[
        (
            "http = \"GET /a\"\nfields = { buyr = \"/b\" }",
            "unknown field `buyr`: the nearest is \
                                                          `buyer`",
        ),
        (
            "http = \"GET /a\"\nfields = { buyer = \"b\" }",
            "`b` is not a JSON pointer: write \
                                                          \"/b\"",
        ),
        (
            "sql = \"select 1\"\ndatabase = \"sqlite:a\"\nfields = { buyer = \"/b\" }",
            "`/b` is a JSON pointer, and the rows have columns: write the column's name",
        ),
        (
            "sql = \"select 1\"\ndatabase = \"oracle:a\"",
            "`database` is no address that is \
          supported: write sqlite:FILE, postgres://user@host/database or \
          mysql://user@host/database",
        ),
        (
            "http = \"GET /a\"\nonly = { \"/a\" = \"/(/\" }",
            "not a regular expression: unclosed \
                                                           group",
        ),
        (
            "redis = \"h:6379\"\nkey = \"a\"",
            "is no Redis address: write \
          redis://user:password@host:6379/0 or unix:///path/to/socket",
        ),
        (
            "redis = \"redis://h\"\nkey = \"a\"\npattern = '(?<uid>a)'",
            "unknown field `uid`: the \
          fields are request_id, buyer, order_id, item, seq, accepted_us, decided_us, status, \
          reason",
        ),
        (
            "redis = \"redis://h\"\nkey = \"a\"\npattern = 'a'",
            "has no named group: write \
          (?<buyer>…) around what is the buyer",
        ),
        (
            "redis = \"redis://h\"\nkey = \"a\"\npatterns = { buyer = '(a)' }",
            "it looks into the \
          field `buyer`: name it in `fields`, too",
        ),
        (
            "http = \"GET /a\"\nfields = { buyer = \"/b\" }\npatterns = { buyer = 'a' }",
            "must have \
          one group, in parentheses, which is the field's value",
        ),
        (
            "command = []\nformat = \"csv\"",
            "must be a program and its arguments: [\"program\", \
                                           \"arg\"]",
        ),
    ]);
}

#[test]
fn mistakes_about_states_and_placeholders_are_found() {
    check_mistakes(&[
        (
            "http = \"GET /a\"\ncomplete = true",
            "needs the field `status`: without it, every \
                                               record is an order",
        ),
        (
            "redis = \"redis://127.0.0.1\"\nkey = \"a\"\nstatuses = { won = 1 }",
            "needs the field `status`: say in `fields` \
                                                      where it is",
        ),
        (
            "http = \"GET /a\"\nstatuses = { won = [\"a\", \"b\"], lost = [\"c\", \"a\"] }",
            "a value stands in another list, too: each means one state only",
        ),
        (
            "http = \"GET /a\"\nonly = { \"/a\" = \"{{item}}\" }",
            "`{{item}}`: placeholders are not replaced here: write the text itself",
        ),
        (
            "http = \"GET /a\"\nfields = { buyer = \"/{{item}}\" }",
            "`/{{item}}`: placeholders are not replaced here: write the text itself",
        ),
    ]);
}

#[test]
fn schemes_with_tls_need_a_build_with_tls() {
    for lines in ["http = \"GET https://h/a\"", "redis = \"rediss://h\"\nkey = \"a\""] {
        let checked = truth(&format!("[truth.orders]\n{lines}\n"));
        match cfg!(feature = "tls") {
            true => assert!(checked.is_ok(), "{lines}"),
            false => assert!(checked.unwrap_err().problem.contains("--features tls"), "{lines}"),
        }
    }
}

#[test]
fn numbers_and_resets_are_checked_too() {
    let orders = "[truth.orders]\nredis = \"redis://h\"\nkey = \"a\"\n";
    for (lines, problem) in [
        (
            "http = \"GET /{{page}}\"",
            "`{{page}}` is not known here: use item, seed, target or \
                                     env.NAME",
        ),
        ("http = \"GET /a\"\njson = \"a\"", "`a` is not a JSON pointer: write \"/a\""),
        ("http = \"GET /a\"\njson = \"/a\"\ntext = 'a'", "`json` is given, too: leave out one"),
        (
            "command = [\"a\"]\nfield = \"b\"",
            "`field` belongs to redis, and not to command: leave \
                                             it out",
        ),
    ] {
        let wrong = truth(&format!("{orders}[truth.stock]\n{lines}\n")).unwrap_err();
        assert_eq!(wrong.problem, problem, "{lines}");
    }
    for (lines, problem) in [
        ("", "names no source: give one of request, command, redis, sql"),
        (
            "redis = \"redis://h\"",
            "has nothing to do: add set = { key = \"value\" } or delete = \
                                  [\"key\"]",
        ),
        (
            "request = \"PURGE /a\"",
            "must be a method and a URL: write \"GET /path\" (GET or POST \
                                   or PUT or PATCH or DELETE)",
        ),
        (
            "request = \"PUT /a\"\nset = { a = 1 }",
            "`set` belongs to redis, and not to request: \
                                                  leave it out",
        ),
    ] {
        assert_eq!(reset(&format!("[[reset]]\n{lines}\n")).unwrap_err().problem, problem);
    }
    let none = truth("[truth.stock]\ncommand = [\"a\"]\n").unwrap_err();
    assert!(none.problem.starts_with("has no [truth.orders]"), "{none:?}");
}
