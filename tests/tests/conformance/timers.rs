//! Timers in numbers. Rows TMR.

use std::time::Duration;

use crate::support::*;

/// Very many that are due at the same moment: each fires, and others get their turn between them.
/// OTP: TMR-009.
#[tokio::test(start_paused = true)]
async fn many_timers_of_one_moment_stall_nobody() {
    const TIMERS: u32 = 50_000;
    let system = system();
    let (journal, mut reader) = journal();
    let (many, one) = (journal.clone(), journal.clone());
    let many = system.spawn(move || Puppet::new("many", &many)).expect("open");
    let one = system.spawn(move || Puppet::new("one", &one)).expect("open");
    reader.expect(&["many up", "one up"]).await;
    let began = system.now();
    many.tell(act(|_, context| {
        for number in 0..TIMERS {
            context.send_after(SECOND, Msg::Mark(number));
        }
        Ok(())
    }))
    .expect("there is room");
    one.tell(act(|_, context| {
        context.send_after(SECOND, Msg::Mark(0));
        Ok(())
    }))
    .expect("there is room");
    pass(SECOND + Duration::from_millis(10)).await;
    let lines = reader.rest();
    assert_eq!(lines.len(), TIMERS as usize + 1);
    let at = lines.iter().position(|line| line == "one 0").expect("it has fired");
    assert!(at < lines.len() / 2, "it got its turn at place {at}");
    assert!(system.now().since(began) <= SECOND + Duration::from_millis(20));
}
