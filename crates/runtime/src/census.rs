//! All actors of a system, one by one: a walk down the lines of minders that knows its place and keeps no list. Between two
//! steps no lock is held and nothing stands still, so what it says of those who come and go meanwhile is left open.

use std::fmt;
use std::ops::Bound::{Excluded, Unbounded};

use crate::actor_ref::ActorRef;
use crate::life::Peer;
use crate::system::System;

/// The actors of a system, one by one: see [`System::actors`].
pub struct Actors {
    system: System,
    /// The next place to look at among the actors that the system minds.
    place: usize,
    /// The minders above the actor that was last told, and how far their children have been told.
    above: Vec<Branch>,
}

struct Branch {
    minder: Peer,
    /// The cell of the child that was told last.
    last: u64,
}

impl Peer {
    /// Its first child of a later cell than this one, if it lives.
    fn child_after(&self, cell: u64) -> Option<Self> {
        let mut life = self.cell.core().life();
        if !life.is(self.id()) {
            return None;
        }
        let mut later = life.ties_if_any()?.children.range((Excluded(cell), Unbounded));
        later.next().map(|(_, child)| child.clone())
    }
}

impl Actors {
    fn next_peer(&mut self) -> Option<Peer> {
        while let Some(branch) = self.above.last_mut() {
            if let Some(child) = branch.minder.child_after(branch.last) {
                branch.last = child.id().cell();
                return Some(child);
            }
            self.above.pop();
        }
        let (place, root) = self.system.shared.root_from(self.place)?;
        self.place = place + 1;
        Some(root)
    }
}

impl Iterator for Actors {
    type Item = ActorRef;

    fn next(&mut self) -> Option<ActorRef> {
        loop {
            let peer = self.next_peer()?;
            if peer.lives() {
                self.above.push(Branch { minder: peer.clone(), last: 0 });
                return Some(ActorRef { peer });
            }
        }
    }
}

impl fmt::Debug for Actors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actors").field("depth", &self.above.len()).finish_non_exhaustive()
    }
}

impl System {
    /// All actors that live, one by one, each after whoever minds it: for figures, a page for operators, a test that looks for
    /// somebody. It takes no list of them, locks one life at a time and nobody for long, and copies no messages: it does no
    /// harm in a system of a million actors.
    ///
    /// Whoever lives from this call to the end of the walk, and with it the minders above it, comes once; of those who come or
    /// go meanwhile some do, and no incarnation comes twice. One whose minder has ended is told to stop by that, and does not
    /// come.
    ///
    /// When not to use this: to find somebody to talk to. Names, services and groups are for that.
    ///
    /// # OTP
    /// `processes_iterator/0` and `processes_next/1`, which promise as much.
    ///
    /// ```
    /// # use minder_runtime::{Actor, Context, Handled, System};
    /// # struct Sink;
    /// # impl Actor for Sink {
    /// #     type Msg = u64;
    /// #     async fn handle(&mut self, _: u64, _: &mut Context<u64>) -> Handled { Ok(()) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::new()?;
    /// let (idle, busy) = (system.spawn(|| Sink)?, system.spawn(|| Sink)?);
    /// (0..10_u64).try_for_each(|number| busy.tell(number))?;
    /// let longest = system.actors().max_by_key(|actor| actor.statistics().queued);
    /// assert_eq!(longest.map(|actor| actor.id()), Some(busy.id()));
    /// assert!(system.actors().any(|actor| actor.id() == idle.id()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn actors(&self) -> Actors {
        Actors { system: self.clone(), place: 0, above: Vec::new() }
    }
}
