//! Ids of records that the source gives none: the same in each reading.

use std::collections::HashMap;

use crate::history::{Found, FoundStatus};
use crate::ids::RequestId;

/// The offset basis and the prime of FNV-1a with 128 bits (Fowler, Noll and Vo).
const FNV_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const FNV_PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// Makes an id of what identifies a record, and of how many like it came before.
#[derive(Default)]
pub(super) struct Keys(HashMap<u128, u64>);

impl Keys {
    pub(super) fn id_of(&mut self, found: &Found) -> RequestId {
        let state = match found.status {
            FoundStatus::Won => "won",
            FoundStatus::Lost(_) => "lost",
            FoundStatus::Queued => "queued",
        };
        // The id of an order is the same whatever its state; others are the same in each state.
        let key = if let Some(order_id) = found.order_id() {
            hashed(FNV_BASIS, &["order", order_id])
        } else if let Some(id) = found.request_id() {
            hashed(FNV_BASIS, &["request", id])
        } else if let Some(buyer) = found.buyer() {
            hashed(FNV_BASIS, &["buyer", state, buyer])
        } else {
            let seq = found.seq.map(|seq| seq.to_string()).unwrap_or_default();
            hashed(FNV_BASIS, &["position", state, &seq])
        };
        let number = self.0.entry(key).or_default();
        let hash = hashed(key, &[&number.to_string()]);
        *number += 1;
        // Of version 8, as no attempt's id is.
        RequestId(uuid::Builder::from_custom_bytes(hash.to_be_bytes()).into_uuid())
    }
}

/// Continues a hash; no text runs into the next one.
fn hashed(hash: u128, texts: &[&str]) -> u128 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0xff]));
    bytes.fold(hash, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(FNV_PRIME))
}
