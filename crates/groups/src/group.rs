//! A group: many actors under one name, all of which take the same messages.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use minder_runtime::{Addr, Context, ExitReason, TellError};

use crate::feed::{Feed, Wakes};
use crate::member::{Member, Tenure};
use crate::scope::Scope;
use crate::table::{Key, Table};
use crate::watch::{View, Watch};

/// A group by its name. Clones are the same group.
///
/// A member may be in it several times. Each membership counts: in [`Group::members`], at a broadcast, and when turns
/// are taken.
///
/// # When not to use this
/// For actors of different kinds that are interested in the same events: let them listen to a [`Bus`](crate::Bus).
///
/// # OTP
/// A group of `pg`. A process is a life here, so [`Group::join`] is `pg:join/3`; a member by its seat has no equal.
pub struct Group<M> {
    scope: Arc<Scope>,
    key: Key,
    message: PhantomData<fn(M)>,
}

impl<M: Send + 'static> Group<M> {
    pub(crate) fn new(scope: Arc<Scope>, key: Key) -> Self {
        Self { scope, key, message: PhantomData }
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.key.name
    }

    // --- coming and going --------------------------------------------------------------------------------------

    /// The actor whose context this is joins, for as long as this life lasts: the usual way, called in `started`.
    /// A restarted actor is a member again when its new life has joined, and gets nothing while it cannot handle it.
    ///
    /// # Errors
    /// As [`Group::join_many`].
    ///
    /// # OTP
    /// `pg:join/3`.
    pub fn join(&self, context: &Context<M>) -> Result<Member<M>, JoinError> {
        self.join_one(Member::life(context))
    }

    /// The seat behind an address joins, over all the lives in it, until it is given up. What is sent while nobody
    /// lives there waits for the next life.
    ///
    /// # Errors
    /// As [`Group::join_many`].
    pub fn join_seat(&self, address: &Addr<M>) -> Result<Member<M>, JoinError> {
        self.join_one(Member::seat(address))
    }

    fn join_one(&self, member: Member<M>) -> Result<Member<M>, JoinError> {
        self.join_many(std::slice::from_ref(&member))?;
        Ok(member)
    }

    /// All of these join, or none does. One that is named twice joins twice.
    ///
    /// # Errors
    /// [`JoinError::Over`] if one is a life that has ended; [`JoinError::Stopped`] if nobody watches members any more.
    pub fn join_many(&self, members: &[Member<M>]) -> Result<(), JoinError> {
        let mut wakes = Wakes::default();
        {
            let mut table = self.scope.lock();
            if let Some(over) = members.iter().find(|member| member.is_over()) {
                return Err(JoinError::Over(over.tenure()));
            }
            self.scope.poke().map_err(JoinError::Stopped)?;
            members.iter().for_each(|member| table.join(&self.key, member, &mut wakes));
        }
        wakes.wake();
        Ok(())
    }

    /// Takes one membership away.
    ///
    /// # Errors
    /// If it had none, or none any more.
    ///
    /// # OTP
    /// `pg:leave/3`.
    pub fn leave(&self, member: &Member<M>) -> Result<(), NotJoined> {
        if self.leave_many(std::slice::from_ref(member)) == 0 { Err(NotJoined) } else { Ok(()) }
    }

    /// Takes one membership of each of these away; returns how many there were.
    pub fn leave_many(&self, members: &[Member<M>]) -> usize {
        let mut wakes = Wakes::default();
        let left = {
            let mut table = self.scope.lock();
            // Leaving is possible also when nobody watches any more.
            drop(self.scope.poke());
            members.iter().filter(|member| table.leave::<M>(&self.key, member.tenure(), &mut wakes)).count()
        };
        wakes.wake();
        left
    }

    // --- reading -----------------------------------------------------------------------------------------------

    /// Everybody, once for each membership, in the order in which they joined. A life that has just ended may still be
    /// among them.
    ///
    /// # OTP
    /// `pg:get_members/2`.
    pub fn members(&self) -> Arc<[Member<M>]> {
        match self.scope.lock().roll::<M>(&self.key) {
            Some(roll) => roll.list(),
            None => Arc::default(),
        }
    }

    /// Watches the group: its members, at once, and then who comes and goes.
    ///
    /// # OTP
    /// `pg:monitor/2`.
    pub fn watch(&self) -> Watch<Member<M>> {
        let mut table = self.scope.lock();
        let roll = table.roll_or_new::<M>(&self.key);
        let members = roll.list().to_vec();
        let feed = roll.feeds.add(members);
        drop(table);
        Watch::new(self.scope.clone(), feed, self.clone())
    }

    // --- sending -----------------------------------------------------------------------------------------------

    /// Tells every member, without waiting for any; one that is in several times gets it several times.
    pub fn broadcast(&self, message: &M) -> Broadcast<M>
    where
        M: Clone,
    {
        self.broadcast_with(|_| message.clone())
    }

    /// [`Group::broadcast`] of messages that are made for each member, because they cannot be cloned or differ.
    ///
    /// No lock is held while they are made and sent.
    pub fn broadcast_with(&self, mut make: impl FnMut(&Member<M>) -> M) -> Broadcast<M> {
        let mut broadcast = Broadcast { told: 0, refused: Vec::new() };
        for member in self.members().iter() {
            match member.tell(make(member)) {
                Ok(()) => broadcast.told += 1,
                Err(error) => broadcast.refused.push(Refused { member: member.clone(), error }),
            }
        }
        broadcast
    }

    /// The member whose turn it is, if there is one: each membership has its turn before any has a second one. Passes
    /// over lives that have ended, also when nobody has noticed yet.
    pub fn pick(&self) -> Option<Member<M>> {
        self.scope.lock().roll::<M>(&self.key)?.take_turn()
    }

    /// A member by chance, where chance is a random number of the caller's, such as
    /// [`Context::random`](minder_runtime::Context::random). Passes over lives that have ended.
    pub fn pick_random(&self, random: u64) -> Option<Member<M>> {
        let members = self.members();
        let scaled = (u128::from(random) * members.len() as u128) >> 64;
        let (before, from) = members.split_at(usize::try_from(scaled).unwrap_or(0));
        from.iter().chain(before).find(|member| !member.is_over()).cloned()
    }

    /// Tells one member, the one whose turn it is; if it refuses, the one after it, until one has taken the message or
    /// each has been tried.
    ///
    /// # Errors
    /// Gives the message back if nobody took it.
    pub fn tell_one(&self, message: M) -> Result<Member<M>, TellOneError<M>> {
        let mut unsent = TellOneError::Nobody(message);
        for _ in 0..self.members().len() {
            let Some(member) = self.pick() else { break };
            match member.tell(unsent.into_message()) {
                Ok(()) => return Ok(member),
                Err(error) => unsent = TellOneError::Refused(error),
            }
        }
        Err(unsent)
    }
}

impl<M: Send + 'static> View<Member<M>> for Group<M> {
    fn now(&self, table: &mut Table) -> Vec<Member<M>> {
        table.roll::<M>(&self.key).map(|roll| roll.list().to_vec()).unwrap_or_default()
    }

    fn forget(&self, table: &mut Table, feed: &Arc<Feed<Member<M>>>) {
        if let Some(roll) = table.roll::<M>(&self.key) {
            roll.feeds.remove(feed);
        }
        table.forget_if_unused(&self.key);
    }
}

impl<M> Clone for Group<M> {
    fn clone(&self) -> Self {
        Self { scope: self.scope.clone(), key: self.key.clone(), message: PhantomData }
    }
}

impl<M> fmt::Debug for Group<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({})", self.key.name)
    }
}

/// What became of a broadcast.
#[derive(Debug)]
#[must_use = "it says who did not get the message"]
pub struct Broadcast<M> {
    /// How many were told.
    pub told: usize,
    /// Who was not, in the order of the members.
    pub refused: Vec<Refused<M>>,
}

/// A member that was not told.
#[derive(Debug)]
pub struct Refused<M> {
    /// Who.
    pub member: Member<M>,
    /// Why; with its message.
    pub error: TellError<M>,
}

/// Why nobody joined.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum JoinError {
    /// This life has ended.
    Over(Tenure),
    /// The seat of the groups' keeper was given up, for this reason: nobody would notice the member's end.
    Stopped(ExitReason),
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Over(tenure) => write!(
                f,
                "{tenure:?} has ended: join in `started` of each life, or join the seat to stay over restarts"
            ),
            Self::Stopped(reason) => {
                write!(f, "the keeper of the groups is gone for good, so nobody can join any more: {reason}")
            }
        }
    }
}

impl std::error::Error for JoinError {}

/// It was not in the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJoined;

impl fmt::Display for NotJoined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is not in the group: it never joined, it has left, or its tenure has ended")
    }
}

impl std::error::Error for NotJoined {}

/// Why [`Group::tell_one`] found nobody. The message comes back.
#[derive(PartialEq)]
#[non_exhaustive]
pub enum TellOneError<M> {
    /// The group has no members.
    Nobody(M),
    /// Everybody refused; the last of them for this reason.
    Refused(TellError<M>),
}

impl<M> TellOneError<M> {
    /// The message.
    pub fn into_message(self) -> M {
        match self {
            Self::Nobody(message) => message,
            Self::Refused(error) => error.into_message(),
        }
    }
}

impl<M> fmt::Display for TellOneError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody(_) => f.write_str("the group has no members"),
            Self::Refused(error) => write!(f, "every member refused, the last one because {error}"),
        }
    }
}

impl<M> fmt::Debug for TellOneError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<M> std::error::Error for TellOneError<M> {}
