//! A Redis Cluster: the crate's cluster client finds the node that has the keys, and what is
//! answered is on the replicas of that node.
//!
//! Replication is asynchronous: a primary answers a write before its replicas have it, and shows it
//! to other clients. If the primary fails then, a replica takes over, and the write is gone. So
//! nothing that was read or written counts as answered before all replicas in sync have confirmed
//! it (`WAIT`). That holds for reads too, since they may show what another process has just
//! written. It also makes sure that no answer is of a primary which has been replaced and does not
//! know it: the replica that has replaced it confirms nothing any more.
//!
//! Without a replica in sync nothing can be confirmed, and every call is refused.

mod batches;
mod connect;
mod node;
mod replicas;
mod unconfirmed;
mod unreachable;

pub(super) use batches::Batches;
pub(super) use connect::Cluster;
pub(super) use unconfirmed::NOT_SENT;
