//! Waiting for something at most so long, by the system's clock: for those who are no actors and have no context, and for
//! whatever is no ask. Ends only the wait; what is waited for is the caller's to drop.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use crate::ask::Alarm;
use crate::system::System;

impl System {
    /// Waits for a future, at most so long: its value, or nothing if the time has passed. Never early, late by at most
    /// 10 ms; in simulation exact to the millisecond. With [`Duration::MAX`] there is no limit.
    ///
    /// A future given by reference can be waited for again.
    ///
    /// When not to use this: for an ask, which has a deadline of its own that its actor knows of: [`Addr::ask_within`].
    ///
    /// # Cancel safety
    /// That of the future.
    ///
    /// [`Addr::ask_within`]: crate::Addr::ask_within
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use minder_runtime::System;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new()?;
    /// let soon = Duration::from_millis(20);
    /// assert_eq!(system.within(soon, async { 1 }).await, Some(1));
    /// assert_eq!(system.within(soon, std::future::pending::<u8>()).await, None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn within<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut alarm = Alarm::new(&self.shared, self.shared.now() + limit);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if alarm.is_due(cx.waker()) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}
