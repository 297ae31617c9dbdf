//! Calling the engine behind the enum.

/// Calls an async function of the engine. That of Redis is in a box: its future is large, and
/// otherwise each request to the embedded store would have room for it.
macro_rules! delegate {
    ($self:expr, $store:ident => $answer:expr) => {
        match $self {
            Self::Embedded($store) => $answer.await,
            Self::Redis($store) => Box::pin($answer).await,
        }
    };
}
