//! Right servers: what the API allows, in every variation. None may be accused.

mod holds;
mod late;
mod usual;

use serde_json::Value;

use crate::case::Case;
use crate::shop::{SALE, Setup};

/// All of them.
pub(crate) const RIGHT: &[&[Case]] = &[usual::RIGHT, late::RIGHT, holds::RIGHT];

const HUGE: Setup = Setup { stock: 1000, ..SALE };
const AT_ONCE: Setup = Setup { at_once: true, ..SALE };

pub(crate) fn without(value: &mut Value, names: &[&str]) {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, _| !names.contains(&name.as_str()));
    }
}
