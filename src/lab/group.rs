//! A process group, which is a service with its helper processes: signals to all of it, its state,
//! and who listens on its ports.

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use procfs::net::TcpState;
use procfs::process::{FDInfo, FDTarget, Process, all_processes};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};

/// How long a group may take to stop or end after a signal that cannot be caught.
const SIGNAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Time between two readings of the processes' states.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Which processes listen on a service's ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listening {
    /// The group listens on all of them.
    All,
    /// At least one port has no listener yet.
    NotYet,
    /// Another process listens on at least one of them.
    Another,
}

/// A process group by its id, which is its leader's process id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProcessGroup(pub(super) u32);

impl ProcessGroup {
    /// Sends a signal to all of its processes. It is no error if none exists any more.
    pub(super) fn signal(self, signal: Signal) -> io::Result<()> {
        let Some(pid) = i32::try_from(self.0).ok().and_then(Pid::from_raw) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        match kill_process_group(pid, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until each of its processes is stopped or has ended.
    pub(super) fn wait_stopped(self) -> io::Result<()> {
        self.wait_for(|state| matches!(state, 'T' | 't'))
    }

    /// Waits until all of its processes have ended. A zombie counts as ended, since it has neither
    /// ports nor files.
    pub(super) fn wait_gone(self) -> io::Result<()> {
        self.wait_for(|_| false)
    }

    fn wait_for(self, is_reached: impl Fn(char) -> bool) -> io::Result<()> {
        let deadline = Instant::now() + SIGNAL_TIMEOUT;
        while !self.living().all(|(_, state)| is_reached(state)) {
            if Instant::now() >= deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// Its processes that have not ended, each with the letter of its state in `/proc`.
    fn living(self) -> impl Iterator<Item = (Process, char)> {
        let stat_of = |process: Process| process.stat().ok().map(|stat| (process, stat));
        let living = all_processes().into_iter().flatten().flatten().filter_map(stat_of);
        living
            .filter(move |(_, stat)| u32::try_from(stat.pgrp) == Ok(self.0))
            .map(|(process, stat)| (process, stat.state))
            .filter(|(_, state)| !matches!(state, 'Z' | 'X'))
    }

    /// Which processes listen on these ports of 127.0.0.1.
    ///
    /// RabbitMQ opens and closes its ports for a moment to try them. A socket therefore counts as
    /// another process's only if it listens both before and after the group's sockets are read.
    pub(super) fn listening(self, ports: &[u16]) -> Listening {
        let before = listeners(ports);
        let own = self.sockets();
        let (ours, others): (HashSet<_>, HashSet<_>) =
            before.into_iter().partition(|(_, inode)| own.contains(inode));
        if !others.is_empty() && !others.is_disjoint(&listeners(ports)) {
            Listening::Another
        } else if ports.iter().all(|port| ours.iter().any(|(ours, _)| ours == port)) {
            Listening::All
        } else {
            Listening::NotYet
        }
    }

    /// The inodes of all sockets of its processes.
    fn sockets(self) -> HashSet<u64> {
        let fds = self.living().filter_map(|(process, _)| process.fd().ok()).flatten();
        let inode = |fd: procfs::ProcResult<FDInfo>| match fd.ok()?.target {
            FDTarget::Socket(inode) => Some(inode),
            _ => None,
        };
        fds.filter_map(inode).collect()
    }
}

/// Port and inode of each socket that listens on one of these ports.
fn listeners(ports: &[u16]) -> HashSet<(u16, u64)> {
    let table = procfs::net::tcp().unwrap_or_default().into_iter();
    table
        .filter(|entry| entry.state == TcpState::Listen)
        .map(|entry| (entry.local_address.port(), entry.inode))
        .filter(|(port, _)| ports.contains(port))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listening_socket_is_attributed_to_its_group() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let own = rustix::process::getpgrp().as_raw_nonzero().get();
        let own = ProcessGroup(u32::try_from(own).unwrap());
        assert_eq!(own.listening(&[port]), Listening::All);
        // No group has the highest possible id.
        let other = ProcessGroup(u32::try_from(i32::MAX).unwrap());
        assert_eq!(other.listening(&[port]), Listening::Another);
        drop(listener);
        assert_eq!(own.listening(&[port]), Listening::NotYet);
        assert!(other.signal(Signal::KILL).is_ok(), "a group that has ended is no error");
        assert!(other.wait_gone().is_ok());
    }
}
