//! The keeper: the actor that watches members, so that they leave by themselves. It keeps nothing that matters.
//!
//! Rule 1: the table is the truth, and does not live in the keeper. Joins, leaves, reads and watches go on while no
//! keeper lives; what waits for its next life is only that the dead leave.
//! Rule 2: a life of the keeper begins with everybody on the table. A monitor on a life that is over fires at once, so
//! nobody who ended in between is missed.
//! Rule 3: a message says only "look"; what there is to look at stands in the table. So one waiting message is enough,
//! and one that was lost in a crash is not missed.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use minder_runtime::{Actor, ActorId, Context, ExitReason, Handled, MonitorId, Notice};

use crate::feed::Wakes;
use crate::member::{Tenure, Watchable};
use crate::scope::Scope;

/// What the keeper is told: to look at the table.
#[derive(Clone, Copy, Debug)]
pub struct KeeperMsg(pub(crate) ());

/// Watches the members of the groups of one scope. Made by [`Groups::keeper`](crate::Groups::keeper).
pub struct Keeper {
    scope: Arc<Scope>,
    me: Option<ActorId>,
    monitors: HashMap<Tenure, MonitorId>,
    watched: HashMap<MonitorId, Tenure>,
}

/// The keeper was started in a seat that is not its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongSeat;

impl fmt::Display for WrongSeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the keeper belongs in the seat that `Groups::new` returned with its groups: start it there",
        )
    }
}

impl std::error::Error for WrongSeat {}

impl Keeper {
    pub(crate) fn new(scope: Arc<Scope>) -> Self {
        Self { scope, me: None, monitors: HashMap::new(), watched: HashMap::new() }
    }

    fn look(&mut self, context: &mut Context<KeeperMsg>) {
        let changed = self.scope.lock().take_changed();
        for (tenure, member) in changed {
            match (member, self.monitors.get(&tenure).copied()) {
                (Some(member), None) => self.watch(tenure, &*member, context),
                (None, Some(monitor)) => {
                    self.forget(monitor);
                    context.demonitor(monitor);
                }
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
    }

    fn watch(&mut self, tenure: Tenure, member: &dyn Watchable, context: &mut Context<KeeperMsg>) {
        match member.watch(context) {
            Some(monitor) => {
                self.monitors.insert(tenure, monitor);
                self.watched.insert(monitor, tenure);
            }
            None => self.end(tenure, ExitReason::NoActor),
        }
    }

    fn forget(&mut self, monitor: MonitorId) -> Option<Tenure> {
        let tenure = self.watched.remove(&monitor)?;
        self.monitors.remove(&tenure);
        Some(tenure)
    }

    fn end(&self, tenure: Tenure, reason: ExitReason) {
        let mut wakes = Wakes::default();
        self.scope.lock().end(tenure, reason, &mut wakes);
        wakes.wake();
    }
}

impl Actor for Keeper {
    type Msg = KeeperMsg;

    async fn started(&mut self, context: &mut Context<KeeperMsg>) -> Handled {
        if context.address() != self.scope.keeper {
            return Err(WrongSeat.into());
        }
        self.me = Some(context.id());
        self.scope.lock().attend(context.id());
        self.look(context);
        Ok(())
    }

    async fn handle(&mut self, KeeperMsg(()): KeeperMsg, context: &mut Context<KeeperMsg>) -> Handled {
        self.look(context);
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, _: &mut Context<KeeperMsg>) -> Handled {
        if let Notice::Down(down) = notice
            && let Some(tenure) = self.forget(down.monitor)
        {
            self.end(tenure, down.reason);
        }
        Ok(())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(me) = self.me {
            self.scope.lock().unattend(me);
        }
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("watched", &self.watched.len()).finish_non_exhaustive()
    }
}
