//! The rings that this process shares with the kernel, behind functions that are safe to call.
//!
//! This is the one file with unsafe code. The kernel reads the bytes that are sent, and writes
//! those that are received, at any time between a submission and its completion, which no borrow
//! can express. So [`Kernel`] owns all of this memory: a request's bytes from [`Kernel::send`] to
//! its completion, and the buffers for received bytes until no operation is left that could use
//! them.

#![allow(unsafe_code, reason = "memory that is shared with the kernel")]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::atomic::{AtomicU16, Ordering, fence};
use std::time::Duration;

use io_uring::types::{BufRingEntry, CancelBuilder, Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use rustix::event::{EventfdFlags, eventfd};
use rustix::net::{RecvFlags, SendFlags};

/// Submissions that are handed over in one call; when there are more, there is one more call.
const SUBMISSIONS: u32 = 1024;

/// Completions for which there is room; the kernel keeps further ones for later.
const COMPLETIONS: u32 = 4096;

/// Buffers for received bytes, a power of two. When all of them are full, receiving stops until
/// they have been read, and is begun again.
const BUFFERS: u16 = 512;

/// Length of a buffer, in bytes: a typical answer fits.
const BUFFER_LEN: usize = 2048;

/// Alignment of the buffers' ring: a page.
const PAGE_LEN: usize = 4096;

/// The group of the buffers.
const GROUP: u16 = 0;

/// The completions that nobody waits for: those of cancellations.
const NOBODY: u64 = u64::MAX;

/// How often, and for how long each time, the end of all operations is waited for.
const END_TRIES: usize = 100;
const END_WAIT: Duration = Duration::from_millis(10);

/// A ring, and all memory that the kernel uses for it.
pub(super) struct Kernel {
    ring: IoUring,
    buffers: Buffers,
    operations: Vec<Option<Operation>>,
    free: Vec<usize>,
    /// Submissions that the kernel does not know of; at most three for each socket.
    added: VecDeque<squeue::Entry>,
    /// Whether the kernel has not taken all that was handed over.
    is_behind: bool,
}

/// An operation that has not completed. It keeps its socket open, so that the socket's number
/// cannot become another's before the operation is submitted.
struct Operation {
    socket: Rc<OwnedFd>,
    owner: usize,
    /// The bytes to send; `None` if it receives.
    bytes: Option<Vec<u8>>,
}

/// What the kernel has done.
pub(super) enum Completion<'a> {
    /// Sent as many of these bytes.
    Sent { result: io::Result<usize>, bytes: Vec<u8> },
    /// Received these bytes; none at the end of the stream. `goes_on` says that more will be
    /// received.
    Received { result: io::Result<&'a [u8]>, goes_on: bool },
}

impl Kernel {
    /// Creates a ring for the calling thread.
    pub(super) fn new() -> io::Result<Self> {
        let mut builder = IoUring::builder();
        // The kernel works for the ring only when this thread asks it to, and so never interrupts
        // it. A flag says when there is work.
        builder.setup_single_issuer().setup_defer_taskrun().setup_taskrun_flag();
        builder.setup_cqsize(COMPLETIONS);
        let ring = builder.build(SUBMISSIONS)?;
        let buffers = Buffers::new();
        // SAFETY: the memory is as long as the entries, is aligned to a page, and outlives the ring
        // or is never freed; see `drop`.
        unsafe {
            ring.submitter().register_buf_ring_with_flags(buffers.address(), BUFFERS, GROUP, 0)?;
        }
        let (operations, free, added) = (Vec::new(), Vec::new(), VecDeque::new());
        let mut kernel = Self { ring, buffers, operations, free, added, is_behind: false };
        // A filter may allow all of that and forbid this.
        kernel.enter()?;
        Ok(kernel)
    }

    /// Sends all of these bytes, and gives them back with the completion.
    pub(super) fn send(&mut self, socket: &Rc<OwnedFd>, owner: usize, bytes: Vec<u8>) {
        let flags = (SendFlags::NOSIGNAL.bits() | RecvFlags::WAITALL.bits()) as i32;
        // A length is bounded by that of a request, which is far below 4 GiB.
        let send = opcode::Send::new(Fd(socket.as_raw_fd()), bytes.as_ptr(), bytes.len() as u32);
        let at = self.add(Operation { socket: Rc::clone(socket), owner, bytes: Some(bytes) });
        self.added.push_back(send.flags(flags).build().user_data(at as u64));
    }

    /// Receives until the end of the stream, an error, or [`Self::cancel`]. Returns the number of
    /// the operation.
    pub(super) fn receive(&mut self, socket: &Rc<OwnedFd>, owner: usize) -> usize {
        let at = self.add(Operation { socket: Rc::clone(socket), owner, bytes: None });
        let receive = opcode::RecvMulti::new(Fd(socket.as_raw_fd()), GROUP).build();
        self.added.push_back(receive.user_data(at as u64));
        at
    }

    /// Ends an operation early. Its completion still comes.
    pub(super) fn cancel(&mut self, operation: usize) {
        self.added.push_back(opcode::AsyncCancel::new(operation as u64).build().user_data(NOBODY));
    }

    /// Hands over what was added, lets the kernel work, and passes on what it has done, with the
    /// owner of each operation.
    pub(super) fn turn(&mut self, mut done: impl FnMut(usize, Completion<'_>)) -> io::Result<()> {
        // Elsewhere the kernel may look for this flag before this thread can see that of new work.
        if cfg!(target_arch = "x86_64") {
            self.ring.completion().disable_eventfd();
        }
        if self.has_submissions() || self.has_work() {
            self.hand_over()?;
        }
        let mut queue = self.ring.completion();
        queue.sync();
        for completion in queue {
            let (at, flags) = (completion.user_data(), completion.flags());
            if at == NOBODY {
                continue;
            }
            let goes_on = cqueue::more(flags);
            let result = match completion.result() {
                error if error < 0 => Err(io::Error::from_raw_os_error(-error)),
                len => Ok(len as usize),
            };
            let slot = &mut self.operations[at as usize];
            let Some(operation) = slot else { unreachable!("an operation completes once") };
            let owner = operation.owner;
            if let Some(bytes) = operation.bytes.take() {
                done(owner, Completion::Sent { result, bytes });
            } else {
                let buffer = cqueue::buffer_select(flags);
                let result = result.map(|len| match buffer {
                    Some(buffer) => self.buffers.get(buffer, len),
                    None => &[],
                });
                done(owner, Completion::Received { result, goes_on });
                if let Some(buffer) = buffer {
                    self.buffers.put(buffer);
                }
            }
            if !goes_on {
                *slot = None;
                self.free.push(at as usize);
            }
        }
        Ok(())
    }

    /// Whether anything was added that the kernel does not know of.
    pub(super) fn has_submissions(&self) -> bool {
        !self.added.is_empty() || self.is_behind
    }

    fn add(&mut self, operation: Operation) -> usize {
        match self.free.pop() {
            Some(at) => {
                self.operations[at] = Some(operation);
                at
            }
            None => {
                self.operations.push(Some(operation));
                self.operations.len() - 1
            }
        }
    }

    /// Hands over everything that was added, as far as the kernel takes it.
    fn hand_over(&mut self) -> io::Result<()> {
        loop {
            let mut submissions = self.ring.submission();
            while let Some(entry) = self.added.front() {
                // SAFETY: the bytes and buffers of an operation are this ring's until it has
                // completed, and moving it within `operations` moves no bytes, which are on the
                // heap.
                if unsafe { submissions.push(entry) }.is_err() {
                    break;
                }
                self.added.pop_front();
            }
            drop(submissions);
            self.enter()?;
            self.is_behind = !self.ring.submission().is_empty();
            if self.added.is_empty() || self.is_behind {
                return Ok(());
            }
        }
    }

    /// Hands over what was added, and lets the kernel work for this ring.
    fn enter(&mut self) -> io::Result<()> {
        /// IORING_ENTER_GETEVENTS: complete what can be completed.
        const GET_EVENTS: u32 = 1;
        loop {
            let added = self.ring.submission().len() as u32;
            // SAFETY: there is no argument that the kernel would read.
            let entered = unsafe { self.ring.submitter().enter::<()>(added, 0, GET_EVENTS, None) };
            match entered {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // There is no room for more completions, or no memory for the moment: what was
                // added stays, and is handed over the next time.
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                other => return other.map(drop),
            }
        }
    }

    /// Whether there is work that the kernel does in this thread, or completions without room.
    fn has_work(&mut self) -> bool {
        let submissions = self.ring.submission();
        submissions.taskrun() || submissions.cq_overflow()
    }

    /// A descriptor that becomes readable, after [`Self::listen`], when there is something for
    /// [`Self::turn`]. The ring's own does not: the kernel says nothing there of the work that it
    /// keeps for this thread.
    pub(super) fn watch(&self) -> io::Result<OwnedFd> {
        let events = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        self.ring.submitter().register_eventfd(events.as_raw_fd())?;
        Ok(events)
    }

    /// Has work signalled there until the next turn. Returns whether there is some already.
    pub(super) fn listen(&mut self) -> bool {
        self.ring.completion().enable_eventfd();
        // What comes before this is seen here, and what comes later is signalled.
        fence(Ordering::SeqCst);
        self.has_work()
    }

    fn has_operations(&self) -> bool {
        self.operations.len() > self.free.len()
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        for at in 0..self.operations.len() {
            if let Some(operation) = &self.operations[at] {
                let _ = rustix::net::shutdown(&operation.socket, rustix::net::Shutdown::Both);
            }
        }
        for _ in 0..END_TRIES {
            let _ = self.ring.submitter().register_sync_cancel(None, CancelBuilder::any());
            if self.turn(|_, _| ()).is_err() || !self.has_operations() {
                break;
            }
            let time = Timespec::from(END_WAIT);
            let _ = self.ring.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&time));
        }
        if self.has_operations() {
            // The kernel may still use this memory, so it is never freed.
            std::mem::forget(std::mem::take(&mut self.operations));
            self.buffers.is_leaked = true;
        }
    }
}

/// The buffers for received bytes, behind the ring in which the kernel finds the free ones.
struct Buffers {
    memory: NonNull<u8>,
    tail: u16,
    is_leaked: bool,
}

impl Buffers {
    const ENTRIES_LEN: usize = BUFFERS as usize * size_of::<BufRingEntry>();
    const LAYOUT: Layout = {
        let len = Self::ENTRIES_LEN + BUFFERS as usize * BUFFER_LEN;
        match Layout::from_size_align(len, PAGE_LEN) {
            Ok(layout) => layout,
            Err(_) => panic!("the length is far below the largest"),
        }
    };

    fn new() -> Self {
        // SAFETY: the layout is not empty.
        let memory = unsafe { alloc_zeroed(Self::LAYOUT) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(Self::LAYOUT) };
        let mut buffers = Self { memory, tail: 0, is_leaked: false };
        (0..BUFFERS).for_each(|buffer| buffers.put(buffer));
        buffers
    }

    fn address(&self) -> u64 {
        self.memory.as_ptr() as u64
    }

    fn at(&self, buffer: u16) -> *mut u8 {
        assert!(buffer < BUFFERS, "the kernel names only buffers that it was given");
        // SAFETY: this is within the memory, as the length in `LAYOUT` shows.
        unsafe { self.memory.as_ptr().add(Self::ENTRIES_LEN + usize::from(buffer) * BUFFER_LEN) }
    }

    /// The bytes that were received into a buffer.
    fn get(&self, buffer: u16, len: usize) -> &[u8] {
        // SAFETY: the memory is initialised, and the kernel does not write to a buffer between the
        // completion that names it and `put`.
        unsafe { std::slice::from_raw_parts(self.at(buffer), len.min(BUFFER_LEN)) }
    }

    /// Gives a buffer to the kernel.
    fn put(&mut self, buffer: u16) {
        let address = self.at(buffer) as u64;
        let entries = self.memory.as_ptr().cast::<BufRingEntry>();
        // SAFETY: the entry is within the ring, and the kernel does not read it before the tail
        // says that it may. The tail is in a part of the first entry that nothing else uses.
        unsafe {
            let entry = &mut *entries.add(usize::from(self.tail % BUFFERS));
            entry.set_addr(address);
            entry.set_len(BUFFER_LEN as u32);
            entry.set_bid(buffer);
            self.tail = self.tail.wrapping_add(1);
            let tail = BufRingEntry::tail(entries).cast_mut();
            AtomicU16::from_ptr(tail).store(self.tail, Ordering::Release);
        }
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        if !self.is_leaked {
            // SAFETY: it was allocated with this layout, and no operation is left that uses it.
            unsafe { dealloc(self.memory.as_ptr(), Self::LAYOUT) };
        }
    }
}
