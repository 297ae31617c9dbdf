//! Keys of a Redis of every type. The tests start their own server on a Unix socket.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{NO_TARGET, buyers, installed, orders, reset, site, truth};

/// A running Redis, which ends with the test.
struct Server {
    child: Child,
    folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--unixsocket"]).arg(&socket).args(options);
        command.current_dir(folder.path()).stdout(Stdio::null());
        let child = command.spawn().unwrap();
        let limit = Instant::now() + Duration::from_secs(30);
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < limit, "redis-server does not listen");
            std::thread::yield_now();
        }
        Self { child, folder }
    }

    fn url(&self) -> String {
        format!("unix://{}", self.folder.path().join("socket").display())
    }

    /// Runs a command that fills the database.
    async fn run(&self, words: &[&str]) {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]).exec_async(&mut connection).await.unwrap();
    }

    /// A table of orders with a key of this server.
    fn table(&self, key: &str, lines: &str) -> String {
        format!("[truth.orders]\nredis = \"{}\"\nkey = \"{key}\"\n{lines}\n", self.url())
    }
}

#[tokio::test]
async fn each_type_of_key_is_read() {
    if !installed("redis-server") {
        return;
    }
    let server = Server::start(&[]);
    for words in [
        &["RPUSH", "list", "{\"uid\":\"a\"}", "{\"uid\":\"b\"}"][..],
        &["SADD", "set", "b", "a"],
        &["ZADD", "zset", "2", "b", "1", "a"],
        &["HSET", "hash", "a", "o1", "b", "o2"],
        &["XADD", "stream", "1-1", "uid", "a"],
        &["XADD", "stream", "1-2", "uid", "b"],
        &["HSET", "order:1", "uid", "a"],
        &["SET", "order:2", "{\"uid\":\"b\"}"],
    ] {
        server.run(words).await;
    }
    for (key, lines) in [
        ("list", "fields = { buyer = \"/uid\" }"),
        ("list", "pattern = '\"uid\":\"(?<buyer>[^\"]+)\"'"),
        ("set", "fields = { buyer = \"member\" }"),
        ("set", "pattern = '(?<buyer>.+)'"),
        ("zset", "fields = { buyer = \"member\", seq = \"score\" }"),
        ("hash", "fields = { buyer = \"field\", order_id = \"value\" }"),
        ("stream", "fields = { buyer = \"uid\", request_id = \"id\" }"),
    ] {
        let found = orders(&server.table(key, lines)).await.unwrap();
        assert_eq!(buyers(&found), ["a", "b"], "{key} {lines}");
    }
    let found = orders(&server.table("order:*", "fields = { order_id = \"key\" }")).await.unwrap();
    let ids: Vec<_> = found.iter().map(|found| found.order_id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["order:1", "order:2"]);
    assert_eq!(orders(&server.table("list", "")).await.unwrap().len(), 2, "each is an order");
    assert_eq!(orders(&server.table("missing", "")).await.unwrap(), []);
    let error = orders(&server.table("s*", "")).await.unwrap_err().problem;
    assert!(error.contains("narrow `key` to hashes and strings"), "{error}");
    let error = orders(&server.table("list", "pattern = '(?<buyer>x)'")).await.unwrap_err();
    assert_eq!(error.problem, "record 1 does not match `pattern`: {\"uid\":\"a\"}");
}

#[tokio::test]
async fn long_keys_are_read_in_pieces_without_gaps() {
    if !installed("redis-server") {
        return;
    }
    let server = Server::start(&[]);
    let fill = "for n = 1, 2500 do redis.call('RPUSH', 'list', n) redis.call('SADD', 'set', n) \
                redis.call('XADD', 'stream', n .. '-1', 'n', n) \
                redis.call('HSET', 'h:' .. n, 'n', n) end";
    server.run(&["EVAL", fill, "0"]).await;
    for (key, lines) in [
        ("list", "pattern = '(?<seq>.+)'"),
        ("set", "pattern = '(?<seq>.+)'"),
        ("stream", "fields = { seq = \"n\" }"),
        ("h:*", "fields = { seq = \"n\" }"),
    ] {
        let found = orders(&server.table(key, lines)).await.unwrap();
        let mut numbers: Vec<_> = found.iter().map(|found| found.seq.unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=2_500).collect::<Vec<_>>(), "{key}");
    }
}

#[tokio::test]
async fn numbers_are_values_and_lengths() {
    if !installed("redis-server") {
        return;
    }
    let server = Server::start(&[]);
    let set = reset(&format!(
        "[[reset]]\nredis = \"{}\"\nset = {{ count = 10, \"left:{{{{item}}}}\" = \"3\" }}\n\
         delete = [\"old\"]\n",
        server.url()
    ));
    let set = set.unwrap();
    server.run(&["SET", "old", "1"]).await;
    set.run(&site(NO_TARGET, Path::new("")).around()).await.unwrap();
    server.run(&["RPUSH", "list", "a", "b"]).await;
    server.run(&["HSET", "hash", "left", "-1", "sold", "2"]).await;
    server.run(&["SET", "word", "many"]).await;
    for (lines, expected) in [
        ("key = \"count\"", Ok(Some(10))),
        ("key = \"left:{{item}}\"", Ok(Some(3))),
        ("key = \"old\"", Ok(None)),
        ("key = \"list\"", Ok(Some(2))),
        ("key = \"hash\"\nfield = \"left\"", Ok(Some(-1))),
        ("key = \"hash\"\nfield = \"none\"", Ok(None)),
        ("key = \"hash\"", Ok(Some(2))),
        ("key = \"list\"\nfield = \"a\"", Err("the key is a list, and only a hash has a `field`")),
        (
            "key = \"word\"",
            Err("`many` is not a whole number: let `json` or `text` say where the \
                               number is"),
        ),
    ] {
        let stock = format!("[truth.stock]\nredis = \"{}\"\n{lines}\n", server.url());
        let read = truth(&format!("{}{stock}", server.table("list", ""))).unwrap();
        let found = read.stock(&site(NO_TARGET, Path::new("")).around()).await;
        assert_eq!(
            found.map_err(|error| error.problem),
            expected.map_err(str::to_owned),
            "{lines}"
        );
    }
}

#[tokio::test]
async fn reset_deletes_the_keys_of_a_pattern() {
    if !installed("redis-server") {
        return;
    }
    let server = Server::start(&[]);
    server.run(&["MSET", "order:1", "a", "order:2", "b", "stock", "0", "old", "1"]).await;
    let text = format!(
        "[[reset]]\nredis = \"{}\"\ndelete = [\"order:*\", \"old\"]\nset = {{ stock = 10 }}\n",
        server.url()
    );
    let folder = Path::new("");
    reset(&text).unwrap().run(&site(NO_TARGET, folder).around()).await.unwrap();
    let left = orders(&server.table("*", "fields = { order_id = \"key\" }")).await.unwrap();
    let keys: Vec<_> = left.iter().map(|found| found.order_id.as_deref()).collect();
    assert_eq!(keys, [Some("stock")]);
}

#[tokio::test]
async fn wrong_password_is_an_error_that_does_not_show_it() {
    if !installed("redis-server") {
        return;
    }
    let server = Server::start(&["--requirepass", "right"]);
    let open = orders(&server.table("list", "")).await.unwrap_err().problem;
    assert!(open.contains("NOAUTH") && open.contains("redis://user:password@host"), "{open}");
    let table = server.table("list", "").replace("/socket", "/socket?pass=hush");
    let wrong = orders(&table).await.unwrap_err().problem;
    assert!(wrong.contains("password") && !wrong.contains("hush"), "{wrong}");
    let right = server.table("list", "").replace("/socket", "/socket?pass=right");
    assert_eq!(orders(&right).await.unwrap(), []);
}
