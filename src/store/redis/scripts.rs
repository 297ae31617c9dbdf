//! The Lua scripts; the link loads each when the server does not have it.

use std::sync::LazyLock;

use redis::{ScriptInvocation, ToRedisArgs};

use super::keys::Keys;

/// A script, each call of which names the key by which a cluster knows where it runs.
#[derive(Debug)]
pub(super) struct Script(redis::Script);

impl Script {
    /// A call about these keys, without arguments.
    pub(super) fn call(&self, keys: &Keys) -> ScriptInvocation<'_> {
        self.0.key(keys.route())
    }

    /// A call about these keys with this first argument.
    pub(super) fn arg(&self, keys: &Keys, arg: impl ToRedisArgs) -> ScriptInvocation<'_> {
        let mut call = self.call(keys);
        call.arg(arg);
        call
    }
}

pub(super) struct Scripts {
    pub(super) claim: Script,
    pub(super) disown: Script,
    pub(super) end: Script,
    pub(super) expire: Script,
    pub(super) find: Script,
    pub(super) give: Script,
    pub(super) undeliverable: Script,
    pub(super) lookup: Script,
    pub(super) open: Script,
    pub(super) opened: Script,
    pub(super) reserve: Script,
    pub(super) reserve_in_bucket: Script,
    pub(super) sale: Script,
    pub(super) share: Script,
    pub(super) snapshot: Script,
    pub(super) take: Script,
    pub(super) unconfirmed: Script,
    pub(super) withdraw: Script,
}

pub(super) static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| Scripts {
    claim: script(include_str!("buckets/claim.lua")),
    disown: script(include_str!("buckets/disown.lua")),
    end: script(include_str!("end.lua")),
    expire: script(include_str!("expire.lua")),
    find: script(include_str!("find.lua")),
    give: script(include_str!("buckets/give.lua")),
    undeliverable: script(include_str!("undeliverable.lua")),
    lookup: script(include_str!("lookup.lua")),
    open: script(include_str!("open.lua")),
    opened: script(include_str!("buckets/opened.lua")),
    reserve: script(include_str!("reserve.lua")),
    reserve_in_bucket: script(include_str!("buckets/reserve.lua")),
    sale: script(include_str!("sale.lua")),
    share: script(include_str!("buckets/share.lua")),
    snapshot: script(include_str!("snapshot.lua")),
    take: script(include_str!("buckets/take.lua")),
    unconfirmed: script(include_str!("unconfirmed.lua")),
    withdraw: script(include_str!("withdraw.lua")),
});

/// A script that may call what is in `lib.lua`.
pub(super) fn script(code: &str) -> Script {
    Script(redis::Script::new(&format!("{}\n{code}", include_str!("lib.lua"))))
}
