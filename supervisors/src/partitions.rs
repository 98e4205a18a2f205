//! Partitions: as many copies of one child as it takes to share its work, each with a part of the keys for its own.
//!
//! Which partition a key belongs to is arithmetic: nobody is asked, and every run gives the same answer. The partitions are
//! children like any others; see `spec.rs`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use minder_runtime::{Addr, Seat, System};

use crate::child::Child;
use crate::errors::{RestartChildError, TerminateChildError};
use crate::root::Root;
use crate::spec::Spec;

/// The partitions of a tree, found by key. Clones are the same partitions; a look-up asks nobody.
///
/// A key always leads to the same partition: one that is a single integer (an `i64`, a newtype of a `u32`, an enum without
/// data) to the one whose number is the remainder of its absolute value, any other by a hash that is the same in every run
/// of a program. It is no format for a disk: another version of Rust may hash a type otherwise.
///
/// The addresses are good before the partitions have started, and over their restarts and those of their supervisor.
///
/// When not to use this: for partitions that come and go by their keys, which is a dynamic supervisor and a
/// [`Directory`](minder_runtime::Directory); for state that has to move when their number changes, since nothing moves it.
///
/// # OTP
/// Elixir's `PartitionSupervisor`.
///
/// ```
/// use minder_runtime::{Actor, Context, Handled, Reply, System};
/// use minder_supervisors::{actor_in, one_for_one, partitioned, tree};
///
/// struct Ledger(usize);
/// impl Actor for Ledger {
///     type Msg = Reply<usize>;
///     async fn handle(&mut self, reply: Reply<usize>, _: &mut Context<Self::Msg>) -> Handled {
///         drop(reply.send(self.0));
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new()?;
/// let (ledgers, spec) = partitioned(&system, one_for_one(), 4, |partition, seat| {
///     actor_in(&partition.to_string(), seat, move || Ledger(partition))
/// });
/// one_for_one().child(tree("ledgers", spec)).start(&system, "bank").await?;
/// assert_eq!(ledgers.of(&-7)?.ask(|reply| reply).await?, 3);
/// let of_ada = ledgers.of("Ada")?.clone();
/// assert_eq!(ledgers.of("Ada")?, &of_ada);
/// # Ok(())
/// # }
/// ```
pub struct Partitions<M> {
    shared: Arc<Shared<M>>,
}

struct Shared<M> {
    addresses: Box<[Addr<M>]>,
    /// The children's, in the same order.
    ids: Box<[Box<str>]>,
    size: Arc<Size>,
    /// Whether somebody changes their number.
    is_resized: AtomicBool,
}

/// How many partitions are found.
#[derive(Debug)]
pub(crate) struct Size {
    first: usize,
    present: AtomicUsize,
}

impl Size {
    /// A new life of their supervisor starts all of them.
    pub(crate) fn begin(&self) {
        self.set(self.first);
    }

    fn set(&self, size: usize) {
        self.present.store(size, Ordering::Release);
    }

    /// No more than these from now on; whether there were more.
    fn lower(&self, size: usize) -> bool {
        self.present.fetch_min(size, Ordering::AcqRel) > size
    }

    fn now(&self) -> usize {
        self.present.load(Ordering::Acquire)
    }
}

/// A number of partitions that makes use of the machine: as many as the program may use of its cores. It differs from
/// machine to machine; a simulation that is to be repeated elsewhere says a number.
pub fn one_per_core() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// So many partitions as children of `spec`, after those that it has, and how they are found. `child` makes each of its
/// number and the seat that it is to live in: with [`actor_in`](crate::actor_in), or [`tree_in`](crate::tree_in). Their ids
/// are up to it; the usual ones are their numbers.
///
/// # OTP
/// The options of Elixir's `PartitionSupervisor`. There is one partition for each core unless said otherwise; here that is
/// [`one_per_core`].
pub fn partitioned<M: Send + 'static>(
    system: &System,
    spec: Spec,
    partitions: usize,
    mut child: impl FnMut(usize, Seat<M>) -> Child,
) -> (Partitions<M>, Spec) {
    let size = Arc::new(Size { first: partitions, present: AtomicUsize::new(partitions) });
    let (mut addresses, mut ids, mut children) = (Vec::new(), Vec::new(), Vec::new());
    for partition in 0..partitions {
        let (address, seat) = system.address();
        let child = child(partition, seat);
        addresses.push(address);
        ids.push(Box::from(child.id()));
        children.push(child);
    }
    let mut spec = spec.children(children);
    spec.partitions.push(size.clone());
    let (addresses, ids) = (addresses.into(), ids.into());
    let shared = Arc::new(Shared { addresses, ids, size, is_resized: AtomicBool::new(false) });
    (Partitions { shared }, spec)
}

impl<M: Send + 'static> Partitions<M> {
    /// The partition that a key belongs to.
    ///
    /// # Errors
    /// If there are none at all, after [`Partitions::resize`] to zero. One that is being restarted is no error: what is sent
    /// to it waits. If their supervisor has ended for good, whoever uses the address is told.
    ///
    /// # OTP
    /// `{:via, PartitionSupervisor, {name, key}}`.
    pub fn of<K: Hash + ?Sized>(&self, key: &K) -> Result<&Addr<M>, NoPartition> {
        let size = self.len();
        if size == 0 {
            return Err(NoPartition { partition: None, of: 0 });
        }
        let mut hasher = KeyHasher::default();
        key.hash(&mut hasher);
        Ok(&self.shared.addresses[hasher.partition(size)])
    }

    /// The partition of this number, from 0.
    ///
    /// # Errors
    /// If there is none.
    pub fn at(&self, partition: usize) -> Result<&Addr<M>, NoPartition> {
        self.all().get(partition).ok_or(NoPartition { partition: Some(partition), of: self.len() })
    }

    /// All of them in order, for a question to each: see [`ask_many`](minder_runtime::ask_many).
    pub fn all(&self) -> &[Addr<M>] {
        &self.shared.addresses[..self.len()]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.shared.size.now()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Changes their number, at most to what it was at first; `supervisor` is theirs. Fewer: from now on keys lead to those
    /// that stay, and the others are stopped, the last one first. More: they are started again, and each is found once it
    /// is up. A new life of the supervisor begins with all of them.
    ///
    /// Not for temporary children, which cannot be started again. What is sent to a partition that is stopped waits until it
    /// is started again, unless its child says [`purge`](crate::Child::purge).
    ///
    /// # Errors
    /// See [`ResizeError`]; those that were done before it stay done.
    ///
    /// # Cancel safety
    /// Dropping the future leaves off where it was. Calling it again goes on.
    ///
    /// # OTP
    /// `PartitionSupervisor.resize!/2`.
    pub async fn resize(&self, supervisor: &Root, partitions: usize) -> Result<(), ResizeError> {
        let Shared { ids, size, is_resized, .. } = &*self.shared;
        if partitions > ids.len() {
            return Err(ResizeError::TooMany { asked: partitions, at_most: ids.len() });
        }
        if is_resized.swap(true, Ordering::AcqRel) {
            return Err(ResizeError::UnderWay);
        }
        let _over = Over(is_resized);
        // Before the first of them stops, so that nobody is sent to it.
        size.lower(partitions);
        loop {
            let mut begins_anew = false;
            for id in ids[partitions..].iter().rev() {
                supervisor.terminate_child(id).await.map_err(ResizeError::Stop)?;
                // A new life of the supervisor that came meanwhile has all of them again.
                begins_anew |= size.lower(partitions);
            }
            if !begins_anew {
                break;
            }
        }
        for partition in size.now()..partitions {
            match supervisor.restart_child(&ids[partition]).await {
                // Running if an earlier call was dropped before it had stopped this one.
                Ok(_) | Err(RestartChildError::Running | RestartChildError::Restarting) => {
                    size.set(partition + 1);
                }
                Err(error) => return Err(ResizeError::Start(error)),
            }
        }
        Ok(())
    }
}

/// Says that nobody changes the number any more.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl<M> Clone for Partitions<M> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<M> fmt::Debug for Partitions<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Partitions({} of {})", self.shared.size.now(), self.shared.size.first)
    }
}

/// There is no such partition. Complete by definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPartition {
    /// Which was asked for, if it was by its number.
    pub partition: Option<usize>,
    /// How many there are.
    pub of: usize,
}

impl fmt::Display for NoPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.partition {
            Some(partition) => write!(f, "there is no partition {partition}: there are {}", self.of),
            None => f.write_str("there are no partitions: they were resized to none"),
        }
    }
}

impl std::error::Error for NoPartition {}

/// Why [`Partitions::resize`] failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ResizeError {
    /// There were fewer at first, and there are no seats for more.
    TooMany {
        /// How many were asked for.
        asked: usize,
        /// How many there may be.
        at_most: usize,
    },
    /// Somebody else is changing their number.
    UnderWay,
    /// One of them was not stopped.
    Stop(TerminateChildError),
    /// One of them was not started again.
    Start(RestartChildError),
}

impl fmt::Display for ResizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { asked, at_most } => {
                write!(f, "{asked} partitions are more than the {at_most} that there were at first")
            }
            Self::UnderWay => {
                f.write_str("somebody else is changing the number of partitions: try again later")
            }
            Self::Stop(error) => write!(f, "a partition was not stopped: {error}"),
            Self::Start(error) => write!(f, "a partition was not started again: {error}"),
        }
    }
}

impl std::error::Error for ResizeError {}

/// Takes a key in; remembers it if it is one integer and nothing else. FNV-1a, whose low bits are mixed at the end; integers
/// go in by their value, so that the order of a machine's bytes does not matter.
struct KeyHasher {
    hash: u64,
    writes: u32,
    /// Its absolute value.
    integer: Option<u128>,
}

impl Default for KeyHasher {
    fn default() -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, writes: 0, integer: None }
    }
}

impl KeyHasher {
    fn partition(&self, of: usize) -> usize {
        let remainder = match self.integer {
            Some(integer) if self.writes == 1 => integer % of as u128,
            _ => u128::from(self.finish()) % of as u128,
        };
        usize::try_from(remainder).expect("a remainder is less than what it is one of")
    }

    fn integer(&mut self, absolute: u128, bytes: &[u8]) {
        self.integer = Some(absolute);
        self.write(bytes);
    }
}

macro_rules! integers {
    ($($method:ident($i:ident: $kind:ty) $absolute:expr;)*) => {$(
        fn $method(&mut self, $i: $kind) {
            self.integer(u128::from($absolute), &$i.to_le_bytes());
        }
    )*};
}

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        let mixed = (self.hash ^ (self.hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ (mixed >> 33)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.writes += 1;
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    integers! {
        write_u8(i: u8) i;
        write_u16(i: u16) i;
        write_u32(i: u32) i;
        write_u64(i: u64) i;
        write_u128(i: u128) i;
        write_i8(i: i8) i.unsigned_abs();
        write_i16(i: i16) i.unsigned_abs();
        write_i32(i: i32) i.unsigned_abs();
        write_i64(i: i64) i.unsigned_abs();
        write_i128(i: i128) i.unsigned_abs();
    }

    fn write_usize(&mut self, i: usize) {
        self.write_u64(i as u64);
    }

    fn write_isize(&mut self, i: isize) {
        self.write_i64(i as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(key: &(impl Hash + ?Sized), of: usize) -> usize {
        let mut hasher = KeyHasher::default();
        key.hash(&mut hasher);
        hasher.partition(of)
    }

    /// OTP: EXP-002.
    #[test]
    fn one_integer_goes_by_the_remainder_of_its_absolute_value() {
        #[derive(Hash)]
        struct Account(u32);
        #[derive(Hash)]
        enum Colour {
            _Red,
            _Green,
            Blue,
        }
        assert_eq!((partition(&7, 4), partition(&-7, 4), partition(&-8_i64, 4)), (3, 3, 0));
        assert_eq!((partition(&i64::MIN, 1_000), partition(&u128::MAX, 1_000)), (808, 455));
        assert_eq!((partition(&i128::MIN, 1_000), partition(&i8::MIN, 100)), (728, 28));
        assert_eq!((partition(&Account(11), 4), partition(&Colour::Blue, 8)), (3, 2));
        assert_eq!((partition(&9_usize, 4), partition(&-9_isize, 4), partition(&'a', 10)), (1, 1, 7));
    }

    /// Any other key goes by a hash that no run, no machine and no seed changes: these are the numbers.
    ///
    /// OTP: EXP-002.
    #[test]
    fn any_other_key_goes_by_a_hash_that_is_always_the_same() {
        let of = |key: &dyn Fn(&mut KeyHasher)| {
            let mut hasher = KeyHasher::default();
            key(&mut hasher);
            hasher.partition(1_000)
        };
        let known = [
            of(&|hasher| "Ada".hash(hasher)),
            of(&|hasher| "".hash(hasher)),
            of(&|hasher| (1_u8, 2_u8).hash(hasher)),
            of(&|_| {}),
        ];
        assert_eq!(known, [461, 933, 834, 458]);
        assert_eq!(partition("Ada", 1_000), partition(&"Ada".to_owned(), 1_000));
    }

    #[test]
    fn keys_are_spread_evenly() {
        for of in [2, 3, 7, 8, 16] {
            let mut counts = vec![0; of];
            (0..1_000 * of).for_each(|n| counts[partition(&format!("user-{n}"), of)] += 1);
            assert!(counts.iter().all(|count| (850..=1_150).contains(count)), "{of}: {counts:?}");
        }
    }
}
