//! Some accounts of one partition in memory: a ledger's, or those that a piece of work touches.
//! A sorted vector: built once per start or per work, then looked up and changed in place.

use crate::accounts::{Account, AccountId};
use crate::transfers::Transfer;

/// Accounts by id. An id that is not here is an account that does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Sorted by id, no id twice.
    accounts: Vec<Account>,
}

impl Books {
    /// Books of these accounts. Of accounts with the same id, the first stays.
    pub fn new(mut accounts: Vec<Account>) -> Self {
        accounts.sort_by_key(|account| account.id);
        accounts.dedup_by_key(|account| account.id);
        Self { accounts }
    }

    /// The account of this id.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.place(id).map(|at| &self.accounts[at])
    }

    /// Takes over an account as it is now, in place of what was held of it. What is new is put in its place.
    pub fn put(&mut self, account: Account) {
        match self.accounts.binary_search_by_key(&account.id, |held| held.id) {
            Ok(at) => self.accounts[at] = account,
            Err(at) => self.accounts.insert(at, account),
        }
    }

    /// The accounts that these transfers touch, as they are held here: what a ledger sends along as `Work::books`.
    pub fn touched_by(&self, transfers: &[Transfer]) -> Vec<Account> {
        let mut ids: Vec<AccountId> = transfers.iter().flat_map(|t| [t.from, t.to]).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().filter_map(|id| self.account(id).copied()).collect()
    }

    /// All accounts, by id.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// All accounts, by id, to be kept elsewhere.
    pub fn into_accounts(self) -> Vec<Account> {
        self.accounts
    }

    /// Sets a balance; an account that is not here is left out.
    pub(crate) fn set_balance(&mut self, id: AccountId, balance: i64) {
        if let Some(at) = self.place(id) {
            self.accounts[at].balance = balance;
        }
    }

    fn place(&self, id: AccountId) -> Option<usize> {
        self.accounts.binary_search_by_key(&id, |account| account.id).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfers::TransferId;

    fn account(id: u32, balance: i64) -> Account {
        Account { id: AccountId(id), opening: 0, limit: 0, balance }
    }

    #[test]
    fn keeps_order_and_replaces() {
        let mut books = Books::new(vec![account(8, 1), account(4, 2), account(8, 9)]);
        books.put(account(6, 3));
        books.put(account(4, 5));
        books.set_balance(AccountId(7), 1);
        assert_eq!(books.accounts(), [account(4, 5), account(6, 3), account(8, 1)]);
        assert_eq!(books.account(AccountId(7)), None);
        let transfer =
            |from, to| Transfer { id: TransferId(1), from: AccountId(from), to: AccountId(to), cents: 1 };
        assert_eq!(books.touched_by(&[transfer(8, 4), transfer(4, 12)]), [account(4, 5), account(8, 1)]);
    }
}
