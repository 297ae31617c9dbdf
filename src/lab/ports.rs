//! Free ports for services, below the range of ephemeral ports, so that no outgoing connection
//! takes one before its service does.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Above the well-known ports and most of the registered ones.
const FIRST: u16 = 16_384;

/// How many ports there are up to 32768, where Linux's ephemeral ports begin.
const COUNT: u16 = 32_768 - FIRST;

/// Standard ports of services in this range: RabbitMQ's distribution, Redis Sentinel, MongoDB.
const STANDARD: &[u16] = &[25_672, 26_379, 27_017, 27_018, 27_019];

/// The index of the next port to try; 0 before the first. It only grows, so that two callers in
/// this process never get the same port.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Ports of 127.0.0.1 that were free a moment ago, all different. Another process may take one
/// before the caller does.
pub(super) fn free<const N: usize>() -> io::Result<[u16; N]> {
    let mut ports = [0; N];
    for port in &mut ports {
        *port = one()?;
    }
    Ok(ports)
}

/// A port of 127.0.0.1 that was free a moment ago. Another process may take it before the caller
/// does.
///
/// # Errors
/// When no port is free.
pub fn one() -> io::Result<u16> {
    // Each process begins at a random index, so that two processes seldom try the same port.
    let begin = RandomState::new().hash_one(std::process::id()) as u32 % u32::from(COUNT) + 1;
    let _ = NEXT.compare_exchange(0, begin, Ordering::Relaxed, Ordering::Relaxed);
    for _ in 0..COUNT {
        let index = NEXT.fetch_add(1, Ordering::Relaxed) % u32::from(COUNT);
        // The index is below `COUNT`, which is a `u16`.
        let port = FIRST + index as u16;
        let is_free = || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if !STANDARD.contains(&port) && is_free() {
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no port between 16384 and 32767 is free"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_differ_and_can_be_bound() {
        // Another process may take one of them at any moment.
        let can_be_bound = (0..100).any(|_| {
            let ports: [u16; 32] = free().unwrap();
            assert!(ports.iter().all(|port| (16_384..32_768).contains(port)), "{ports:?}");
            let listeners = ports.map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)));
            listeners.iter().all(Result::is_ok)
        });
        assert!(can_be_bound);
    }
}
