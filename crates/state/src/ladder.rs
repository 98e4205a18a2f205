//! What a new life begins with: the newest checkpoint, the one before it, or nothing.
//! Pure: numbers of checkpoints and what became of the lives that were restored from them, no states and no stores.
//! Whether a checkpoint can be read at all, or is refused by its actor, is not known here: whoever restores takes the next
//! candidate then.

/// So many lives that were restored from a checkpoint and died before their first good message demote it.
pub const DEMOTED_AFTER: u8 = 2;

/// What became of a life that was restored from a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It has handled something: whatever it dies of later, it is not this checkpoint.
    Proven,
    /// It ended abnormally before it had.
    Died,
    /// It was told to end before it had, which says nothing.
    Ended,
}

/// How the lives restored from one checkpoint have done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    deaths: u8,
}

impl Standing {
    /// The standing of a checkpoint from which so many lives have been restored in vain, one after the other.
    pub const fn of(deaths: u8) -> Self {
        Self { deaths }
    }

    /// How many lives in a row died before their first good message.
    pub const fn deaths(self) -> u8 {
        self.deaths
    }

    /// Whether it is not restored any more.
    pub const fn is_demoted(self) -> bool {
        self.deaths >= DEMOTED_AFTER
    }

    /// The standing after one more life.
    #[must_use]
    pub const fn after(self, fate: Fate) -> Self {
        match fate {
            Fate::Proven => Self::of(0),
            Fate::Died => Self::of(self.deaths.saturating_add(1)),
            Fate::Ended => self,
        }
    }
}

/// One checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Which. Numbers grow, and each is given once.
    pub number: u64,
    /// How its lives have done.
    pub standing: Standing,
}

/// The checkpoints of one actor: at most two, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ladder {
    newest: Option<Rung>,
    previous: Option<Rung>,
    last_number: u64,
}

impl Ladder {
    /// The ladder as it was written down: the rungs, newest first, and the last number given. Rungs beyond the second,
    /// and numbers that were never given, are left out.
    pub fn of(rungs: impl IntoIterator<Item = Rung>, last_number: u64) -> Self {
        let mut rungs = rungs.into_iter().filter(|rung| rung.number <= last_number);
        let newest = rungs.next();
        let previous = rungs.next();
        Self { newest, previous, last_number }
    }

    /// The checkpoints, newest first.
    pub fn rungs(&self) -> impl Iterator<Item = Rung> + use<> {
        self.newest.into_iter().chain(self.previous)
    }

    /// The last number that was given to a checkpoint; 0 before the first.
    pub fn last_number(&self) -> u64 {
        self.last_number
    }

    /// What a new life may begin with, the best first; nothing of it will do, or it is empty: then it begins clean.
    pub fn candidates(&self) -> impl Iterator<Item = u64> + use<> {
        self.rungs().filter(|rung| !rung.standing.is_demoted()).map(|rung| rung.number)
    }

    /// Takes note of what became of a life that was restored from this checkpoint; true if that demotes it.
    pub fn note(&mut self, number: u64, fate: Fate) -> bool {
        let rungs = [self.newest.as_mut(), self.previous.as_mut()];
        let Some(rung) = rungs.into_iter().flatten().find(|rung| rung.number == number) else { return false };
        let before = rung.standing;
        rung.standing = before.after(fate);
        rung.standing.is_demoted() && !before.is_demoted()
    }

    /// How a checkpoint stands, if it is on the ladder.
    pub fn standing(&self, number: u64) -> Option<Standing> {
        self.rungs().find(|rung| rung.number == number).map(|rung| rung.standing)
    }

    /// The ladder on which this checkpoint stands so, if it is on it.
    #[must_use]
    pub fn with_standing(&self, number: u64, standing: Standing) -> Self {
        let stand = |rung: Rung| if rung.number == number { Rung { number, standing } } else { rung };
        Self { newest: self.newest.map(stand), previous: self.previous.map(stand), ..*self }
    }

    /// The ladder with one more checkpoint. `base` is the last that is known to be good: the one that this life was
    /// restored from, or has written last. It becomes the previous one; every other leaves.
    #[must_use]
    pub fn with_next(&self, number: u64, base: Option<u64>) -> Self {
        debug_assert!(number > self.last_number, "a number is given once");
        let previous = self.rungs().find(|rung| Some(rung.number) == base);
        let newest = Some(Rung { number, standing: Standing::default() });
        Self { newest, previous, last_number: number }
    }

    /// The ladder without the checkpoints that are not `kept`.
    #[must_use]
    pub fn keeping(&self, kept: impl Fn(u64) -> bool) -> Self {
        Self::of(self.rungs().filter(|rung| kept(rung.number)), self.last_number)
    }
}

#[cfg(test)]
mod tests;
