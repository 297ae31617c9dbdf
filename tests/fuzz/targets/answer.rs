//! The load's HTTP client with what an answer means, of the built-in API and of described shops.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::BufMut;
use seckill::load::ResponseReader;
use seckill::sut::{Client, Description, Received, Sut};

use super::file;
use super::profile::{client, setting, take};

/// A shop whose description uses all that looks into an answer.
const SHOP: &str = r#"
[shop]
name = "fuzzed"
[[setup]]
request = "POST /login"
form = { name = "{{buyer}}" }
extract = { token = "json /token", csrf = 'text name="csrf" value="([^"]*)"' }
[[before]]
request = "GET /item/{{item}}"
extract = { sku = "cookie sku", etag = "header etag" }
[purchase]
request = "POST /orders?sku={{sku}}"
headers = { authorization = "Bearer {{token}}", x-csrf = "{{csrf}}" }
json = { buyer = "{{buyer}}", id = "{{request_id}}", etag = "{{etag}}" }
[[outcome]]
status = [200, 201]
json = { "/status" = "won" }
is = "won"
order_id = "json /order/id"
[[outcome]]
status = 409
text = "/sold\\s+out/"
is = "refused"
reason = "sold_out"
[[outcome]]
status = 202
is = "accepted"
[result]
request = "GET /orders/{{request_id}}"
[[result.outcome]]
status = 200
json = { "/status" = "/^(won|paid)$/" }
is = "won"
order_id = "json /order/id"
[[result.outcome]]
status = 404
is = "unknown"
"#;

thread_local! {
    static CLIENTS: RefCell<Vec<Client>> = RefCell::new(clients());
}

fn clients() -> Vec<Client> {
    // Its truth is not read, and would need a variable of the environment.
    let api = include_str!("../../../profiles/seckill-api.toml");
    let api = api.split_once("[truth.orders]").map_or(api, |(requests, _)| requests);
    let described = [SHOP, api].map(|text| {
        let path = file("shop.toml", text.as_bytes());
        let description = Description::read(&path, setting());
        let description = description.unwrap_or_else(|error| panic!("{error}"));
        client(&Sut::Described(Arc::new(description))).unwrap()
    });
    let built_in = client(&Sut::Seckill).unwrap();
    described.into_iter().chain([built_in]).collect()
}

/// Whatever answers, each client says what it means, or that it is no answer.
pub(crate) fn run(bytes: &[u8]) {
    let mut reader = ResponseReader::new();
    let taken = bytes.len().min(reader.room().remaining_mut());
    reader.room().put_slice(&bytes[..taken]);
    let Ok(Some(response)) = reader.parse(true) else { return };
    let (head, body) = (reader.head(), reader.body());
    let received = Received { status: response.status, head, body };
    CLIENTS.with_borrow_mut(|clients| {
        clients.iter_mut().for_each(|client| take(client, received));
    });
}
