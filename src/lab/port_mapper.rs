//! A port mapper of Erlang, by which the nodes of a cluster find each other. Each cluster has one
//! of its own, so that none of its nodes is known to others.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::binary::EPMD;
use super::error::LabError;
use super::recipe::{Recipe, accepts_connections};
use super::service::Service;

/// How long a start may take: mostly a few milliseconds.
const START_TIMEOUT: Duration = Duration::from_secs(15);

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
            is_ready: accepts_connections,
            start_timeout: START_TIMEOUT,
            stop: Signal::KILL,
        })
    })
}
