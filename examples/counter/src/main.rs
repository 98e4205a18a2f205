//! The smallest actor: a counter that is told and asked.

use std::error::Error;

use minder::prelude::*;

struct Counter(u64);

#[actor]
impl Counter {
    fn add(&mut self, n: u64) {
        self.0 += n;
    }
    fn read(&self) -> u64 {
        self.0
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let counter = System::new()?.spawn(|| Counter(0))?;
    counter.add(5).tell()?;
    println!("{}", counter.read().await?);
    Ok(())
}
