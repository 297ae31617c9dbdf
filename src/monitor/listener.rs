//! Which process of this machine listens on an address.

use std::net::SocketAddr;

use procfs::net::{TcpNetEntry, TcpState, tcp, tcp6};
use procfs::process::{FDTarget, Process, all_processes};

/// The process that listens on `address`, if it is visible to this user and is the only one.
///
/// Where several processes share the socket, as nginx's workers do, the result is `None`: the
/// listener is a proxy or another kind of server, and the usage of one of its processes means
/// nothing.
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
    let has_socket = |process: &Process| {
        process.fd().is_ok_and(|mut fds| {
            fds.any(|fd| fd.is_ok_and(|fd| fd.target == FDTarget::Socket(inode)))
        })
    };
    let mut listeners = all_processes().ok()?.flatten().filter(has_socket);
    match (listeners.next(), listeners.next()) {
        (Some(process), None) => Some(process.pid),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_listening_process_is_found_by_its_address() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // A process that another test starts shares the socket between its fork and its exec.
        let ends_as = |pid| (0..1000).any(|_| listener_pid(address) == pid);
        assert!(ends_as(i32::try_from(std::process::id()).ok()));
        drop(listener);
        assert!(ends_as(None));
    }
}
