//! Actors that wait for each other are told so when the cycle closes; actors that do not are never told so.

use std::time::Duration;

use minder::prelude::*;
use minder::{ActorRef, ChildEvent, MailboxOptions, Recipe, StartOptions, WhenFull};
use tokio::sync::oneshot;

use crate::asks::{Outcome, text};
use crate::support::*;

type Question = Box<dyn FnOnce(Reply<u32>) -> Msg + Send>;

/// Answers.
fn answering(number: u32) -> Question {
    Box::new(move |reply| {
        act(move |_, _| {
            let _ = reply.send(number);
            Ok(())
        })
    })
}

/// Asks somebody this, with the reply in hand, notes the outcome, and answers with what it got, or 0.
fn asking(to: &Addr<Msg>, question: Question) -> Question {
    let to = to.clone();
    Box::new(move |reply| {
        wait(move |puppet, _| {
            Box::pin(async move {
                let asked = to.ask(question).await;
                puppet.note(text(&asked));
                let _ = reply.send(asked.unwrap_or(0));
                Ok(())
            })
        })
    })
}

/// Does not go on before it is told to.
fn held(then: Question) -> (Question, oneshot::Sender<()>) {
    let (go, gone) = oneshot::channel::<()>();
    let question: Question = Box::new(move |reply| {
        let then = then(reply);
        wait(move |puppet, context| {
            Box::pin(async move {
                drop(gone.await);
                let Msg::Do(then) = then else { panic!("a question is a deed") };
                then(puppet, context).await
            })
        })
    });
    (question, go)
}

struct Three {
    system: System,
    reader: Reader,
    a: Addr<Msg>,
    b: Addr<Msg>,
    c: Addr<Msg>,
}

async fn three() -> Three {
    three_with(MailboxOptions::default()).await
}

async fn three_with(mailbox: MailboxOptions) -> Three {
    let system = system();
    let (journal, mut reader) = journal();
    let a = named_with(&system, "a", &journal, mailbox).await;
    let b = named_with(&system, "b", &journal, mailbox).await;
    let c = named_with(&system, "c", &journal, mailbox).await;
    reader.expect(&["a up", "b up", "c up"]).await;
    Three { system, reader, a, b, c }
}

/// All of this happens without time passing.
async fn at_once<T>(system: &System, what: impl Future<Output = T>) -> T {
    let began = system.now();
    let done = soon(what).await;
    assert_eq!(system.now(), began, "it happens at once");
    done
}

#[tokio::test(start_paused = true)]
async fn a_cycle_of_any_length_is_found_when_it_closes_and_named() {
    let Three { system, mut reader, a, b, c } = three().await;
    at_once(&system, async {
        assert_eq!(text(&a.ask(asking(&a, answering(1))).await), "answer 0");
        reader.expect(&["a would deadlock: a -> a"]).await;
        assert_eq!(text(&a.ask(asking(&b, asking(&a, answering(1)))).await), "answer 0");
        reader.expect(&["b would deadlock: b -> a -> b", "a answer 0"]).await;
        assert_eq!(text(&a.ask(asking(&b, asking(&c, asking(&a, answering(1))))).await), "answer 0");
        reader.expect(&["c would deadlock: c -> a -> b -> c", "b answer 0", "a answer 0"]).await;
        // One that only leads into a cycle is no part of it, and gets its answer.
        assert_eq!(text(&a.ask(asking(&b, asking(&c, asking(&b, answering(1))))).await), "answer 0");
        reader.expect(&["c would deadlock: c -> b -> c", "b answer 0", "a answer 0"]).await;
    })
    .await;
    // What was asked in vain is skipped, and nobody is the worse for it.
    assert_eq!([&a, &b, &c].map(|actor| actor.statistics().skipped), [3, 1, 0]);
    assert!([&a, &b, &c].iter().all(|actor| actor.statistics().is_conserved()));
    assert_eq!(text(&a.ask(asking(&b, answering(5))).await), "answer 5");
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_waits_its_turn_and_one_with_a_deadline_are_part_of_a_cycle() {
    let Three { system, mut reader, a, b, .. } = three().await;
    let (busy, go) = held(asking(&a, answering(1)));
    let to = b.clone();
    let briefly: Question = Box::new(move |reply| {
        wait(move |puppet, _| {
            Box::pin(async move {
                let asked: Outcome = to.ask_within(Duration::from_millis(50), answering(2)).await;
                puppet.note(text(&asked));
                let _ = reply.send(asked.unwrap_or(0));
                Ok(())
            })
        })
    });
    at_once(&system, async {
        let ((), (), ()) = tokio::join!(
            async { assert_eq!(text(&b.ask(busy).await), "answer 0") },
            async { assert_eq!(text(&a.ask(briefly).await), "answer 2") },
            async {
                turns().await;
                drop(go);
            },
        );
    })
    .await;
    reader.expect(&["b would deadlock: b -> a -> b", "a answer 2"]).await;
}

/// Two orders of one race: the asker has its answer before the other asks it back, or while it does.
#[tokio::test(start_paused = true)]
async fn who_answers_and_then_asks_back_is_no_cycle() {
    let Three { system, mut reader, a, b, .. } = three().await;
    let back = a.clone();
    let answer_and_ask_back: Question = Box::new(move |reply| {
        wait(move |puppet, _| {
            Box::pin(async move {
                let _ = reply.send(1);
                let asked = back.ask(answering(2)).await;
                puppet.note(text(&asked));
                Ok(())
            })
        })
    });
    at_once(&system, a.ask(asking(&b, answer_and_ask_back))).await.expect("it is answered");
    reader.expect(&["a answer 1", "b answer 2"]).await;
}

/// Takes numbers, in which no reply can be.
struct Deaf;

impl Actor for Deaf {
    type Msg = u32;

    async fn handle(&mut self, _: u32, _: &mut Context<u32>) -> Handled {
        Ok(())
    }
}

/// What the asked actor does with the reply before it asks back.
async fn asks_back_after(deed: impl FnOnce(&mut Puppet, Reply<u32>, &Three) + Send + 'static) -> Vec<String> {
    let three = three().await;
    let them = Three {
        reader: journal().1,
        system: three.system.clone(),
        a: three.a.clone(),
        b: three.b.clone(),
        c: three.c.clone(),
    };
    let question: Question = Box::new(move |reply| {
        wait(move |puppet, _| {
            Box::pin(async move {
                deed(puppet, reply, &them);
                let asked: Outcome = them.a.ask_within(SECOND, answering(2)).await;
                puppet.note(text(&asked));
                puppet.kept.clear();
                Ok(())
            })
        })
    });
    let _ = three.a.ask(asking(&three.b, question)).await;
    let Three { mut reader, .. } = three;
    pass(10 * SECOND).await;
    reader.rest()
}

#[tokio::test(start_paused = true)]
async fn a_reply_given_away_ends_the_wait_for_the_actor_that_gave_it() {
    let told = |_: &mut Puppet, reply, them: &Three| them.c.tell(answering(7)(reply)).expect("there is room");
    assert_eq!(asks_back_after(told).await, ["a answer 7", "b answer 2"]);
    let forwarded =
        |_: &mut Puppet, reply, them: &Three| them.c.forward(reply, answering(7)).expect("there is room");
    assert_eq!(asks_back_after(forwarded).await, ["a answer 7", "b answer 2"]);
    // Into a task, of which it has to be told.
    let let_go = |_: &mut Puppet, reply: Reply<u32>, _: &Three| {
        let reply = reply.let_go();
        aside(async move {
            pass(SECOND / 2).await;
            let _ = reply.send(7);
        });
    };
    assert_eq!(asks_back_after(let_go).await, ["a answer 7", "b answer 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_stays_in_the_hands_of_who_asks_back_is_a_cycle() {
    let cycle = ["b would deadlock: b -> a -> b", "a no reply"];
    let kept = |puppet: &mut Puppet, reply, _: &Three| puppet.kept.push(Box::new(reply));
    assert_eq!(asks_back_after(kept).await, cycle);
    // A message in which there can be no reply is no way to give one away.
    let plain = |puppet: &mut Puppet, reply, them: &Three| {
        puppet.kept.push(Box::new(reply));
        let other = them.system.spawn(|| Deaf).expect("open");
        other.tell(1_u32).expect("there is room");
    };
    assert_eq!(asks_back_after(plain).await, cycle);
}

/// Missed on purpose: it may be answered by whoever that message reached, and nobody can see into a message.
#[tokio::test(start_paused = true)]
async fn what_may_have_taken_the_reply_along_leaves_the_cycle_to_its_deadline() {
    let told = |puppet: &mut Puppet, reply, them: &Three| {
        puppet.kept.push(Box::new(reply));
        them.c.tell(act(|_, _| Ok(()))).expect("there is room");
    };
    assert_eq!(asks_back_after(told).await, ["b timed out", "a no reply"]);
}

/// What was given away before one await was forgotten at the next.
#[tokio::test(start_paused = true)]
async fn a_reply_given_away_long_before_is_given_away() {
    let Three { mut reader, a, b, c, .. } = three().await;
    let back = a.clone();
    let question: Question = Box::new(move |reply| {
        wait(move |puppet, context| {
            Box::pin(async move {
                c.tell(wait(|_, context| {
                    Box::pin(async move {
                        context.sleep(SECOND).await;
                        let _ = reply.send(7);
                        Ok(())
                    })
                }))
                .expect("there is room");
                context.sleep(SECOND / 2).await;
                let asked = back.ask(answering(2)).await;
                puppet.note(text(&asked));
                Ok(())
            })
        })
    });
    assert_eq!(text(&a.ask(asking(&b, question)).await), "answer 7");
    reader.expect(&["a answer 7", "b answer 2"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_reply_kept_beyond_its_handler_belongs_to_nobody_that_is_known() {
    let Three { system, mut reader, a, b, .. } = three().await;
    let keeping: Question = Box::new(|reply| {
        act(move |puppet, _| {
            puppet.kept.push(Box::new(reply));
            Ok(())
        })
    });
    let to = a.clone();
    let later = wait(move |puppet, _| {
        Box::pin(async move {
            let asked: Outcome = to.ask_within(SECOND, answering(2)).await;
            puppet.note(text(&asked));
            puppet.kept.clear();
            Ok(())
        })
    });
    let began = system.now();
    let (asked, ()) = tokio::join!(a.ask(asking(&b, keeping)), async {
        turns().await;
        b.tell(later).expect("there is room");
    });
    assert_eq!(text(&asked), "answer 0");
    reader.expect(&["b timed out", "a no reply"]).await;
    assert!(system.now().since(began) >= SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_cycle_through_whom_the_reply_was_forwarded_to_is_found() {
    let Three { system, mut reader, a, b, c } = three().await;
    let (to, back) = (c.clone(), a.clone());
    let forwarding: Question = Box::new(move |reply| {
        act(move |_, _| {
            to.forward(reply, asking(&back, answering(1))).expect("there is room");
            Ok(())
        })
    });
    at_once(&system, a.ask(asking(&b, forwarding))).await.expect("it is answered");
    reader.expect(&["c would deadlock: c -> a -> c", "a answer 0"]).await;
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_several_at_once_is_stuck_only_if_all_of_them_are() {
    // Which of two answers is enough, and what happens once `c`, which is not stuck, has answered.
    for (is_select, expected) in [
        (true, vec!["a has 3", "b answer 1"]),
        (false, vec!["a would deadlock: a -> b -> a", "a has 3", "b answer 1"]),
    ] {
        let Three { system, mut reader, a, b, c } = three().await;
        let (slowly, go) = held(answering(3));
        let (back, to_b, to_c) = (a.clone(), b.clone(), c.clone());
        let both = wait(move |puppet, _| {
            Box::pin(async move {
                let b = to_b.ask(asking(&back, answering(1)));
                let c = to_c.ask(slowly);
                let got = if is_select {
                    tokio::select! { got = b => got, got = c => got }
                } else {
                    let (b, c) = tokio::join!(b, c);
                    puppet.note(text(&b));
                    c
                };
                puppet.note(format!("has {}", got.expect("c answers")));
                Ok(())
            })
        });
        a.tell(both).expect("there is room");
        at_once(&system, async {
            turns().await;
            assert_eq!(reader.rest(), Vec::<String>::new());
            drop(go);
            turns().await;
        })
        .await;
        assert_eq!(reader.rest(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_room_is_waiting_for_the_actor() {
    let narrow = |when_full| MailboxOptions::bounded(1, when_full);
    // By a send, whatever the mailbox does with an ask that finds it full.
    let Three { system, mut reader, a, b, .. } = three_with(narrow(WhenFull::Reject)).await;
    let sending = |to: &Addr<Msg>| {
        let to = to.clone();
        wait(move |puppet, _| {
            Box::pin(async move {
                match to.send(Msg::Mark(9)).await {
                    Err(TellError::WouldDeadlock(cycle, Msg::Mark(9))) => {
                        puppet.note(format!("stuck: {cycle}"))
                    }
                    other => puppet.note(format!("{other:?}")),
                }
                Ok(())
            })
        })
    };
    at_once(&system, async {
        b.tell(wait({
            let to = a.clone();
            move |puppet, _| {
                Box::pin(async move {
                    turns().await;
                    let asked = to.ask(answering(1)).await;
                    puppet.note(text(&asked));
                    Ok(())
                })
            }
        }))
        .expect("there is room");
        turns().await;
    })
    .await;
    reader.expect(&["b answer 1"]).await;
    let (first, go) = held(Box::new({
        let sending = sending(&b);
        move |_| sending
    }));
    let (second, go_too) = held(Box::new({
        let sending = sending(&a);
        move |_| sending
    }));
    at_once(&system, async {
        a.tell(first(Reply::nobody())).expect("there is room");
        b.tell(second(Reply::nobody())).expect("there is room");
        turns().await;
        a.tell(Msg::Mark(1)).expect("there is room for one");
        b.tell(Msg::Mark(2)).expect("there is room for one");
        drop(go);
        turns().await;
        drop(go_too);
        reader.expect(&["b stuck: b -> a -> b", "b 2", "b 9", "a Ok(())"]).await;
        turns().await;
    })
    .await;
    assert_eq!(reader.rest(), ["a 1"]);

    // By an ask that waits for room.
    let Three { system, mut reader, a, b, .. } = three_with(narrow(WhenFull::Wait)).await;
    let (first, go) = held(asking(&a, answering(1)));
    at_once(&system, async {
        a.tell(first(Reply::nobody())).expect("there is room");
        turns().await;
        a.tell(Msg::Mark(1)).expect("there is room for one");
        drop(go);
        reader.expect(&["a would deadlock: a -> a", "a 1"]).await;
    })
    .await;
    drop(b);
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_was_killed_waits_for_nobody() {
    let system = system();
    let a = minded(&system, || Puppet::new("a", &journal().0)).await;
    let (journal, mut reader) = journal();
    let b = named_with(&system, "b", &journal, Default::default()).await;
    let (busy, go) = held(asking(&a, answering(4)));
    at_once(&system, async {
        b.tell(busy(Reply::nobody())).expect("there is room");
        let (asked, ()) = tokio::join!(a.ask(asking(&b, answering(1))), async {
            turns().await;
            assert!(a.kill());
            turns().await;
            drop(go);
        });
        assert_eq!(text(&asked), "crashed killed");
        reader.expect(&["b up", "b answer 4"]).await;
    })
    .await;
}

// --- minders -------------------------------------------------------------------------------------------------------

/// A minder that, like a supervisor, keeps requests while it starts or stops a child.
struct Keeper {
    recipe: Recipe,
    child: Option<ActorRef>,
    busy: bool,
    kept: Vec<Reply<u32>>,
}

enum Order {
    Start,
    Stop,
    Request(Reply<u32>),
}

impl Actor for Keeper {
    type Msg = Order;

    async fn handle(&mut self, order: Order, context: &mut Context<Order>) -> Handled {
        match order {
            Order::Start => {
                let mut options = StartOptions::named("child");
                options.awaited = true;
                self.busy = true;
                self.child = Some(context.start(&self.recipe, options)?);
            }
            Order::Stop => {
                if let Some(child) = self.child.take() {
                    self.busy = true;
                    context.waits_for(&child);
                    context.stop_child(&child, ExitReason::Shutdown);
                }
            }
            Order::Request(reply) if self.busy => self.kept.push(reply),
            Order::Request(reply) => _ = reply.send(1),
        }
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, _: &mut Context<Order>) -> Handled {
        if let Notice::Child(news) = notice {
            assert!(!matches!(news.event, ChildEvent::StartFailed(_)), "{news:?}");
            self.busy = false;
            self.kept.drain(..).for_each(|reply| _ = reply.send(2));
        }
        Ok(())
    }
}

/// Asks its minder whenever it can.
struct Inquirer {
    minder: Addr<Order>,
    journal: Journal,
}

impl Inquirer {
    async fn inquire(&self, when: &str) {
        let asked = self.minder.ask(Order::Request).await;
        let told = match asked {
            Ok(number) => format!("answer {number}"),
            Err(error) => error.to_string(),
        };
        self.journal.note(format!("{when}: {told}"));
    }
}

impl Actor for Inquirer {
    type Msg = ();

    async fn started(&mut self, context: &mut Context<()>) -> Handled {
        context.trap_exit(true);
        self.inquire("starting").await;
        context.tell_self(());
        Ok(())
    }

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        self.inquire("running").await;
        Ok(())
    }

    async fn stopping(&mut self, _: &ExitReason, _: &mut Context<()>) {
        self.inquire("stopping").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_child_that_asks_a_minder_which_waits_for_it_is_told() {
    let system = system();
    let (journal, mut reader) = journal();
    let (minder, seat) = system.address();
    let address = minder.clone();
    let recipe = Recipe::own_seat(
        move || Inquirer { minder: address.clone(), journal: journal.clone() },
        MailboxOptions::default(),
    );
    system
        .start(seat, "keeper", move || Keeper { recipe, child: None, busy: false, kept: Vec::new() })
        .await
        .expect("starts");
    at_once(&system, async {
        minder.tell(Order::Start).expect("there is room");
        let stuck = "these actors wait for each other: keeper/child -> keeper -> keeper/child";
        reader.expect(&[&format!("starting: {stuck}")]).await;
        reader.expect(&["running: answer 1"]).await;
        minder.tell(Order::Stop).expect("there is room");
        reader.expect(&[&format!("stopping: {stuck}")]).await;
        // Requests of others are kept and answered.
        assert_eq!(minder.ask(Order::Request).await.expect("it is answered"), 1);
    })
    .await;
}

/// Asks its own supervisor whenever it can.
struct Asker {
    supervisor: Root,
    journal: Journal,
}

impl Asker {
    async fn inquire(&self, when: &str) {
        let told = match self.supervisor.count_children().await {
            Ok(counts) => format!("{} active", counts.active),
            Err(error) => error.to_string(),
        };
        self.journal.note(format!("{when}: {told}"));
    }
}

impl Actor for Asker {
    type Msg = ();

    async fn started(&mut self, context: &mut Context<()>) -> Handled {
        context.trap_exit(true);
        self.inquire("starting").await;
        context.tell_self(());
        Ok(())
    }

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        self.inquire("running").await;
        Ok(())
    }

    async fn stopping(&mut self, _: &ExitReason, _: &mut Context<()>) {
        self.inquire("stopping").await;
    }
}

/// A request has no deadline, so it would wait for ever: OTP's does.
/// OTP: SUP-152.
#[tokio::test(start_paused = true)]
async fn a_child_that_asks_its_supervisor_from_its_start_or_its_stopping_is_told() {
    let stuck = "these actors wait for each other: top/child -> top -> top/child";
    let system = system();
    let (journal, mut reader) = journal();
    let root = one_for_one().start(&system, "top").await.expect("starts");
    let (supervisor, note) = (root.clone(), journal.clone());
    let child = actor("child", move || Asker { supervisor: supervisor.clone(), journal: note.clone() });
    at_once(&system, async {
        root.start_child(child).await.expect("it starts all the same");
        reader.expect(&[&format!("starting: {stuck}"), "running: 1 active"]).await;
        root.terminate_child("child").await.expect("it is there");
        reader.expect(&[&format!("stopping: {stuck}")]).await;
    })
    .await;
    assert!(system.shutdown(SECOND).await.is_clean());

    // A dynamic one does one thing after the other, too.
    let system = crate::support::system();
    let template = template("child", move |supervisor: Root| Asker { supervisor, journal: journal.clone() })
        .name(|_: &Root| "child".to_owned());
    let root = dynamic(&template).start(&system, "top").await.expect("starts with nobody");
    at_once(&system, async {
        root.pool(&template).start(root.clone()).await.expect("it starts all the same");
        reader.expect(&[&format!("starting: {stuck}"), "running: 1 active"]).await;
        let stopped = system.shutdown(SECOND).await;
        assert!(stopped.is_clean());
        reader.expect(&[&format!("stopping: {stuck}")]).await;
    })
    .await;
}

// --- at the same moment --------------------------------------------------------------------------------------------

/// Both note their wait before they look, so at least one sees the other; and who answers first is never seen waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_close_a_cycle_at_the_same_moment_at_least_one_is_told() {
    let system = system();
    let (a, b) = (named(&system, "a").await, named(&system, "b").await);
    for round in 0..500 {
        let asking_back = |to: &Addr<Msg>| {
            let to = to.clone();
            move |reply: Reply<Outcome>| {
                wait(move |_, _| {
                    Box::pin(async move {
                        let asked = to.ask(answering(1)).await;
                        let _ = reply.send(asked);
                        Ok(())
                    })
                })
            }
        };
        let (first, second) = (asking_back(&b), asking_back(&a));
        let (to_a, to_b) = (a.clone(), b.clone());
        let (first, second) =
            (aside(async move { to_a.ask(first).await }), aside(async move { to_b.ask(second).await }));
        let (first, second) = (first.await.expect("no panic"), second.await.expect("no panic"));
        for outcome in [first, second].map(|outer| outer.expect("the handler ends")) {
            let told = text(&outcome);
            assert!(told == "answer 1" || told.starts_with("would deadlock"), "round {round}: {told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_answers_and_asks_back_at_the_same_moment_is_never_told() {
    let system = system();
    let (a, b) = (named(&system, "a").await, named(&system, "b").await);
    for round in 0..1000 {
        let (tell, told) = oneshot::channel();
        let back = a.clone();
        let question: Question = Box::new(move |reply| {
            wait(move |_, _| {
                Box::pin(async move {
                    let _ = reply.send(1);
                    let _ = tell.send(back.ask(answering(2)).await);
                    Ok(())
                })
            })
        });
        assert_eq!(text(&a.ask(asking(&b, question)).await), "answer 1", "round {round}");
        assert_eq!(text(&told.await.expect("b tells")), "answer 2", "round {round}");
    }
}
