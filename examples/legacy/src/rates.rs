//! A service as it was before: plain async functions over tokio that have never heard of minder.
//! It has the faults that such services have: one function gives up at the first error, one panics on odd input.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// What the functions share.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    known: Mutex<BTreeMap<String, u32>>,
    /// How often anything was fetched.
    pub(crate) fetched: AtomicU32,
}

/// The source of the rates. Every third time it is not there.
fn upstream(round: u32) -> io::Result<[(&'static str, u32); 2]> {
    if round.is_multiple_of(3) {
        return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "the source of the rates is not there"));
    }
    Ok([("EUR", 100), ("USD", 108 + round)])
}

/// Fetches the rates again and again. Gives up at the first error.
pub(crate) async fn fetch(rates: Arc<Rates>) -> io::Result<()> {
    loop {
        let round = rates.fetched.fetch_add(1, Ordering::SeqCst) + 1;
        for (currency, cents) in upstream(round)? {
            rates.known.lock().expect("nobody panics with it").insert(currency.to_owned(), cents);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Answers a currency on a line with its rate on a line. Panics when somebody asks for one that nobody knows.
pub(crate) async fn serve(listener: Arc<TcpListener>, rates: Arc<Rates>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let mut stream = BufReader::new(stream);
        let mut currency = String::new();
        stream.read_line(&mut currency).await?;
        let cents = rates.known.lock().expect("nobody panics with it").get(currency.trim()).copied();
        let cents = cents.expect("everybody asks for currencies that exist");
        stream.get_mut().write_all(format!("{cents}\n").as_bytes()).await?;
    }
}

/// Says once how things stand.
pub(crate) async fn greet(rates: Arc<Rates>) {
    println!("up, with {} rates", rates.known.lock().expect("nobody panics with it").len());
}
