//! Waiting for several calls at a time.

use std::future::poll_fn;
use std::task::Poll;

/// Runs futures concurrently, and returns their outputs in the same order.
pub(in super::super) fn join_all<F: Future, I: IntoIterator<Item = F>>(
    futures: I,
) -> impl Future<Output = Vec<F::Output>> + use<F, I> {
    // Not in the future: the iterator's type would become a part of its type.
    let mut running: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    async move {
        poll_fn(|context| {
            for (future, output) in running.iter_mut().filter(|(_, output)| output.is_none()) {
                if let Poll::Ready(ready) = future.as_mut().poll(context) {
                    *output = Some(ready);
                }
            }
            let is_done = running.iter().all(|(_, output)| output.is_some());
            if is_done { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        running.into_iter().filter_map(|(_, output)| output).collect()
    }
}

/// The same, of calls that may fail: the outputs, or the first error of them.
pub(super) fn try_join_all<T, E, F: Future<Output = Result<T, E>>>(
    futures: impl IntoIterator<Item = F>,
) -> impl Future<Output = Result<Vec<T>, E>> {
    let joined = join_all(futures);
    async move { joined.await.into_iter().collect() }
}
