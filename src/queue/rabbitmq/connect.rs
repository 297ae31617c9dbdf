//! Opening a connection to the broker, and why that failed.

use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};

use crate::escape::printable;

use super::options::Options;

/// Seconds between heartbeats: twice that without a sign of life is a lost connection.
const HEARTBEAT_S: u16 = 10;

/// The cure for a wrong user or password.
const LOGIN_CURE: &str = "put those that it knows into \
                          --queue amqp://user:password@host:5672/vhost; `guest` may only come \
                          from the broker's own machine";

/// The cure for a virtual host that does not exist, or is not the user's.
const VHOST_CURE: &str = "create it with `rabbitmqctl add_vhost`, let the user in with \
                          `rabbitmqctl set_permissions`, or leave it out of --queue for the \
                          default";

/// Why no connection or session could be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is not an AMQP address.
    #[error("--queue: not an AMQP address: write amqp://user:password@host:5672/vhost ({0})")]
    Address(String),
    /// The broker does not answer, or the server is not a broker.
    #[error(
        "cannot connect to the broker at {url}: {problem}; start RabbitMQ there, give another \
         --queue, or run under `seckill lab --`"
    )]
    Broker {
        /// The broker's address, without credentials.
        url: String,
        /// The client's error, explained.
        problem: String,
    },
    /// The broker answers, and refuses the user, the password or the virtual host.
    #[error("the broker at {url} refuses {what}: {cure} ({problem})")]
    Login {
        /// The broker's address, without credentials.
        url: String,
        /// What it refuses.
        what: String,
        /// What to do about it.
        cure: &'static str,
        /// The broker's error.
        problem: String,
    },
    /// The certificates to trust cannot be read.
    #[error("cannot connect to the broker: {0}")]
    Trust(String),
    /// The queue cannot be declared.
    #[error(transparent)]
    Declare(#[from] DeclareError),
}

/// Why the queue cannot be declared.
#[derive(Debug, thiserror::Error)]
pub enum DeclareError {
    /// A queue of this name exists with other properties.
    #[error(
        "the broker has a queue `{queue}` with other properties ({problem}): give the --max-queue, \
         --queue-type and --design it was made with, another --queue-name, or delete it"
    )]
    Other {
        /// The queue's name.
        queue: String,
        /// The broker's error.
        problem: String,
    },
    /// The broker refused for another reason.
    #[error("the broker does not declare the queue `{queue}`: {problem}")]
    Refused {
        /// The queue's name.
        queue: String,
        /// The broker's error.
        problem: String,
    },
}

/// The broker's address.
pub(super) fn uri(options: &Options) -> Result<AMQPUri, ConnectError> {
    options.url.expose().parse().map_err(ConnectError::Address)
}

/// Opens a connection within the connect time-out. The client keeps buffers for 64 frames of
/// `frame_max` bytes.
pub(super) async fn connect(options: &Options, frame_max: u32) -> Result<Connection, ConnectError> {
    let mut uri = uri(options)?;
    #[cfg(feature = "tls")]
    if options.url.scheme() == "amqps" {
        crate::tls::check_cert_file().map_err(|error| ConnectError::Trust(error.to_string()))?;
    }
    uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
    uri.query.frame_max.get_or_insert(frame_max);
    let name = format!("seckill {}", std::process::id());
    let properties = ConnectionProperties::default().with_connection_name(name.as_str().into());
    let vhost = uri.vhost.clone();
    let connecting = Connection::connect_uri(uri, properties);
    match tokio::time::timeout(options.connect_timeout, connecting).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => {
            let url = options.url.to_string();
            if let lapin::ErrorKind::ProtocolError(error) = error.kind() {
                return Err(refused_login(url, &vhost, error));
            }
            Err(ConnectError::Broker { url, problem: meaning(options, &error) })
        }
        Err(_) => Err(connect_timed_out(options)),
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
fn meaning(options: &Options, error: &lapin::Error) -> String {
    #[cfg(not(feature = "tls"))]
    let _ = options;
    match error.kind() {
        lapin::ErrorKind::ParsingError(_) | lapin::ErrorKind::InvalidProtocolVersion(_) => {
            "what answers there does not speak AMQP 0-9-1".to_owned()
        }
        #[cfg(feature = "tls")]
        lapin::ErrorKind::IOError(error)
            if options.url.scheme() == "amqps" && error.get_ref().is_some() =>
        {
            crate::tls::explain(error)
        }
        lapin::ErrorKind::IOError(error) => error.to_string(),
        _ => error.to_string(),
    }
}

/// The error for a broker that did not answer within the connect time-out.
pub(super) fn connect_timed_out(options: &Options) -> ConnectError {
    let problem = format!("no answer within {:?}", options.connect_timeout);
    ConnectError::Broker { url: options.url.to_string(), problem }
}

/// What a failed declaration means.
pub(super) fn declare_error(options: &Options, error: &lapin::Error) -> DeclareError {
    let (queue, problem) = (options.queue.clone(), error.to_string());
    let precondition = matches!(
        error.kind(),
        lapin::ErrorKind::ProtocolError(error)
            if *error.kind() == AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED)
    );
    if precondition {
        DeclareError::Other { queue, problem }
    } else {
        DeclareError::Refused { queue, problem }
    }
}
