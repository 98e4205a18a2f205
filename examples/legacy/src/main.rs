//! Async functions that exist already, put under supervision unchanged: a source that fails every third time and a
//! client that crashes the server do no lasting harm. Exits with 0 if both were survived.

// What the file holds is older than the rules of this repository.
#[expect(clippy::disallowed_methods, reason = "kept as it was")]
mod rates;

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use minder::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use rates::Rates;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Made outside the functions, and so outside their lives: a restarted server listens at the same port.
    let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await?);
    let port = listener.local_addr()?.port();
    let rates = Arc::new(Rates::default());
    let (served, fetched, shown) = (rates.clone(), rates.clone(), rates.clone());
    let system = System::new()?;

    // counted: three children, rest-for-one, with limits
    let tree = rest_for_one()
        .limit(100, Duration::from_secs(5))
        .child(task("serve", move || rates::serve(listener.clone(), served.clone())))
        .child(task("fetch", move || rates::fetch(fetched.clone())))
        .child(task("greet", move || rates::greet(shown.clone())).restart(Restart::Temporary));
    let root = tree.start(&system, "rates").await;
    // until here
    let root = root?;

    println!("EUR: {}", ask_until_answered(port, "EUR").await?);
    if !ask(port, "FLORIN").await?.is_empty() {
        return Err("nobody knows the rate of a florin".into());
    }
    println!("asked for a currency that does not exist: the server panicked");
    println!("EUR: {}", ask_until_answered(port, "EUR").await?);
    while rates.fetched.load(Ordering::SeqCst) <= 6 {
        ask_until_answered(port, "USD").await?;
    }
    println!("the source has failed twice, and there are new rates all the same");

    if !root.address().is_alive() {
        return Err("the tree has given up".into());
    }
    let report = system.shutdown(Duration::from_secs(5)).await;
    if !report.is_clean() {
        return Err(format!("not everybody stopped: {report:?}").into());
    }
    Ok(())
}

/// Asks as a client does. The answer is empty if the server went away over it.
async fn ask(port: u16, currency: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(format!("{currency}\n").as_bytes()).await?;
    let mut answer = String::new();
    match stream.read_to_string(&mut answer).await {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
        _ => Ok(answer.trim().to_owned()),
    }
}

/// Asks again as long as the server goes away; that ends with an error at the latest when its tree gives up, and nobody
/// listens any more.
async fn ask_until_answered(port: u16, currency: &str) -> io::Result<String> {
    loop {
        let answer = ask(port, currency).await?;
        if !answer.is_empty() {
            return Ok(answer);
        }
    }
}
