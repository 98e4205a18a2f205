//! What the rows hold, through the codec: each record says whose it is, so that one in the wrong place is found out.
//! The golden bytes of each stand in the tests below; a changed record needs a new schema version.

use std::sync::Arc;

use minder_codec::{DecodeError, Limit, MessageType};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ladder::{Ladder, Rung, Standing};
use crate::packing::{Place, Unusable};

const LADDER: MessageType = MessageType::new(0x0c01, 1, Limit::Record);

/// Which checkpoints there are.
#[derive(Serialize, Deserialize)]
pub(super) struct LadderRecord {
    name: String,
    last_number: u64,
    /// Number and deaths, newest first.
    rungs: Vec<(u64, u8)>,
}

/// A snapshot: its schema is the version that its actor gives it.
const fn snapshot_type(version: u16) -> MessageType {
    MessageType::new(0x0c02, version, Limit::Checkpoint)
}

#[derive(Serialize)]
struct Written<'a, S> {
    name: &'a str,
    number: u64,
    snapshot: &'a S,
}

#[derive(Deserialize)]
struct Read<S> {
    name: String,
    number: u64,
    snapshot: S,
}

pub(super) fn write_ladder(name: &str, ladder: &Ladder) -> Result<Vec<u8>, String> {
    let record = LadderRecord {
        name: name.to_owned(),
        last_number: ladder.last_number(),
        rungs: ladder.rungs().map(|rung| (rung.number, rung.standing.deaths())).collect(),
    };
    let mut bytes = Vec::new();
    minder_codec::encode(LADDER, &record, &mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

pub(super) fn read_ladder(name: &str, bytes: &[u8]) -> Result<Ladder, String> {
    let record: LadderRecord = minder_codec::decode(LADDER, bytes).map_err(|error| error.to_string())?;
    if record.name != name {
        return Err(format!("the ladder of `{}` stands in its place", record.name));
    }
    let rung = |(number, deaths)| Rung { number, standing: Standing::of(deaths) };
    Ok(Ladder::of(record.rungs.into_iter().map(rung), record.last_number))
}

pub(super) fn write_snapshot<S: Serialize>(place: &Place, snapshot: &S) -> Result<Arc<[u8]>, String> {
    let record = Written { name: &place.name, number: place.number, snapshot };
    let mut bytes = Vec::new();
    let written = minder_codec::encode(snapshot_type(place.version), &record, &mut bytes);
    written.map_err(|error| error.to_string())?;
    Ok(bytes.into())
}

pub(super) fn read_snapshot<S: DeserializeOwned>(place: &Place, bytes: &Arc<[u8]>) -> Result<S, Unusable> {
    let record: Read<S> = match minder_codec::decode(snapshot_type(place.version), bytes) {
        Ok(record) => record,
        Err(DecodeError::OtherSchema { found, .. }) => {
            return Err(Unusable::OtherVersion { version: found, bytes: bytes.clone() });
        }
        Err(error) => return Err(Unusable::Damaged(error.to_string())),
    };
    if record.name != *place.name || record.number != place.number {
        let Read { name, number, .. } = record;
        return Err(Unusable::Damaged(format!("checkpoint {number} of `{name}` stands in its place")));
    }
    Ok(record.snapshot)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn records_are_written_as_ever() {
        let rung = |number, deaths| Rung { number, standing: Standing::of(deaths) };
        let ladder = Ladder::of([rung(300, 1), rung(7, 0)], 301);
        let bytes = write_ladder("counter", &ladder).expect("it is small");
        assert_eq!(hex(&bytes), "6d6e64720101010c0100120000009d6f97f807636f756e746572fb2d0102fb2c01010700");
        assert_eq!(read_ladder("counter", &bytes), Ok(ladder));

        let place = Place { name: "counter".into(), number: 300, version: 2 };
        let bytes = write_snapshot(&place, &(5_u64, "five")).expect("it is small");
        assert_eq!(hex(&bytes), "6d6e64720101020c02001100000058b3d9a807636f756e746572fb2c01050466697665");
        assert_eq!(read_snapshot(&place, &bytes), Ok((5_u64, "five".to_owned())));
    }

    #[test]
    fn what_stands_in_the_wrong_place_is_found_out() {
        let place = |name: &str, number, version| Place { name: name.into(), number, version };
        let bytes = write_snapshot(&place("a", 1, 1), &5_u64).expect("it is small");
        let read = |place: Place| read_snapshot::<u64>(&place, &bytes);
        assert_eq!(read(place("a", 1, 1)), Ok(5));
        let stands = "checkpoint 1 of `a` stands in its place".to_owned();
        assert_eq!(read(place("b", 1, 1)), Err(Unusable::Damaged(stands.clone())));
        assert_eq!(read(place("a", 2, 1)), Err(Unusable::Damaged(stands)));
        let other = Unusable::OtherVersion { version: 1, bytes: bytes.clone() };
        assert_eq!(read(place("a", 1, 2)), Err(other));
        assert!(matches!(read_snapshot::<String>(&place("a", 1, 1), &bytes), Err(Unusable::Damaged(_))));
        let ladder = write_ladder("a", &Ladder::default()).expect("it is small");
        assert_eq!(read_ladder("b", &ladder), Err("the ladder of `a` stands in its place".into()));
        assert!(
            read_ladder("a", &bytes).is_err()
                && read_snapshot::<u64>(&place("a", 1, 1), &ladder.into()).is_err()
        );
    }
}
