//! The hash of a run: over every scheduling decision, by the path of the actor that ran and its incarnation, over every
//! move of the clock and every end of a life. Two runs with the same hash did the same things in the same order.
//! Made of nothing that differs between processes: no addresses in memory, no hash seeds, no wall clock.

use std::sync::Arc;

use minder::ActorId;

/// A running hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hash(u64);

/// What one task is known by in the hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp(u64);

impl Stamp {
    pub(super) fn of(path: &str, id: Option<ActorId>) -> Self {
        let mut hash = Hash::new();
        hash.text(path);
        if let Some(id) = id {
            hash.fold(id.cell());
            hash.fold(u64::from(id.incarnation()));
        }
        Self(hash.0)
    }
}

impl Hash {
    pub(super) fn new() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }

    pub(super) fn value(self) -> u64 {
        self.0
    }

    #[inline]
    pub(super) fn fold(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 29);
    }

    pub(super) fn text(&mut self, text: &str) {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        self.fold(text.len() as u64);
    }

    /// A task ran and has ended, or has not.
    #[inline]
    pub(super) fn step(&mut self, task: Stamp, ended: bool) {
        self.fold(task.0 ^ u64::from(ended));
    }
}

/// Every step of a run, if it is wanted: for saying where two runs part.
#[derive(Debug, Default)]
pub(super) struct Log {
    steps: Option<Vec<Arc<str>>>,
}

impl Log {
    pub(super) fn wanted(wanted: bool) -> Self {
        Self { steps: wanted.then(Vec::new) }
    }

    #[inline]
    pub(super) fn step(&mut self, path: &Arc<str>) {
        if let Some(steps) = &mut self.steps {
            steps.push(path.clone());
        }
    }

    pub(super) fn into_steps(self) -> Vec<Arc<str>> {
        self.steps.unwrap_or_default()
    }
}
