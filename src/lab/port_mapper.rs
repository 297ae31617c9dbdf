//! A port mapper of Erlang, by which the nodes of a cluster find each other. Each cluster has one
//! of its own, so that none of its nodes is known to others.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::binary::EPMD;
use super::error::LabError;
use super::recipe::Recipe;
use super::service::Service;

/// How long a start may take: mostly a few milliseconds.
const START_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Starts it, and waits until it listens.
pub(super) fn start() -> Result<Service, LabError> {
    let program = EPMD.locate()?;
    Service::start("epmd", |folder: &Path, [port]| {
        let port_text = port.to_string();
        let args = ["-port", &port_text, "-address", "127.0.0.1"];
        Ok(Recipe {
            name: "epmd",
            program: program.clone(),
            args: args.into_iter().map(Into::into).collect(),
            environment: vec![("HOME", folder.into())],
            ports: vec![port],
            data: &[],
            is_ready,
            start_timeout: START_TIMEOUT,
            stop: Signal::KILL,
        })
    })
}

/// Whether it accepts a connection.
fn is_ready(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).is_ok()
}
