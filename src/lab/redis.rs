//! A throwaway Redis.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use super::binary::REDIS;
use super::error::LabError;
use super::recipe::Recipe;
use super::service::Service;

/// How long a start may take: mostly 60 ms, but after a kill its log has to be replayed.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How long an answer to `PING` may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// A Redis that syncs each write to disk before it answers (`appendfsync always`), with 1024
/// databases.
#[derive(Debug)]
pub struct Redis {
    service: Service,
}

impl Redis {
    /// Starts it and waits until it answers.
    pub fn start() -> Result<Self, LabError> {
        Self::start_with(&[])
    }

    /// Starts it with more arguments of `redis-server`, which win over the default ones. They must
    /// not set `--port`, `--bind` or `--dir`.
    pub fn start_with(more: &[&str]) -> Result<Self, LabError> {
        Ok(Self { service: Service::start("redis", recipe(REDIS.locate()?, more))? })
    }

    /// Its address: `redis://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.service.ports()[0])
    }

    /// Its process.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Its process, to suspend, kill or restart it.
    pub fn service_mut(&mut self) -> &mut Service {
        &mut self.service
    }
}

fn recipe(program: PathBuf, more: &[&str]) -> impl Fn(&Path, [u16; 1]) -> Result<Recipe, LabError> {
    move |folder, [port]| {
        let port_text = port.to_string();
        let mut args = vec!["--port", &port_text, "--bind", "127.0.0.1", "--daemonize", "no"];
        args.extend(["--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
        args.extend(["--databases", "1024", "--dir", "."]);
        args.extend(more);
        Ok(Recipe {
            name: "redis",
            program: program.clone(),
            args: args.into_iter().map(Into::into).collect(),
            environment: vec![("HOME", folder.into())],
            ports: vec![port],
            data: &["appendonlydir", "dump.rdb"],
            is_ready,
            start_timeout: START_TIMEOUT,
            stop: Signal::TERM,
        })
    }
}

/// Whether it answers `PING`, possibly by demanding a password. While it loads its data, it
/// answers with an error instead.
pub(super) fn is_ready(port: u16) -> bool {
    let answer = || {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).map(|()| answer)
    };
    matches!(answer().as_ref(), Ok(b"+PONG" | b"-NOAU"))
}

#[cfg(test)]
mod tests {
    use super::super::service::tests::start_where_ports_are_taken;
    use super::*;

    #[test]
    fn starts_on_other_ports_if_one_is_taken() {
        match REDIS.locate() {
            Ok(program) => start_where_ports_are_taken(recipe(program, &[])),
            Err(error) => println!("skipped: {error}"),
        }
    }
}
