//! What `gen_statem` promises, row by row of the list of OTP's behaviour: a test names its row, `stm_003_…`. Rows that do
//! not apply stand in the crate's documentation. Time is virtual.

mod ends;
mod entering;
mod lives;
mod order;
mod otp;
mod replies;
mod script;
mod timeouts;
