//! What a call can be made to do: ask, with and without a deadline, tell, wait for room, forward, and be kept.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use minder::prelude::*;
use minder::{Capacity, MailboxOptions, Message, Recipient};

use crate::support::{Refused, minded, system};

const SECOND: Duration = Duration::from_secs(1);

struct Shop {
    sold: u32,
    waiting: Vec<Reply<u32>>,
}

#[actor(derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize))]
impl Shop {
    /// Sells so many.
    fn sell(&mut self, pieces: u32, to: String) -> u32 {
        assert!(!to.is_empty(), "sold to nobody");
        self.sold += pieces;
        self.sold
    }

    fn refuse(&mut self, why: String) -> Result<u32, Refused> {
        let _ = why;
        Err(Refused("closed"))
    }

    fn odd(&mut self) -> std::io::Result<()> {
        Err(std::io::Error::other("odd"))
    }

    /// An error that cannot be displayed.
    fn undisplayed(&mut self) -> Result<(), Vec<u8>> {
        Err(vec![1, 2])
    }

    fn wait(&mut self, reply: Reply<u32>) {
        self.waiting.push(reply);
    }

    async fn sleep(&mut self, context: &mut Context<ShopMsg>, time: Duration) {
        context.sleep(time).await;
    }

    #[tell]
    fn only_told(&mut self, pieces: u32) {
        self.sold += pieces;
    }

    fn trouble(&mut self, reply: Reply<u32>, answer: bool) -> Handled {
        if answer {
            let _ = reply.send(1);
        }
        Err(ExitReason::other("trouble"))
    }

    #[crash_on_err]
    fn worse(&mut self, reply: Reply<u32>) -> Handled {
        self.waiting.push(reply);
        Err(ExitReason::other("worse"))
    }
}

fn shop() -> Shop {
    Shop { sold: 0, waiting: Vec::new() }
}

/// Asks the shop, or has it answer.
struct Front(Addr<ShopMsg>);

#[actor(prefix = Front, derive(PartialEq))]
impl Front {
    fn sell(&mut self, pieces: u32, reply: Reply<u32>) -> Handled {
        Ok(self.0.sell(pieces, "front".to_owned()).forward(reply)?)
    }

    fn hand_on(&mut self, message: Wait, reply: Reply<u32>) -> Handled {
        Ok(message.to(&self.0).forward(reply)?)
    }
}

#[tokio::test(start_paused = true)]
async fn asked_and_told() {
    let (system, unheard) = system();
    let shop = minded(&system, shop).await;
    assert_eq!(shop.sell(2, "ann".into()).await, Ok(2));
    assert_eq!(shop.sell(3, "bob".into()).tell(), Ok(()));
    assert_eq!(shop.sell(4, "cal".into()).send().await, Ok(()));
    shop.only_told(100).tell().expect("there is room");
    assert_eq!(shop.sell(1, "dan".into()).within(SECOND).await, Ok(110));
    assert!(unheard.lines().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_error_goes_to_the_asker_or_is_reported() {
    let (system, unheard) = system();
    let shop = minded(&system, shop).await;
    assert_eq!(shop.refuse("late".into()).await, Err(CallError::Failed(Refused("closed"))));
    assert_eq!(shop.odd().await.map_err(|error| error.to_string()), Err("odd".to_owned()));
    assert_eq!(shop.undisplayed().await.map_err(CallError::failed), Err(Some(vec![1, 2])));
    assert_eq!(system.unheard_errors(), 0);

    shop.refuse("late".into()).tell().expect("there is room");
    shop.odd().tell().expect("there is room");
    shop.undisplayed().tell().expect("there is room");
    assert_eq!(shop.trouble(true).await, Ok(1));
    assert_eq!(shop.trouble(false).await, Err(AskError::NoReply));
    let lines = ["Refuse: closed", "Odd: odd", "Undisplayed: [1, 2]", "Trouble: trouble", "Trouble: trouble"];
    assert_eq!(unheard.lines(), lines.map(|line| format!("top/it {line}")));
    assert_eq!((system.unheard_errors(), shop.id().incarnation()), (5, 1));

    let crashed = Err(AskError::Crashed(ExitReason::other("worse")));
    assert_eq!(shop.worse().await, crashed);
    assert_eq!((system.unheard_errors(), shop.sell(1, "eve".into()).await), (5, Ok(1)));
}

#[tokio::test(start_paused = true)]
async fn an_error_whose_asker_has_gone_is_reported() {
    struct Slow;
    #[actor(derive(PartialEq))]
    impl Slow {
        async fn fail(&mut self, context: &mut Context<SlowMsg>) -> Result<(), Refused> {
            context.sleep(10 * SECOND).await;
            Err(Refused("too late"))
        }
        fn next(&self) {}
    }
    let (system, unheard) = system();
    let slow = minded(&system, || Slow).await;
    assert_eq!(slow.fail().within(SECOND).await, Err(CallError::Unanswered(AskError::TimedOut)));
    slow.next().within(60 * SECOND).await.expect("it has time");
    assert_eq!(unheard.lines(), ["top/it Fail: too late"]);
}

/// Ends, and cleans up for a second.
struct Closing;

#[actor(derive(PartialEq))]
impl Closing {
    fn value(&mut self, context: &mut Context<ClosingMsg>) -> u32 {
        context.stop(ExitReason::Normal);
        1
    }

    async fn fallible(&mut self, fails: bool, context: &mut Context<ClosingMsg>) -> Result<u32, Refused> {
        context.stop(ExitReason::Normal);
        context.sleep(SECOND).await;
        if fails { Err(Refused("closed")) } else { Ok(2) }
    }

    #[crash_on_err]
    fn crashing(&mut self, fails: bool, context: &mut Context<ClosingMsg>) -> Result<u32, Refused> {
        context.stop(ExitReason::Normal);
        if fails { Err(Refused("broken")) } else { Ok(3) }
    }

    fn by_reply(&mut self, reply: Reply<u32>, context: &mut Context<ClosingMsg>) {
        context.stop(ExitReason::Normal);
        let _ = reply.send(4);
    }

    fn goes_on(&self) -> u32 {
        5
    }

    async fn stopping(&mut self, context: &mut Context<ClosingMsg>) {
        context.sleep(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_returned_with_a_stop_comes_when_the_actor_has_cleaned_up() {
    type Asks = for<'a> fn(&'a Addr<ClosingMsg>) -> Pin<Box<dyn Future<Output = String> + 'a>>;
    fn text<E: std::fmt::Display>(outcome: Result<u32, E>) -> String {
        outcome.map_or_else(|error| error.to_string(), |answer| answer.to_string())
    }
    let rows: [(Asks, &str, u64); 7] = [
        (|it| Box::pin(async { text(it.value().await) }), "1", 1),
        (|it| Box::pin(async { text(it.fallible(false).await) }), "2", 2),
        (|it| Box::pin(async { text(it.fallible(true).await) }), "closed", 2),
        (|it| Box::pin(async { text(it.crashing(false).await) }), "3", 1),
        (
            |it| Box::pin(async { text(it.crashing(true).await) }),
            "the actor ended before it answered: error: broken",
            0,
        ),
        (|it| Box::pin(async { text(it.by_reply().await) }), "4", 0),
        (|it| Box::pin(async { text(it.goes_on().await) }), "5", 0),
    ];
    for (ask, expected, seconds) in rows {
        let (system, unheard) = system();
        let it = system.spawn(|| Closing).expect("the system runs");
        let outcome = ask(&it).await;
        let took = system.now().since_start().as_secs();
        assert_eq!((outcome.as_str(), took), (expected, seconds));
        assert!(unheard.lines().is_empty(), "{outcome}");
    }
    // Whoever has asked has gone when the error is given.
    let (system, unheard) = system();
    let it = system.spawn(|| Closing).expect("the system runs");
    let asked = it.fallible(true).within(SECOND + SECOND / 2).await;
    assert_eq!(asked, Err(CallError::Unanswered(AskError::TimedOut)));
    assert!(unheard.lines().is_empty());
    it.ended().await;
    assert_eq!(unheard.lines(), [format!("{} Fallible: closed", it.path())]);
    // It was told; or it was asked, and the clean-up is cut short.
    for tells in [true, false] {
        let (system, unheard) = self::system();
        let it = system.spawn(|| Closing).expect("the system runs");
        let asking = async {
            match tells {
                true => it.fallible(true).tell().expect("there is room"),
                false => {
                    let crashed = AskError::Crashed(ExitReason::Killed);
                    assert_eq!(it.fallible(true).await, Err(CallError::Unanswered(crashed)));
                }
            }
        };
        let killing = async {
            let pause = tokio::time::timeout(SECOND + SECOND / 2, std::future::pending::<()>());
            pause.await.expect_err("time passes");
            assert_eq!(system.unheard_errors(), u64::from(tells), "told: {tells}");
            assert!(it.kill(), "it cleans up");
        };
        tokio::join!(asking, killing);
        it.ended().await;
        assert_eq!(unheard.lines(), [format!("{} Fallible: closed", it.path())], "told: {tells}");
    }
}

#[tokio::test(start_paused = true)]
async fn deadlines_are_kept() {
    let (system, _) = system();
    let shop = minded(&system, shop).await;
    let rows = [(None, 5), (Some(SECOND), 1), (Some(60 * SECOND), 60)];
    for (within, seconds) in rows {
        let began = system.now();
        let call = shop.wait();
        let outcome = match within {
            Some(within) => call.within(within).await,
            None => call.await,
        };
        assert_eq!(outcome, Err(AskError::TimedOut));
        assert_eq!(system.now().since(began).as_secs(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn replies_are_forwarded() {
    let (system, _) = system();
    let shop = minded(&system, shop).await;
    let to = shop.clone();
    let front = system.spawn(move || Front(to)).expect("the system runs");
    assert_eq!(front.sell(4).await, Ok(4));
    assert_eq!(front.hand_on(Wait).within(SECOND).await, Err(AskError::TimedOut));
    // Held by the shop, and the shop crashes.
    let (asked, told) = tokio::join!(front.hand_on(Wait).into_future(), async {
        // Behind the hop over the front.
        shop.sell(1, "fay".into()).await.expect("it sells");
        shop.sell(1, String::new()).tell()
    });
    told.expect("there is room");
    assert!(matches!(asked, Err(AskError::Crashed(_))), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_gives_the_message_back() {
    let (system, _) = system();
    let capacity = Capacity::of(1);
    let (shop, seat) = system.address_with::<ShopMsg>(MailboxOptions { capacity, ..Default::default() });
    shop.sell(1, "gus".into()).tell().expect("there is room for one");
    let refused = shop.sell(2, "hal".into()).tell();
    let Err(TellError::Full(ShopMsg::Sell(message, _))) = refused else { panic!("{refused:?}") };
    assert_eq!(message, Sell { pieces: 2, to: "hal".into() });
    let asked = shop.wait().await;
    assert!(matches!(asked, Err(AskError::Full(ShopMsg::Wait(Wait, _)))), "{asked:?}");

    let waiting = message.clone().to(&shop);
    let (sent, started) = tokio::join!(waiting.send(), system.start(seat, "shop", self::shop));
    sent.expect("it waits for room");
    started.expect("nothing fails at its start");
    assert_eq!(shop.sell(0, "ian".into()).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn messages_are_values() {
    let (system, _) = system();
    let shop = minded(&system, shop).await;
    let message = shop.sell(5, "jim".into()).into_message();
    let written = serde_json::to_string(&message).expect("derives are passed on");
    assert_eq!(written, r#"{"pieces":5,"to":"jim"}"#);
    let read: Sell = serde_json::from_str(&written).expect("derives are passed on");
    assert_eq!(read.clone().to(&shop).await, Ok(5));
    shop.tell(read.clone()).expect("there is room");
    let sells: Recipient<Sell> = shop.recipient();
    sells.tell(read).expect("there is room");
    assert_eq!(shop.sell(0, "kim".into()).await, Ok(15));
    assert_eq!(
        format!("{:?}", ShopMsg::from(Sell { pieces: 1, to: "mo".into() })),
        r#"Sell { pieces: 1, to: "mo" }"#
    );
    assert_eq!(
        format!("{:?}", shop.sell(1, "leo".into())),
        r#"Call(Sell { pieces: 1, to: "leo" } to Addr(top/it))"#
    );
}
