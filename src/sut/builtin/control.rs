//! The requests that do not belong to the load: the state of the sale, results, the ledger.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode};
use tokio::net::TcpStream;

use crate::api::{Answer, OpenSale, OpenedSale, SaleStatus};
use crate::history::{Beginning, Hours, Ledger, NoState, SaleView, Stage, View, Views};
use crate::http_client;
use crate::ids::ItemId;
use crate::secret::Secret;
use crate::sut::Target;
use crate::sut::control_error::{ANSWER_TIMEOUT, ControlError};
use crate::units::Span;

use super::ledger::LedgerReader;

/// Time-out for the connection that shows whether a silent server accepts any.
const CONNECT_AGAIN: Duration = Duration::from_secs(1);

/// Longest answer other than a ledger, in bytes.
const BODY_LEN_MAX: usize = 64 << 10;

/// Time-out for a whole ledger.
const LEDGER_TIMEOUT: Duration = Duration::from_secs(300);

/// A client and admin of a server.
#[derive(Debug, Clone)]
pub struct Control {
    client: Client,
    url: String,
    address: SocketAddr,
    admin_token: Option<Secret>,
    item: Option<ItemId>,
    beginning: Beginning,
}

impl Control {
    /// A client for the server at `target`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub(in crate::sut) fn new(
        target: &Target,
        item: Option<ItemId>,
        beginning: Beginning,
    ) -> Result<Self, ControlError> {
        let client = http_client::builder(target.is_https().then_some(&target.trust))
            .map_err(|error| ControlError::Client(error.to_string()))?;
        let client = client.connect_timeout(ANSWER_TIMEOUT).read_timeout(ANSWER_TIMEOUT);
        let name = target.host.rsplit_once(':').map_or(&*target.host, |(name, _)| name);
        let client = client.resolve(name, target.address);
        let client = client.redirect(reqwest::redirect::Policy::none()).build();
        let client = client.map_err(|error| ControlError::Client(error.to_string()))?;
        let (url, address) = (target.url.clone(), target.address);
        Ok(Self { client, url, address, admin_token: None, item, beginning })
    }

    /// The same client for one item, and as an admin if there is a token.
    pub fn of_item(self, item: ItemId, admin_token: Option<Secret>) -> Self {
        Self { item: Some(item), admin_token, ..self }
    }

    /// The state of the sale.
    ///
    /// # Errors
    /// When the server does not return it.
    pub async fn sale(&self) -> Result<View, ControlError> {
        self.sale_within(ANSWER_TIMEOUT).await
    }

    /// The state of the sale, asked for the first time: nothing may have answered there yet.
    ///
    /// # Errors
    /// As [`Control::sale`]; an error says whether there was a connection within `limit`.
    pub async fn first_sale(&self, limit: Duration) -> Result<View, ControlError> {
        let found = self.sale_within(limit).await;
        let Err(ControlError::TimedOut(url)) = found else { return found };
        let connecting = TcpStream::connect(self.address);
        Err(match tokio::time::timeout(CONNECT_AGAIN, connecting).await {
            Ok(Ok(_)) => ControlError::Silent(url, Span(limit)),
            _ => ControlError::NoConnection(url, Span(limit)),
        })
    }

    async fn sale_within(&self, limit: Duration) -> Result<View, ControlError> {
        let sent_us = self.beginning.us(Instant::now());
        let response = self.get("/result").timeout(limit).send().await;
        let response = response.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = body(response).await.map_err(|error| self.unreachable(&error))?;
        if status == StatusCode::OK
            && let Ok(sale) = serde_json::from_slice::<SaleStatus>(&body)
        {
            let answered_us = self.beginning.us(Instant::now());
            return Ok(View { sent_us, answered_us, sale: sale_view(sale) });
        }
        let answer: Option<Answer<'_>> = serde_json::from_slice(&body).ok();
        match answer.as_ref().and_then(|answer| answer.reason.as_deref()) {
            Some("item_required") => Err(ControlError::ItemRequired(self.url.clone())),
            Some("unknown_item") => {
                let (url, item) = (self.url.clone(), self.item.clone());
                Err(ControlError::UnknownItem { url, item })
            }
            Some(_) if matches!(status.as_u16(), 400 | 404 | 410) => {
                Err(ControlError::NoState(self.url.clone(), status))
            }
            _ if status.is_success() => Err(ControlError::NoState(self.url.clone(), status)),
            None if matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT) => {
                Err(ControlError::NoServerBehind(self.url.clone(), status))
            }
            _ => Err(ControlError::Foreign(self.url.clone(), status)),
        }
    }

    /// The state of a sale that was found before. An answer that cannot be one is kept in `views`.
    ///
    /// # Errors
    /// When the server does not return the state.
    pub async fn sale_again(&self, views: &mut Views) -> Result<View, ControlError> {
        let sent_us = self.beginning.us(Instant::now());
        let sale = self.sale().await;
        if let Err(error) = &sale
            && let Some(status) = error.no_state()
        {
            views.add_no_state(NoState { status, sent_us });
        }
        sale
    }

    /// Whether the server says that all of its parts work.
    pub async fn is_ready(&self) -> bool {
        let request = self.client.get(format!("{}/readyz", self.url)).timeout(ANSWER_TIMEOUT);
        request.send().await.is_ok_and(|response| response.status() == StatusCode::OK)
    }

    /// Opens a fresh sale. Returns its first state, as the answer shows it.
    ///
    /// # Errors
    /// When the server does not say that it is open.
    pub async fn open_sale(&self, item: &ItemId, stock: u32) -> Result<View, ControlError> {
        let Secret(token) = self.admin_token.as_ref().ok_or(ControlError::NoToken)?;
        let (opens_at, closes_at, per_buyer) = (None, None, None);
        let sale =
            OpenSale { item: item.to_string(), stock, opens_at, closes_at, per_buyer, hold: None };
        let sale = serde_json::to_vec(&sale).unwrap_or_default();
        let request = self.client.put(format!("{}/admin/sale", self.url)).bearer_auth(token);
        let request =
            request.header(CONTENT_TYPE, "application/json").body(sale).timeout(ANSWER_TIMEOUT);
        let sent_us = self.beginning.us(Instant::now());
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(ControlError::WrongToken);
            }
            status => return Err(ControlError::NotOpened(item.clone(), status)),
        }
        let body = body(response).await.map_err(|error| self.unreachable(&error))?;
        let answered_us = self.beginning.us(Instant::now());
        match serde_json::from_slice::<OpenedSale>(&body) {
            Ok(opened) if opened.status == "opened" => {
                Ok(View { sent_us, answered_us, sale: opened_view(opened) })
            }
            _ => Err(ControlError::NotAnOpenedSale),
        }
    }

    /// The whole ledger of the present sale, or of another one by its epoch; `copy` receives its
    /// bytes as they arrive.
    ///
    /// # Errors
    /// When the server does not return all of it.
    pub async fn ledger(
        &self,
        epoch: Option<u64>,
        mut copy: impl FnMut(&[u8]),
    ) -> Result<Ledger, ControlError> {
        let Secret(token) = self.admin_token.as_ref().ok_or(ControlError::NoToken)?;
        let path = match epoch {
            Some(epoch) => format!("/admin/ledger?epoch={epoch}"),
            None => "/admin/ledger".to_owned(),
        };
        let request = self.get(&path).bearer_auth(token).timeout(LEDGER_TIMEOUT);
        let mut response = request.send().await.map_err(|error| self.unreachable(&error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(ControlError::WrongToken);
            }
            status => {
                let message = format!("GET /admin/ledger is answered with status {status}");
                return Err(ControlError::Ledger(message));
            }
        }
        let ledger_error = |error: &dyn std::fmt::Display| ControlError::Ledger(error.to_string());
        let mut reader = LedgerReader::default();
        while let Some(piece) = response.chunk().await.map_err(|error| ledger_error(&error))? {
            copy(&piece);
            reader.feed(&piece).map_err(|error| ledger_error(&error))?;
        }
        reader.finish().map_err(|error| ledger_error(&error))
    }

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        let joint = if path.contains('?') { '&' } else { '?' };
        let query = self.item.as_ref().map(|item| format!("{joint}item={item}"));
        let query = query.unwrap_or_default();
        self.client.get(format!("{}{path}{query}", self.url))
    }

    fn unreachable(&self, error: &reqwest::Error) -> ControlError {
        let url = self.url.clone();
        if error.is_timeout() {
            ControlError::TimedOut(url)
        } else if error.is_connect() {
            ControlError::NoServer(url)
        } else {
            ControlError::NotHttp(url)
        }
    }
}

/// The state of a sale of which nothing is sold yet.
fn opened_view(sale: OpenedSale) -> SaleView {
    let OpenedSale { item, epoch, stock, per_buyer, hold_us, .. } = sale;
    SaleView {
        item: item.into(),
        epoch,
        stock,
        stock_left: i64::try_from(stock).unwrap_or(i64::MAX),
        per_buyer: Some(per_buyer),
        hold_us,
        opened: true,
        ..SaleView::default()
    }
}

fn sale_view(sale: SaleStatus) -> SaleView {
    let SaleStatus { item, epoch, stock, stock_left, orders, queued, per_buyer, .. } = sale;
    let hours = Hours { opens_us: sale.opens_us, closes_us: sale.closes_us };
    let stage = match &*sale.status {
        "not_open" => Some(Stage::NotOpen),
        "open" => Some(Stage::Open),
        "sold_out" => Some(Stage::SoldOut),
        "closed" => Some(Stage::Closed),
        _ => Some(Stage::Other),
    };
    SaleView {
        item: item.into(),
        epoch,
        stock,
        stock_left,
        orders,
        queued,
        per_buyer,
        hours,
        hold_us: sale.hold_us,
        held: sale.held,
        paid: sale.paid,
        stage,
        finished: Some(sale.finished),
        opened: false,
    }
}

/// Reads a body, up to its limit.
async fn body(mut response: Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        body.extend_from_slice(&piece);
        if body.len() > BODY_LEN_MAX {
            break;
        }
    }
    Ok(body)
}

/// Reads the admin token of a server that keeps its data in `data`. Returns `None` for a target on
/// another machine, which must not receive a secret of this one.
pub fn local_token(target: &Target, data: &Path) -> Option<Secret> {
    if !target.address.ip().is_loopback() {
        return None;
    }
    let token = std::fs::read_to_string(data.join("admin-token"));
    token.ok().map(|token| Secret(token.trim().to_owned()))
}
