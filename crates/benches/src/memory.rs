//! Bytes of an idle actor: what becomes resident when very many of them start, in a process of its own for each run, so
//! that nothing left over by another run is reused or counted.
//! No counting allocator: it would stand in the way of every other bench of this binary, and what an allocator rounds
//! up is paid for by a service as well. The other side of it: a small block may fit into a gap that alignment leaves
//! anyway, and then shows nowhere. Tokio's `JoinSet` entry does (56 bytes asked for, none more resident, with glibc), so
//! equal figures with and without supervision do not mean that supervision takes nothing.

use std::error::Error;
use std::fs;
use std::process::Command;

use crate::bench::runtime;
use crate::subject::Subject;

/// Started before the count begins, so that the runtime and its threads have what they need.
pub(crate) const WARM_UP: usize = 1_000;

/// Has a child process measure. `None` where the system does not say how much is resident.
pub(crate) fn ask(subject: &str, supervised: bool, actors: usize) -> Result<Option<f64>, Box<dyn Error>> {
    if resident().is_none() {
        return Ok(None);
    }
    let answer = in_a_process(&["--idle", subject, &supervised.to_string(), &actors.to_string()])?;
    Ok(Some(answer.trim().parse()?))
}

/// What this program says when it is run with these arguments in a process of its own.
pub(crate) fn in_a_process(arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?).args(arguments).output()?;
    if !output.status.success() {
        return Err(format!("{}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What the child process does: `[subject, supervised, actors]` to bytes per actor.
pub(crate) fn answer(request: &[String], subjects: &[&'static dyn Subject]) -> Result<f64, Box<dyn Error>> {
    let [name, supervised, actors] = request else { return Err("three values are asked for".into()) };
    let subject = subjects.iter().find(|subject| subject.name() == name).ok_or("no such subject")?;
    let (supervised, actors): (bool, usize) = (supervised.parse()?, actors.parse()?);

    let runtime = runtime()?;
    let warm = runtime.block_on(runtime.spawn(subject.idle(WARM_UP, supervised)))?;
    let before = resident().ok_or("resident memory is not known")?;
    let kept = runtime.block_on(runtime.spawn(subject.idle(actors, supervised)))?;
    let after = resident().ok_or("resident memory is not known")?;
    runtime.block_on(async { drop((warm, kept)) });
    Ok((after as f64 - before as f64) / actors as f64)
}

/// Resident bytes of this process, exactly; `/proc/self/statm` is cheaper and, since Linux 6.2, approximate.
pub(crate) fn resident() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}
