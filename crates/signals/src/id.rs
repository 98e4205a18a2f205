//! Identities: an actor is a cell (a seat) and an incarnation (one life in it). Neither number is ever reused
//! within a system.

use core::fmt;

/// Who an actor is: the seat it sits in and which life of that seat it is.
///
/// Two ids are equal only if they mean the same incarnation; [`ActorId::cell`] is what stays over restarts.
///
/// # OTP
/// A pid, except that a restarted actor keeps its cell number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorId {
    cell: u64,
    incarnation: u32,
}

impl ActorId {
    /// The id of the given life in the given seat. Lives are counted from 1; 0 means "not started yet".
    pub const fn new(cell: u64, incarnation: u32) -> Self {
        Self { cell, incarnation }
    }

    /// The number of the seat, the same over restarts.
    pub const fn cell(self) -> u64 {
        self.cell
    }

    /// Which life of the seat, counted from 1.
    pub const fn incarnation(self) -> u32 {
        self.incarnation
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}.{}>", self.cell, self.incarnation)
    }
}

impl fmt::Debug for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One monitor, as the watcher knows it. Unique within a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonitorId(u64);

impl MonitorId {
    /// The monitor with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}
