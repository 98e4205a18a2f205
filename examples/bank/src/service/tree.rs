//! The bank's supervision tree, with all three strategies, each where it is right:
//!
//! ```text
//! bank            one-for-one    the parts do not depend on each other's memory: the front keeps what is under way and
//!                                sends it again, so it need not fall when the vault does
//! ├─ vault        rest-for-one   the ledgers' books come from the store, so they go when it goes; the store needs no
//! │  ├─ store                    ledger
//! │  └─ ledgers   one-for-one    a partition knows nothing of the others
//! │     └─ ledger-0 …
//! ├─ front        one-for-all    gateway and retrier are two halves of one memory: with one half gone the other is
//! │  ├─ gateway                  worthless
//! │  └─ retrier
//! └─ auditor
//! ```
//!
//! The limits are far above what a bank would tolerate in earnest: here something crashes every few milliseconds on
//! purpose. A supervisor that is pushed beyond its own is restarted by the one above; the top one, if it ends, by
//! whoever runs the bank.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::{Findings as Suspicions, Lint};
use minder::{Capacity, MailboxOptions, Seat, WhenFull};

use crate::service::auditor::{Auditor, Findings};
use crate::service::gateway::{Gateway, GatewayMsg};
use crate::service::ledger::{Ledger, LedgerMsg};
use crate::service::retrier::{Retrier, RetrierMsg};
use crate::service::store_actor::{StoreActor, StoreMsg};
use crate::store::{Store, StoreError};

/// A bank to be: its tree, and its door.
#[derive(Clone, Debug)]
pub struct Bank {
    /// The tree. Start it again if its top supervisor ends; addresses stay valid.
    pub tree: Spec,
    /// Where clients ask.
    pub gateway: Addr<GatewayMsg>,
}

/// What a bank is made of.
#[derive(Clone, Debug)]
pub struct BankParts<O> {
    /// Opens the store, at every start of the store actor.
    pub open: O,
    /// How many partitions.
    pub partitions: u16,
    /// What auditors find.
    pub findings: Findings,
    /// Counts what the retrier sends again.
    pub resent: Arc<AtomicU64>,
}

/// A handler that awaits longer than this hangs. Commits take milliseconds; a disk may have a slow moment.
const SLOW_DISK: Duration = Duration::from_millis(600);
/// Those who do not wait for the disk.
const PROMPT: Duration = Duration::from_millis(250);

/// How many requests may stand at the gateway: it takes them faster than any disk. Beyond that clients wait outside.
const DOOR: u32 = 8192;

impl Bank {
    /// Lays out a bank in a system; nothing is started yet.
    pub fn new<S, O>(system: &System, parts: BankParts<O>) -> Self
    where
        S: Store,
        O: Fn() -> Result<S, StoreError> + Clone + Send + Sync + 'static,
    {
        let (store, store_seat) = system.address::<StoreMsg>();
        let door = MailboxOptions { capacity: Capacity::of(DOOR), when_full: WhenFull::Wait };
        let (gateway, gateway_seat) = system.address_with::<GatewayMsg>(door);
        let (retrier, retrier_seat) = system.address::<RetrierMsg>();
        let (ledgers, ledger_seats): (Vec<Addr<LedgerMsg>>, Vec<_>) =
            (0..parts.partitions).map(|_| system.address::<LedgerMsg>()).unzip();

        let vault = rest_for_one()
            .limit(200, Duration::from_secs(10))
            .child(store_child(store_seat, parts.open))
            .child(tree("ledgers", ledgers_spec(ledger_seats, &store, &gateway)));

        let to_ledgers = ledgers.clone();
        let front = one_for_all()
            .limit(200, Duration::from_secs(10))
            .child(
                actor_in("gateway", gateway_seat, move || Gateway::new(to_ledgers.clone(), retrier.clone()))
                    .handler_limit(PROMPT)
                    .asks(["front/retrier"]),
            )
            .child({
                let gateway = gateway.clone();
                let make = move || Retrier::new(gateway.clone(), ledgers.clone(), parts.resent.clone());
                actor_in("retrier", retrier_seat, make).handler_limit(PROMPT)
            });

        let auditor =
            actor("auditor", move || Auditor::new(store.clone(), parts.partitions, parts.findings.clone()))
                .handler_limit(Duration::from_secs(2))
                .asks(["vault/store"]);

        let tree = one_for_one()
            .limit(100, Duration::from_secs(10))
            .child(tree("vault", vault))
            .child(tree("front", front))
            .child(auditor);
        Self { tree, gateway }
    }

    /// What is suspicious in the tree, with the reasons for which it is meant so.
    pub fn lint(&self) -> Suspicions {
        let on_purpose = "faults are injected every few milliseconds on purpose, and the audit is the judge";
        let has_room = "it waits for room there and for no answer, no longer than its handler limit; the seat is made first";
        let again = "clients ask again under the same id, and what was decided is on disk";
        self.tree
            .lint()
            .allow(Lint::LimitTooHigh, "vault", on_purpose)
            .allow(Lint::LimitTooHigh, "front", on_purpose)
            .allow(Lint::BlindZone, "vault", on_purpose)
            .allow(Lint::BlindZone, "vault/ledgers", on_purpose)
            .allow(Lint::BlindZone, "front", on_purpose)
            .allow(Lint::NeverHeard, "*", on_purpose)
            .allow(Lint::NeverHeard, "*/*", on_purpose)
            .allow(Lint::NeverHeard, "*/*/*", on_purpose)
            .allow(Lint::AskLater, "vault/ledgers/*", has_room)
            .allow(Lint::AskLater, "front/gateway", has_room)
            .allow(Lint::AskPurged, "vault/ledgers/*", again)
            .allow(Lint::AskPurged, "auditor", "it adds up again when it is started again")
    }
}

fn store_child<S, O>(seat: Seat<StoreMsg>, open: O) -> Child
where
    S: Store,
    O: Fn() -> Result<S, StoreError> + Clone + Send + Sync + 'static,
{
    actor_in("store", seat, move || StoreActor::new(open.clone())).handler_limit(SLOW_DISK)
}

fn ledgers_spec(seats: Vec<Seat<LedgerMsg>>, store: &Addr<StoreMsg>, gateway: &Addr<GatewayMsg>) -> Spec {
    let ledgers = seats.into_iter().zip(0..).map(|(seat, partition)| {
        let (store, gateway) = (store.clone(), gateway.clone());
        // A ledger waits for the store, which may hang until it is killed for it.
        actor_in(&format!("ledger-{partition}"), seat, move || {
            Ledger::new(partition, store.clone(), gateway.clone())
        })
        .handler_limit(2 * SLOW_DISK)
        .asks(["vault/store", "front/gateway"])
        // It has nothing to put away, and there may be many, which stop one after the other.
        .shutdown(Shutdown::Within(Duration::from_secs(1)))
    });
    one_for_one().limit(100, Duration::from_secs(10)).children(ledgers)
}
