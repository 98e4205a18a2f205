//! The smallest actor: a counter that is told and asked; and a test that crashes it.
//! What stands between the marks is counted: `cargo run -p minder-tests --bin line-counts`.

use std::error::Error;

use minder::prelude::*;

// counted: a counter with tell and ask
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
// until here

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let counter = System::new()?.spawn(|| Counter(0))?;
    counter.add(5).tell()?;
    println!("{}", counter.read().await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use minder_fault_injection::testkit::Kit;

    use crate::Counter;

    // counted: a test of a crash and the restart
    #[minder_fault_injection::test]
    async fn a_crashed_counter_is_started_again(kit: Kit) {
        let counter = kit.supervise("counter", || Counter(0)).await;
        kit.crash(&counter).await;
        assert_eq!(kit.generation(&counter), 2);
    }
    // until here
}
