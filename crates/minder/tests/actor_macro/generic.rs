//! Generic actors: each message has the parameters that it needs and no others.

use std::fmt::Display;

use minder::prelude::*;

use crate::support::{minded, system};

struct Worker<T, const N: usize, F> {
    items: Vec<T>,
    last: Option<[T; N]>,
    finish: F,
}

#[actor(derive(Clone, PartialEq))]
impl<T, const N: usize, F> Worker<T, N, F>
where
    T: Display + Clone + Send + 'static,
    F: Fn(&T) -> String + Send + 'static,
{
    fn push(&mut self, item: T) {
        self.items.push(item);
    }

    fn push_all(&mut self, items: [T; N], context: &mut Context<WorkerMsg<T, N>>) {
        context.tell_self(Push { item: items[0].clone() });
        self.last = Some(items);
    }

    fn finished(&self) -> Vec<String> {
        self.items.iter().map(&self.finish).collect()
    }

    fn last(&self) -> Option<[T; N]> {
        self.last.clone()
    }

    #[idempotent]
    fn count(&self) -> usize {
        self.items.len()
    }
}

#[tokio::test(start_paused = true)]
async fn a_generic_actor() {
    let (system, _) = system();
    let make = || Worker::<u8, 2, _> { items: vec![], last: None, finish: |item: &u8| format!("<{item}>") };
    let worker: Addr<WorkerMsg<u8, 2>> = minded(&system, make).await;
    worker.push(1).tell().expect("there is room");
    worker.push_all([7, 8]).tell().expect("there is room");
    assert_eq!(worker.count().await, Ok(1));
    assert_eq!(worker.finished().await, Ok(vec!["<1>".to_owned(), "<7>".to_owned()]));
    assert_eq!(Last.to(&worker).await, Ok(Some([7, 8])));
}

use minder::Message as _;

/// No message speaks of `T`, so neither does the enum.
struct Quiet<T>(T);

#[actor(derive(PartialEq))]
impl<T: Send + 'static> Quiet<T> {
    fn touch(&mut self) {
        let _ = &self.0;
    }
    fn twice(&self, n: u32) -> u32 {
        2 * n
    }
}

#[tokio::test(start_paused = true)]
async fn a_generic_actor_whose_messages_are_not() {
    let (system, _) = system();
    let quiet: Addr<QuietMsg> = minded(&system, || Quiet("x")).await;
    quiet.touch().await.expect("it is there");
    assert_eq!(quiet.twice(4).await, Ok(8));
}

/// What an impl block may call `Self`.
struct Tree(u32);

#[actor]
impl Tree {
    fn graft(&mut self, other: Self, more: Vec<Self>) -> Option<Self> {
        self.0 += other.0 + more.iter().map(|tree| tree.0).sum::<u32>();
        (self.0 > 5).then_some(Self(self.0))
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_may_hold_actors() {
    let (system, _) = system();
    let tree = minded(&system, || Tree(1)).await;
    assert!(tree.graft(Tree(2), vec![]).await.expect("it is there").is_none());
    let grown = tree.graft(Tree(2), vec![Tree(1), Tree(1)]).await.expect("it is there");
    assert_eq!(grown.map(|tree| tree.0), Some(7));
}
