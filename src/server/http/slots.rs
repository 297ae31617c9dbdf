//! Slots: how many connections are served at a time, and who gets the next one.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::client::{Client, Order};
use super::limits::Limits;
use super::progress::{Overdue, Progress};
use super::stream::set_options;

/// Connections that are accepted beyond the limit, to wait for a slot or to be refused. They fit
/// into the open files that are set aside for other purposes than connections.
const RESERVE: usize = 64;

/// After so many requests, or this time, a connection ends if others wait for its slot.
const SHARE_REQUESTS: u64 = 100;
const SHARE_AGE: Duration = Duration::from_secs(10);

/// The part of all slots that is freed at once if so many connections are idle. Finding the longest
/// idle ones takes a look at each connection, so it must not be done for each one that arrives.
const FREED_AT_ONCE: usize = 64;

/// All slots.
#[derive(Debug)]
pub(super) struct Slots {
    limits: Limits,
    free: Arc<Semaphore>,
    reserve: Arc<Semaphore>,
    waiting: AtomicUsize,
    is_finishing: AtomicBool,
    clients: Mutex<Clients>,
}

#[derive(Debug, Default)]
struct Clients {
    by_number: HashMap<u64, Arc<Client>>,
    next: u64,
}

/// A slot, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) client: Arc<Client>,
    number: u64,
    slots: Arc<Slots>,
    _permit: OwnedSemaphorePermit,
}

/// Where a new connection is put.
#[derive(Debug)]
pub(super) enum Place {
    /// It is served.
    Slot(Slot),
    /// It waits.
    Reserve(OwnedSemaphorePermit),
}

impl Slots {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            free: Arc::new(Semaphore::new(limits.connections_max)),
            reserve: Arc::new(Semaphore::new(RESERVE)),
            waiting: AtomicUsize::new(0),
            is_finishing: AtomicBool::new(false),
            clients: Mutex::default(),
        })
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Accepts a connection as soon as there is a slot or room in the reserve.
    pub(super) async fn accept(
        self: &Arc<Self>,
        listener: &TcpListener,
    ) -> io::Result<(TcpStream, IpAddr, Place)> {
        let reserved = Arc::clone(&self.reserve).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, peer) = listener.accept().await?;
        set_options(&stream)?;
        let place = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(permit) => Place::Slot(self.take(permit)),
            Err(_) => Place::Reserve(reserved),
        };
        Ok((stream, peer.ip(), place))
    }

    /// Waits for a slot, for which the longest idle connection ends, or one whose request
    /// arrives slowly; `None` if none is freed in time.
    pub(super) async fn wait(self: &Arc<Self>) -> Option<Slot> {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        self.make_room(Instant::now(), waiting.max(self.limits.connections_max / FREED_AT_ONCE));
        let permit = Arc::clone(&self.free).acquire_owned();
        let permit = tokio::time::timeout(self.patience(), permit).await;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(self.take(permit.ok()?.ok()?))
    }

    /// How long a connection may stay in the reserve for the next step. The fuller the reserve, the
    /// shorter it is, so that there is room again soon.
    pub(super) fn patience(&self) -> Duration {
        let free = self.reserve.available_permits() as u32 + 1;
        self.limits.timeouts.slot * free / RESERVE as u32
    }

    /// Whether this client's connection should end after the present request.
    pub(super) fn should_yield(&self, client: &Client) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
            && client.state().progress.has_had_its_share(SHARE_REQUESTS, SHARE_AGE)
    }

    /// Ends the connections that have exceeded a limit, and has idle ones give up what they do not
    /// need, or their slots if others wait for them.
    pub(super) fn sweep(&self) {
        let now = Instant::now();
        for client in self.clients().by_number.values() {
            let state = client.state();
            let overdue = state.progress.overdue(now, &self.limits.timeouts);
            let idle = state.progress.idle(now);
            let may_rest =
                !state.is_resting && idle.is_some_and(|idle| idle > self.limits.timeouts.rest);
            drop(state);
            match overdue {
                Some(Overdue::Request) => client.order(Order::EndIfIdle),
                Some(Overdue::Head | Overdue::Answer) => client.order(Order::Cut),
                None if may_rest => client.order(Order::Rest),
                None => {}
            }
        }
        let waiting = self.waiting.load(Ordering::Relaxed);
        if waiting > 0 {
            self.make_room(now, waiting);
        }
    }

    /// Gives this order to all connections, present and future ones.
    pub(super) fn finish(&self, order: Order) {
        self.is_finishing.store(true, Ordering::Relaxed);
        for client in self.clients().by_number.values() {
            client.order(order);
        }
    }

    /// Whether connections are to end.
    pub(super) fn are_finishing(&self) -> bool {
        self.is_finishing.load(Ordering::Relaxed)
    }

    /// Whether there is no connection.
    pub(super) fn are_empty(&self) -> bool {
        self.reserve.available_permits() == RESERVE && self.clients().by_number.is_empty()
    }

    /// Ends the longest idle connections, and if these are too few, those whose requests have
    /// been arriving for longest; at most `count`.
    fn make_room(&self, now: Instant, count: usize) {
        let clients = self.clients();
        let timeouts = &self.limits.timeouts;
        let idle = longest(&clients, count, |progress| {
            progress.idle(now).filter(|idle| *idle >= timeouts.evictable)
        });
        idle.iter().for_each(|client| client.order(Order::EndIfIdle));
        let slow = longest(&clients, count - idle.len(), |progress| {
            progress.receiving(now).filter(|receiving| *receiving >= timeouts.slow_request)
        });
        slow.iter().for_each(|client| client.order(Order::Cut));
    }

    fn take(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Slot {
        let client = Arc::new(Client::new());
        let mut clients = self.clients();
        let number = clients.next;
        clients.next += 1;
        clients.by_number.insert(number, Arc::clone(&client));
        drop(clients);
        if self.are_finishing() {
            client.order(Order::Finish);
        }
        Slot { client, number, slots: Arc::clone(self), _permit: permit }
    }

    fn clients(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clients for which something has lasted longest, at most `count`.
fn longest(
    clients: &Clients,
    count: usize,
    lasts: impl Fn(&Progress) -> Option<Duration>,
) -> Vec<&Arc<Client>> {
    if count == 0 {
        return Vec::new();
    }
    let clients = clients.by_number.values();
    let mut found: Vec<_> =
        clients.filter_map(|client| Some((lasts(&client.state().progress)?, client))).collect();
    if found.len() > count {
        found.select_nth_unstable_by_key(count, |(lasts, _)| Reverse(*lasts));
    }
    found.into_iter().take(count).map(|(_, client)| client).collect()
}

impl Slot {
    pub(super) fn slots(&self) -> &Arc<Slots> {
        &self.slots
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.clients().by_number.remove(&self.number);
    }
}
