//! That somebody was told of a cycle, for those who keep requests. Knows of no cycle itself.

use std::sync::atomic::{AtomicU32, Ordering};

/// How many cycles have been told of in a system. There are few or none: so whoever keeps requests need not look at each of
/// them again and again, whether its asker has been told.
#[derive(Default)]
pub(crate) struct Told {
    begun: AtomicU32,
    done: AtomicU32,
}

impl Told {
    pub(super) fn telling(&self, tell: impl FnOnce()) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        tell();
        self.done.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether there may be one that was not there when this was asked last. In this order: if none has begun that was not
    /// done, none is being told.
    pub(crate) fn has_more_than(&self, seen: &mut u32) -> bool {
        let done = self.done.load(Ordering::SeqCst);
        let is_telling = self.begun.load(Ordering::SeqCst) != done;
        is_telling || std::mem::replace(seen, done) != done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that is being told is looked for until it has been, and then once more.
    #[test]
    fn what_is_kept_is_looked_at_only_when_a_cycle_has_been_told() {
        let (told, mut seen) = (Told::default(), 0);
        assert!(!told.has_more_than(&mut seen));
        told.telling(|| assert!(told.has_more_than(&mut seen) && told.has_more_than(&mut seen)));
        assert!(told.has_more_than(&mut seen));
        assert!(!told.has_more_than(&mut seen));
    }
}
