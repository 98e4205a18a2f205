//! Logs: what is asked for, to standard error, as text for people or one JSON object a line.
//! What stands in them: `docs/events.md`, held by a test.

use std::fmt;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::cli::LogFormat;

/// A text that is no log filter.
#[derive(Debug)]
pub struct BadFilter {
    source: &'static str,
    text: String,
    why: ParseError,
}

impl fmt::Display for BadFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, text, why } = self;
        write!(
            f,
            "{source}: `{text}` is no log filter ({why}): write a level, or levels by target as in minder=debug"
        )
    }
}

impl std::error::Error for BadFilter {}

/// Starts logging what `asked` or else `RUST_LOG` says; whether that is anything.
///
/// # Errors
/// If it is no filter.
pub fn start(asked: Option<&str>, format: LogFormat) -> Result<bool, BadFilter> {
    let (source, text) = match (asked, std::env::var("RUST_LOG")) {
        (Some(text), _) => ("--log", text.to_owned()),
        (None, Ok(text)) if !text.is_empty() => ("RUST_LOG", text),
        _ => return Ok(false),
    };
    let filter = EnvFilter::builder().parse(&text).map_err(|why| BadFilter { source, text, why })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(true)
}
