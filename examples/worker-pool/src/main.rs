//! Jobs for a pool of workers that crash now and then. A job is idempotent, so the next life of its worker does it
//! again; the foreman counts each answer once, watches the workers, and answers when all is done. Exits with 0 if the
//! sum is right.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use minder::groups::{Group, Groups};
use minder::prelude::*;

const JOBS: u64 = 1_000;
const WORKERS: usize = 4;

struct Worker {
    pool: Group<WorkerMsg>,
    foreman: Addr<ForemanMsg>,
}

#[actor]
impl Worker {
    /// Asked, and not told: no worker works, or crashes, before the foreman watches it.
    async fn started(&mut self, context: &mut Context<WorkerMsg>) -> Handled {
        self.foreman.hired(context.address()).await?;
        self.pool.join(context)?;
        Ok(())
    }

    /// The library that does the work crashes at the first attempt on every hundredth job.
    #[idempotent]
    async fn square(
        &mut self,
        job: u64,
        context: &mut Context<WorkerMsg>,
    ) -> Result<(), TellError<ForemanMsg>> {
        assert!(!job.is_multiple_of(100) || context.attempt() > 1, "the library crashed on job {job}");
        self.foreman.done(job, job * job).send().await
    }
}

#[derive(Default)]
struct Foreman {
    answers: BTreeMap<u64, u64>,
    lost_workers: u32,
    asker: Option<Reply<(u64, u32)>>,
}

#[actor]
impl Foreman {
    fn hired(&mut self, worker: Addr<WorkerMsg>, context: &mut Context<ForemanMsg>) {
        // counted: monitoring another actor
        context.monitor(&worker);
        // until here
    }

    fn notice(&mut self, notice: Notice) {
        if let Notice::Down(_) = notice {
            self.lost_workers += 1;
        }
    }

    /// Hands the jobs out, each to the worker whose turn it is.
    fn work(
        &mut self,
        pool: Group<WorkerMsg>,
        reply: Reply<(u64, u32)>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        for job in 1..=JOBS {
            pool.tell_one(Square { job }.into()).map_err(|error| error.to_string())?;
        }
        self.asker = Some(reply);
        Ok(())
    }

    /// An answer may come twice, if its worker crashed behind it: it counts once.
    fn done(&mut self, job: u64, answer: u64) {
        self.answers.insert(job, answer);
        if self.answers.len() as u64 == JOBS
            && let Some(asker) = self.asker.take()
        {
            let _ = asker.send((self.answers.values().sum(), self.lost_workers));
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let system = System::new()?;
    let (groups, keeper) = Groups::new(&system);
    let pool = groups.group("workers");
    let (foreman, office) = system.address();

    let workers = (0..WORKERS).map(|number| {
        let (pool, foreman) = (pool.clone(), foreman.clone());
        actor(&format!("worker-{number}"), move || Worker { pool: pool.clone(), foreman: foreman.clone() })
    });
    let tree = rest_for_one()
        .child(actor_in("groups", keeper, groups.keeper()))
        .child(actor_in("foreman", office, Foreman::default))
        .child(tree("workers", one_for_one().limit(20, Duration::from_secs(1)).children(workers)));
    tree.start(&system, "pool").await?;

    let (sum, crashes) = foreman.work(pool).within(Duration::from_secs(30)).await?;
    println!("{JOBS} jobs done by {WORKERS} workers, who crashed {crashes} times; the sum is {sum}");
    system.shutdown(Duration::from_secs(5)).await;
    if sum != JOBS * (JOBS + 1) * (2 * JOBS + 1) / 6 || u64::from(crashes) != JOBS / 100 {
        return Err("that is not the sum of the squares, or not how often they crash".into());
    }
    Ok(())
}
