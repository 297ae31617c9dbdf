//! Waiting to within microseconds: one kernel timer for each worker, which tokio's reactor watches.
//!
//! tokio's own timers have a grain of a millisecond, by which every paced attempt would be late.
//! Time-outs are set here too: one that is not reached, as nearly all are, costs two stores.

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

/// All alarms of a worker.
#[derive(Debug)]
pub(super) struct Timers {
    kernel: AsyncFd<OwnedFd>,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    alarms: Vec<Set>,
    /// When to look at which alarm: not after it is due, but perhaps before.
    queue: BinaryHeap<Reverse<(Instant, usize)>>,
    /// What the kernel's timer is set to.
    armed: Option<Instant>,
    stopped: bool,
}

/// What one alarm is set to.
#[derive(Debug, Default)]
struct Set {
    due: Option<Instant>,
    /// The earliest moment at which the queue looks at it. An alarm that is set anew to a later
    /// moment, as a time-out is with every request, leaves its entry in the queue as it is.
    queued: Option<Instant>,
    waker: Option<Waker>,
}

/// Rings once, for one task at a time. Its owner should set it mostly to later and later moments:
/// one that is earlier than all before costs an entry in the queue.
#[derive(Debug)]
pub(super) struct Alarm {
    timers: Rc<Timers>,
    index: usize,
}

impl Timers {
    /// The timers of the runtime that this is called in.
    pub(super) fn new() -> io::Result<Rc<Self>> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // Deprecated for types that do not own their descriptor, as this one does. What replaces it
        // is unsafe.
        #[allow(deprecated)]
        let kernel = AsyncFd::new(timer)?;
        Ok(Rc::new(Self { kernel, state: RefCell::default() }))
    }

    /// A new alarm.
    pub(super) fn alarm(self: &Rc<Self>) -> Alarm {
        let alarms = &mut self.state.borrow_mut().alarms;
        alarms.push(Set::default());
        Alarm { timers: Rc::clone(self), index: alarms.len() - 1 }
    }

    /// Rings what is due, until dropped. Nothing rings without it.
    pub(super) async fn drive(&self) -> io::Result<()> {
        loop {
            self.kernel.readable().await?.clear_ready();
            self.ring()?;
        }
    }

    /// Ends all waiting for moments, now and later. Time-outs stay.
    pub(super) fn stop(&self) {
        let mut state = self.state.borrow_mut();
        state.stopped = true;
        state.alarms.iter_mut().filter_map(|alarm| alarm.waker.take()).for_each(Waker::wake);
    }

    fn ring(&self) -> io::Result<()> {
        let state = &mut *self.state.borrow_mut();
        let now = Instant::now();
        while let Some(Reverse((at, index))) = state.queue.peek().copied()
            && at <= now
        {
            state.queue.pop();
            let alarm = &mut state.alarms[index];
            if alarm.queued == Some(at) {
                alarm.queued = None;
            }
            match alarm.due {
                Some(due) if due <= now => {
                    alarm.due = None;
                    alarm.waker.take().into_iter().for_each(Waker::wake);
                }
                Some(due) if alarm.queued.is_none() => {
                    alarm.queued = Some(due);
                    state.queue.push(Reverse((due, index)));
                }
                _ => {}
            }
        }
        state.armed = state.queue.peek().map(|Reverse((at, _))| *at);
        state.armed.map_or(Ok(()), |at| self.arm(at, now))
    }

    fn is_set(&self, index: usize) -> bool {
        self.state.borrow().alarms[index].due.is_some()
    }

    fn set(&self, index: usize, due: Instant, waker: &Waker) {
        let state = &mut *self.state.borrow_mut();
        let alarm = &mut state.alarms[index];
        alarm.due = Some(due);
        if !alarm.waker.as_ref().is_some_and(|set| set.will_wake(waker)) {
            alarm.waker = Some(waker.clone());
        }
        if alarm.queued.is_none_or(|queued| queued > due) {
            alarm.queued = Some(due);
            state.queue.push(Reverse((due, index)));
            if state.armed.is_none_or(|armed| armed > due) {
                state.armed = Some(due);
                if let Err(error) = self.arm(due, Instant::now()) {
                    unreachable!("a timer of our own takes any time above 0: {error}");
                }
            }
        }
    }

    fn clear(&self, index: usize) {
        self.state.borrow_mut().alarms[index].due = None;
    }

    fn arm(&self, at: Instant, now: Instant) -> io::Result<()> {
        // Nought would switch it off.
        let time = at.saturating_duration_since(now).max(Duration::from_nanos(1));
        let (tv_sec, tv_nsec) = (time.as_secs() as i64, time.subsec_nanos().into());
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let timer = Itimerspec { it_interval: never, it_value: Timespec { tv_sec, tv_nsec } };
        timerfd_settime(&self.kernel, TimerfdTimerFlags::empty(), &timer)?;
        Ok(())
    }
}

impl Alarm {
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

    /// What `future` gives; `None` if it has not by `due`.
    pub(super) async fn before<F: Future>(&self, due: Instant, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut is_set = false;
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => {
                self.timers.clear(self.index);
                Poll::Ready(Some(output))
            }
            // It rang.
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
    fn alarms_ring_in_the_order_of_their_moments() {
        run(async |timers| {
            let order = RefCell::new(Vec::new());
            let wait = async |name, due| {
                timers.alarm().at(due).await;
                order.borrow_mut().push(name);
                assert!(Instant::now() >= due);
            };
            let (late, soon, past) = (ms(30), ms(10), Instant::now());
            tokio::join!(wait("late", late), wait("soon", soon), wait("past", past));
            assert_eq!(*order.borrow(), ["past", "soon", "late"]);
        });
    }

    #[test]
    fn a_time_out_ends_what_does_not_end_and_nothing_else() {
        run(async |timers| {
            let alarm = timers.alarm();
            assert_eq!(alarm.before(ms(10_000), async { 7 }).await, Some(7));
            let due = ms(20);
            assert_eq!(alarm.before(due, std::future::pending::<()>()).await, None);
            assert!(Instant::now() >= due);
            let other = timers.alarm();
            assert_eq!(alarm.before(ms(10_000), other.at(ms(5))).await, Some(()));
        });
    }

    #[test]
    fn time_outs_that_are_not_reached_fill_no_queue() {
        run(async |timers| {
            let alarm = timers.alarm();
            let other = timers.alarm();
            for _ in 0..200 {
                let pause = other.at(Instant::now() + Duration::from_micros(20));
                assert_eq!(alarm.before(ms(60_000), pause).await, Some(()));
            }
            assert!(timers.state.borrow().queue.len() <= 2);
        });
    }

    #[test]
    fn a_stop_ends_the_waiting_but_no_time_out() {
        run(async |timers| {
            let (waiting, asking) = (timers.alarm(), timers.alarm());
            let stop = async {
                tokio::task::yield_now().await;
                timers.stop();
            };
            let asked = asking.before(ms(20), std::future::pending::<()>());
            let due = ms(20);
            tokio::join!(waiting.at(ms(3_600_000)), asked, stop);
            assert!(Instant::now() >= due);
        });
    }
}
