//! The door from outside: what a bad connection does to others, and what draining does to requests in hand.
//! The gateway behind it answers everything with a conflict.

use minder::System;
use tokio::io::AsyncWriteExt;

use super::*;
use crate::accounts::AccountId;
use crate::outcomes::Answer;
use crate::process::wire::Message;
use crate::transfers::{Transfer, TransferId};

/// Answers the even requests at once, and keeps the odd ones until the next even one.
#[derive(Default)]
struct FakeGateway(Vec<Reply<Answer>>);

impl Actor for FakeGateway {
    type Msg = GatewayMsg;

    async fn handle(&mut self, message: GatewayMsg, _: &mut Context<GatewayMsg>) -> Handled {
        if let GatewayMsg::Transfer(transfer, reply) = message {
            self.0.push(reply);
            if transfer.cents.is_multiple_of(2) {
                for reply in self.0.drain(..) {
                    let _ = reply.send(Answer::Conflict);
                }
            }
        }
        Ok(())
    }
}

struct Fixture {
    system: System,
    dir: tempfile::TempDir,
    drain: watch::Sender<bool>,
    tree: minder::supervisors::Root,
}

impl Fixture {
    async fn new() -> Self {
        let system = System::new().expect("inside a runtime");
        let dir = tempfile::tempdir().expect("a temporary directory");
        let listener = UnixListener::bind(dir.path().join("s")).expect("a short path");
        let gateway = system.spawn(FakeGateway::default).expect("not shutting down");
        let (drain, draining) = watch::channel(false);
        let door = Door { listener: Arc::new(listener), gateway, points: Arc::default(), draining };
        let tree = door.tree().start(&system, "door").await.expect("it can start");
        Self { system, dir, drain, tree }
    }

    async fn connect(&self) -> Client {
        let stream = UnixStream::connect(self.dir.path().join("s")).await.expect("somebody listens");
        Client { stream, frames: Frames::default() }
    }
}

struct Client {
    stream: UnixStream,
    frames: Frames,
}

impl Client {
    async fn ask(&mut self, request: u64) {
        let transfer =
            Transfer { id: TransferId(request.into()), from: AccountId(0), to: AccountId(1), cents: request };
        let mut bytes = Vec::new();
        put(&Ask::new(request, transfer), &mut bytes).expect("it is short");
        self.stream.write_all(&bytes).await.expect("somebody reads");
    }

    /// The next answer's request; `None` once the connection is closed.
    async fn answer(&mut self) -> Option<u64> {
        loop {
            if let Some(told) = self.frames.next::<Told>().expect("a good frame") {
                assert_eq!(told.says, Says::Conflict);
                return Some(told.request);
            }
            match self.stream.read_buf(self.frames.room()).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}

#[tokio::test]
async fn answers_come_with_the_numbers_of_their_requests() {
    let fixture = Fixture::new().await;
    let mut client = fixture.connect().await;
    for request in [2, 3, 5, 4] {
        client.ask(request).await;
    }
    let mut answered = Vec::new();
    for _ in 0..4 {
        answered.push(client.answer().await.expect("an answer"));
    }
    answered.sort_unstable();
    assert_eq!(answered, [2, 3, 4, 5]);
}

#[tokio::test]
async fn a_bad_frame_closes_its_connection_and_harms_nobody() {
    let fixture = Fixture::new().await;
    let mut good = fixture.connect().await;
    good.ask(1).await; // in hand while the others misbehave
    let mut wrong_type = Vec::new();
    put(&Told { request: 1, says: Says::Conflict }, &mut wrong_type).expect("it is short");
    let mut cut_off = wrong_type.clone();
    cut_off.truncate(9);
    // More of them than there are slots: each slot serves on.
    for _ in 0..SLOTS {
        for bad in [&b"GET / HTTP/1.1\r\n"[..], &[0xff; 64], &[0; 64], &wrong_type] {
            let mut client = fixture.connect().await;
            client.stream.write_all(bad).await.expect("somebody reads");
            assert_eq!(client.answer().await, None, "{bad:?}");
        }
        let mut client = fixture.connect().await;
        client.stream.write_all(&cut_off).await.expect("somebody reads");
    }
    assert!(Ask::TYPE != Told::TYPE);
    good.ask(2).await;
    let answers = [good.answer().await, good.answer().await];
    assert!(answers.contains(&Some(1)) && answers.contains(&Some(2)), "{answers:?}");
    assert!(fixture.tree.address().is_alive());
}

#[tokio::test]
async fn drained_it_answers_what_is_in_hand_and_ends() {
    let fixture = Fixture::new().await;
    let (mut waiting, mut other) = (fixture.connect().await, fixture.connect().await);
    waiting.ask(1).await;
    other.ask(4).await;
    assert_eq!(other.answer().await, Some(4)); // may or may not have freed request 1
    waiting.ask(3).await;
    waiting.ask(6).await;
    let mut answered = vec![waiting.answer().await];
    answered.push(waiting.answer().await);
    fixture.drain.send(true).expect("the door listens");
    while let Some(more) = waiting.answer().await {
        answered.push(Some(more));
    }
    answered.sort_unstable();
    assert_eq!(answered, [Some(1), Some(3), Some(6)]);
    assert_eq!(other.answer().await, None);
    fixture.tree.ended().await;
    assert!(fixture.system.shutdown(Duration::from_secs(5)).await.is_clean());
}
