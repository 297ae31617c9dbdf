//! Which bucket has what. These functions are part of the layout in Redis: processes must agree on
//! them, and so must versions.

use crate::ids::{BuyerId, RequestId};

/// The bucket of a buyer: it has all of the buyer's attempts, so that the limit per buyer is
/// checked where they are decided.
pub(super) fn home_of(buyer: &BuyerId, buckets: usize) -> usize {
    bucket_of(buyer.as_str().as_bytes(), buckets)
}

/// The bucket that knows which one has the attempt with this id.
pub(super) fn index_of(request_id: &RequestId, buckets: usize) -> usize {
    bucket_of(request_id.0.as_bytes(), buckets)
}

/// The units of a bucket when a sale opens: as many as of the others, or one more.
pub(super) fn share_of(stock: u32, bucket: usize, buckets: usize) -> u32 {
    // There are at most 64 buckets.
    let (bucket, buckets) = (bucket as u32, buckets as u32);
    stock / buckets + u32::from(bucket < stock % buckets)
}

fn bucket_of(bytes: &[u8], buckets: usize) -> usize {
    ((u128::from(hash(bytes)) * buckets as u128) >> 64) as usize
}

/// FNV-1a, with the finalizer of MurmurHash3: the highest bits of the former alone are too much
/// alike for names that differ in their last characters.
fn hash(bytes: &[u8]) -> u64 {
    let fnv = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buyers_stay_where_they_are() {
        let homes = |buckets| ["ann", "bob", "buyer-1"].map(|buyer| home(buyer, buckets));
        assert_eq!(homes(1), [0; 3]);
        assert_eq!((homes(4), homes(64)), HOMES);
        let id = "67e55044-10b1-426f-9247-bb680e5fe0c8".parse().unwrap();
        assert_eq!(index_of(&id, 64), INDEX);
    }

    /// Another hash would lose the attempts of a store that exists.
    const HOMES: ([usize; 3], [usize; 3]) = ([1, 3, 1], [27, 61, 29]);
    const INDEX: usize = 53;

    #[test]
    fn buyers_are_spread_evenly() {
        for buckets in [2, 3, 12, 64] {
            let mut counts = vec![0; buckets];
            (0..64_000).for_each(|number| counts[home(&format!("buyer-{number}"), buckets)] += 1);
            let mean = 64_000 / buckets;
            let is_fair = |count: &usize| (mean * 85 / 100..=mean * 115 / 100).contains(count);
            assert!(counts.iter().all(is_fair), "{counts:?}");
        }
    }

    #[test]
    fn shares_make_up_the_stock() {
        for (stock, expected) in [(10, [3, 3, 2, 2]), (2, [1, 1, 0, 0]), (0, [0; 4])] {
            assert_eq!([0, 1, 2, 3].map(|bucket| share_of(stock, bucket, 4)), expected);
        }
        let all = (0..64).map(|bucket| u64::from(share_of(u32::MAX, bucket, 64)));
        assert_eq!(all.sum::<u64>(), u64::from(u32::MAX));
    }

    fn home(buyer: &str, buckets: usize) -> usize {
        home_of(&buyer.parse().unwrap(), buckets)
    }
}
