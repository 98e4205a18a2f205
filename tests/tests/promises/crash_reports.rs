//! Crash reports: of abnormal ends only, with what the actor shows, what it had in hand, and who ends along.

use std::sync::{Arc, Mutex};

use minder::prelude::*;
use minder::{CrashReport, Event, Observer};

use crate::support::*;

/// Keeps what is told, and in which order.
#[derive(Clone, Default)]
struct Reports(Arc<Mutex<Vec<Told>>>);

#[derive(Debug)]
enum Told {
    Crashed(CrashReport),
    Exited(String),
}

impl Observer for Reports {
    fn event(&self, event: &Event<'_>) {
        let told = match event {
            Event::Crashed { report } => Told::Crashed((*report).clone()),
            Event::Exited { path, .. } => Told::Exited((*path).to_owned()),
            _ => return,
        };
        self.0.lock().expect("nobody panics in here").push(told);
    }
}

impl Reports {
    /// The reports since the last look. Each comes right before its exit.
    fn take(&self) -> Vec<CrashReport> {
        let mut crashes: Vec<CrashReport> = Vec::new();
        let mut last: Option<Arc<str>> = None;
        for told in std::mem::take(&mut *self.0.lock().expect("nobody panics in here")) {
            match told {
                Told::Crashed(report) => {
                    assert_eq!(last.replace(report.path.clone()), None);
                    crashes.push(report);
                }
                Told::Exited(path) => assert!(last.take().is_none_or(|crashed| *crashed == *path)),
            }
        }
        crashes
    }
}

fn reporting() -> (System, Reports) {
    let reports = Reports::default();
    let system = System::builder().observer(Arc::new(reports.clone())).crash_reports();
    (system.build().expect("there is a runtime"), reports)
}

/// Counts, shows how far it is, and keeps a log of what it does.
struct Counter(u64);

#[derive(Debug)]
enum Count {
    Add(u64),
    Fail,
    Hang,
    Stop(ExitReason),
    /// Asks for what crashes it.
    Ask(Reply<()>),
}

impl Actor for Counter {
    type Msg = Count;

    async fn started(&mut self, context: &mut Context<Count>) -> Handled {
        context.debug(|debugging| {
            debugging.log(3);
            debugging.describe(|count: &Count| format!("{count:?}"));
        });
        Ok(())
    }

    async fn handle(&mut self, count: Count, context: &mut Context<Count>) -> Handled {
        match count {
            Count::Add(number) => self.0 += number,
            Count::Fail => return Err(ExitReason::other("no more")),
            Count::Hang => std::future::pending().await,
            Count::Stop(reason) => context.stop(reason),
            Count::Ask(reply) => {
                context.sleep(SECOND).await;
                drop(reply);
                panic!("asked too much");
            }
        }
        assert!(self.0 < 100, "too much");
        Ok(())
    }

    fn format_status(&self) -> Option<String> {
        assert!(self.0 != 113, "an unlucky number");
        Some(format!("at {}", self.0))
    }
}

/// OTP: GS-026, PRL-004.
#[tokio::test(start_paused = true)]
async fn a_crash_is_reported_with_what_the_actor_shows_and_a_clean_end_is_not() {
    // what it is told at last; what it ended of, had in hand and shows, if it is reported
    type Row = (fn(&Addr<Count>), Option<[&'static str; 3]>);
    let tell = |it: &Addr<Count>, count| it.tell(count).expect("there is room");
    let rows: &[Row] = &[
        (
            |it| it.tell(Count::Add(100)).expect("room"),
            Some(["panic too much", "message: Add(100)", "at 107"]),
        ),
        (
            |it| it.tell(Count::Add(106)).expect("room"),
            Some(["panic too much", "message: Add(106)", "`format_status` panicked: an unlucky number"]),
        ),
        (|it| it.tell(Count::Fail).expect("room"), Some(["no more", "message: Fail", "at 7"])),
        (
            |it| {
                it.tell(Count::Hang).expect("room");
                let it = it.clone();
                drop(aside(async move { it.kill() }));
            },
            Some(["killed", "message: Hang", "at 7"]),
        ),
        (|it| assert!(it.kill()), Some(["killed", "", "at 7"])),
        (|it| it.tell(Count::Stop(ExitReason::Normal)).expect("room"), None),
        (|it| it.tell(Count::Stop(ExitReason::Shutdown)).expect("room"), None),
    ];
    for (case, (end, expected)) in rows.iter().enumerate() {
        let (system, reports) = reporting();
        let (it, seat) = system.address();
        let tree = tree(
            "below",
            one_for_one()
                .limit(0, SECOND)
                .child(actor_in("it", seat, || Counter(5)).restart(Restart::Temporary)),
        );
        one_for_one().child(tree).start(&system, "top").await.expect("it starts");
        let id = it.id();
        tell(&it, Count::Add(2));
        turns().await;
        end(&it);
        if let Some([_, in_hand, _]) = expected
            && !in_hand.is_empty()
        {
            (0..3).for_each(|n| tell(&it, Count::Add(n))); // these wait
        }
        turns().await;
        let reports = reports.take();
        let Some([reason, in_hand, state]) = expected else {
            assert!(reports.is_empty() && !it.is_alive(), "{case}: {reports:?}");
            continue;
        };
        let [report] = reports.as_slice() else { panic!("{case}: {reports:?}") };
        assert_eq!((&*report.path, report.id, report.started), ("top/below/it", id, true), "{case}");
        assert!(
            report.actor.ends_with("Counter") && report.messages.ends_with("Count"),
            "{case}: {report:?}"
        );
        assert_eq!(short(&report.reason), *reason, "{case}");
        assert_eq!(report.in_hand.as_deref().unwrap_or_default(), *in_hand, "{case}");
        let shown = report.state.as_deref().unwrap_or_default();
        assert!(shown.starts_with(state), "{case}: {shown}");
        let (last, queued) = if in_hand.is_empty() { ("handled", 0) } else { (*in_hand, 3) };
        assert_eq!(
            (report.log.last().map(|logged| logged.text.as_str()), report.queued),
            (Some(last), queued),
            "{case}"
        );
        let text = report.to_string();
        assert!(text.starts_with("top/below/it (") && text.contains(shown), "{text}");
        assert!(text.ends_with("ends along: nobody"), "{text}");
    }
}

/// OTP: PRL-005.
#[test]
fn whoever_ends_along_is_named() {
    everywhere(|| async {
        let (system, reports) = reporting();
        let mut all = Vec::new();
        for name in ["it", "linked", "beyond", "trapping", "behind"] {
            let (address, seat) = system.address();
            let make = move || match name {
                "trapping" => Puppet::new(name, &journal().0).trapping(),
                _ => Puppet::new(name, &journal().0),
            };
            system.start(seat, name, make).await.expect("it starts");
            all.push(address);
        }
        // it - linked - beyond, it - trapping - behind, and two children, of which one traps exits.
        for (one, other) in [(0, 1), (1, 2), (0, 3), (3, 4)] {
            let other = all[other].clone();
            all[one].tell(act(move |_, context| context.link(&other))).expect("there is room");
        }
        all[0]
            .tell(act(|_, context| {
                context.spawn("child", || Puppet::new("child", &journal().0))?;
                context.spawn("stubborn", || Puppet::new("stubborn", &journal().0).trapping())?;
                Ok(())
            }))
            .expect("there is room");
        turns().await;
        assert!(reports.take().is_empty());
        all[0].tell(crash()).expect("there is room");
        turns().await;
        let reports = reports.take();
        let first = &reports[0];
        let paths: Vec<&str> = first.neighbours.iter().map(|path| &**path).collect();
        assert_eq!(paths, ["it/child", "it/stubborn", "linked", "beyond"]);
        assert!(first.to_string().ends_with("ends along: it/child, it/stubborn, linked, beyond"));
        let mut ended: Vec<&str> = reports.iter().map(|report| &*report.path).collect();
        ended.sort_unstable();
        assert_eq!(ended, ["beyond", "it", "it/child", "it/stubborn", "linked"]);
        assert!(all[3].is_alive() && all[4].is_alive());
    });
}

#[tokio::test(start_paused = true)]
async fn nothing_is_formatted_unless_reports_are_wanted() {
    /// Would be heard of if it was asked to show itself.
    struct Shy(Journal);
    impl Actor for Shy {
        type Msg = ();
        async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
            panic!("boom")
        }
        fn format_status(&self) -> Option<String> {
            self.0.note("asked to show itself");
            None
        }
    }
    let (journal, mut reader) = journal();
    for wanted in [false, true] {
        let reports = Reports::default();
        let builder = System::builder().observer(Arc::new(reports.clone()));
        let builder = if wanted { builder.crash_reports() } else { builder };
        let system = builder.build().expect("there is a runtime");
        let journal = journal.clone();
        let shy = system.spawn(move || Shy(journal)).expect("open");
        shy.tell(()).expect("there is room");
        shy.ended().await;
        assert_eq!((reports.take().len(), reader.rest().len()), (wanted.into(), wanted.into()));
    }
}

/// OTP: GS-026.
#[test]
fn whoever_asked_for_what_was_in_hand_is_named() {
    everywhere(|| async {
        let (system, reports) = reporting();
        let (client, middle) = (named(&system, "client").await, named(&system, "middle").await);
        // how it is asked; whether by somebody who can be named
        type Ask = fn(&Addr<Msg>, &Addr<Msg>, Addr<Count>);
        let rows: &[(&str, Ask, bool)] = &[
            (
                "by an actor",
                |client, _, it| {
                    let asks = wait(move |_, _| {
                        Box::pin(async move {
                            it.ask(Count::Ask).await.expect_err("it crashes");
                            Ok(())
                        })
                    });
                    client.tell(asks).expect("there is room");
                },
                true,
            ),
            (
                "by an actor, through another",
                |client, middle, it| {
                    let middle = middle.clone();
                    let asks = wait(move |_, _| {
                        Box::pin(async move {
                            let forwards = |reply| {
                                act(move |_, _| {
                                    it.forward(reply, Count::Ask).expect("there is room");
                                    Ok(())
                                })
                            };
                            middle.ask(forwards).await.expect_err("it crashes");
                            Ok(())
                        })
                    });
                    client.tell(asks).expect("there is room");
                },
                true,
            ),
            (
                "by an actor that does not wait any more",
                |client, _, it| {
                    let asks = wait(move |_, context| {
                        Box::pin(async move {
                            let asked = it.ask_within(SECOND / 2, Count::Ask);
                            asked.await.expect_err("it is slow");
                            context.sleep(2 * SECOND).await;
                            Ok(())
                        })
                    });
                    client.tell(asks).expect("there is room");
                },
                false,
            ),
            ("by nobody", |_, _, it| it.tell(Count::Ask(Reply::nobody())).expect("there is room"), false),
        ];
        for (case, ask, is_named) in rows {
            let it = system.spawn(|| Counter(0)).expect("open");
            ask(&client, &middle, it.clone());
            pass(5 * SECOND).await;
            let reports = reports.take();
            let asked_by: Vec<Option<&str>> =
                reports.iter().map(|report| report.asked_by.as_deref()).collect();
            assert_eq!(asked_by, [is_named.then_some("client")], "{case}");
            assert_eq!(reports[0].to_string().contains("asked by: client"), *is_named, "{case}");
        }
        let it = system.spawn(|| Counter(0)).expect("open");
        it.ask(Count::Ask).await.expect_err("it crashes");
        turns().await;
        assert_eq!(reports.take()[0].asked_by, None, "by nobody of the system");
    });
}
