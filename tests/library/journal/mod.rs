//! The journal: appending, and recovery after damage.

mod append;
mod damage;
mod disk;
