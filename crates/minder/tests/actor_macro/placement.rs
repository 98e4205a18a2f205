//! Where an actor may stand, and who may see its messages.

use minder::prelude::*;

use crate::support::{minded, system};

#[expect(unreachable_pub, reason = "stands for a module of a library")]
pub(crate) mod bank {
    //! Seen from outside.

    use minder::prelude::*;

    /// An account.
    #[derive(Debug, Default)]
    pub struct Account {
        balance: u64,
    }

    /// Where amounts go.
    pub mod amounts {
        /// An amount.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct Cents(pub u64);
    }

    #[actor(derive(Clone, Copy, PartialEq))]
    impl Account {
        /// Puts money on it.
        pub fn deposit(&mut self, cents: amounts::Cents) {
            self.balance += cents.0;
        }

        /// What is on it.
        pub fn balance(&self) -> u64 {
            self.balance
        }
    }
}

#[tokio::test(start_paused = true)]
async fn messages_are_seen_where_their_methods_are() {
    use bank::{AccountCalls as _, Balance, amounts::Cents};
    let (system, _) = system();
    let account = minded(&system, bank::Account::default).await;
    account.deposit(Cents(5)).tell().expect("there is room");
    account.tell(bank::Deposit { cents: Cents(6) }).expect("there is room");
    let asked: Result<u64, AskError<bank::AccountMsg>> = minder::call(&account, Balance).await;
    assert_eq!(asked, Ok(11));
}

mod renamed {
    //! Stands for a crate that reexports minder under a name of its own.
    pub(crate) mod inner {
        pub(crate) use minder::*;
    }
}

#[tokio::test(start_paused = true)]
async fn inside_a_function_and_under_another_name() {
    struct Local(u8);

    #[actor(crate = crate::placement::renamed::inner, pub(crate), derive(PartialEq))]
    impl Local {
        fn add(&mut self, context: u8, message: u8, reply: u8) -> u8 {
            self.0 += context + message + reply;
            self.0
        }
    }

    let (system, _) = system();
    let local = minded(&system, || Local(1)).await;
    assert_eq!(local.add(1, 2, 3).await, Ok(7));
}

/// `actor` is the attribute and the function, side by side.
#[tokio::test(start_paused = true)]
async fn two_things_are_called_actor() {
    struct Child;

    #[actor]
    impl Child {
        fn here(&self) {}
    }

    let (system, _) = system();
    let tree = one_for_one().child(actor("child", || Child));
    tree.start(&system, "top").await.expect("it starts");
}
