//! Reading a list of orders over HTTP, page by page.

use reqwest::Url;
use serde_json::Value;
use toml::Spanned;

use crate::sut::described::matcher::check_pointer;
use crate::sut::described::wrong::Wrong;

use super::around::{PAGE, Read};
use super::error::Problem;
use super::format::{self, Format, too_many};
use super::http::{Http, Keys, shown_url};
use super::limits::{PAGES_MAX, RECORDS_MAX, TOTAL_LEN_MAX};
use super::record::Record;
use super::tables::OrdersTable;

/// How the pages of a list follow each other.
#[derive(Debug)]
enum Paging {
    /// There is only one.
    One,
    /// They have numbers from this one, and end with one without records.
    Numbers(u64),
    /// Each has the URL of the next one at this pointer; the last one has none.
    Next(Box<str>),
}

/// A list over HTTP.
#[derive(Debug)]
pub(super) struct Pages {
    http: Http,
    format: Format,
    list: Box<str>,
    paging: Paging,
}

/// The pointer to the list in a document, or to what else is in it.
pub(super) fn pointer(value: Option<&Spanned<String>>, format: Format) -> Result<Box<str>, Wrong> {
    let Some(value) = value else { return Ok("".into()) };
    check_pointer(value.get_ref()).map_err(|problem| Wrong::of(value, problem))?;
    if format != Format::Json {
        let problem = "is a pointer into a document: it needs format = \"json\"";
        return Err(Wrong::of(value, problem));
    }
    Ok(value.get_ref().as_str().into())
}

impl Pages {
    pub(super) fn new(
        request: &Spanned<String>,
        table: &OrdersTable,
        format: Format,
    ) -> Result<Self, Wrong> {
        let (headers, body) = (table.headers.as_ref(), table.body.as_ref());
        let keys = Keys { headers, body, json: table.json.as_ref() };
        let http = Http::new(request, &keys, &["GET", "POST"], true)?;
        let list = pointer(table.list.as_ref(), format)?;
        let is_numbered = http.uses(PAGE);
        let paging = match (&table.next, &table.first_page) {
            (Some(next), _) if is_numbered => {
                let problem = "{{page}} is used, too: leave out one";
                return Err(Wrong::of(next, problem));
            }
            (_, Some(first)) if !is_numbered => {
                let problem = "needs {{page}} in the request, such as GET /orders?page={{page}}";
                return Err(Wrong::of(first, problem));
            }
            (Some(next), _) => Paging::Next(pointer(Some(next), format)?),
            (None, first) if is_numbered => {
                Paging::Numbers(first.as_ref().map_or(1, |first| *first.get_ref()))
            }
            (None, _) => Paging::One,
        };
        Ok(Self { http, format, list, paging })
    }

    /// The records of all pages, and the number of pages.
    pub(super) async fn records(&self, read: &Read<'_>) -> Result<(Vec<Record>, usize), Problem> {
        let mut page = match self.paging {
            Paging::Numbers(first) => Some(first),
            Paging::One | Paging::Next(_) => None,
        };
        let first = self.http.url(read, page)?;
        let client = self.http.client(read, &first)?;
        let mut url = first.clone();
        let (mut records, mut len, mut before) = (Vec::new(), 0, Vec::new());
        for pages in 1..=PAGES_MAX {
            let body = self.http.send(read, &client, &url, page).await?;
            len += body.len();
            if len > TOTAL_LEN_MAX {
                let max = TOTAL_LEN_MAX >> 20;
                return Err(Problem::lasting(format!("the pages have more than {max} MiB")));
            }
            let (found, next) = self.page(&body)?;
            let is_empty = found.is_empty();
            if !is_empty && body == before {
                return Err(Problem::lasting(format!(
                    "page {pages} is the same as the page before: is the placeholder {{{{page}}}} \
                     in the right parameter?"
                )));
            }
            records.extend(found);
            if records.len() > RECORDS_MAX {
                return Err(too_many());
            }
            match (&self.paging, next) {
                (Paging::Next(_), Some(next)) => url = next_url(read, &first, &url, &next)?,
                (Paging::Numbers(_), _) if !is_empty => {
                    page = page.and_then(|page| page.checked_add(1));
                    url = self.http.url(read, page)?;
                }
                _ => return Ok((records, pages)),
            }
            before = body;
        }
        Err(Problem::lasting(format!("there are more than {PAGES_MAX} pages: do they end?")))
    }

    /// The records of a page, and the URL of the next one.
    pub(super) fn page(&self, body: &[u8]) -> Result<(Vec<Record>, Option<String>), Problem> {
        let Paging::Next(next) = &self.paging else {
            return Ok((self.format.records(body, &self.list)?, None));
        };
        let document = format::document(body)?;
        let next = match document.pointer(next) {
            None | Some(Value::Null) => None,
            Some(Value::String(url)) if url.is_empty() => None,
            Some(Value::String(url)) => Some(url.clone()),
            Some(_) => return Err(Problem::lasting(format!("`{next}` is not the text of a URL"))),
        };
        Ok((format::of_document(document, &self.list)?, next))
    }
}

/// The URL of the next page. It must lead to the same host, which alone may get the headers.
fn next_url(read: &Read<'_>, first: &Url, url: &Url, next: &str) -> Result<Url, Problem> {
    let invalid = |_| {
        Problem::lasting(format!(
            "the URL of the next page is `{}`, which is none",
            read.shown(next)
        ))
    };
    let next = url.join(next).map_err(invalid)?;
    if next.origin() != first.origin() {
        let shown = shown_url(read, &next);
        let problem = format!("the next page is at {shown}, which is not the host of the first");
        return Err(Problem::lasting(problem));
    }
    if next == *url {
        return Err(Problem::lasting("a page names itself as the next one"));
    }
    Ok(next)
}
