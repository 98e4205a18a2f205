//! The smallest tree: one actor under one supervisor. It crashes once, and its address stays good.

use std::error::Error;
use std::time::Duration;

use minder::prelude::*;

struct Greeter {
    greeted: u32,
}

enum Msg {
    Greet(String, Reply<String>),
}

impl Actor for Greeter {
    type Msg = Msg;

    async fn handle(&mut self, Msg::Greet(name, reply): Msg, _: &mut Context<Msg>) -> Handled {
        assert!(!name.is_empty(), "nobody to greet");
        self.greeted += 1;
        // Whoever asked may have gone away meanwhile; that is no reason to crash.
        drop(reply.send(format!("hello, {name}: number {} since my start", self.greeted)));
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let system = System::new()?;
    let (greeter, seat) = system.address();
    let tree = one_for_one()
        .limit(3, Duration::from_secs(5))
        .child(actor_in("greeter", seat, || Greeter { greeted: 0 }));
    tree.start(&system, "hello").await?;

    println!("{}", greeter.ask(|reply| Msg::Greet("world".into(), reply)).await?);
    match greeter.ask(|reply| Msg::Greet(String::new(), reply)).await {
        Ok(greeting) => return Err(format!("greeted nobody: {greeting}").into()),
        Err(error) => println!("it crashed: {error}"),
    }
    println!("{}", greeter.ask(|reply| Msg::Greet("again".into(), reply)).await?);

    let report = system.shutdown(Duration::from_secs(5)).await;
    if !report.is_clean() {
        return Err(format!("not everybody stopped: {report:?}").into());
    }
    Ok(())
}
