//! One user's line to the server: opens its connection when it needs one, sends, reads the whole
//! answer, and notes when each of these was done.

use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;

use crate::profile::Plan;
use crate::stats::{Click, ErrorKind, Outcome, Sample};

use super::Dialer;
use super::response::{ProtocolError, Response, ResponseReader};
use super::stream::Stream;
use super::timers::Alarm;

/// A connection that is open or not, and what its answers are read into.
#[derive(Debug)]
pub(super) struct Line {
    stream: Option<Stream>,
    reader: ResponseReader,
    deadline: Alarm,
}

/// How one request went.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) began: Instant,
    pub(super) connected: Option<Instant>,
    pub(super) sent: Option<Instant>,
    pub(super) first_byte: Option<Instant>,
    pub(super) ended: Instant,
    /// Bytes of the request that may have left this machine: with none, it had no effect.
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
    /// The whole answer, whose body is the line's, or why there is none.
    pub(super) answer: Result<Response, ErrorKind>,
}

impl Line {
    pub(super) fn new(deadline: Alarm) -> Self {
        Self { stream: None, reader: ResponseReader::new(), deadline }
    }

    /// Opens a connection, unless there is one.
    pub(super) async fn open(&mut self, dialer: &Dialer, plan: &Plan) -> Result<(), ErrorKind> {
        // Closed by the server since the last answer, or with bytes that nobody asked for: either
        // way of no use.
        self.stream.take_if(Stream::is_readable);
        if self.stream.is_none() {
            let due = Instant::now() + plan.connect_timeout;
            let dialled = self.deadline.before(due, dialer.dial()).await;
            self.stream = Some(dialled.unwrap_or(Err(ErrorKind::ConnectTimeout))?);
        }
        Ok(())
    }

    /// Sends one request and reads its answer.
    pub(super) async fn exchange(
        &mut self,
        dialer: &Dialer,
        plan: &Plan,
        request: &[u8],
    ) -> Exchange {
        let began = Instant::now();
        let mut exchange = Exchange::begun(began);
        self.stream.take_if(Stream::is_readable);
        let mut start = began;
        if self.stream.is_none() {
            let opened = self.open(dialer, plan).await;
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
        let talk = talk(stream, &mut self.reader, request, &mut exchange);
        let answer = self.deadline.before(start + plan.timeout, talk).await;
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

    /// The body of the last answer.
    pub(super) fn body(&self) -> &[u8] {
        self.reader.body()
    }
}

/// Sends a request and reads until there is a whole answer.
async fn talk(
    stream: &mut Stream,
    reader: &mut ResponseReader,
    request: &[u8],
    exchange: &mut Exchange,
) -> Result<Response, ErrorKind> {
    let sent = stream.send(request, &mut exchange.bytes_sent).await;
    sent.map_err(|_| ErrorKind::Reset)?;
    exchange.sent = Some(Instant::now());
    loop {
        let at_end = match stream.read_buf(&mut reader.room()).await {
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

    /// What is recorded of it, in a run that began at `begun`.
    pub(super) fn sample(
        &self,
        begun: Instant,
        (thread, click): (u32, Click),
        intended: Option<Duration>,
        result: Result<Outcome, ErrorKind>,
    ) -> Sample {
        let since = |moment: Instant| moment.saturating_duration_since(begun);
        Sample {
            thread,
            click,
            intended,
            began: since(self.began),
            connected: self.connected.map(since),
            sent: self.sent.map(since),
            first_byte: self.first_byte.map(since),
            ended: since(self.ended),
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            status: self.answer.map_or(0, |response| response.status),
            result,
        }
    }
}
