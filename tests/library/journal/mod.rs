//! The journal: appending, and recovery after damage.

mod append;
mod compaction;
mod damage;
mod disk;
