//! One actor under one key, with a value: a [`Directory`] in which a key has at most one entry.
//!
//! When not to use this: for a word that is to be known in the whole system and to stay over restarts, which is a name.

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use crate::addr::Addr;
use crate::context::Context;
use crate::directory::{Directory, Listed};
use crate::directory_watch::DirectoryWatch;

/// Entries of actors, one under a key. Clones are the same directory.
///
/// As in a [`Directory`], an entry belongs to the incarnation that made it, and is gone before anybody hears of that one's end:
/// whoever hears of it finds the key free.
///
/// # OTP
/// Elixir's `Registry` with unique keys.
///
/// ```
/// use minder_runtime::{Actor, Context, Handled, Reply, System, UniqueDirectory};
///
/// type Tables = UniqueDirectory<u32, &'static str>;
///
/// /// Sits down at a table, if it is free.
/// struct Guest(&'static str, Tables);
/// impl Actor for Guest {
///     type Msg = (u32, Reply<bool>);
///     async fn handle(&mut self, (table, reply): Self::Msg, context: &mut Context<Self::Msg>) -> Handled {
///         drop(reply.send(self.1.claim(context, table, self.0).is_ok()));
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (system, tables) = (System::new()?, Tables::new());
/// let (ann, bob) = (tables.clone(), tables.clone());
/// let ann = system.spawn(move || Guest("Ann", ann))?;
/// let bob = system.spawn(move || Guest("Bob", bob))?;
/// assert!(ann.ask(|reply| (7, reply)).await?);
/// assert!(!bob.ask(|reply| (7, reply)).await?);
/// ann.kill();
/// ann.ended().await;
/// assert!(bob.ask(|reply| (7, reply)).await?);
/// # Ok(())
/// # }
/// ```
pub struct UniqueDirectory<K, V> {
    entries: Directory<K, V>,
}

/// A key belongs to somebody, also if that is who asks.
#[derive(Clone, Debug)]
pub struct AlreadyClaimed<V> {
    /// Whose it is, and what that one said of itself.
    pub by: Listed<V>,
}

impl<V> fmt::Display for AlreadyClaimed<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key belongs to {}", self.by.owner)
    }
}

impl<V: fmt::Debug> std::error::Error for AlreadyClaimed<V> {}

/// A key is not this actor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotClaimed;

impl fmt::Display for NotClaimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key is not this actor's: claim it first")
    }
}

impl std::error::Error for NotClaimed {}

impl<K, V> UniqueDirectory<K, V>
where
    K: Hash + Eq + Clone + Send + 'static,
    V: Send + Sync + 'static,
{
    /// Nobody is in it.
    pub fn new() -> Self {
        Self { entries: Directory::new() }
    }

    /// Enters this actor under a key that nobody has. The entry goes when this life ends.
    ///
    /// # Errors
    /// If somebody has it: who, also if it is this actor itself.
    ///
    /// # OTP
    /// `Registry.register/3` with unique keys.
    pub fn claim<M: Send + 'static>(
        &self,
        context: &mut Context<M>,
        key: K,
        value: V,
    ) -> Result<(), AlreadyClaimed<V>> {
        self.entries.enter(context, key, value, true).map_err(|by| AlreadyClaimed { by })
    }

    /// Changes the value of a key that this actor has; returns the old one.
    ///
    /// # Errors
    /// If it has not.
    ///
    /// # OTP
    /// `Registry.update_value/3`.
    pub fn update<M, Q>(&self, context: &mut Context<M>, key: &Q, value: V) -> Result<Arc<V>, NotClaimed>
    where
        M: Send + 'static,
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.entries.replace(context, key, value).ok_or(NotClaimed)
    }

    /// Gives a key back that this actor has; its value, or nothing if it had not.
    ///
    /// # OTP
    /// `Registry.unregister/2`.
    pub fn withdraw<M, Q>(&self, context: &mut Context<M>, key: &Q) -> Option<Arc<V>>
    where
        M: Send + 'static,
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.entries.withdraw(context, key).pop()
    }

    /// Who has the key. It has not ended and been heard of when this is called.
    ///
    /// # OTP
    /// `Registry.lookup/2`.
    pub fn lookup<Q>(&self, key: &Q) -> Option<Listed<V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.entries.lookup(key).pop()
    }

    /// Which keys the actor has that lives at the address, in the order in which it claimed them.
    ///
    /// # OTP
    /// `Registry.keys/2`.
    pub fn keys_of<M: Send + 'static>(&self, actor: &Addr<M>) -> Vec<K> {
        self.entries.keys_of(actor)
    }

    /// All keys that belong to somebody, with whose they are, in the order in which they were claimed: a copy.
    ///
    /// # OTP
    /// `Registry.select/2` and `Registry.match/3`, whose patterns are iterators and closures here.
    pub fn entries(&self) -> Vec<(K, Listed<V>)> {
        self.entries.entries()
    }

    /// Tells which keys belong to whom, and then what changes: see [`Directory::watch`].
    pub fn watch(&self) -> DirectoryWatch<K, V> {
        self.entries.watch()
    }

    /// How many keys belong to somebody.
    pub fn count(&self) -> usize {
        self.entries.count()
    }
}

impl<K, V> Default for UniqueDirectory<K, V>
where
    K: Hash + Eq + Clone + Send + 'static,
    V: Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> Clone for UniqueDirectory<K, V> {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone() }
    }
}

impl<K, V> fmt::Debug for UniqueDirectory<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UniqueDirectory")
    }
}
