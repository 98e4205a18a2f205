//! Many actors under one key, each with a value: who serves this topic, which sessions this user has.
//!
//! An entry belongs to the incarnation that made it, since its value tells of that life's state: it goes with the end of
//! that life, before anybody hears of it, and the next life makes its own. A name ([`System::register`]) is for one actor
//! and stays over restarts.
//!
//! When not to use this: to send the same message to many actors; that is a process group, which knows what they take. For
//! keys that belong to one actor each there is `unique.rs`.
//!
//! [`System::register`]: crate::System::register

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{self, Poll};

use minder_signals::{ActorId, ExitReason, PanicReport};

use crate::addr::Addr;
use crate::context::Context;
use crate::directory_watch::{Aftermath, DirectoryEvent, DirectoryWatch, Feeds};
use crate::frame;
use crate::life::Peer;
use crate::why::Why;

/// Entries of actors, many of them under one key if need be. Clones are the same directory.
///
/// It belongs to whoever holds it: hand it to the actors that are to be in it, or offer it as a service.
///
/// # OTP
/// Elixir's `Registry` with duplicate keys.
///
/// ```
/// use minder_runtime::{Actor, Addr, Context, Directory, Handled, Reply, System};
///
/// type Sessions = Directory<&'static str, Addr<Msg>>;
///
/// struct Session(&'static str, Sessions);
/// enum Msg {
///     Ready(Reply<()>),
///     LogOut,
/// }
/// impl Actor for Session {
///     type Msg = Msg;
///     async fn started(&mut self, context: &mut Context<Msg>) -> Handled {
///         let me = context.address();
///         self.1.enlist(context, self.0, me);
///         Ok(())
///     }
///     async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
///         match message {
///             Msg::Ready(reply) => drop(reply.send(())),
///             Msg::LogOut => context.stop(minder_runtime::ExitReason::Normal),
///         }
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (system, sessions) = (System::new()?, Sessions::new());
/// for _ in 0..2 {
///     let sessions = sessions.clone();
///     system.spawn(move || Session("ann", sessions))?.ask(Msg::Ready).await?;
/// }
/// let of_ann = sessions.lookup("ann");
/// assert_eq!(of_ann.len(), 2);
/// of_ann[0].value.tell(Msg::LogOut)?;
/// of_ann[0].value.ended().await;
/// assert_eq!(sessions.lookup("ann").len(), 1); // it was gone before its end was heard of
/// # Ok(())
/// # }
/// ```
pub struct Directory<K, V> {
    shared: Arc<Mutex<State<K, V>>>,
}

/// One entry, as a look-up finds it.
pub struct Listed<V> {
    /// Whose it is.
    pub owner: ActorId,
    /// What it said of itself.
    pub value: Arc<V>,
}

/// By the address of its cell in memory, which is not used again while that life lasts, and the life in it. Not by
/// its id: a directory may be shared by several systems.
type Owner = (usize, u32);

struct State<K, V> {
    /// Entries are listed in the order in which they were made.
    made: u64,
    keys: HashMap<K, BTreeMap<u64, Entry<V>>>,
    /// Whoever stands here will leave at its end, even if it has withdrawn all its entries.
    owners: HashMap<Owner, Vec<(K, u64)>>,
    feeds: Feeds<K, V>,
}

struct Entry<V> {
    owner: Peer,
    value: Arc<V>,
}

impl<V> Entry<V> {
    fn listed(&self) -> Listed<V> {
        Listed { owner: self.owner.id(), value: self.value.clone() }
    }
}

impl<K, V> Directory<K, V>
where
    K: Hash + Eq + Clone + Send + 'static,
    V: Send + Sync + 'static,
{
    /// Nobody is in it.
    pub fn new() -> Self {
        let state = State { made: 0, keys: HashMap::new(), owners: HashMap::new(), feeds: Feeds::new() };
        Self { shared: Arc::new(Mutex::new(state)) }
    }

    /// Enters this actor under a key, once more if it is there already. The entry goes when this life ends.
    ///
    /// # OTP
    /// `Registry.register/3`.
    pub fn enlist<M: Send + 'static>(&self, context: &mut Context<M>, key: K, value: V) {
        let entered = self.enter(context, key, value, false);
        debug_assert!(entered.is_ok(), "there is room for any number under one key");
    }

    /// Enters this actor; if it is to be the only one under the key and there is another, that one comes back.
    pub(crate) fn enter<M: Send + 'static>(
        &self,
        context: &mut Context<M>,
        key: K,
        value: V,
        only: bool,
    ) -> Result<(), Listed<V>> {
        frame::effect();
        let peer = context.peer();
        let owner = owner_of(&peer);
        let value = Arc::new(value);
        let mut state = lock(&self.shared);
        if only && let Some(other) = state.keys.get(&key).and_then(|entries| entries.values().next()) {
            return Err(other.listed());
        }
        // Only now: one that is refused has nothing to leave.
        if !state.owners.contains_key(&owner) {
            let shared = self.shared.clone();
            let id = peer.id();
            context.at_end(move |reason| leave(&shared, owner, id, reason));
        }
        state.made += 1;
        let number = state.made;
        state.owners.entry(owner).or_default().push((key.clone(), number));
        let entry = Entry { owner: peer, value };
        let told = if state.feeds.any() {
            vec![DirectoryEvent::Entered(key.clone(), entry.listed())]
        } else {
            Vec::new()
        };
        state.keys.entry(key).or_default().insert(number, entry);
        let aftermath = state.feeds.tell(&told);
        drop(state);
        aftermath.settle();
        Ok(())
    }

    /// Changes the value of this actor's first entry under the key; the old one, if there was one.
    pub(crate) fn replace<M, Q>(&self, context: &mut Context<M>, key: &Q, value: V) -> Option<Arc<V>>
    where
        M: Send + 'static,
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        frame::effect();
        let owner = owner_of(&context.peer());
        let value = Arc::new(value);
        let mut state = lock(&self.shared);
        let State { keys, owners, feeds, .. } = &mut *state;
        let entry = keys.get_mut(key)?.values_mut().find(|entry| owner_of(&entry.owner) == owner)?;
        let old = std::mem::replace(&mut entry.value, value);
        let mut told = Vec::new();
        if feeds.any() {
            let entered = owners.get(&owner).into_iter().flatten();
            let key = entered.map(|(key, _)| key).find(|entered| (*entered).borrow() == key);
            told.extend(key.map(|key| DirectoryEvent::Updated(key.clone(), entry.listed())));
        }
        let aftermath = feeds.tell(&told);
        drop(state);
        aftermath.settle();
        Some(old)
    }

    /// Takes out all that this actor entered under the key; returns the values, none if there were none.
    ///
    /// # OTP
    /// `Registry.unregister/2`.
    pub fn withdraw<M, Q>(&self, context: &mut Context<M>, key: &Q) -> Vec<Arc<V>>
    where
        M: Send + 'static,
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        frame::effect();
        let owner = owner_of(&context.peer());
        let mut state = lock(&self.shared);
        let Some(entered) = state.owners.get_mut(&owner) else { return Vec::new() };
        let (taken, kept): (Vec<_>, Vec<_>) =
            std::mem::take(entered).into_iter().partition(|(entered, _)| entered.borrow() == key);
        *entered = kept;
        let values = taken.iter().filter_map(|(key, number)| state.take(key, *number)).collect();
        let aftermath = state.tell_that_left(taken.iter().map(|(key, _)| key), context.id(), &Why::Asked);
        drop(state);
        aftermath.settle();
        values
    }

    /// Who is in it under the key, in the order in which they entered. Nobody in the list has ended and been heard of
    /// when this is called.
    ///
    /// # OTP
    /// `Registry.lookup/2`, where the dead may be shown for a moment.
    pub fn lookup<Q>(&self, key: &Q) -> Vec<Listed<V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let state = lock(&self.shared);
        let Some(entries) = state.keys.get(key) else { return Vec::new() };
        entries.values().map(Entry::listed).collect()
    }

    /// Calls a function with all who are in it under the key, if there is anybody. It runs here, and holds up nobody: what it
    /// is given is a copy.
    ///
    /// # OTP
    /// `Registry.dispatch/3`.
    pub fn dispatch<Q, T>(&self, key: &Q, to: impl FnOnce(&[Listed<V>]) -> T) -> Option<T>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let listed = self.lookup(key);
        (!listed.is_empty()).then(|| to(&listed))
    }

    /// Under which keys the actor that lives at the address is in it, in the order in which it entered, each as often as it
    /// did.
    ///
    /// # OTP
    /// `Registry.keys/2`.
    pub fn keys_of<M: Send + 'static>(&self, actor: &Addr<M>) -> Vec<K> {
        let owner = owner_of(&actor.peer());
        let state = lock(&self.shared);
        let Some(entered) = state.owners.get(&owner) else { return Vec::new() };
        entered.iter().map(|(key, _)| key.clone()).collect()
    }

    /// All entries, in the order in which they were made: a copy, in which whoever called looks for what it wants.
    ///
    /// # OTP
    /// `Registry.select/2` and `Registry.match/3`, whose patterns are iterators and closures here.
    pub fn entries(&self) -> Vec<(K, Listed<V>)> {
        lock(&self.shared).entries()
    }

    /// Tells who is in it, and then who comes and goes: for an actor, by
    /// [`Context::attach`](crate::Context::attach). What waits for it is bounded: see [`DirectoryEvent::All`].
    ///
    /// When not to use this: to find out once who is there, or to hear of the end of one actor, which is a monitor's.
    pub fn watch(&self) -> DirectoryWatch<K, V> {
        let number = lock(&self.shared).feeds.add();
        DirectoryWatch::new(self.clone(), number)
    }

    pub(crate) fn poll_watch(&self, number: u64, cx: &mut task::Context<'_>) -> Poll<DirectoryEvent<K, V>> {
        let mut state = lock(&self.shared);
        let State { keys, feeds, .. } = &mut *state;
        feeds.take(number, cx, || entries_of(keys))
    }

    /// How many entries there are.
    pub fn count(&self) -> usize {
        lock(&self.shared).keys.values().map(BTreeMap::len).sum()
    }
}

impl<K, V> Directory<K, V> {
    pub(crate) fn watch_no_longer(&self, number: u64) {
        let feed = lock(&self.shared).feeds.remove(number);
        drop(feed);
    }
}

impl<K: Hash + Eq + Clone, V> State<K, V> {
    fn entries(&self) -> Vec<(K, Listed<V>)> {
        entries_of(&self.keys)
    }

    /// Entries of this actor are gone, one under each of these keys.
    fn tell_that_left<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k K>,
        owner: ActorId,
        why: &Why,
    ) -> Aftermath<K, V>
    where
        K: 'k,
    {
        let watched = self.feeds.any();
        let told = keys.filter(|_| watched).map(|key| DirectoryEvent::Left(key.clone(), owner, why.clone()));
        self.feeds.tell(&told.collect::<Vec<_>>())
    }

    fn take(&mut self, key: &K, number: u64) -> Option<Arc<V>> {
        let entries = self.keys.get_mut(key)?;
        let entry = entries.remove(&number);
        if entries.is_empty() {
            self.keys.remove(key);
        }
        entry.map(|entry| entry.value)
    }
}

fn entries_of<K: Clone, V>(keys: &HashMap<K, BTreeMap<u64, Entry<V>>>) -> Vec<(K, Listed<V>)> {
    let numbered = keys.iter().flat_map(|(key, entries)| entries.iter().map(move |entry| (key, entry)));
    let mut all: Vec<(u64, K, Listed<V>)> =
        numbered.map(|(key, (number, entry))| (*number, key.clone(), entry.listed())).collect();
    all.sort_unstable_by_key(|(number, ..)| *number);
    all.into_iter().map(|(_, key, entry)| (key, entry)).collect()
}

/// Takes out what the owner has entered, and drops it: code of users, each on its own, and with no lock.
fn leave<K: Hash + Eq + Clone, V>(
    shared: &Mutex<State<K, V>>,
    owner: Owner,
    id: ActorId,
    reason: &ExitReason,
) {
    let why = Why::Ended(reason.clone());
    let mut state = lock(shared);
    let entered = state.owners.remove(&owner).unwrap_or_default();
    let aftermath = state.tell_that_left(entered.iter().map(|(key, _)| key), id, &why);
    let take = |(key, number)| {
        let value = state.take(&key, number);
        (key, value)
    };
    let left: Vec<_> = entered.into_iter().map(take).collect();
    drop(state);
    aftermath.settle();
    if let Some(text) = frame::drop_each_caught(owner.0, left) {
        // Goes on in the departure, which adds it to the reason.
        frame::raise(PanicReport { text, ..PanicReport::default() });
    }
}

fn owner_of(peer: &Peer) -> Owner {
    (peer.cell.core().address(), peer.id().incarnation())
}

fn lock<K, V>(state: &Mutex<State<K, V>>) -> MutexGuard<'_, State<K, V>> {
    // Only code of a key (its hash, its equality) can have panicked in here; what it was about is lost, no more.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K, V> Default for Directory<K, V>
where
    K: Hash + Eq + Clone + Send + 'static,
    V: Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> Clone for Directory<K, V> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<K, V> fmt::Debug for Directory<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Directory")
    }
}

impl<V> Clone for Listed<V> {
    fn clone(&self) -> Self {
        Self { owner: self.owner, value: self.value.clone() }
    }
}

impl<V: fmt::Debug> fmt::Debug for Listed<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listed").field("owner", &self.owner).field("value", &self.value).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::{Actor, Handled};
    use crate::reply::Reply;
    use crate::system::System;

    /// Claims a key as often as it is asked to, gives it back unless it is to keep it, and tells how often it is to leave
    /// at its end.
    struct Claims {
        keys: Directory<u32, ()>,
        keeps: bool,
    }

    struct Claim(u32, Reply<usize>);

    impl Actor for Claims {
        type Msg = Claim;

        async fn handle(&mut self, Claim(times, reply): Claim, context: &mut Context<Claim>) -> Handled {
            for _ in 0..times {
                if self.keys.enter(context, 7, (), true).is_ok() && !self.keeps {
                    self.keys.withdraw(context, &7);
                }
            }
            let _ = reply.send(context.extra().at_end.len());
            Ok(())
        }
    }

    /// Each claim that was refused once left one more call at the end behind.
    #[tokio::test]
    async fn who_is_refused_has_nothing_to_leave_and_who_entered_leaves_once() {
        let (system, keys) = (System::new().expect("in a runtime"), Directory::new());
        let spawn = |keeps| {
            let keys = keys.clone();
            system.spawn(move || Claims { keys, keeps }).expect("open")
        };
        let (holder, other) = (spawn(true), spawn(false));
        // who claims a hundred times; how often it is to leave
        for (who, leaves) in [(&holder, 1), (&other, 0), (&other, 0)] {
            assert_eq!(who.ask(|reply| Claim(100, reply)).await.expect("it lives"), leaves);
        }
        holder.kill();
        holder.ended().await;
        for _ in 0..2 {
            assert_eq!(other.ask(|reply| Claim(100, reply)).await.expect("it lives"), 1);
        }
    }
}
