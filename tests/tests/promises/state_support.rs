//! What the tests of checkpoints share: an actor with a snapshot that tells what its lives begin with, and a store whose
//! disk outlives its keeper and fails on demand.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use minder::prelude::*;
use minder::state::{
    Checkpoint, Checkpoints, Entry, Memory, Old, Packs, Place, Refusal, Shelf, Store, StoreError, Unusable,
};

/// What is written down of a tally. 13 is refused; 99 crashes whoever is restored from it at its first message.
pub(crate) type Sum = u64;

/// Adds up.
pub(crate) struct Tally<T: Store> {
    pub(crate) sum: Sum,
    pub(crate) checkpoints: Checkpoints<T>,
    /// The sums that its lives have begun with, in order.
    pub(crate) begun: Arc<Mutex<Vec<Sum>>>,
}

pub(crate) enum Msg {
    Add(u64),
    /// Has a checkpoint written when it is handled.
    AddAndRequest(u64),
    /// Answers with the number of the checkpoint that it is in, or why there is none.
    AddAndSave(u64, Reply<Result<u64, String>>),
    AddAndPanic(u64),
    AddAndNap(u64, Duration),
    Read(Reply<u64>),
    Stop(ExitReason),
    Trap,
}

impl<T: Packs<Sum>> Actor for Tally<T> {
    type Msg = Msg;

    async fn started(&mut self, _: &mut Context<Msg>) -> Handled {
        self.begun.lock().expect("nobody panics with it").push(self.sum);
        Ok(())
    }

    async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        assert!(self.sum != 99, "poisoned");
        match message {
            Msg::Add(n) => self.sum += n,
            Msg::AddAndRequest(n) => {
                self.sum += n;
                self.checkpoints.request();
            }
            Msg::AddAndSave(n, reply) => {
                self.sum += n;
                let saving = self.checkpoints.clone().save(self);
                drop(reply.send(saving.await.map_err(|error| error.to_string())));
            }
            Msg::AddAndPanic(n) => {
                self.sum += n;
                panic!("boom");
            }
            Msg::AddAndNap(n, time) => {
                self.sum += n;
                context.sleep(time).await;
            }
            Msg::Read(reply) => drop(reply.send(self.sum)),
            Msg::Stop(reason) => context.stop(reason),
            Msg::Trap => drop(context.trap_exit(true)),
        }
        Ok(())
    }
}

impl<T: Packs<Sum>> Checkpoint for Tally<T> {
    type Snapshot = Sum;

    fn snapshot(&self) -> Sum {
        self.sum
    }

    fn restore(&mut self, sum: Sum) -> Result<(), Refusal> {
        self.sum = sum;
        if sum == 13 { Err(Refusal::new("unlucky")) } else { Ok(()) }
    }

    fn migrate(old: Old) -> Result<Sum, Refusal> {
        Err(Refusal::new(format!("version {}", old.version())))
    }
}

/// The factory of a tally, and what its lives will have begun with.
pub(crate) fn tally<T: Packs<Sum>>(
    checkpoints: &Checkpoints<T>,
) -> (impl Fn() -> Tally<T> + Clone + Send + Sync + 'static, Arc<Mutex<Vec<Sum>>>) {
    let begun = Arc::<Mutex<Vec<Sum>>>::default();
    let (checkpoints, its) = (checkpoints.clone(), begun.clone());
    let make = move || Tally { sum: 0, checkpoints: checkpoints.clone(), begun: its.clone() };
    (make, begun)
}

pub(crate) async fn read(it: &Addr<Msg>) -> u64 {
    it.ask(Msg::Read).await.expect("somebody lives there, or will")
}

// --- a store that fails --------------------------------------------------------------------------------------------

/// How one call of the store goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails, and has done nothing.
    ErrorBefore,
    /// It fails, and has done it all the same.
    ErrorAfter,
    PanicBefore,
    PanicAfter,
}

/// What outlives the keeper of a [`Faulty`] store.
#[derive(Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Plate>>);

#[derive(Default)]
struct Plate {
    memory: Memory,
    calls: u32,
    fails: Option<(u32, Fault)>,
    fails_always: bool,
    damaged: Vec<u64>,
}

/// A store on a [`Disk`].
pub(crate) struct Faulty(Disk);

impl Disk {
    /// The call of this number goes wrong, counted from 1: opens, loads and commits.
    pub(crate) fn failing(call: u32, fault: Fault) -> Self {
        let disk = Self::default();
        disk.plate().fails = Some((call, fault));
        disk
    }

    pub(crate) fn fails(&self, always: bool) {
        self.plate().fails_always = always;
    }

    /// Nothing goes wrong from now on; how many calls there were.
    pub(crate) fn heal(&self) -> u32 {
        let mut plate = self.plate();
        (plate.fails, plate.fails_always) = (None, false);
        plate.calls
    }

    pub(crate) fn calls(&self) -> u32 {
        self.plate().calls
    }

    /// The snapshot of this checkpoint cannot be read any more.
    pub(crate) fn damage(&self, number: u64) {
        self.plate().damaged.push(number);
    }

    pub(crate) fn open(&self) -> impl Fn() -> Result<Faulty, StoreError> + Clone + Send + Sync + 'static {
        let disk = self.clone();
        move || disk.call(|_| Ok(Faulty(disk.clone())))
    }

    fn plate(&self) -> std::sync::MutexGuard<'_, Plate> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn call<V>(&self, work: impl FnOnce(&mut Plate) -> Result<V, StoreError>) -> Result<V, StoreError> {
        let mut plate = self.plate();
        plate.calls += 1;
        let fault = plate.fails.filter(|(call, _)| *call == plate.calls).map(|(_, fault)| fault);
        let fault = if plate.fails_always { Some(Fault::ErrorBefore) } else { fault };
        let error = || Err(StoreError::Failed { doing: "a test", why: "on purpose".into() });
        match fault {
            Some(Fault::ErrorBefore) => return error(),
            Some(Fault::PanicBefore) => panic!("the store panics before"),
            Some(Fault::ErrorAfter | Fault::PanicAfter) | None => {}
        }
        let done = work(&mut plate);
        match fault {
            Some(Fault::ErrorAfter) => error(),
            Some(Fault::PanicAfter) => panic!("the store panics after"),
            _ => done,
        }
    }
}

impl Store for Faulty {
    type Packed = <Memory as Store>::Packed;

    fn load(&mut self, name: &str) -> Result<Shelf<Self::Packed>, StoreError> {
        self.0.call(|plate| {
            let mut shelf = plate.memory.load(name)?;
            for (number, packed) in &mut shelf.snapshots {
                if plate.damaged.contains(number) {
                    *packed = Arc::new("rubbish");
                }
            }
            Ok(shelf)
        })
    }

    fn commit(&mut self, entries: &[Entry<Self::Packed>]) -> Result<(), StoreError> {
        self.0.call(|plate| plate.memory.commit(entries))
    }
}

impl Packs<Sum> for Faulty {
    fn pack(place: &Place, snapshot: Sum) -> Result<Self::Packed, String> {
        if snapshot == 666 { Err("too evil".into()) } else { Memory::pack(place, snapshot) }
    }

    fn unpack(place: &Place, packed: &Self::Packed) -> Result<Sum, Unusable> {
        Memory::unpack(place, packed)
    }
}
