//! An append-only log of records with group commit.
//! A record is durable when its [`Commit`] resolves: one writer thread takes all pending records,
//! writes them in one go, calls `fdatasync` once, and releases the callers that wait. On opening, a
//! torn tail is cut, and damage in the middle is an error that names its offset. A compaction
//! removes records that nobody needs. The file's format is in `frame.rs`. The journal does not know
//! what its records mean.

mod commit;
mod compact;
mod disk;
mod disk_file;
mod error;
mod extent;
mod files;
mod folder;
mod frame;
mod frame_reader;
mod locked_file;
mod log;
mod pending;
mod place;
mod read_ahead;
mod recover;
mod stall;
mod sync_parent;
mod system_disk;
mod writer;

pub use crate::settings::Durability;
pub use commit::Commit;
pub use disk::Disk;
pub use disk_file::DiskFile;
pub use error::{CommitError, JournalError};
use extent::Extent;
pub use files::{create, create_on, is_used};
pub use folder::Folder;
pub use frame::RECORD_LEN_MAX;
pub use locked_file::LockedFile;
pub use log::Journal;
pub use pending::AppendError;
pub use stall::STALLED_AFTER;
pub use sync_parent::sync_parent;
pub use system_disk::SystemDisk;
pub use writer::{Writer, Written};

/// Most bytes that wait for one commit, and so the longest tail that a crash can tear.
pub const BATCH_BYTES_MAX: usize = 16 << 20;
