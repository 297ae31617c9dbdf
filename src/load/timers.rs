//! Timers with microsecond precision: one kernel timer for each worker, which tokio's reactor
//! watches.
//!
//! tokio's own timers have a resolution of a millisecond, by which every paced attempt would be
//! late. Time-outs are set here too: one that does not expire, as is usual, costs two stores.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// All timers of a worker.
#[derive(Debug)]
pub(super) struct Timers {
    kernel: AsyncFd<OwnedFd>,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: Vec<Entry>,
    /// The moments at which timers are checked. A timer is checked no later than it is due, but
    /// possibly earlier.
    queue: BinaryHeap<Reverse<(Instant, usize)>>,
    /// The moment for which the kernel's timer is armed.
    armed: Option<Instant>,
    stopped: bool,
}

/// The state of one timer.
#[derive(Debug, Default)]
struct Entry {
    due: Option<Instant>,
    /// The earliest moment at which the queue has this timer. A timer that is reset to a later
    /// moment, as a time-out is with every request, keeps its entry in the queue unchanged.
    queued: Option<Instant>,
    waker: Option<Waker>,
}

/// A timer, which fires once and serves one task at a time. Its owner should mostly set it to later
/// moments: one that is earlier than all before costs an entry in the queue.
#[derive(Debug)]
pub(super) struct Timer {
    timers: Rc<Timers>,
    index: usize,
}

impl Timers {
    /// Creates the timers of the current runtime.
    pub(super) fn new() -> io::Result<Rc<Self>> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // Deprecated for types that do not own their descriptor, as this one does. Its replacement
        // is unsafe.
        #[allow(deprecated)]
        let kernel = AsyncFd::new(timer)?;
        Ok(Rc::new(Self { kernel, state: RefCell::default() }))
    }

    /// A new timer.
    pub(super) fn timer(self: &Rc<Self>) -> Timer {
        let entries = &mut self.state.borrow_mut().entries;
        entries.push(Entry::default());
        Timer { timers: Rc::clone(self), index: entries.len() - 1 }
    }

    /// Fires timers that are due, until dropped. Without it no timer fires.
    pub(super) async fn drive(&self) -> io::Result<()> {
        loop {
            self.kernel.readable().await?.clear_ready();
            self.fire()?;
        }
    }

    /// Ends all present and future waits for moments. Time-outs stay in effect.
    pub(super) fn stop(&self) {
        let mut state = self.state.borrow_mut();
        state.stopped = true;
        state.entries.iter_mut().filter_map(|entry| entry.waker.take()).for_each(Waker::wake);
    }

    fn fire(&self) -> io::Result<()> {
        let state = &mut *self.state.borrow_mut();
        let now = Instant::now();
        while let Some(Reverse((at, index))) = state.queue.peek().copied()
            && at <= now
        {
            state.queue.pop();
            let entry = &mut state.entries[index];
            if entry.queued == Some(at) {
                entry.queued = None;
            }
            match entry.due {
                Some(due) if due <= now => {
                    entry.due = None;
                    entry.waker.take().into_iter().for_each(Waker::wake);
                }
                Some(due) if entry.queued.is_none() => {
                    entry.queued = Some(due);
                    state.queue.push(Reverse((due, index)));
                }
                _ => {}
            }
        }
        state.armed = state.queue.peek().map(|Reverse((at, _))| *at);
        state.armed.map_or(Ok(()), |at| self.arm(at, now))
    }

    fn is_set(&self, index: usize) -> bool {
        self.state.borrow().entries[index].due.is_some()
    }

    fn set(&self, index: usize, due: Instant, waker: &Waker) {
        let state = &mut *self.state.borrow_mut();
        let entry = &mut state.entries[index];
        entry.due = Some(due);
        if !entry.waker.as_ref().is_some_and(|set| set.will_wake(waker)) {
            entry.waker = Some(waker.clone());
        }
        if entry.queued.is_none_or(|queued| queued > due) {
            entry.queued = Some(due);
            state.queue.push(Reverse((due, index)));
            if state.armed.is_none_or(|armed| armed > due) {
                state.armed = Some(due);
                if let Err(error) = self.arm(due, Instant::now()) {
                    unreachable!("timerfd_settime accepts any time above 0: {error}");
                }
            }
        }
    }

    fn clear(&self, index: usize) {
        self.state.borrow_mut().entries[index].due = None;
    }

    fn arm(&self, at: Instant, now: Instant) -> io::Result<()> {
        // Zero would disarm the timer.
        let time = at.saturating_duration_since(now).max(Duration::from_nanos(1));
        let (tv_sec, tv_nsec) = (time.as_secs() as i64, time.subsec_nanos().into());
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let timer = Itimerspec { it_interval: never, it_value: Timespec { tv_sec, tv_nsec } };
        timerfd_settime(&self.kernel, TimerfdTimerFlags::empty(), &timer)?;
        Ok(())
    }
}

impl Timer {
    /// Resolves at `due`, or when the run is stopped.
    pub(super) async fn at(&self, due: Instant) {
        poll_fn(|context| {
            if self.timers.state.borrow().stopped {
                return Poll::Ready(());
            }
            self.poll_due(due, context)
        })
        .await;
    }

    /// The output of `future`; `None` if it is not ready by `due`.
    pub(super) async fn before<F: Future>(&self, due: Instant, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut is_set = false;
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => {
                self.timers.clear(self.index);
                Poll::Ready(Some(output))
            }
            // The timer has fired.
            Poll::Pending if is_set && !self.timers.is_set(self.index) => Poll::Ready(None),
            Poll::Pending => {
                is_set = true;
                self.timers.set(self.index, due, context.waker());
                Poll::Pending
            }
        })
        .await
    }

    fn poll_due(&self, due: Instant, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= due {
            self.timers.clear(self.index);
            return Poll::Ready(());
        }
        self.timers.set(self.index, due, context.waker());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(test: impl AsyncFnOnce(&Rc<Timers>)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let timers = Timers::new().unwrap();
            let driven = Rc::clone(&timers);
            tokio::task::spawn_local(async move { driven.drive().await });
            test(&timers).await;
        });
    }

    fn ms(milliseconds: u64) -> Instant {
        Instant::now() + Duration::from_millis(milliseconds)
    }

    #[test]
    fn timers_fire_in_the_order_of_their_moments() {
        run(async |timers| {
            let order = RefCell::new(Vec::new());
            let wait = async |name, due| {
                timers.timer().at(due).await;
                order.borrow_mut().push(name);
                assert!(Instant::now() >= due);
            };
            let (late, soon, past) = (ms(30), ms(10), Instant::now());
            tokio::join!(wait("late", late), wait("soon", soon), wait("past", past));
            assert_eq!(*order.borrow(), ["past", "soon", "late"]);
        });
    }

    #[test]
    fn time_out_ends_only_a_future_that_does_not_end() {
        run(async |timers| {
            let timer = timers.timer();
            assert_eq!(timer.before(ms(10_000), async { 7 }).await, Some(7));
            let due = ms(20);
            assert_eq!(timer.before(due, std::future::pending::<()>()).await, None);
            assert!(Instant::now() >= due);
            let other = timers.timer();
            assert_eq!(timer.before(ms(10_000), other.at(ms(5))).await, Some(()));
        });
    }

    #[test]
    fn time_outs_that_are_not_reached_do_not_fill_the_queue() {
        run(async |timers| {
            let timer = timers.timer();
            let other = timers.timer();
            for _ in 0..200 {
                let pause = other.at(Instant::now() + Duration::from_micros(20));
                assert_eq!(timer.before(ms(60_000), pause).await, Some(()));
            }
            assert!(timers.state.borrow().queue.len() <= 2);
        });
    }

    #[test]
    fn stop_ends_waits_and_keeps_time_outs() {
        run(async |timers| {
            let (wait_timer, time_out) = (timers.timer(), timers.timer());
            let stop = async {
                tokio::task::yield_now().await;
                timers.stop();
            };
            let limited = time_out.before(ms(20), std::future::pending::<()>());
            let due = ms(20);
            tokio::join!(wait_timer.at(ms(3_600_000)), limited, stop);
            assert!(Instant::now() >= due);
        });
    }
}
