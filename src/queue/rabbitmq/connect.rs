//! Opening a connection to the broker, and why that failed.

use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Connection, ConnectionProperties};

use crate::escape::printable;

use super::error::{ConnectError, DeclareError};
use super::hosts::Host;
use super::options::Options;

/// The cure for a wrong user or password.
const LOGIN_CURE: &str = "put those that it knows into its address, \
                          amqp://user:password@host:5672/vhost (--queue or SECKILL_QUEUE); \
                          `guest` may only come from the broker's own machine";

/// The cure for a virtual host that does not exist, or is not the user's.
const VHOST_CURE: &str = "create it with `rabbitmqctl add_vhost`, let the user in with \
                          `rabbitmqctl set_permissions`, or leave it out of the address (--queue \
                          or SECKILL_QUEUE) for the default";

/// Opens a connection within the connect time-out. The client keeps buffers for 64 frames of
/// `frame_max` bytes.
pub(super) async fn connect(
    options: &Options,
    host: &Host,
    frame_max: u32,
) -> Result<Connection, ConnectError> {
    let mut uri = host.uri.clone();
    #[cfg(feature = "tls")]
    if host.url.scheme() == "amqps" {
        crate::tls::check_cert_file().map_err(|error| ConnectError::Trust(error.to_string()))?;
    }
    uri.query.frame_max.get_or_insert(frame_max);
    let name = format!("seckill {}", std::process::id());
    let properties = ConnectionProperties::default().with_connection_name(name.as_str().into());
    let vhost = uri.vhost.clone();
    let connecting = Connection::connect_uri(uri, properties);
    match tokio::time::timeout(options.connect_timeout, connecting).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => {
            let url = host.url.to_string();
            if let lapin::ErrorKind::ProtocolError(error) = error.kind() {
                return Err(refused_login(url, &vhost, error));
            }
            Err(ConnectError::Broker { url, problem: meaning(host, &error) })
        }
        Err(_) => Err(connect_timed_out(options, host)),
    }
}

/// What it means that a broker ends the handshake.
fn refused_login(url: String, vhost: &str, error: &lapin::protocol::AMQPError) -> ConnectError {
    let problem = printable(error.get_message().as_str()).into_owned();
    let is_of_vhost = *error.kind() == AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED)
        || problem.contains("vhost");
    let (what, cure) = match is_of_vhost {
        true => (format!("the virtual host `{}`", printable(vhost)), VHOST_CURE),
        false => ("the user or the password".to_owned(), LOGIN_CURE),
    };
    ConnectError::Login { url, what, cure, problem }
}

/// What a failed connection means.
fn meaning(host: &Host, error: &lapin::Error) -> String {
    #[cfg(not(feature = "tls"))]
    let _ = host;
    match error.kind() {
        lapin::ErrorKind::ParsingError(_) | lapin::ErrorKind::InvalidProtocolVersion(_) => {
            "what answers there does not speak AMQP 0-9-1".to_owned()
        }
        #[cfg(feature = "tls")]
        lapin::ErrorKind::IOError(error)
            if host.url.scheme() == "amqps" && error.get_ref().is_some() =>
        {
            crate::tls::explain(error)
        }
        lapin::ErrorKind::IOError(error) => error.to_string(),
        _ => error.to_string(),
    }
}

/// The error for a broker that did not answer within the connect time-out.
pub(super) fn connect_timed_out(options: &Options, host: &Host) -> ConnectError {
    let problem = format!("no answer within {:?}", options.connect_timeout);
    ConnectError::Broker { url: host.url.to_string(), problem }
}

/// What a failed declaration means.
pub(super) fn declare_error(options: &Options, error: &lapin::Error) -> DeclareError {
    let (queue, problem) = (options.queue.clone(), error.to_string());
    let kind = match error.kind() {
        lapin::ErrorKind::ProtocolError(error) => Some(error.kind().clone()),
        _ => None,
    };
    match kind {
        Some(AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED)) => {
            DeclareError::Other { queue, problem }
        }
        // RabbitMQ has no code of its own for it.
        Some(AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND)) if problem.contains("home node") => {
            DeclareError::NodeDown { queue, problem }
        }
        _ => DeclareError::Refused { queue, problem },
    }
}
