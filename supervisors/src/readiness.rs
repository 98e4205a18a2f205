//! Whether a running tree is ready to serve: waits for it supervisor by supervisor, and names who is not.
//! Readiness is a state and not a moment: a child that crashes is not ready until its next life says so.
//! Does not follow a tree; whoever wants to know again asks again.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use minder_runtime::System;

use crate::errors::Unavailable;
use crate::question::{Outcome, Question};
use crate::root::Root;

/// What one supervisor saw when it was asked.
pub(crate) struct Sighting {
    /// Whether it had to wait until its children were ready.
    pub(crate) waited: bool,
    /// Who was not ready, by path.
    pub(crate) unready: Vec<Arc<str>>,
    /// The supervisors among its children that are up, as far as it knows.
    pub(crate) below: Vec<Root>,
}

/// Why a tree was not seen to be ready.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ReadyError {
    /// The time is over, and these were not ready then, by path.
    Late(Vec<Arc<str>>),
    /// The supervisor did not answer.
    Unavailable(Unavailable),
}

impl fmt::Display for ReadyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(unready) => write!(f, "not ready in time: {}", unready.join(", ")),
            Self::Unavailable(why) => fmt::Display::fmt(why, f),
        }
    }
}

impl Error for ReadyError {}

impl From<Unavailable> for ReadyError {
    fn from(why: Unavailable) -> Self {
        Self::Unavailable(why)
    }
}

impl Root {
    /// Resolves when every child in the whole tree that says when it is ready to serve
    /// ([`Child::reports_ready`](crate::Child::reports_ready)) has said so. A child that is down, because it was stopped,
    /// has finished or had nothing to run, is not waited for; one that is being started, or to be, is.
    ///
    /// A tree may cease to be ready in the next moment. For an end point that is asked again and again, see
    /// [`Root::unready`].
    ///
    /// # Errors
    /// [`Unavailable`] if this supervisor ends meanwhile. Ends of those below are waited out.
    ///
    /// # Cancel safety
    /// Dropping the future loses only the wait.
    ///
    /// # OTP
    /// There is no such thing: a child is up, or not.
    ///
    /// ```
    /// use std::time::Duration;
    /// use minder_runtime::{Readiness, System};
    /// use minder_supervisors::{one_for_one, reporting_task};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let system = System::new().expect("inside a runtime");
    /// let cache = reporting_task("cache", |readiness: Readiness| async move {
    ///     // … warm it …
    ///     readiness.ready();
    ///     std::future::pending::<()>().await
    /// });
    /// let root = one_for_one().child(cache).start(&system, "top").await.expect("it is up");
    /// root.ready_within(Duration::from_secs(5)).await.expect("and soon ready");
    /// assert!(root.unready().await.expect("it lives").is_empty());
    /// # }
    /// ```
    pub async fn ready(&self) -> Result<(), Unavailable> {
        // What was ready when it was looked at may not be any more when the last is: until nobody has to wait.
        while self.wait_for_each().await? {}
        Ok(())
    }

    /// [`Root::ready`], and an error that names who is not ready if that takes longer.
    ///
    /// # Errors
    /// See [`ReadyError`].
    ///
    /// # Cancel safety
    /// Dropping the future loses only the wait.
    pub async fn ready_within(&self, within: Duration) -> Result<(), ReadyError> {
        let system = System::of_address(self.address());
        let (mut ready, mut late) = (pin!(self.ready()), pin!(system.sleep(within)));
        let ready = poll_fn(|cx| match ready.as_mut().poll(cx) {
            Poll::Ready(ready) => Poll::Ready(Some(ready)),
            Poll::Pending => late.as_mut().poll(cx).map(|()| None),
        });
        if let Some(ready) = ready.await {
            return Ok(ready?);
        }
        match self.unready().await? {
            unready if unready.is_empty() => Ok(()),
            unready => Err(ReadyError::Late(unready)),
        }
    }

    /// Who in the whole tree keeps it from being ready, by path; nobody if it is ready. Answered at once, also while a
    /// supervisor starts or stops somebody: for an end point that says whether to send work here. That it is answered shows
    /// that the supervisors are alive.
    ///
    /// A child that does not say when it is ready is never named, unless it is a supervisor that is on its way up.
    ///
    /// # Errors
    /// [`Unavailable`] if this supervisor does not live. Those below that end meanwhile are named by their own.
    pub async fn unready(&self) -> Result<Vec<Arc<str>>, Unavailable> {
        let mut unready = Vec::new();
        let mut left = vec![self.clone()];
        while let Some(root) = left.pop() {
            match root.look(Question::Unready).await {
                Ok(mut sighting) => {
                    unready.append(&mut sighting.unready);
                    left.extend(sighting.below.into_iter().rev());
                }
                Err(why) if root.is(self) => return Err(why),
                Err(_) => unready.push(root.address().path()),
            }
        }
        Ok(unready)
    }

    /// Waits for each supervisor in turn, from the top; whether any of them was not ready.
    async fn wait_for_each(&self) -> Result<bool, Unavailable> {
        let mut waited = false;
        let mut left = vec![self.clone()];
        while let Some(root) = left.pop() {
            match root.look(Question::WhenReady).await {
                Ok(sighting) => {
                    waited |= sighting.waited;
                    left.extend(sighting.below);
                }
                // It has ended: whoever minds it knows, or is about to, and is asked in the next round.
                Err(Unavailable::NotThere | Unavailable::Ended(_)) if !root.is(self) => waited = true,
                Err(why) => return Err(why),
            }
        }
        Ok(waited)
    }

    async fn look(&self, question: Question) -> Result<Sighting, Unavailable> {
        match self.ask(question).await? {
            Outcome::Sighting(sighting) => Ok(sighting),
            other => other.out_of_place("a look at readiness"),
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.address().id().cell() == other.address().id().cell()
    }
}
