//! Where attempts are whose decisions are waited for. An id that was found once is not looked for
//! again while it has waiters: if its attempt is withdrawn and another buyer uses it, they learn of
//! that when their time is up.

use std::collections::HashMap;

use crate::ids::RequestId;

use super::super::super::StoreError;
use super::super::link::Link;
use super::home::index_of;

/// Ids per call; Redis runs no other command during a call.
const BATCH: usize = 1_000;

/// The buckets of attempts, by request id.
#[derive(Debug, Default)]
pub(in super::super) struct Owners(HashMap<RequestId, usize>);

impl Owners {
    /// Finds the buckets of these attempts, and forgets all others. One that is in none is looked
    /// for again the next time.
    pub(in super::super) async fn find(
        &mut self,
        links: &[Link],
        ids: &[RequestId],
    ) -> Result<(), StoreError> {
        let mut known = std::mem::take(&mut self.0);
        let (mut found, mut new) = (HashMap::new(), vec![Vec::new(); links.len()]);
        for id in ids {
            match known.remove(id) {
                Some(bucket) => drop(found.insert(*id, bucket)),
                None => new[index_of(id, links.len())].push(*id),
            }
        }
        self.0 = found;
        for (link, ids) in links.iter().zip(&new) {
            for some in ids.chunks(BATCH) {
                let mut get = redis::cmd("HMGET");
                get.arg(link.key("ids"));
                for id in some {
                    get.arg(id.to_string());
                }
                let claims: Vec<Option<String>> = link.ask(&get).await?;
                let bucket = |claim: &String| claim.split(' ').next()?.parse::<usize>().ok();
                let buckets = claims.iter().map(|claim| claim.as_ref().and_then(bucket));
                self.0.extend(some.iter().zip(buckets).filter_map(|(id, at)| Some((*id, at?))));
            }
        }
        Ok(())
    }

    /// Those of the attempts that are in this bucket.
    pub(in super::super) fn of_bucket(&self, bucket: usize) -> Vec<RequestId> {
        let here = self.0.iter().filter(|(_, at)| **at == bucket);
        here.map(|(id, _)| *id).collect()
    }
}
