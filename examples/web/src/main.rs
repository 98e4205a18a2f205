//! `web [ADDRESS]`: serves until SIGTERM or Ctrl-C, then drains. The second signal ends it at once. Exit codes: 0 drained
//! and stopped in order, 1 the tree gave up or could not start, 3 something was cut off.

use std::process::ExitCode;

use minder::os::StopSignals;
use minder::prelude::*;
use tokio::net::TcpListener;
use web::Web;

#[tokio::main]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".into());
    match serve(&address).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("web: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: &str) -> Result<ExitCode, String> {
    let listener =
        TcpListener::bind(address).await.map_err(|error| format!("cannot listen at {address}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let mut signals = StopSignals::listen().map_err(|error| error.to_string())?;
    let system = System::new().map_err(|error| error.to_string())?;
    let web = Web::start(system, listener).await.map_err(|error| error.to_string())?;
    println!("listening at http://{address}");

    tokio::select! {
        biased;
        signal = signals.next() => println!("{signal}: draining"),
        reason = web.ended() => return Err(format!("the tree gave up: {reason}")),
    }
    tokio::select! {
        biased;
        (report, all_answered) = web.drain() => {
            if all_answered && report.is_clean() {
                println!("drained");
                return Ok(ExitCode::SUCCESS);
            }
            println!("something was cut off: {report:?}");
            Ok(ExitCode::from(3))
        }
        signal = signals.next() => Ok(ExitCode::from(signal.exit_code())),
    }
}
