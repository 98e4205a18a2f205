//! Watching an actor at its work: figures, a trace, a log of the last events, and functions of users that see each event.
//! Off until somebody asks for it (`Sys::debug`, `Context::debug`); then the mailbox carries a mark that the loop sees where it
//! looks for orders anyway. Changes nothing of what the actor does: what panics here is removed, and told.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use minder_mailbox::Mark;
use minder_signals::Moment;

use crate::clock::Clock;
use crate::context::{Context, Extra};
use crate::life::AnyCell;
use crate::notice::{Item, Notice};
use crate::reply::Envelope;
use crate::unheard::Whose;

/// What watches one incarnation. It ends with it.
///
/// When not to use this: for the figures of a service in production. [`Addr::statistics`](crate::Addr::statistics) are always
/// there and cost nothing, and so are the events of [`Observer`](crate::Observer)s. While anything here is on, each event
/// costs a reading of the clock and what is on.
///
/// # OTP
/// The debug options of `sys`.
pub struct Debugging {
    clock: Clock,
    /// How many events there were.
    events: u64,
    /// Whether an event has begun whose end is to be told.
    has_begun: bool,
    figures: Option<Figures>,
    traces: bool,
    /// Of how many events, and those.
    log: Option<(usize, VecDeque<Logged>)>,
    functions: Vec<Function>,
    describe: Option<Describe>,
}

struct Function {
    name: String,
    run: Sees,
}

type Sees = Box<dyn FnMut(&DebugEvent<'_>) -> ControlFlow<()> + Send>;
type Describe = Box<dyn Fn(&dyn Any) -> Option<String> + Send>;

/// What is counted of an actor while [`Debugging::statistics`] are on.
///
/// # OTP
/// `sys:statistics/2`, where answers are what goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// When it was switched on.
    pub since: Moment,
    /// When this was read.
    pub until: Moment,
    /// What came to it: messages, notices, ticks of its intervals, results of its jobs. Those that were postponed and came
    /// again count again.
    pub messages_in: u64,
    /// Answers that it sent while it handled what they answer.
    pub messages_out: u64,
}

/// An event as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Logged {
    /// Which one since the watching began, from 1.
    pub number: u64,
    /// When.
    pub at: Moment,
    /// What, in words: see [`Debugging::describe`].
    pub text: String,
}

impl fmt::Display for Logged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?}: {}", self.number, self.at.since_start(), self.text)
    }
}

/// One step of an actor's work.
#[derive(Debug)]
#[non_exhaustive]
pub struct DebugEvent<'a> {
    /// Which one since the watching began, from 1.
    pub number: u64,
    /// When.
    pub at: Moment,
    /// What.
    pub kind: DebugKind<'a>,
}

/// What an actor is about to do, or has done.
#[derive(Debug)]
#[non_exhaustive]
pub enum DebugKind<'a> {
    /// This message is handled next; or skipped, if nobody waits for it any more. See [`DebugEvent::message`].
    In(&'a dyn Any),
    /// This notice is handled next.
    Notice(&'a Notice),
    /// An interval is due: its message is made and handled next.
    Tick,
    /// A job is over: its message is made and handled next.
    Job,
    /// What began last has been handled to its end. That of what ended the incarnation is not told.
    Handled {
        /// Whether an answer was sent to whoever asked for it. One that comes after the clean-up was not yet.
        answered: bool,
    },
}

impl DebugEvent<'_> {
    /// The message that is handled next, if it is one of this type.
    pub fn message<M: 'static>(&self) -> Option<&M> {
        match self.kind {
            DebugKind::In(message) => message.downcast_ref(),
            _ => None,
        }
    }
}

impl Debugging {
    fn new(clock: Clock) -> Self {
        Self {
            clock,
            events: 0,
            has_begun: false,
            figures: None,
            traces: false,
            log: None,
            functions: Vec::new(),
            describe: None,
        }
    }

    /// Whether figures are counted; from 0, if they were not.
    pub fn statistics(&mut self, on: bool) {
        match (on, &self.figures) {
            (true, None) => {
                let now = self.clock.now();
                self.figures = Some(Figures { since: now, until: now, messages_in: 0, messages_out: 0 });
            }
            (true, Some(_)) => {}
            (false, _) => self.figures = None,
        }
    }

    /// What was counted; nothing if it is off.
    pub fn figures(&self) -> Option<Figures> {
        self.figures.map(|figures| Figures { until: self.clock.now(), ..figures })
    }

    /// Whether each event goes to `tracing`, under the target `minder::sys`.
    pub fn trace(&mut self, on: bool) {
        self.traces = on;
    }

    /// Keeps so many of the last events; none, and forgets those there are, with 0.
    pub fn log(&mut self, last: usize) {
        if last == 0 {
            self.log = None;
            return;
        }
        let (limit, logged) = self.log.get_or_insert_default();
        *limit = last;
        logged.drain(..logged.len().saturating_sub(last));
    }

    /// The events that are kept, oldest first.
    pub fn logged(&self) -> Vec<Logged> {
        self.log.iter().flat_map(|(_, logged)| logged.iter().cloned()).collect()
    }

    /// How messages are written in the trace and the log: without secrets. Unless this is said, they are not.
    pub fn describe<M: 'static>(&mut self, describe: impl Fn(&M) -> String + Send + 'static) {
        self.describe = Some(Box::new(move |message| message.downcast_ref().map(&describe)));
    }

    /// Has a function called for each event, until it returns [`ControlFlow::Break`], or panics, which is told as an
    /// [`Event::UnheardPanic`](crate::Event::UnheardPanic). It must be quick: the actor waits. False, and the function is
    /// dropped, if there is one of this name.
    pub fn install(
        &mut self,
        name: impl Into<String>,
        function: impl FnMut(&DebugEvent<'_>) -> ControlFlow<()> + Send + 'static,
    ) -> bool {
        let name = name.into();
        let is_new = self.functions.iter().all(|known| known.name != name);
        if is_new {
            self.functions.push(Function { name, run: Box::new(function) });
        }
        is_new
    }

    /// Removes the function of this name; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let at = self.functions.iter().position(|known| known.name == name);
        at.map(|at| self.functions.remove(at)).is_some()
    }

    /// Switches everything off.
    pub fn off(&mut self) {
        (self.figures, self.traces, self.log, self.describe) = (None, false, None, None);
        self.functions.clear();
    }

    fn is_on(&self) -> bool {
        self.figures.is_some() || self.traces || self.log.is_some() || !self.functions.is_empty()
    }

    /// What is on.
    pub(crate) fn options(&self) -> Vec<String> {
        let mut options = Vec::new();
        options.extend(self.figures.map(|_| "statistics".to_owned()));
        options.extend(self.traces.then(|| "trace".to_owned()));
        options.extend(self.log.iter().map(|(limit, _)| format!("log {limit}")));
        options.extend(self.functions.iter().map(|function| format!("`{}`", function.name)));
        options
    }

    /// What has begun and not ended, if a log is kept.
    pub(crate) fn in_hand(&self) -> Option<String> {
        let (_, logged) = self.log.as_ref().filter(|_| self.has_begun)?;
        logged.back().map(|logged| logged.text.clone())
    }

    fn happened(&mut self, whose: &Whose, kind: DebugKind<'_>) {
        self.events += 1;
        let event = DebugEvent { number: self.events, at: self.clock.now(), kind };
        if let Some(figures) = &mut self.figures {
            match event.kind {
                DebugKind::Handled { answered } => figures.messages_out += u64::from(answered),
                _ => figures.messages_in += 1,
            }
        }
        if self.traces || self.log.is_some() {
            self.note(whose, &event);
        }
        self.call(whose, &event);
    }

    /// Writes it down.
    fn note(&mut self, whose: &Whose, event: &DebugEvent<'_>) {
        let text = self.text(whose, &event.kind);
        if self.traces {
            let (path, id, number) = (whose.cell.core().path(), whose.id, event.number);
            tracing::info!(target: "minder::sys", path = &*path, %id, number, event = text, "actor at work");
        }
        if let Some((limit, logged)) = &mut self.log {
            if logged.len() == *limit {
                logged.pop_front();
            }
            logged.push_back(Logged { number: event.number, at: event.at, text });
        }
    }

    fn text(&mut self, whose: &Whose, kind: &DebugKind<'_>) -> String {
        match kind {
            DebugKind::In(message) => {
                let described = self.describe.as_ref().map(|describe| whose.run(|| describe(*message)));
                match described {
                    Some(Ok(Some(text))) => format!("message: {text}"),
                    Some(Err(panic)) => {
                        whose.tell(&panic);
                        whose.discard(self.describe.take(), None);
                        "message: (describing it panicked)".to_owned()
                    }
                    Some(Ok(None)) | None => "message".to_owned(),
                }
            }
            DebugKind::Notice(notice) => format!("notice: {notice:?}"),
            DebugKind::Tick => "tick".to_owned(),
            DebugKind::Job => "job over".to_owned(),
            DebugKind::Handled { answered: true } => "handled, answered".to_owned(),
            DebugKind::Handled { answered: false } => "handled".to_owned(),
        }
    }

    fn call(&mut self, whose: &Whose, event: &DebugEvent<'_>) {
        let mut at = 0;
        while let Some(function) = self.functions.get_mut(at) {
            let ran = whose.run(|| (function.run)(event));
            if let Err(panic) = &ran {
                whose.tell(panic);
            }
            match ran {
                Ok(ControlFlow::Continue(())) => at += 1,
                _ => whose.discard(self.functions.remove(at), None),
            }
        }
    }
}

/// What stands first in the batch is about to be handled.
#[cold]
pub(crate) fn begins<M: Send + 'static>(context: &mut Context<M>) {
    let whose = context.whose("debug");
    let Context { batch, extra, .. } = context;
    let (Some(item), Some(debugging)) = (batch.front(), of(extra)) else { return };
    let kind = match item {
        Item::Tell(message)
        | Item::Ask(message, _)
        | Item::Bound(message, _)
        | Item::Again(message, _)
        | Item::Own(message)
        | Item::Next(message) => DebugKind::In(message),
        Item::Notice(notice) => DebugKind::Notice(notice),
        Item::Tick(_) => DebugKind::Tick,
        Item::Outcome(_) => DebugKind::Job,
        Item::Stop => return, // and it handles nothing more
    };
    debugging.has_begun = true;
    debugging.happened(&whose, kind);
    context.settle_debugging();
}

/// What was in hand, with this envelope if it was asked, has been handled to its end.
pub(crate) fn ends<M: Send + 'static>(context: &mut Context<M>, envelope: Option<&Envelope<M>>) {
    let has_begun = of(&mut context.extra).is_some_and(|debugging| std::mem::take(&mut debugging.has_begun));
    if has_begun {
        handled(context, envelope);
    }
}

#[cold]
fn handled<M: Send + 'static>(context: &mut Context<M>, envelope: Option<&Envelope<M>>) {
    let whose = context.whose("debug");
    let past = context.extra.as_ref().and_then(|extra| extra.past.as_ref()?.slot.as_ref());
    let answered = envelope.or(past).is_some_and(|asked| asked.is_answered());
    if let Some(debugging) = of(&mut context.extra) {
        debugging.happened(&whose, DebugKind::Handled { answered });
    }
    context.settle_debugging();
}

fn of<M>(extra: &mut Option<Box<Extra<M>>>) -> Option<&mut Debugging> {
    extra.as_mut()?.debugging.as_deref_mut()
}

impl<M: Send + 'static> Context<M> {
    /// Has this actor watched at its work from the next message on, or not any more, or reads what was seen: for one that
    /// is to be watched from its start on, which no request from outside can.
    ///
    /// # OTP
    /// The option `debug` of a start.
    ///
    /// ```
    /// use minder_runtime::{Actor, Context, Handled};
    ///
    /// struct Suspect;
    /// impl Actor for Suspect {
    ///     type Msg = u64;
    ///     async fn started(&mut self, context: &mut Context<u64>) -> Handled {
    ///         context.debug(|debugging| debugging.log(50));
    ///         Ok(())
    ///     }
    ///     async fn handle(&mut self, _: u64, _: &mut Context<u64>) -> Handled {
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn debug<R>(&mut self, change: impl FnOnce(&mut Debugging) -> R) -> R {
        let result = change(self.debugging());
        self.settle_debugging();
        result
    }

    pub(crate) fn debugging(&mut self) -> &mut Debugging {
        let clock = self.cell.core.system.clock;
        self.extra().debugging.get_or_insert_with(|| Box::new(Debugging::new(clock)))
    }

    /// It has been changed: whether the loop is to look for it.
    pub(crate) fn settle_debugging(&mut self) {
        let is_on = of(&mut self.extra).is_some_and(|debugging| debugging.is_on());
        if self.cell.mailbox.is_marked(Mark::Watched) != is_on {
            self.cell.mailbox.mark(Mark::Watched, is_on);
        }
        if !is_on && let Some(extra) = &mut self.extra {
            let off = extra.debugging.take();
            self.whose("debug").discard(off, None);
        }
    }

    pub(crate) fn whose(&self, work: &'static str) -> Whose {
        let cell: Arc<dyn AnyCell> = self.cell.clone();
        Whose { cell, id: self.id(), work }
    }
}

impl fmt::Debug for Debugging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Debugging")
            .field("on", &self.options())
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
