//! [`Ring`]: the connections of a worker, as far as they go over io_uring.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use rustix::io::Errno;
use rustix::net::{Shutdown, shutdown};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::TcpStream;

use super::kernel::{Completion, Kernel};

/// Received bytes that may wait to be read, at each connection. When there are more, nothing is
/// received until they have been read; what is on its way by then is bounded by the kernel's
/// buffers.
const UNREAD_MAX: usize = 64 << 10;

/// The ring of a worker.
pub(in crate::load) struct Ring {
    /// What tokio's reactor watches. It is never read: each event is an edge of its own.
    watched: AsyncFd<OwnedFd>,
    state: RefCell<State>,
}

struct State {
    kernel: Kernel,
    sockets: Vec<Option<Socket>>,
    free: Vec<usize>,
    /// The task of [`Ring::drive`], while it waits.
    driver: Option<Waker>,
}

struct Socket {
    socket: Rc<OwnedFd>,
    /// The operation that receives, while there is one, and whether it is to end.
    receiving: Option<usize>,
    is_cancelled: bool,
    /// Whether an operation sends.
    is_sending: bool,
    /// How the sending ended.
    sent: Option<io::Result<usize>>,
    /// Memory for the next request.
    request: Vec<u8>,
    /// Received bytes that were not read.
    unread: Vec<u8>,
    /// How receiving ended.
    end: Option<Result<(), Errno>>,
    waker: Option<Waker>,
    /// Whether its stream is gone: it is kept for the operations that have not completed.
    is_dropped: bool,
}

/// An open connection over a ring.
pub(in crate::load) struct RingStream {
    ring: Rc<Ring>,
    at: usize,
}

impl Ring {
    /// Creates a ring for the current thread and runtime.
    pub(in crate::load) fn new() -> io::Result<Rc<Self>> {
        let kernel = Kernel::new()?;
        // Deprecated for types that do not own their descriptor, as this one does. Its replacement
        // is unsafe.
        #[allow(deprecated)]
        let watched = AsyncFd::with_interest(kernel.watch()?, Interest::READABLE)?;
        let (sockets, free) = (Vec::new(), Vec::new());
        let state = State { kernel, sockets, free, driver: None };
        Ok(Rc::new(Self { watched, state: RefCell::new(state) }))
    }

    /// Hands over what streams send and wakes them when it is done, until dropped.
    pub(in crate::load) async fn drive(&self) -> io::Result<()> {
        loop {
            poll_fn(|context| self.poll_work(context)).await?;
            self.state.borrow_mut().turn()?;
            // Those that were woken send their next requests first.
            yield_once().await;
        }
    }

    /// Ready when there is something to hand over, or something for the kernel to do.
    fn poll_work(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state.borrow_mut();
        if state.kernel.has_submissions() || state.kernel.listen() {
            return Poll::Ready(Ok(()));
        }
        state.driver = Some(context.waker().clone());
        drop(state);
        let ready = self.watched.poll_read_ready(context);
        ready.map_ok(|mut guard| guard.clear_ready())
    }

    /// Takes over an open connection.
    pub(in crate::load) fn stream(self: &Rc<Self>, stream: TcpStream) -> io::Result<RingStream> {
        let stream = stream.into_std()?;
        // On a socket that does not block, an operation would fail instead of waiting.
        stream.set_nonblocking(false)?;
        let socket = Rc::new(OwnedFd::from(stream));
        let state = &mut *self.state.borrow_mut();
        let at = state.free.pop().unwrap_or_else(|| {
            state.sockets.push(None);
            state.sockets.len() - 1
        });
        state.sockets[at] = Some(Socket {
            receiving: Some(state.kernel.receive(&socket, at)),
            socket,
            is_cancelled: false,
            is_sending: false,
            sent: None,
            request: Vec::new(),
            unread: Vec::new(),
            end: None,
            waker: None,
            is_dropped: false,
        });
        state.wake_driver();
        Ok(RingStream { ring: Rc::clone(self), at })
    }
}

impl State {
    fn wake_driver(&mut self) {
        self.driver.take().into_iter().for_each(Waker::wake);
    }

    fn turn(&mut self) -> io::Result<()> {
        let Self { kernel, sockets, free, .. } = self;
        let mut to_cancel = Vec::new();
        kernel.turn(|at, completion| {
            let Some(socket) = &mut sockets[at] else {
                unreachable!("a socket is kept until its operations have completed")
            };
            socket.complete(completion);
            if socket.is_overfull() {
                socket.is_cancelled = true;
                to_cancel.extend(socket.receiving);
            }
            socket.waker.take().into_iter().for_each(Waker::wake);
            if socket.is_over() {
                sockets[at] = None;
                free.push(at);
            }
        })?;
        to_cancel.into_iter().for_each(|operation| kernel.cancel(operation));
        Ok(())
    }

    fn socket(&mut self, at: usize) -> &mut Socket {
        match &mut self.sockets[at] {
            Some(socket) => socket,
            None => unreachable!("a socket is kept for as long as its stream exists"),
        }
    }
}

impl Socket {
    fn complete(&mut self, completion: Completion<'_>) {
        match completion {
            Completion::Sent { result, bytes } => {
                (self.is_sending, self.sent, self.request) = (false, Some(result), bytes);
            }
            Completion::Received { result, goes_on } => {
                if !goes_on {
                    (self.receiving, self.is_cancelled) = (None, false);
                }
                match result {
                    Ok([]) => self.end = Some(Ok(())),
                    Ok(bytes) if !self.is_dropped => self.unread.extend_from_slice(bytes),
                    Ok(_) => {}
                    // It is begun again when the bytes so far have been read.
                    Err(error) => match error.raw_os_error().map(Errno::from_raw_os_error) {
                        Some(Errno::NOBUFS | Errno::CANCELED) => {}
                        errno => self.end = Some(Err(errno.unwrap_or(Errno::IO))),
                    },
                }
            }
        }
    }

    /// Whether receiving has to pause.
    fn is_overfull(&self) -> bool {
        self.unread.len() > UNREAD_MAX && self.receiving.is_some() && !self.is_cancelled
    }

    /// Whether nothing needs it any more.
    fn is_over(&self) -> bool {
        self.is_dropped && self.receiving.is_none() && !self.is_sending
    }

    fn wait<T>(&mut self, context: &mut Context<'_>) -> Poll<T> {
        self.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl RingStream {
    /// Whether there is anything to read: bytes, or the end of the stream.
    pub(in crate::load) fn is_readable(&self) -> bool {
        let mut state = self.ring.state.borrow_mut();
        let socket = state.socket(self.at);
        !socket.unread.is_empty() || socket.end.is_some()
    }

    /// Sends some of these bytes, and returns how many were sent.
    pub(in crate::load) async fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begin_sending(bytes);
        poll_fn(|context| {
            let mut state = self.ring.state.borrow_mut();
            let socket = state.socket(self.at);
            socket.sent.take().map_or_else(|| socket.wait(context), Poll::Ready)
        })
        .await
    }

    fn begin_sending(&self, bytes: &[u8]) {
        let mut state = self.ring.state.borrow_mut();
        let socket = state.socket(self.at);
        let (fd, mut request) = (Rc::clone(&socket.socket), std::mem::take(&mut socket.request));
        (socket.is_sending, socket.sent) = (true, None);
        request.clear();
        request.extend_from_slice(bytes);
        state.kernel.send(&fd, self.at, request);
        state.wake_driver();
    }

    /// Receives bytes into the spare capacity of `buffer`, and returns how many; 0 at the end of
    /// the stream.
    pub(in crate::load) async fn receive(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        poll_fn(|context| {
            let state = &mut *self.ring.state.borrow_mut();
            let socket = state.socket(self.at);
            let len = socket.unread.len().min(buffer.capacity() - buffer.len());
            if len > 0 {
                buffer.extend_from_slice(&socket.unread[..len]);
                socket.unread.drain(..len);
                return Poll::Ready(Ok(len));
            }
            match socket.end {
                Some(Ok(())) => Poll::Ready(Ok(0)),
                Some(Err(errno)) => Poll::Ready(Err(errno.into())),
                None => {
                    let fd = socket.receiving.is_none().then(|| Rc::clone(&socket.socket));
                    let pending = socket.wait(context);
                    if let Some(fd) = fd {
                        let operation = state.kernel.receive(&fd, self.at);
                        state.socket(self.at).receiving = Some(operation);
                        state.wake_driver();
                    }
                    pending
                }
            }
        })
        .await
    }
}

impl Drop for RingStream {
    fn drop(&mut self) {
        let state = &mut *self.ring.state.borrow_mut();
        let socket = state.socket(self.at);
        // The peer learns of the end at once, and what is in flight ends.
        let _ = shutdown(&socket.socket, Shutdown::Both);
        (socket.is_dropped, socket.waker) = (true, None);
        socket.unread = Vec::new();
        let (receiving, is_over) = (socket.receiving, socket.is_over());
        if is_over {
            state.sockets[self.at] = None;
            state.free.push(self.at);
        }
        receiving.into_iter().for_each(|operation| state.kernel.cancel(operation));
        state.wake_driver();
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").finish_non_exhaustive()
    }
}

impl fmt::Debug for RingStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingStream").field("at", &self.at).finish_non_exhaustive()
    }
}

/// Lets the tasks that are ready run first.
async fn yield_once() {
    let mut has_yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
