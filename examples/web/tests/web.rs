//! The web server as its clients see it, over loopback: answers, crashes, connections that leave nothing behind, health
//! that follows the tree, and SIGTERM. Nobody sleeps: a test waits for an answer or for an actor's end.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use minder::prelude::*;
use minder::{Event, Observer};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use web::Web;

/// Longer than anything here takes: a test that would hang fails.
const AT_MOST: Duration = Duration::from_secs(20);

/// Tells which actors have ended, and why.
struct Ends(UnboundedSender<(String, String)>);

impl Observer for Ends {
    fn event(&self, event: &Event<'_>) {
        if let Event::Exited { path, reason, .. } = event {
            drop(self.0.send((path.to_string(), reason.to_string())));
        }
    }
}

struct Served {
    web: Web,
    system: System,
    port: u16,
    ends: UnboundedReceiver<(String, String)>,
}

async fn serve() -> Served {
    let (tell, ends) = unbounded_channel();
    let system = System::builder().observer(Arc::new(Ends(tell))).build().expect("a system");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let web = Web::start(system.clone(), listener).await.expect("it starts");
    Served { web, system, port, ends }
}

impl Served {
    /// Why the next connection that ends has ended.
    async fn next_end_of_a_connection(&mut self) -> String {
        loop {
            let (path, reason) = within(self.ends.recv()).await.expect("the system tells");
            if path.starts_with("web/connections/connection-") {
                return reason;
            }
        }
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(AT_MOST, future).await.expect("in time")
}

/// One connection, kept alive.
struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(port: u16) -> Self {
        Self(BufReader::new(within(TcpStream::connect(("127.0.0.1", port))).await.expect("it listens")))
    }

    async fn send(&mut self, method: &str, path: &str) {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n");
        within(self.0.get_mut().write_all(request.as_bytes())).await.expect("it is open");
    }

    /// Status and body, or that the connection was closed.
    async fn answer(&mut self) -> io::Result<(u16, String)> {
        within(async {
            let (mut status, mut length) = (0, 0);
            loop {
                let mut line = String::new();
                if self.0.read_line(&mut line).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                let line = line.trim().to_ascii_lowercase();
                if let Some(rest) = line.strip_prefix("http/1.1 ") {
                    status = rest[..3].parse().expect("a status");
                } else if let Some(rest) = line.strip_prefix("content-length: ") {
                    length = rest.parse().expect("a length");
                } else if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            self.0.read_exact(&mut body).await?;
            Ok((status, String::from_utf8(body).expect("text")))
        })
        .await
    }

    async fn ask(&mut self, method: &str, path: &str) -> io::Result<(u16, String)> {
        self.send(method, path).await;
        self.answer().await
    }

    async fn get(&mut self, path: &str) -> (u16, String) {
        self.ask("GET", path).await.expect("an answer")
    }
}

fn ok(body: &str) -> (u16, String) {
    (200, body.into())
}

#[tokio::test]
async fn visits_are_counted_over_all_connections_and_a_crash_of_the_counter_costs_one_answer() {
    let served = serve().await;
    let (mut one, mut other) = (Client::connect(served.port).await, Client::connect(served.port).await);
    assert_eq!(one.get("/").await, ok("visit 1"));
    assert_eq!(other.get("/").await, ok("visit 2"));
    let (status, why) = one.ask("POST", "/forget").await.expect("an answer");
    assert_eq!((status, why.contains("forgot what it had counted")), (503, true), "{why}");
    // The same address, somebody else behind it.
    assert_eq!(other.get("/").await, ok("visit 1"));
    assert_eq!(one.get("/nowhere").await.0, 404);
    assert_eq!(one.get("/livez").await, ok("ok"));
}

#[tokio::test]
async fn an_actor_ends_with_its_connection_and_a_connection_with_its_actor() {
    let mut served = serve().await;
    let before = served.system.living();
    let mut clients = Vec::new();
    for number in 1..=20 {
        let mut client = Client::connect(served.port).await;
        client.get("/").await;
        assert_eq!(served.system.living(), before + number);
        clients.push(client);
    }
    drop(clients);
    for _ in 0..20 {
        assert_eq!(served.next_end_of_a_connection().await, "normal");
    }

    let mut client = Client::connect(served.port).await;
    assert!(client.ask("POST", "/panic").await.is_err(), "a panic closes the connection");
    let reason = served.next_end_of_a_connection().await;
    assert!(reason.contains("a handler panicked"), "{reason}");
    assert_eq!(Client::connect(served.port).await.get("/livez").await, ok("ok"));
    let (report, all_answered) = served.web.drain().await;
    assert!(report.is_clean() && all_answered, "{report:?}");
    assert_eq!(served.system.living(), 0, "nothing is left");
}

#[tokio::test]
async fn not_ready_is_not_dead_and_what_was_begun_is_answered() {
    let served = serve().await;
    let mut health = Client::connect(served.port).await;
    // Up, and the kettle is being filled: traffic comes a little later.
    while health.get("/readyz").await != ok("ok") {
        assert_eq!(health.get("/livez").await, ok("ok"));
    }
    served.web.turn_away();
    assert_eq!(health.get("/readyz").await, (503, "draining".into()));
    assert_eq!(health.get("/livez").await, ok("ok"));

    let mut slow = Client::connect(served.port).await;
    slow.send("GET", "/tea").await;
    while health.get("/visits").await.1 == "0" {}
    let (drained, tea) = tokio::join!(served.web.drain(), slow.answer());
    assert_eq!(tea.expect("it was begun"), ok("tea"));
    assert!(drained.1 && drained.0.is_clean(), "{:?}", drained.0);
    assert!(slow.ask("GET", "/").await.is_err(), "and then it was closed");
}

#[tokio::test]
async fn the_tree_gives_up_when_its_state_crashes_again_and_again() {
    let served = serve().await;
    let mut client = Client::connect(served.port).await;
    for _ in 0..5 {
        client.ask("POST", "/forget").await.expect("an answer");
    }
    client.send("POST", "/forget").await;
    let reason = within(served.web.ended()).await;
    assert_eq!(reason, ExitReason::Shutdown);
    assert_eq!(served.system.living(), 0, "its connections went with it");
}

/// What an orchestrator does: SIGTERM in the middle of a request. It is answered, and the program ends with 0.
#[tokio::test]
async fn sigterm_drains_the_program() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_web"))
        .arg("127.0.0.1:0")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it can be run");
    let mut lines = BufReader::new(program.stdout.take().expect("piped")).lines();
    let first = within(lines.next_line()).await.expect("it can be read").expect("it says where it listens");
    let port = first.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");

    let (mut slow, mut other) = (Client::connect(port).await, Client::connect(port).await);
    slow.send("GET", "/tea").await;
    while other.get("/visits").await.1 == "0" {}
    let pid = program.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill").success());
    assert_eq!(slow.answer().await.expect("it was begun"), ok("tea"));
    let status = within(program.wait()).await.expect("it ends");
    assert_eq!(status.code(), Some(0));
    let mut rest = Vec::new();
    while let Some(line) = within(lines.next_line()).await.expect("it can be read") {
        rest.push(line);
    }
    assert_eq!(rest, ["SIGTERM: draining", "drained"]);
}
