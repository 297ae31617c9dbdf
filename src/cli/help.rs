//! The help: flags under headings, the most used first.

use clap::Command;

/// Headings of `bench`, each with its flags in their order.
const BENCH: &[(&str, &[&str])] = &[
    (
        "Target",
        &[
            "target",
            "spawn",
            "profile",
            "sut",
            "item",
            "stock",
            "reset",
            "admin_token",
            "cacert",
            "insecure",
        ],
    ),
    (
        "Load",
        &[
            "threads",
            "ramp",
            "loops",
            "duration",
            "rate",
            "stampede",
            "stage",
            "think",
            "arrival",
            "max_threads",
            "warmup",
            "no_keepalive",
            "io",
            "seed",
            "self_test",
        ],
    ),
    (
        "Buyers",
        &[
            "buyers",
            "buyers_from",
            "double_click",
            "follow",
            "pay",
            "pay_after",
            "retry",
            "retry_on",
            "retry_backoff",
            "retry_budget",
        ],
    ),
    (
        "Limits",
        &[
            "fail_if",
            "baseline",
            "abort_on",
            "max_errors",
            "timeout",
            "connect_timeout",
            "settle_timeout",
        ],
    ),
    (
        "Output",
        &["out", "quiet", "json", "full", "html", "summary", "junit", "jtl", "broker_metrics"],
    ),
    ("Faults", &["fault", "nemesis", "lab"]),
    ("Audit", &["expect_stock", "no_audit"]),
];

/// Headings of `serve`, likewise.
const SERVE: &[(&str, &[&str])] = &[
    ("Address", &["listen"]),
    ("Sale", &["stock", "item", "per_buyer", "hold", "opens_at", "closes_at", "fresh_sale"]),
    (
        "Limits",
        &[
            "rate_limit",
            "buyer_rate_limit",
            "address_rate_limit",
            "trusted_proxies",
            "max_queue",
            "admit_factor",
            "max_wait",
            "max_connections",
            "admin_token",
        ],
    ),
    ("Waiting room", &["waiting_room", "waiting_room_rate", "ticket_ttl", "waiting_room_secret"]),
    (
        "Queue and store",
        &[
            "data",
            "durability",
            "keep_replaced",
            "queue",
            "store",
            "stock_buckets",
            "queue_name",
            "queue_type",
            "publish_timeout",
            "broker_connect_timeout",
        ],
    ),
    ("Deciding", &["role", "consumers", "prefetch"]),
    ("Flaws", &["flaw", "design", "list_flaws"]),
    ("Log", &["log", "log_format"]),
];

/// The place of a flag that comes after all others under its heading.
const LAST: usize = 1000;

/// Puts the flags under headings. Flags without a heading come first, as clap prints them.
pub(super) fn with_headings(cli: Command) -> Command {
    let bench = |command| under(command, BENCH);
    let serve = |command| under(command, SERVE);
    // It is a flag of each subcommand, and the least used one.
    let cli = cli.mut_arg("color", |arg| arg.help_heading("Output").display_order(LAST));
    cli.mut_subcommand("bench", bench).mut_subcommand("serve", serve)
}

fn under(command: Command, headings: &[(&'static str, &[&str])]) -> Command {
    let mut order = 0;
    let known: Vec<_> = command.get_arguments().map(|arg| arg.get_id().to_string()).collect();
    let all = headings.iter().flat_map(|(heading, ids)| ids.iter().map(move |id| (*heading, *id)));
    let all = all.filter(|(_, id)| known.iter().any(|known| known == id));
    all.fold(command, |command, (heading, id)| {
        order += 1;
        command.mut_arg(id, |arg| arg.help_heading(heading).display_order(order))
    })
}

/// Leaves the variables of the environment out of a help that is to be short.
pub(super) fn without_variables(cli: Command) -> Command {
    cli.mut_arg("color", |arg| arg.hide_env(true)).mut_subcommands(|command| {
        command.mut_args(|arg| match arg.is_positional() {
            true => arg,
            false => arg.hide_env(true),
        })
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::args::Cli;

    #[test]
    fn every_flag_of_bench_and_serve_is_under_a_heading() {
        let cli = with_headings(Cli::command());
        for name in ["bench", "serve"] {
            let mut flags = cli.find_subcommand(name).unwrap().get_opts();
            let without = flags.find(|flag| flag.get_help_heading().is_none());
            assert!(without.is_none(), "{name}: {without:?} has no heading in src/cli/help.rs");
        }
    }
}
