//! nginx.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Signal, geteuid};

use super::binary::NGINX;
use super::error::LabError;
use super::recipe::Recipe;
use super::service::Service;

/// How long a start may take: mostly 30 ms.
const START_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A load balancer as most have it: connections to the servers behind are kept, and these learn
/// who asked for what.
const BALANCER: &str = "\
events { worker_connections 4096; }
http {
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream seckill {
{servers}        keepalive 64;
    }
    server {
        listen 127.0.0.1:{port} backlog=4096;
        location / {
            proxy_pass http://seckill;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
    }
}
";

/// An nginx in the foreground.
#[derive(Debug)]
pub struct Nginx {
    service: Service,
}

impl Nginx {
    /// Starts one and waits until it listens. In the configuration, `{folder}` stands for its
    /// folder and `{port}` for the port that it must listen on at 127.0.0.1.
    ///
    /// `daemon`, `pid` and `user` are set already, and so is where errors are logged to. What the
    /// configuration should set, since they lead out of the folder otherwise: `access_log` and
    /// the `…_temp_path` of what it uses; [`balancer`](Self::balancer) shows how.
    pub fn start(config: &str) -> Result<Self, LabError> {
        Ok(Self { service: Service::start("nginx", recipe(NGINX.locate()?, config))? })
    }

    /// The configuration of a load balancer over servers on these ports of 127.0.0.1.
    pub fn balancer(ports: &[u16]) -> String {
        let server = |port: &u16| format!("        server 127.0.0.1:{port};\n");
        BALANCER.replace("{servers}", &ports.iter().map(server).collect::<String>())
    }

    /// Its address: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.service.ports()[0])
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

fn recipe(program: PathBuf, config: &str) -> impl Fn(&Path, [u16; 1]) -> Result<Recipe, LabError> {
    move |folder, [port]| {
        let path = folder.display().to_string();
        let config = config.replace("{folder}", &path).replace("{port}", &port.to_string());
        let written = fs::write(folder.join("nginx.conf"), config);
        written.map_err(LabError::io("nginx", "write its configuration"))?;
        // Started by root, its workers would be somebody who may not enter the folder.
        let user = if geteuid().is_root() { " user root;" } else { "" };
        let global = format!("daemon off; pid \"{path}/nginx.pid\";{user}");
        let file = format!("{path}/nginx.conf");
        let args = ["-p", &path, "-e", "stderr", "-c", &file, "-g", &global];
        Ok(Recipe {
            name: "nginx",
            program: program.clone(),
            args: args.into_iter().map(Into::into).collect(),
            environment: vec![("HOME", folder.into())],
            prelude: String::new(),
            ports: vec![port],
            is_ready,
            start_timeout: START_TIMEOUT,
            stop: Signal::QUIT,
        })
    }
}

/// Whether it accepts connections.
fn is_ready(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::service::tests::start_where_ports_are_taken;
    use super::*;

    #[test]
    fn a_port_that_was_taken_is_left_to_whom_it_belongs() {
        match NGINX.locate() {
            Ok(program) => start_where_ports_are_taken(recipe(program, &Nginx::balancer(&[1]))),
            Err(error) => println!("skipped: {error}"),
        }
    }
}
