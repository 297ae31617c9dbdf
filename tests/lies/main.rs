//! An independent server of the documented API, written from `docs/http-api.md` alone, that
//! misbehaves in one way at a time. The auditor has to find each lie that can be proved from
//! outside, must not pass what cannot be concluded, and must never accuse a server that is right.

#![allow(clippy::unwrap_used, reason = "a test reports it by failing")]

#[path = "../support/child.rs"]
#[allow(dead_code, reason = "it is shared with other test programs")]
mod child;

mod answer;
mod case;
mod hold;
mod judge;
mod lies;
mod output;
mod right;
mod server;
mod shop;
mod wire;

use crate::case::Case;

/// Every case with a server of its own.
fn cases() -> impl Iterator<Item = &'static Case> {
    let lies = lies::GROUPS.iter().flat_map(|(_, lies)| *lies);
    lies.chain(right::RIGHT.iter().copied().flatten()).chain(output::FORGERIES)
}

/// The tests start this one again in processes of their own, with a variable that names a case; it
/// is the server of that case then.
#[test]
fn server_ends_with_its_input() {
    if let Some(name) = std::env::var_os(server::VARIABLE) {
        let case = cases().find(|case| *case.name == *name).unwrap();
        server::run(*case);
    }
    let mut server = server::Process::start("honest");
    drop(server.stdin.take());
    assert!(child::wait(&mut server.child).success());
}

#[test]
fn names_of_cases_are_unique() {
    let mut names: Vec<&str> = cases().map(|case| case.name).collect();
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None);
}

#[test]
fn lies_are_found() {
    let failures = judge::all(lies::GROUPS.iter().flat_map(|(_, lies)| *lies));
    let count: usize = lies::GROUPS.iter().map(|(_, lies)| lies.len()).sum();
    let missed = failures.len();
    assert!(missed == 0, "{missed} of {count} lies missed:\n{}", failures.join("\n"));
}

#[test]
fn right_servers_are_not_accused() {
    let failures = judge::all(right::RIGHT.iter().copied().flatten());
    let count: usize = right::RIGHT.iter().map(|cases| cases.len()).sum();
    let wrong = failures.len();
    assert!(wrong == 0, "{wrong} of {count} right servers accused:\n{}", failures.join("\n"));
}
