//! The Lua scripts: each is loaded once, and again where the server has forgotten it.

use std::sync::LazyLock;

use redis::Script;

pub(super) struct Scripts {
    pub(super) announce: Script,
    pub(super) find: Script,
    pub(super) give_up: Script,
    pub(super) look: Script,
    pub(super) open: Script,
    pub(super) reserve: Script,
    pub(super) reserve_again: Script,
    pub(super) sale: Script,
    pub(super) snapshot: Script,
    pub(super) unconfirmed: Script,
    pub(super) withdraw: Script,
}

pub(super) static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| {
    // What several of them call stands before each.
    let script = |code: &str| Script::new(&format!("{}\n{code}", include_str!("lib.lua")));
    Scripts {
        announce: script(include_str!("announce.lua")),
        find: script(include_str!("find.lua")),
        give_up: script(include_str!("give_up.lua")),
        look: script(include_str!("look.lua")),
        open: script(include_str!("open.lua")),
        reserve: script(include_str!("reserve.lua")),
        reserve_again: script(include_str!("no_dedupe.lua")),
        sale: script(include_str!("sale.lua")),
        snapshot: script(include_str!("snapshot.lua")),
        unconfirmed: script(include_str!("unconfirmed.lua")),
        withdraw: script(include_str!("withdraw.lua")),
    }
});
