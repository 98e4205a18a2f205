//! A scope of groups: where groups are found by name, and the way in for its keeper.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use minder_runtime::{Capacity, MailboxOptions, Seat, System, WhenFull};

use crate::feed::Feed;
use crate::group::Group;
use crate::keeper::{Keeper, KeeperMsg};
use crate::member::Tenure;
use crate::scope::Scope;
use crate::table::{Key, Table};
use crate::watch::{View, Watch};

/// Groups of actors of one system, apart from those of any other scope. Clones are the same scope.
///
/// What is known of the groups is held by these handles together. The *keeper*, an actor, only watches the members, so
/// that they leave by themselves: start it in the seat that comes with the groups, as an early child of the tree.
/// When the keeper crashes nothing is lost: joins, leaves, reads and watches go on, and its next life sees who ended in
/// between. Before its first start members can join as well. Once its seat is given up, joins are refused, watches end,
/// and what is left of the groups can still be read.
///
/// Members must live in the system that the scope was made for.
///
/// A scope lasts as long as the keeper's seat, wherever that was made. Made outside the tree it outlives restarts of the
/// keeper and of the supervisors above it. Made inside a start (by the code that makes a tree anew each time, or in the
/// `started` of an actor whose child the keeper is) it ends with that life: the next makes another, which is empty, and
/// by a handle of the old one nobody joins any more. Make it inside if the groups mean nothing without the part of the tree
/// that is restarted, and all who join are restarted with it or look the groups up again; or else outside.
///
/// # OTP
/// A scope of `pg`, which begins empty after each restart (PG-008): so does one made inside a start.
#[derive(Clone)]
pub struct Groups {
    scope: Arc<Scope>,
}

/// One membership of a group, as [`Groups::watch`] tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The group's name.
    pub group: Arc<str>,
    /// Who is in it.
    pub member: Tenure,
}

impl Groups {
    /// A scope without groups, and the seat for its keeper.
    pub fn new(system: &System) -> (Self, Seat<KeeperMsg>) {
        // Rule 3 of the keeper: one message is enough.
        let mailbox = MailboxOptions { capacity: Capacity::of(1), when_full: WhenFull::Reject };
        let (keeper, seat) = system.address_with(mailbox);
        (Self { scope: Arc::new(Scope::new(keeper)) }, seat)
    }

    /// What makes the keeper, at each start anew.
    pub fn keeper(&self) -> impl Fn() -> Keeper + Clone + Send + Sync + 'static {
        let scope = self.scope.clone();
        move || Keeper::new(scope.clone())
    }

    /// The group of that name. Groups need no creation: there is one as soon as somebody joins, and none when the last
    /// has left. Groups for different messages are different groups, also under the same name.
    pub fn group<M: Send + 'static>(&self, name: impl Into<Arc<str>>) -> Group<M> {
        Group::new(self.scope.clone(), Key { name: name.into(), message: TypeId::of::<M>() })
    }

    /// The names of all groups that have members, in alphabetical order.
    ///
    /// # OTP
    /// `pg:which_groups/1`.
    pub fn names(&self) -> Vec<Arc<str>> {
        self.scope.lock().names()
    }

    /// Watches all groups of the scope.
    ///
    /// # OTP
    /// `pg:monitor_scope/1`.
    pub fn watch(&self) -> Watch<Membership> {
        let mut table = self.scope.lock();
        let members = table.memberships();
        let feed = table.feeds.add(members);
        drop(table);
        Watch::new(self.scope.clone(), feed, All)
    }
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Groups").field("names", &self.names()).finish_non_exhaustive()
    }
}

/// Every group of a scope.
struct All;

impl View<Membership> for All {
    fn now(&self, table: &mut Table) -> Vec<Membership> {
        table.memberships()
    }

    fn forget(&self, table: &mut Table, feed: &Arc<Feed<Membership>>) {
        table.feeds.remove(feed);
    }
}
