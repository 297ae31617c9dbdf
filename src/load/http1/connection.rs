//! A user's connection: it is opened on demand, sends a request, reads the whole answer, and
//! records the moment of each step.

use std::rc::Rc;
use std::time::Instant;

use crate::profile::Plan;
use crate::stats::ErrorKind;
use crate::sut::Received;

use super::connector::Connector;
use super::error::ProtocolError;
use super::response::{Response, ResponseReader};
use super::stream::Stream;
use crate::load::ring::Ring;
use crate::load::timers::Timer;

/// A connection, open or closed, with the buffer for its answers.
#[derive(Debug)]
pub(in crate::load) struct Connection {
    stream: Option<Stream>,
    reader: ResponseReader,
    deadline: Timer,
    /// The ring that it goes over, if it does.
    ring: Option<Rc<Ring>>,
}

/// A request that is about to be sent.
#[derive(Debug, Clone, Copy)]
pub(in crate::load) struct Outgoing<'a> {
    pub(in crate::load) bytes: &'a [u8],
    /// When it begins: the last reading of the clock.
    pub(in crate::load) began: Instant,
    /// Whether it has a scheduled moment, so that it matters how late it is handed to the kernel.
    pub(in crate::load) is_scheduled: bool,
}

/// The moments and the answer of one request.
#[derive(Debug)]
pub(in crate::load) struct Exchange {
    pub(in crate::load) began: Instant,
    pub(in crate::load) connected: Option<Instant>,
    /// When its bytes had been handed to the kernel. The clock is not read for a request without a
    /// scheduled moment: it is the moment before they were.
    pub(in crate::load) sent: Option<Instant>,
    pub(in crate::load) first_byte: Option<Instant>,
    pub(in crate::load) ended: Instant,
    /// Bytes of the request that may have left this machine. If there are none, the request had no
    /// effect.
    pub(in crate::load) bytes_sent: u64,
    pub(in crate::load) bytes_received: u64,
    /// The whole answer, which is [`Connection::received`], or why there is none.
    pub(in crate::load) answer: Result<Response, ErrorKind>,
}

impl Connection {
    /// A connection for answers whose bodies have at most `body_len_max` bytes.
    pub(in crate::load) fn new(deadline: Timer, body_len_max: usize) -> Self {
        Self {
            stream: None,
            reader: ResponseReader::with_body_max(body_len_max),
            deadline,
            ring: None,
        }
    }

    /// The same connection, over a ring.
    pub(in crate::load) fn over(self, ring: Option<Rc<Ring>>) -> Self {
        Self { ring, ..self }
    }

    /// Opens a connection, unless there is one.
    pub(in crate::load) async fn open(
        &mut self,
        connector: &Connector,
        plan: &Plan,
    ) -> Result<(), ErrorKind> {
        // A connection that is readable between two requests was closed by the server, or holds
        // bytes that belong to no request. It cannot be reused.
        self.stream.take_if(Stream::is_readable);
        if self.stream.is_none() {
            let due = Instant::now() + plan.connect_timeout;
            let opened = self.deadline.before(due, connector.connect(self.ring.as_ref())).await;
            self.stream = Some(opened.unwrap_or(Err(ErrorKind::ConnectTimeout))?);
        }
        Ok(())
    }

    /// Closes the connection, if it is open.
    pub(in crate::load) fn close(&mut self) {
        self.stream = None;
    }

    /// Sends one request now, and reads its answer.
    pub(in crate::load) async fn exchange(
        &mut self,
        connector: &Connector,
        plan: &Plan,
        bytes: &[u8],
    ) -> Exchange {
        let request = Outgoing { bytes, began: Instant::now(), is_scheduled: true };
        self.exchange_from(connector, plan, request).await
    }

    /// Sends a request that has just begun, and reads its answer.
    pub(in crate::load) async fn exchange_from(
        &mut self,
        connector: &Connector,
        plan: &Plan,
        request: Outgoing<'_>,
    ) -> Exchange {
        let began = request.began;
        let mut exchange = Exchange::begun(began);
        self.stream.take_if(Stream::is_readable);
        let mut start = began;
        if self.stream.is_none() {
            let opened = self.open(connector, plan).await;
            start = Instant::now();
            match opened {
                Ok(()) => exchange.connected = Some(start),
                Err(kind) => return exchange.failed(start, kind),
            }
        }
        let Some(stream) = &mut self.stream else {
            return exchange.failed(start, ErrorKind::Reset);
        };
        self.reader.clear();
        let converse = converse(stream, &mut self.reader, request, &mut exchange);
        let answer = self.deadline.before(start + plan.timeout, converse).await;
        exchange.bytes_received = self.reader.received() as u64;
        exchange.answer = answer.unwrap_or(Err(ErrorKind::Timeout));
        if exchange.answer.is_err() {
            exchange.ended = Instant::now();
        }
        let keep = exchange.answer.is_ok_and(|response| response.keep_alive) && plan.keepalive;
        if !keep {
            self.stream = None;
        }
        exchange
    }

    /// The last answer, whose response this is.
    pub(in crate::load) fn received(&self, response: Response) -> Received<'_> {
        let (head, body) = (self.reader.head(), self.reader.body());
        Received { status: response.status, head, body }
    }
}

/// Sends a request and reads until there is a whole answer.
async fn converse(
    stream: &mut Stream,
    reader: &mut ResponseReader,
    request: Outgoing<'_>,
    exchange: &mut Exchange,
) -> Result<Response, ErrorKind> {
    let sent = stream.send(request.bytes, &mut exchange.bytes_sent).await;
    sent.map_err(|_| ErrorKind::Reset)?;
    let before = exchange.connected.unwrap_or(exchange.began);
    exchange.sent = Some(if request.is_scheduled { Instant::now() } else { before });
    loop {
        let at_end = match stream.receive(reader).await {
            Ok(len) => len == 0,
            Err(_) => return Err(ErrorKind::Reset),
        };
        exchange.ended = Instant::now();
        if !at_end {
            exchange.first_byte.get_or_insert(exchange.ended);
        }
        match reader.parse(at_end) {
            Ok(Some(response)) => return Ok(response),
            Ok(None) if at_end => return Err(ErrorKind::Reset),
            Ok(None) => {}
            Err(ProtocolError) => return Err(ErrorKind::Protocol),
        }
    }
}

impl Exchange {
    fn begun(began: Instant) -> Self {
        Self {
            began,
            connected: None,
            sent: None,
            first_byte: None,
            ended: began,
            bytes_sent: 0,
            bytes_received: 0,
            answer: Err(ErrorKind::Reset),
        }
    }

    fn failed(self, ended: Instant, kind: ErrorKind) -> Self {
        Self { ended, answer: Err(kind), ..self }
    }
}
