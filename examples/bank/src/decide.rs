//! Whether a transfer may happen, and what the two balances are afterwards. Pure, checked, no memory of ids.
//! That an id is decided only once is the business of the store: it asks here only for ids that it has not seen.

use crate::accounts::Account;
use crate::books::Books;
use crate::outcomes::Refusal;
use crate::transfers::Transfer;

/// The balances after a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The payer's new balance.
    pub from_balance: i64,
    /// The payee's new balance.
    pub to_balance: i64,
}

/// Decides a transfer between two accounts, each `None` if it does not exist.
///
/// # Errors
/// The first [`Refusal`] of this list that holds: nothing to transfer, the same account twice, accounts of two
/// partitions, an account that does not exist, beyond the payer's limit, a balance that would not fit.
pub fn decide(
    transfer: &Transfer,
    partitions: u16,
    from: Option<&Account>,
    to: Option<&Account>,
) -> Result<Moved, Refusal> {
    if transfer.cents == 0 {
        return Err(Refusal::ZeroAmount);
    }
    if transfer.from == transfer.to {
        return Err(Refusal::SameAccount);
    }
    if transfer.from.partition(partitions) != transfer.to.partition(partitions) {
        return Err(Refusal::OtherPartition);
    }
    let (Some(from), Some(to)) = (from, to) else {
        return Err(Refusal::UnknownAccount);
    };
    // Wide enough that no sum of these can overflow.
    let cents = i128::from(transfer.cents);
    let from_balance = i128::from(from.balance) - cents;
    if from_balance < -i128::from(from.limit) {
        return Err(Refusal::Overdraft);
    }
    let to_balance = i128::from(to.balance) + cents;
    match (i64::try_from(from_balance), i64::try_from(to_balance)) {
        (Ok(from_balance), Ok(to_balance)) => Ok(Moved { from_balance, to_balance }),
        _ => Err(Refusal::OutOfRange),
    }
}

impl Books {
    /// Decides a transfer on these books, and moves the money in them if it may.
    ///
    /// # Errors
    /// As [`decide`]; the books are then as they were.
    pub fn apply(&mut self, transfer: &Transfer, partitions: u16) -> Result<Moved, Refusal> {
        let moved = decide(transfer, partitions, self.account(transfer.from), self.account(transfer.to))?;
        self.set_balance(transfer.from, moved.from_balance);
        self.set_balance(transfer.to, moved.to_balance);
        Ok(moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::AccountId;
    use crate::transfers::TransferId;

    #[test]
    fn the_table_of_decisions() {
        use Refusal::{OtherPartition, OutOfRange, Overdraft, SameAccount, UnknownAccount, ZeroAmount};
        // Accounts 0, 2 and 4 of partition 0: (balance, limit).
        type Accounts = [(i64, u64); 3];
        type Decided = Result<(i64, i64), Refusal>;
        type Case = (&'static str, Accounts, (u32, u32, u64), Decided);
        let cases: &[Case] = &[
            ("moves", [(100, 0), (5, 0), (0, 0)], (0, 2, 30), Ok((70, 35))),
            ("to the last cent", [(100, 0), (5, 0), (0, 0)], (0, 2, 100), Ok((0, 105))),
            ("one cent too many", [(100, 0), (5, 0), (0, 0)], (0, 2, 101), Err(Overdraft)),
            ("down to the limit", [(100, 50), (5, 0), (0, 0)], (0, 2, 150), Ok((-50, 155))),
            ("below the limit", [(100, 50), (5, 0), (0, 0)], (0, 2, 151), Err(Overdraft)),
            ("out of the red", [(100, 0), (-50, 50), (0, 0)], (0, 2, 60), Ok((40, 10))),
            ("nothing", [(100, 0), (5, 0), (0, 0)], (0, 2, 0), Err(ZeroAmount)),
            ("nothing to oneself", [(100, 0), (5, 0), (0, 0)], (0, 0, 0), Err(ZeroAmount)),
            ("to oneself", [(100, 0), (5, 0), (0, 0)], (0, 0, 1), Err(SameAccount)),
            ("to oneself, unknown", [(100, 0), (5, 0), (0, 0)], (8, 8, 1), Err(SameAccount)),
            ("other partition", [(100, 0), (5, 0), (0, 0)], (0, 1, 1), Err(OtherPartition)),
            ("other partition, unknown", [(100, 0), (5, 0), (0, 0)], (0, 99, 1), Err(OtherPartition)),
            ("unknown payee", [(100, 0), (5, 0), (0, 0)], (0, 8, 1), Err(UnknownAccount)),
            ("unknown payer", [(100, 0), (5, 0), (0, 0)], (8, 0, 1), Err(UnknownAccount)),
            ("all there is", [(i64::MAX, 0), (0, 0), (0, 0)], (0, 2, i64::MAX as u64), Ok((0, i64::MAX))),
            ("more than there can be", [(i64::MAX, 0), (0, 0), (0, 0)], (0, 2, u64::MAX), Err(Overdraft)),
            ("payee full", [(1, 0), (i64::MAX, 0), (0, 0)], (0, 2, 1), Err(OutOfRange)),
            ("payer below any number", [(0, u64::MAX), (0, 0), (0, 0)], (0, 2, u64::MAX), Err(OutOfRange)),
            (
                "payer at the lowest",
                [(0, 1 << 63), (-1, 0), (0, 0)],
                (0, 2, 1 << 63),
                Ok((i64::MIN, i64::MAX)),
            ),
        ];
        for (name, rows, (from, to, cents), expected) in cases {
            let accounts = [0, 2, 4].map(AccountId).into_iter().zip(rows);
            let mut books = Books::new(
                accounts.map(|(id, &(balance, limit))| Account { id, opening: 0, limit, balance }).collect(),
            );
            let before = books.clone();
            let transfer =
                Transfer { id: TransferId(1), from: AccountId(*from), to: AccountId(*to), cents: *cents };
            let decided = books.apply(&transfer, 2).map(|m| (m.from_balance, m.to_balance));
            assert_eq!(decided, *expected, "{name}");
            match decided {
                Err(_) => assert_eq!(books, before, "{name}: a refusal moves nothing"),
                Ok((from_balance, to_balance)) => {
                    let balance = |id| books.account(id).map(|account| account.balance);
                    assert_eq!(balance(transfer.from), Some(from_balance), "{name}");
                    assert_eq!(balance(transfer.to), Some(to_balance), "{name}");
                    let total =
                        |books: &Books| books.accounts().iter().map(|a| i128::from(a.balance)).sum::<i128>();
                    assert_eq!(total(&books), total(&before), "{name}: money is neither made nor lost");
                }
            }
        }
    }
}
