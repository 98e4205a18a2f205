//! An account by `#[actor]` and one by hand: every short sequence of messages, told and asked, has the same outcomes, and
//! their messages and futures have the same sizes.

use std::future::Future;

use minder::prelude::*;

use crate::support::{Refused, minded, system};

/// By the macro.
struct Account {
    balance: u64,
    kept: Vec<Reply<u64>>,
}

#[actor]
impl Account {
    fn deposit(&mut self, cents: u64) {
        self.balance += cents;
    }

    fn balance(&self) -> u64 {
        self.balance
    }

    async fn withdraw(&mut self, cents: u64) -> Result<u64, Refused> {
        tokio::task::yield_now().await;
        self.balance = self.balance.checked_sub(cents).ok_or(Refused("overdraft"))?;
        Ok(self.balance)
    }

    #[crash_on_err]
    fn close(&mut self, force: bool) -> Result<(), Refused> {
        if force { Ok(()) } else { Err(Refused("not empty")) }
    }

    fn later(&mut self, reply: Reply<u64>) {
        self.kept.push(reply);
    }

    fn settle(&mut self, context: &mut Context<AccountMsg>) {
        let life = u64::from(context.id().incarnation());
        for reply in self.kept.drain(..) {
            let _ = reply.send(self.balance + 1000 * life);
        }
    }
}

/// By hand.
struct Twin {
    balance: u64,
    kept: Vec<Reply<u64>>,
}

enum TwinMsg {
    Deposit(u64, Reply<()>),
    Balance(Reply<u64>),
    Withdraw(u64, Reply<Result<u64, Refused>>),
    Close(bool, Reply<()>),
    Later(Reply<u64>),
    Settle(Reply<()>),
}

impl Actor for Twin {
    type Msg = TwinMsg;

    async fn handle(&mut self, message: TwinMsg, context: &mut Context<TwinMsg>) -> Handled {
        match message {
            TwinMsg::Deposit(cents, reply) => {
                self.balance += cents;
                let _ = reply.send(());
            }
            TwinMsg::Balance(reply) => {
                let _ = reply.send(self.balance);
            }
            TwinMsg::Withdraw(cents, reply) => {
                tokio::task::yield_now().await;
                let left = self.balance.checked_sub(cents).ok_or(Refused("overdraft"));
                if let Ok(left) = left {
                    self.balance = left;
                }
                drop(reply.send(left));
            }
            TwinMsg::Close(force, reply) => {
                if !force {
                    return Err(Refused("not empty").into());
                }
                let _ = reply.send(());
            }
            TwinMsg::Later(reply) => self.kept.push(reply),
            TwinMsg::Settle(reply) => {
                let life = u64::from(context.id().incarnation());
                for reply in self.kept.drain(..) {
                    let _ = reply.send(self.balance + 1000 * life);
                }
                let _ = reply.send(());
            }
        }
        Ok(())
    }
}

/// What is done to either.
#[derive(Clone, Copy, Debug)]
enum Step {
    TellDeposit,
    AskDeposit,
    Balance,
    Withdraw(u64),
    TellWithdraw,
    Close(bool),
    TellClose,
    /// Asks for later, and settles meanwhile.
    LaterAndSettle,
    /// Asks for later, and crashes the account meanwhile.
    LaterAndCrash,
}

const STEPS: [Step; 10] = [
    Step::TellDeposit,
    Step::AskDeposit,
    Step::Balance,
    Step::Withdraw(3),
    Step::Withdraw(300),
    Step::TellWithdraw,
    Step::Close(true),
    Step::Close(false),
    Step::TellClose,
    Step::LaterAndSettle,
];

fn text<T: std::fmt::Debug>(outcome: Result<T, impl std::fmt::Display>) -> String {
    match outcome {
        Ok(answer) => format!("{answer:?}"),
        Err(error) => error.to_string(),
    }
}

async fn by_macro(account: &Addr<AccountMsg>, step: Step) -> String {
    match step {
        Step::TellDeposit => text(account.deposit(7).tell()),
        Step::AskDeposit => text(account.deposit(11).await),
        Step::Balance => text(account.balance().await),
        Step::Withdraw(cents) => text(account.withdraw(cents).await),
        Step::TellWithdraw => text(account.withdraw(1_000_000).tell()),
        Step::Close(force) => text(account.close(force).await),
        Step::TellClose => text(account.close(false).tell()),
        Step::LaterAndSettle => {
            let (later, settled) = tokio::join!(account.later(), account.settle());
            text(later) + &text(settled)
        }
        Step::LaterAndCrash => {
            let (later, crashed) = tokio::join!(account.later(), account.close(false));
            text(later) + &text(crashed)
        }
    }
}

async fn by_hand(account: &Addr<TwinMsg>, step: Step) -> String {
    match step {
        Step::TellDeposit => text(account.tell(TwinMsg::Deposit(7, Reply::nobody()))),
        Step::AskDeposit => text(account.ask(|reply| TwinMsg::Deposit(11, reply)).await),
        Step::Balance => text(account.ask(TwinMsg::Balance).await),
        Step::Withdraw(cents) => match account.ask(|reply| TwinMsg::Withdraw(cents, reply)).await {
            Ok(left) => text(left),
            Err(error) => text(Err::<(), _>(error)),
        },
        Step::TellWithdraw => text(account.tell(TwinMsg::Withdraw(1_000_000, Reply::nobody()))),
        Step::Close(force) => text(account.ask(|reply| TwinMsg::Close(force, reply)).await),
        Step::TellClose => text(account.tell(TwinMsg::Close(false, Reply::nobody()))),
        Step::LaterAndSettle => {
            let (later, settled) = tokio::join!(account.ask(TwinMsg::Later), account.ask(TwinMsg::Settle));
            text(later) + &text(settled)
        }
        Step::LaterAndCrash => {
            let crash = account.ask(|reply| TwinMsg::Close(false, reply));
            let (later, crashed) = tokio::join!(account.ask(TwinMsg::Later), crash);
            text(later) + &text(crashed)
        }
    }
}

async fn outcomes<M, F: Future<Output = String>>(
    account: &Addr<M>,
    steps: &[Step],
    act: impl Fn(Step) -> F,
) -> (Vec<String>, u32)
where
    M: Send + 'static,
{
    let mut outcomes = Vec::new();
    for step in steps {
        outcomes.push(act(*step).await);
    }
    (outcomes, account.id().incarnation())
}

async fn compare(steps: &[Step]) -> Vec<String> {
    let (here, _) = system();
    let account = minded(&here, || Account { balance: 100, kept: Vec::new() }).await;
    let by_macro = outcomes(&account, steps, |step| by_macro(&account, step)).await;
    let (there, _) = system();
    let account = minded(&there, || Twin { balance: 100, kept: Vec::new() }).await;
    let by_hand = outcomes(&account, steps, |step| by_hand(&account, step)).await;
    assert_eq!(by_macro, by_hand, "{steps:?}");
    by_macro.0
}

#[tokio::test(start_paused = true)]
async fn every_short_sequence_has_the_same_outcomes() {
    for first in STEPS {
        for second in STEPS {
            for third in STEPS {
                compare(&[first, second, third, Step::Balance]).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_outcomes_are_the_ones_meant() {
    let rows: &[(&[Step], &[&str])] = &[
        (&[Step::TellDeposit, Step::Balance], &["()", "107"]),
        (&[Step::AskDeposit, Step::Withdraw(11)], &["()", "100"]),
        (&[Step::Withdraw(300), Step::Balance], &["overdraft", "100"]),
        (&[Step::TellWithdraw, Step::Balance], &["()", "100"]),
        (&[Step::Close(true), Step::Balance], &["()", "100"]),
        (
            &[Step::TellDeposit, Step::Close(false), Step::Balance],
            &["()", "the actor ended before it answered: error: not empty", "100"],
        ),
        (&[Step::TellDeposit, Step::TellClose, Step::Balance], &["()", "()", "100"]),
        (&[Step::LaterAndSettle], &["1100()"]),
        (&[Step::TellClose, Step::LaterAndSettle], &["()", "2100()"]),
        (
            &[Step::LaterAndCrash],
            &[
                "the actor ended before it answered: error: not emptythe actor ended before it answered: error: not empty",
            ],
        ),
    ];
    for (steps, expected) in rows {
        let outcomes = compare(steps).await;
        let lives = outcomes.iter().zip(*expected).all(|(outcome, expected)| outcome == expected);
        assert!(lives && outcomes.len() == expected.len(), "{steps:?}: {outcomes:?}, expected {expected:?}");
    }
}

/// How large the future of a handler is.
fn future_of<'a, A: Actor, F>(_: impl FnOnce(&'a mut A, A::Msg, &'a mut Context<A::Msg>) -> F) -> usize {
    size_of::<F>()
}

#[test]
fn sizes_are_those_of_the_twin() {
    assert_eq!(size_of::<AccountMsg>(), size_of::<TwinMsg>());
    let (by_macro, by_hand) = (future_of(Account::handle), future_of(Twin::handle));
    assert!(by_macro <= by_hand, "{by_macro} > {by_hand}");
}

#[test]
fn sync_methods_cost_no_future() {
    struct Counter(u64);
    #[actor]
    impl Counter {
        fn add(&mut self, n: u64) {
            self.0 += n;
        }
        fn read(&self) -> u64 {
            self.0
        }
    }
    assert_eq!(future_of(Counter::handle), size_of::<std::future::Ready<Handled>>());
}
