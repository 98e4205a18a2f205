//! Why an actor ended, as a type. What counts as abnormal is decided here and nowhere else.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::error::Error;
use core::fmt;
use core::time::Duration;

/// Why an actor ended. Cheap to clone: whatever is large is shared.
///
/// Any error converts into [`ExitReason::Error`], so that a handler ends its actor with `?`.
///
/// Two reasons are equal if they are of the same kind and print the same.
///
/// # OTP
/// `normal`, `shutdown`, `{shutdown, Term}`, `killed`, `noproc`; a raised error is [`ExitReason::Panic`], and any
/// other term is [`ExitReason::Error`] or [`ExitReason::Other`].
#[derive(Clone)]
#[non_exhaustive]
pub enum ExitReason {
    /// It had nothing more to do.
    Normal,
    /// It was told to stop by whoever minds it.
    Shutdown,
    /// As [`ExitReason::Shutdown`], and why.
    ShutdownWith(Arc<dyn Error + Send + Sync>),
    /// Somebody sent it the kill that cannot be trapped.
    Killed,
    /// There is no such actor, or not any more.
    NoActor,
    /// Its code panicked.
    Panic(Arc<PanicReport>),
    /// It returned an error.
    Error(Arc<dyn Error + Send + Sync>),
    /// Its handler awaited longer than its child spec allows; names the type of the message.
    Hung(&'static str),
    /// It did not say within this time of being up that it is ready to serve, as its child spec demands.
    NotReady(Duration),
    /// A word of the application's own. `Other("kill")` is an ordinary reason, not a kill.
    Other(Arc<str>),
}

impl ExitReason {
    /// Whether the exit was not an orderly one: everything but normal and the two shutdowns.
    ///
    /// This is the only definition; restart types, links and reports all ask it.
    pub fn is_abnormal(&self) -> bool {
        match self {
            Self::Normal | Self::Shutdown | Self::ShutdownWith(_) => false,
            Self::Killed
            | Self::NoActor
            | Self::Panic(_)
            | Self::Error(_)
            | Self::Hung(_)
            | Self::NotReady(_)
            | Self::Other(_) => true,
        }
    }

    /// Whether this is [`ExitReason::Normal`], the one reason that links do not pass on.
    pub fn is_normal(&self) -> bool {
        matches!(self, Self::Normal)
    }

    /// A reason in the application's own words.
    pub fn other(word: &str) -> Self {
        Self::Other(Arc::from(word))
    }

    /// An error as a reason.
    pub fn error(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Error(Arc::new(error))
    }

    /// A shutdown with its cause.
    pub fn shutdown_with(cause: impl Error + Send + Sync + 'static) -> Self {
        Self::ShutdownWith(Arc::new(cause))
    }

    /// The kind in one word, for logs and counters: `normal`, `shutdown`, `killed`, `no_actor`, `panic`, `error`,
    /// `hung`, `not_ready` or `other`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Shutdown | Self::ShutdownWith(_) => "shutdown",
            Self::Killed => "killed",
            Self::NoActor => "no_actor",
            Self::Panic(_) => "panic",
            Self::Error(_) => "error",
            Self::Hung(_) => "hung",
            Self::NotReady(_) => "not_ready",
            Self::Other(_) => "other",
        }
    }
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::Shutdown => f.write_str("shutdown"),
            Self::ShutdownWith(cause) => {
                f.write_str("shutdown")?;
                causes(f, &**cause)
            }
            Self::Killed => f.write_str("killed"),
            Self::NoActor => f.write_str("no such actor"),
            Self::Panic(report) => write!(f, "panic: {report}"),
            Self::Error(error) => {
                f.write_str("error")?;
                causes(f, &**error)
            }
            Self::Hung(message) => write!(f, "hung in {message}"),
            Self::NotReady(within) => write!(f, "not ready within {within:?}"),
            Self::Other(word) => f.write_str(word),
        }
    }
}

/// Appends an error and what caused it, outermost first.
fn causes(f: &mut fmt::Formatter<'_>, error: &(dyn Error + 'static)) -> fmt::Result {
    let mut next = Some(error);
    while let Some(error) = next {
        write!(f, ": {error}")?;
        next = error.source();
    }
    Ok(())
}

impl fmt::Debug for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for ExitReason {
    fn eq(&self, other: &Self) -> bool {
        use alloc::string::ToString;
        match (self, other) {
            (Self::Normal, Self::Normal)
            | (Self::Shutdown, Self::Shutdown)
            | (Self::Killed, Self::Killed)
            | (Self::NoActor, Self::NoActor) => true,
            (Self::Other(a), Self::Other(b)) => a == b,
            (Self::Hung(a), Self::Hung(b)) => a == b,
            (Self::NotReady(a), Self::NotReady(b)) => a == b,
            _ => {
                core::mem::discriminant(self) == core::mem::discriminant(other)
                    && self.to_string() == other.to_string()
            }
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for ExitReason {
    fn from(error: E) -> Self {
        Self::error(error)
    }
}

/// What is known of a panic.
#[derive(Clone, Debug, Default)]
pub struct PanicReport {
    /// The panic's text, or a remark that its payload was none.
    pub text: String,
    /// File, line and column, unless the application replaced the panic hook.
    pub location: Option<String>,
    /// The backtrace as text, if `RUST_BACKTRACE` asks for one.
    pub backtrace: Option<Box<str>>,
    /// Panics of the actor's own drop code while it was being cleared away after this one.
    pub while_dropping: Option<Box<str>>,
}

impl fmt::Display for PanicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if let Some(location) = &self.location {
            write!(f, " at {location}")?;
        }
        if let Some(text) = &self.while_dropping {
            write!(f, " (and while dropping: {text})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[derive(Debug)]
    struct Outer(Inner);
    #[derive(Debug)]
    struct Inner;

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("cannot pay")
        }
    }
    impl fmt::Display for Inner {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no money")
        }
    }
    impl Error for Inner {}
    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn what_is_abnormal_and_how_it_prints() {
        let report =
            PanicReport { text: "ouch".into(), location: Some("a.rs:1:2".into()), ..Default::default() };
        let rows = [
            (ExitReason::Normal, false, "normal"),
            (ExitReason::Shutdown, false, "shutdown"),
            (ExitReason::shutdown_with(Inner), false, "shutdown: no money"),
            (ExitReason::Killed, true, "killed"),
            (ExitReason::NoActor, true, "no such actor"),
            (ExitReason::Panic(Arc::new(report)), true, "panic: ouch at a.rs:1:2"),
            (ExitReason::from(Outer(Inner)), true, "error: cannot pay: no money"),
            (ExitReason::Hung("Pay"), true, "hung in Pay"),
            (ExitReason::NotReady(Duration::from_secs(5)), true, "not ready within 5s"),
            (ExitReason::other("kill"), true, "kill"),
        ];
        for (reason, abnormal, text) in rows {
            assert_eq!((reason.is_abnormal(), format!("{reason}").as_str()), (abnormal, text));
            assert_eq!(reason, reason.clone());
        }
        assert_ne!(ExitReason::Killed, ExitReason::other("killed"));
    }

    #[test]
    fn a_reason_is_small_enough_to_pass_around() {
        assert!(size_of::<ExitReason>() <= 24);
    }
}
