//! Services that another process suspends, kills and restarts: a socket on which `seckill lab`
//! takes orders from the command that it runs, and what sends them.
//!
//! An order is one line, such as `store kill`, or `broker/follower kill` for a node of a cluster.
//! It is answered by the line `done`, or by the reason why it failed.

use std::fs::Permissions;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempDir;

use super::error::LabError;
use super::reaper::Reaper;
use super::service::Service;

/// Longest line, in bytes.
const LINE_MAX: u64 = 4096;

/// How long an order may take: RabbitMQ needs up to 60 s to start on a busy machine.
const ORDER_TIMEOUT: Duration = Duration::from_secs(90);

/// The answer to an order that was carried out.
const DONE: &str = "done";

/// What can be done to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Suspend it.
    Suspend,
    /// Let it continue.
    Resume,
    /// Kill it with SIGKILL.
    Kill,
    /// Kill it, and remove its data.
    Wipe,
    /// Start it again, and wait until it is ready.
    Restart,
}

impl Order {
    const ALL: [Self; 5] = [Self::Suspend, Self::Resume, Self::Kill, Self::Wipe, Self::Restart];

    fn as_str(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Kill => "kill",
            Self::Wipe => "wipe",
            Self::Restart => "restart",
        }
    }

    /// Carries it out.
    ///
    /// # Errors
    /// When the service cannot be signalled or started.
    pub fn carry_out(self, service: &mut Service) -> Result<(), LabError> {
        match self {
            Self::Suspend => service.suspend(),
            Self::Resume => service.resume(),
            Self::Kill => service.kill(),
            Self::Wipe => service.wipe(),
            Self::Restart => service.restart(),
        }
    }
}

/// Carries out an order on the service with this name.
type CarryOut = dyn Fn(&str, Order) -> anyhow::Result<()> + Send + Sync;

/// A socket that takes orders while this process lives, in a folder of its own that only this user
/// may enter.
#[derive(Debug)]
pub struct ControlSocket {
    folder: TempDir,
    /// Removes the folder when this process ends without dropping this value.
    _reaper: Reaper,
}

impl ControlSocket {
    /// Opens the socket.
    ///
    /// # Errors
    /// When the folder, the socket or its thread cannot be made.
    pub fn open(carry_out: Arc<CarryOut>) -> io::Result<Self> {
        let only_owner = Permissions::from_mode(0o700);
        let mut builder = tempfile::Builder::new();
        let folder = builder.prefix("seckill-lab-").permissions(only_owner).tempdir()?;
        let _reaper = Reaper::start(Some(folder.path()))?;
        let socket = Self { folder, _reaper };
        let listener = UnixListener::bind(socket.path())?;
        thread::Builder::new().name("control".into()).spawn(move || {
            // An order may take long, and another one may be to end it.
            for stream in listener.incoming().map_while(Result::ok) {
                let carry_out = Arc::clone(&carry_out);
                // Without a thread the stream is closed, which the sender reports.
                let _ = thread::Builder::new().spawn(move || answer(&stream, &*carry_out));
            }
        })?;
        Ok(socket)
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("control")
    }
}

/// Reads an order, carries it out and answers; a sender that has gone gets no answer.
fn answer(stream: &UnixStream, carry_out: &CarryOut) {
    let Ok(line) = line(stream) else { return };
    let words = line.split_once(' ');
    let order = words.and_then(|(service, order)| {
        let order = Order::ALL.into_iter().find(|known| known.as_str() == order)?;
        Some((service, order))
    });
    let answer = match order {
        None => "no such order".to_owned(),
        Some((service, order)) => match carry_out(service, order) {
            Ok(()) => DONE.to_owned(),
            Err(error) => format!("{error:#}").replace('\n', " "),
        },
    };
    let mut stream = stream;
    let _ = stream.write_all(format!("{answer}\n").as_bytes());
}

/// Sends an order to the socket of a lab, and waits until it is carried out. It blocks.
///
/// # Errors
/// When the lab does not answer in time, or could not carry it out.
pub fn order(socket: &Path, service: &str, order: Order) -> anyhow::Result<()> {
    let gone = || format!("the lab at {} does not answer", socket.display());
    let mut stream = UnixStream::connect(socket).with_context(gone)?;
    stream.set_write_timeout(Some(ORDER_TIMEOUT))?;
    stream.write_all(format!("{service} {}\n", order.as_str()).as_bytes()).with_context(gone)?;
    match line(&stream).with_context(gone)? {
        answer if answer == DONE => Ok(()),
        answer if answer.is_empty() => bail!("{}", gone()),
        answer => bail!("{answer}"),
    }
}

fn line(stream: &UnixStream) -> io::Result<String> {
    stream.set_read_timeout(Some(ORDER_TIMEOUT))?;
    let mut line = String::new();
    BufReader::new(stream.take(LINE_MAX)).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_carried_out_and_answered() {
        let carry_out = |service: &str, order| match (service, order) {
            ("store", Order::Kill) => Ok(()),
            (other, _) => bail!("no service\n`{other}`"),
        };
        let socket = ControlSocket::open(Arc::new(carry_out)).unwrap();
        let mode = socket.folder.path().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "others may not enter");
        assert!(order(&socket.path(), "store", Order::Kill).is_ok());
        let error = order(&socket.path(), "shop", Order::Wipe).unwrap_err().to_string();
        assert_eq!(error, "no service `shop`");
        let mut stream = UnixStream::connect(socket.path()).unwrap();
        stream.write_all(b"store fry\n").unwrap();
        assert_eq!(line(&stream).unwrap(), "no such order");
        let error = order(Path::new("/nowhere"), "store", Order::Kill).unwrap_err();
        assert!(error.to_string().starts_with("the lab at /nowhere does not answer"), "{error}");
    }
}
