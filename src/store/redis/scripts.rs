//! The Lua scripts; the link loads each when the server does not have it.

use std::sync::LazyLock;

use redis::{ScriptInvocation, ToRedisArgs};

use super::keys::{PREFIX, ROUTE};

/// A script, each call of which names the key by which a cluster knows where it runs.
#[derive(Debug)]
pub(super) struct Script(redis::Script);

impl Script {
    /// A call without arguments.
    pub(super) fn call(&self) -> ScriptInvocation<'_> {
        self.0.key(ROUTE)
    }

    /// A call with this first argument.
    pub(super) fn arg(&self, arg: impl ToRedisArgs) -> ScriptInvocation<'_> {
        let mut call = self.call();
        call.arg(arg);
        call
    }
}

pub(super) struct Scripts {
    pub(super) end: Script,
    pub(super) expire: Script,
    pub(super) find: Script,
    pub(super) undeliverable: Script,
    pub(super) lookup: Script,
    pub(super) open: Script,
    pub(super) reserve: Script,
    pub(super) sale: Script,
    pub(super) snapshot: Script,
    pub(super) unconfirmed: Script,
    pub(super) withdraw: Script,
}

pub(super) static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| Scripts {
    end: script(include_str!("end.lua")),
    expire: script(include_str!("expire.lua")),
    find: script(include_str!("find.lua")),
    undeliverable: script(include_str!("undeliverable.lua")),
    lookup: script(include_str!("lookup.lua")),
    open: script(include_str!("open.lua")),
    reserve: script(include_str!("reserve.lua")),
    sale: script(include_str!("sale.lua")),
    snapshot: script(include_str!("snapshot.lua")),
    unconfirmed: script(include_str!("unconfirmed.lua")),
    withdraw: script(include_str!("withdraw.lua")),
});

/// A script that may call what is in `lib.lua`.
pub(super) fn script(code: &str) -> Script {
    let code = format!("local P = '{PREFIX}'\n{}\n{code}", include_str!("lib.lua"));
    Script(redis::Script::new(&code))
}
