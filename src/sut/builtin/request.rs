//! The requests of the built-in API, as templates.

use std::time::Duration;

use crate::ids::ItemId;
use crate::profile::Plan;
use crate::sut::template::hole;
use crate::sut::{Target, Template};

use super::answer::intern_refusals;

/// The path that attempts are posted to.
pub(crate) const PURCHASE_PATH: &str = "/seckill";

/// `POST /seckill` of an attempt at `item`; the buyer and the request id go into its holes.
pub(crate) fn purchase(target: &Target, plan: &Plan, item: &ItemId) -> Template<2> {
    intern_refusals();
    let hole = hole();
    // The alphabets of the ids contain no character that JSON would escape.
    let body = format!(r#"{{"uid":"{hole}","request_id":"{hole}","item":"{item}"}}"#);
    let head = head(&format!("POST {PURCHASE_PATH}"), target, plan);
    Template::new(format!(
        "{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len(),
    ))
}

/// `GET /result/{request_id}`, held by the server for up to `wait`.
pub(crate) fn result(target: &Target, plan: &Plan, wait: Duration) -> Template<1> {
    let (hole, wait) = (hole(), wait.as_millis());
    Template::new(head(&format!("GET /result/{hole}?wait={wait}ms"), target, plan) + "\r\n")
}

fn head(request: &str, target: &Target, plan: &Plan) -> String {
    let connection = if plan.keepalive { "keep-alive" } else { "close" };
    format!("{request} HTTP/1.1\r\nHost: {}\r\nConnection: {connection}\r\n", target.host)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::api::Purchase;
    use crate::profile::BenchFlags;

    #[test]
    fn api_parses_the_purchase_template() {
        let target = Target::new(Some("http://127.0.0.1:7001")).unwrap();
        let plan = Plan::new(&BenchFlags::default(), 0).unwrap();
        let mut template = purchase(&target, &plan, &"tea".parse().unwrap());
        for number in [1, 2] {
            let (buyer, id) = (Uuid::from_u128(number), Uuid::from_u128(number + 10));
            template.fill([buyer, id]);
            let text = String::from_utf8(template.bytes().to_vec()).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
            let parsed: Purchase<'_> = serde_json::from_str(body).unwrap();
            assert_eq!(parsed.uid, buyer.to_string());
            assert_eq!(parsed.request_id.as_deref(), Some(&*id.to_string()));
            assert_eq!(parsed.item.as_deref(), Some("tea"));
        }
    }

    #[test]
    fn result_template_names_the_request_id() {
        let target = Target::new(Some("http://127.0.0.1:7001")).unwrap();
        let plan = Plan::new(&BenchFlags::default(), 0).unwrap();
        let mut template = result(&target, &plan, Duration::from_secs(5));
        let id = Uuid::from_u128(9);
        template.fill([id]);
        let text = String::from_utf8(template.bytes().to_vec()).unwrap();
        assert!(text.starts_with(&format!("GET /result/{id}?wait=5000ms HTTP/1.1\r\n")), "{text}");
        assert!(text.ends_with("\r\n\r\n"));
    }
}
