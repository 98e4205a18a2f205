//! The operating system's wish that a service end. Signal handling is global to a process, so it is never installed by
//! itself: only by an explicit call in a binary, the third of the platform's exceptions to "no global state".

use std::fmt;
use std::io;

/// What a process was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    /// Ctrl-C on its terminal.
    Interrupt,
    /// SIGTERM: an init system or an orchestrator wants it gone.
    Terminate,
}

impl StopSignal {
    /// The exit code by which shells tell that a process ended of this signal: 130 or 143.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

impl fmt::Display for StopSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "Ctrl-C",
            Self::Terminate => "SIGTERM",
        })
    }
}

/// The signals that ask a process to end, one after the other. From the first call on, they no longer end the process
/// by themselves: whoever listens must.
///
/// The custom among services: with the first signal, drain and stop in order; with the second, leave at once.
#[derive(Debug)]
pub struct StopSignals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignals {
    /// Listens from now on, on the caller's tokio runtime, which must have I/O enabled.
    ///
    /// # Errors
    /// The operating system's.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// The next signal.
    ///
    /// # Cancel safety
    /// No signal is lost when the future is dropped.
    pub async fn next(&mut self) -> StopSignal {
        #[cfg(unix)]
        return std::future::poll_fn(|cx| {
            if self.terminate.poll_recv(cx).is_ready() {
                return std::task::Poll::Ready(StopSignal::Terminate);
            }
            self.interrupt.poll_recv(cx).map(|_| StopSignal::Interrupt)
        })
        .await;
        #[cfg(not(unix))]
        match tokio::signal::ctrl_c().await {
            Ok(()) => StopSignal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
