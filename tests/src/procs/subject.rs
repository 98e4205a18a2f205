//! The actor of a scenario: carries out what it is told, and keeps what it hears as a process keeps its messages.
//!
//! What OTP's processes have built in and typed actors have not is kept here, as a user would keep it: the tag of a monitor
//! beside its id, and what was heard and not dealt with.
//!
//! It hears what comes at once, so that it can be shown. Where that would hide what minder does with a mailbox, the whole
//! run is made once more by actors that hold: they do what they are told and leave everything else where it lies.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use minder::prelude::*;
use minder::{ActorId, Event, MonitorId, Observer};

use super::reasons::{reason, thrown};
use super::scenario::{Ending, Word};

pub(super) type Deed = Box<dyn FnOnce(&mut Subject, &mut Context<Msg>) -> Answer + Send>;

/// A message, but for who gets the answer.
pub(super) type Order = Box<dyn FnOnce(Reply<Answer>) -> Msg>;

pub(super) enum Msg {
    /// Do this, and say what came of it.
    Do(Deed, Reply<Answer>),
    /// Send an exit signal, with the reason that this word names; `kill` is the kill.
    Signal(Addr<Msg>, Word, Reply<Answer>),
    /// Say so, and end.
    End(Ending, Reply<Answer>),
    /// What another has to say.
    Said { from: Word, text: Word },
    /// From now on do what you are told, and hear nothing.
    Hold,
    /// Hear what has come meanwhile.
    LetGo,
}

/// What comes of a step.
pub(super) enum Answer {
    Text(&'static str),
    /// A monitor or an alias was made.
    Made(Label),
    /// A process was started.
    Started(Addr<Msg>, Option<MonitorId>),
    /// To be shown by name, in order.
    Actors(Vec<ActorId>),
    Targets(Vec<Target>),
}

/// What the name of a monitor or an alias stands for: in OTP one reference may be both.
#[derive(Clone, Default)]
pub(super) struct Label {
    pub(super) monitor: Option<MonitorId>,
    pub(super) alias: Option<minder::Alias<Msg>>,
}

/// What is monitored.
#[derive(Clone)]
pub(super) enum Target {
    Actor(ActorId),
    Name(Word),
}

/// What an actor hears.
#[derive(Clone)]
pub(super) enum Heard {
    Msg { from: Word, text: Word },
    Exit { from: ActorId, reason: ExitReason },
    Down { monitor: MonitorId, label: Word, tag: Word, target: Target, reason: ExitReason },
}

/// What a monitor was made with.
pub(super) struct Watch {
    pub(super) label: Word,
    pub(super) tag: Word,
    pub(super) target: Target,
}

pub(super) struct Subject {
    stage: Arc<Stage>,
    pub(super) watches: HashMap<MonitorId, Watch>,
    heard: Vec<Heard>,
}

impl Subject {
    pub(super) fn new(stage: Arc<Stage>) -> Self {
        Self { stage, watches: HashMap::new(), heard: Vec::new() }
    }

    fn hear(&mut self, heard: Heard, context: &Context<Msg>) {
        self.stage.lock().news.push(News { at: context.id(), is_gone: false, heard: heard.clone() });
        self.heard.push(heard);
    }

    /// The message of a monitor is gone, should it be among what was heard.
    pub(super) fn forget(&mut self, monitor: MonitorId, context: &Context<Msg>) {
        let its = |heard: &mut Heard| matches!(heard, Heard::Down { monitor: its, .. } if *its == monitor);
        for heard in self.heard.extract_if(.., its) {
            self.stage.lock().news.push(News { at: context.id(), is_gone: true, heard });
        }
    }
}

impl Subject {
    /// Leaves in its mailbox whatever it is not told to do.
    async fn hold(&mut self, context: &mut Context<Msg>) -> Handled {
        const FOR_EVER: Duration = Duration::from_secs(1 << 32);
        let told = |message: &Msg| !matches!(message, Msg::Said { .. });
        while let Some(message) = context.receive(FOR_EVER, told).await {
            let is_last = matches!(message, Msg::LetGo | Msg::End(..));
            self.carry_out(message, context).await?;
            if is_last {
                break;
            }
        }
        Ok(())
    }

    async fn carry_out(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        match message {
            Msg::Do(deed, reply) => {
                let answer = deed(self, context);
                drop(reply.send(answer));
            }
            Msg::Signal(other, why, reply) => {
                let is_kill = &*why == "kill";
                match is_kill {
                    true => other.kill(),
                    false => context.exit(&other, reason(&why)),
                };
                if other == context.address() && (is_kill || !context.is_trapping()) {
                    // A signal to oneself acts at an await: at this one.
                    pending::<()>().await;
                }
                drop(reply.send(Answer::Text("true")));
            }
            Msg::End(ending, reply) => {
                drop(reply.send(Answer::Text("ok")));
                match ending {
                    Ending::Exit(why) => return Err(reason(&why)),
                    Ending::Raise(what) => panic!("{what}"),
                    Ending::Throw(what) => return Err(thrown(&what)),
                    Ending::Return => context.stop(ExitReason::Normal),
                }
            }
            Msg::Said { from, text } => self.hear(Heard::Msg { from, text }, context),
            Msg::Hold | Msg::LetGo => {}
        }
        Ok(())
    }
}

impl Actor for Subject {
    type Msg = Msg;

    async fn started(&mut self, context: &mut Context<Msg>) -> Handled {
        if self.stage.is_held {
            context.tell_self(Msg::Hold);
        }
        Ok(())
    }

    async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        match message {
            Msg::Hold => self.hold(context).await,
            message => self.carry_out(message, context).await,
        }
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<Msg>) -> Handled {
        match notice {
            Notice::Exit(exit) => self.hear(Heard::Exit { from: exit.from, reason: exit.reason }, context),
            Notice::Down(down) => {
                // One that nobody knows of would be a `Down` too many: it is shown, with what is known.
                let watch = self.watches.remove(&down.monitor);
                let (label, tag) = watch.map_or(("?".into(), "?".into()), |watch| (watch.label, watch.tag));
                let target = down.name.map_or(Target::Actor(down.actor), Target::Name);
                let (monitor, reason) = (down.monitor, down.reason);
                self.hear(Heard::Down { monitor, label, tag, target, reason }, context);
            }
            _ => {}
        }
        Ok(())
    }
}

/// What is seen of a scenario while it is played.
#[derive(Default)]
pub(super) struct Stage {
    pub(super) seen: Mutex<Seen>,
    /// Whether its actors hold.
    pub(super) is_held: bool,
}

/// Since it was looked at last.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) ends: Vec<(ActorId, ExitReason)>,
    pub(super) news: Vec<News>,
}

/// An actor has heard something, or forgotten what it had heard.
pub(super) struct News {
    pub(super) at: ActorId,
    pub(super) is_gone: bool,
    pub(super) heard: Heard,
}

impl Stage {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self) -> Seen {
        std::mem::take(&mut *self.lock())
    }
}

impl Observer for Stage {
    fn event(&self, event: &Event<'_>) {
        if let Event::Exited { id, reason, .. } = event {
            self.lock().ends.push((*id, (*reason).clone()));
        }
    }
}
