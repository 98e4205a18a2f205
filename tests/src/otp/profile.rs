//! What scenarios by chance are about: profiles, and how likely each makes each thing. Writes none.

/// What a scenario is mostly about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// One level, deaths and requests.
    Flat,
    /// Starts that fail or are ignored.
    Fail,
    /// Up to three levels.
    Deep,
    /// Dynamic supervisors.
    Dynamic,
    /// Significant children.
    Auto,
    /// Termination that is slow, late, or never over.
    Slow,
    /// Deaths and requests that queue up.
    Batch,
    /// Mostly requests.
    Admin,
    /// A restart window that passes.
    Window,
    /// Specifications that are refused.
    Invalid,
    /// Everything.
    Mixed,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Flat,
        Self::Fail,
        Self::Deep,
        Self::Dynamic,
        Self::Auto,
        Self::Slow,
        Self::Batch,
        Self::Admin,
        Self::Window,
        Self::Invalid,
        Self::Mixed,
    ];

    /// Its name on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::Fail => "fail",
            Self::Deep => "deep",
            Self::Dynamic => "dynamic",
            Self::Auto => "auto",
            Self::Slow => "slow",
            Self::Batch => "batch",
            Self::Admin => "admin",
            Self::Window => "window",
            Self::Invalid => "invalid",
            Self::Mixed => "mixed",
        }
    }

    pub(super) fn taste(self) -> Taste {
        let plain = Taste {
            depth: 1,
            fails: 0,
            dynamic: 0,
            auto: 0,
            slow: 0,
            batches: 0,
            requests: 20,
            window: false,
            flaws: 0,
        };
        match self {
            Self::Flat => plain,
            Self::Fail => Taste { depth: 2, fails: 45, ..plain },
            Self::Deep => Taste { depth: 3, fails: 8, dynamic: 10, ..plain },
            Self::Dynamic => Taste { depth: 2, fails: 10, dynamic: 60, slow: 8, ..plain },
            Self::Auto => Taste { depth: 2, fails: 8, auto: 90, ..plain },
            Self::Slow => Taste { depth: 2, dynamic: 15, slow: 50, ..plain },
            Self::Batch => Taste { depth: 2, fails: 15, dynamic: 20, batches: 45, ..plain },
            Self::Admin => Taste { depth: 2, fails: 10, dynamic: 10, requests: 75, ..plain },
            Self::Window => Taste { depth: 2, fails: 5, dynamic: 10, requests: 5, window: true, ..plain },
            Self::Invalid => Taste { depth: 2, dynamic: 20, auto: 30, requests: 60, flaws: 60, ..plain },
            Self::Mixed => Taste {
                depth: 3,
                fails: 15,
                dynamic: 20,
                auto: 25,
                slow: 8,
                batches: 15,
                requests: 30,
                ..plain
            },
        }
    }
}

/// How likely each thing is, in a hundred; how many levels there may be; whether windows pass.
pub(super) struct Taste {
    pub(super) depth: u32,
    pub(super) fails: u32,
    pub(super) dynamic: u32,
    pub(super) auto: u32,
    pub(super) slow: u32,
    pub(super) batches: u32,
    pub(super) requests: u32,
    pub(super) window: bool,
    pub(super) flaws: u32,
}
