//! Which process on this machine listens on an address, for reporting what it uses.

use std::net::SocketAddr;

use procfs::net::{TcpNetEntry, TcpState, tcp, tcp6};
use procfs::process::{FDTarget, Process, all_processes};

/// The process that listens on `address`, if it can be seen and is the only one. Several, as of
/// nginx, are a proxy or a server of another kind: what one of them uses says nothing.
pub fn listener_pid(address: SocketAddr) -> Option<i32> {
    let table = match address {
        SocketAddr::V4(_) => tcp(),
        SocketAddr::V6(_) => tcp6(),
    };
    let listens = |entry: &TcpNetEntry| {
        let local = entry.local_address;
        entry.state == TcpState::Listen
            && local.port() == address.port()
            && (local.ip() == address.ip() || local.ip().is_unspecified())
    };
    let inode = table.ok()?.into_iter().find(listens)?.inode;
    let holds = |process: &Process| {
        process.fd().is_ok_and(|mut fds| {
            fds.any(|fd| fd.is_ok_and(|fd| fd.target == FDTarget::Socket(inode)))
        })
    };
    let mut holders = all_processes().ok()?.flatten().filter(holds);
    match (holders.next(), holders.next()) {
        (Some(process), None) => Some(process.pid),
        _ => None,
    }
}
