//! Which listeners are done with an event whose publisher waits for that. A receipt stands beside the event in each line, and
//! is with the listener that has the event in hand; the publisher waits until there is none any more.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Dropped without a word it says that the event was missed.
#[derive(Clone)]
pub(crate) struct Receipt(UnboundedSender<()>);

impl Receipt {
    /// One for each listener is cloned of this. The other end gets a word of each that is done.
    pub(crate) fn new() -> (Self, UnboundedReceiver<()>) {
        let (done, all) = unbounded_channel();
        (Self(done), all)
    }

    /// The listener is done with the event.
    pub(crate) fn done(self) {
        // The publisher may have turned away: fine.
        let _ = self.0.send(());
    }
}
