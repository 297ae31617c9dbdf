//! Nodes of a cluster.

/// Which nodes of a broker's cluster a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nodes {
    /// The one that leads the queue.
    #[default]
    Leader,
    /// One that follows the leader.
    Follower,
    /// So many that the others are no majority, the leader among them.
    Majority,
}

impl Nodes {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::Leader, Self::Follower, Self::Majority];

    /// The word of a fault.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Majority => "majority",
        }
    }
}
