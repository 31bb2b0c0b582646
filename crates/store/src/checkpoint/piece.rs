//! What lies in sled under one key: a piece of a stored item, at most 4 KiB (longer values would go to files that sled
//! never syncs).
//!
//! ```text
//! key     kind u8 | number u32 | piece u16              big-endian: the pieces of an item follow each other
//! value   version u8 | seq u64 | check [u8; 4] | body    the check covers the key and the rest of the value
//! ```
//!
//! The bodies of an item's pieces together are JSON.

/// What a stored item is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ItemId {
    /// The run as a whole.
    Run,
    /// A node, by its index.
    Node(u32),
    /// The items of an expanded loop, by the loop's index. They are written once.
    Loop(u32),
}

impl ItemId {
    /// The part of a key that the pieces of the item have in common.
    pub(crate) fn prefix(self) -> [u8; 5] {
        let (kind, number) = match self {
            Self::Run => (b'r', 0),
            Self::Node(number) => (b'n', number),
            Self::Loop(number) => (b'l', number),
        };
        let [a, b, c, d] = u32::to_be_bytes(number);
        [kind, a, b, c, d]
    }

    fn read([kind, a, b, c, d]: [u8; 5]) -> Option<Self> {
        let number = u32::from_be_bytes([a, b, c, d]);
        match kind {
            b'r' if number == 0 => Some(Self::Run),
            b'n' => Some(Self::Node(number)),
            b'l' => Some(Self::Loop(number)),
            _ => None,
        }
    }
}

const VERSION: u8 = 2;
const HEAD: usize = 1 + 8 + 4;
const LONGEST_BODY: usize = 4096 - HEAD;

/// A key in sled.
pub(crate) type Key = [u8; 7];

/// A piece as read.
#[derive(Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) item: ItemId,
    pub(crate) number: u16,
    /// The record as of which the item was written.
    pub(crate) seq: u64,
    pub(crate) body: &'a [u8],
}

/// The key of a piece.
pub(crate) fn key(item: ItemId, number: u16) -> Key {
    let ([kind, a, b, c, d], [e, f]) = (item.prefix(), number.to_be_bytes());
    [kind, a, b, c, d, e, f]
}

/// Cuts an item into pieces; `None` when it is too long for 65,535 of them.
pub(crate) fn cut(item: ItemId, seq: u64, body: &[u8]) -> Option<Vec<(Key, Vec<u8>)>> {
    let bodies = body.chunks(LONGEST_BODY).enumerate();
    let write = |(number, body): (usize, &[u8])| {
        let key = key(item, u16::try_from(number).ok()?);
        let mut value = Vec::with_capacity(HEAD + body.len());
        value.push(VERSION);
        value.extend_from_slice(&seq.to_be_bytes());
        value.extend_from_slice(&check(&key, seq, body));
        value.extend_from_slice(body);
        Some((key, value))
    };
    bodies.map(write).collect()
}

/// Reads a piece.
pub(crate) fn read<'a>(key: &[u8], value: &'a [u8]) -> Result<Piece<'a>, &'static str> {
    let key: Key = key.try_into().map_err(|_| "a key has another length")?;
    let (version, rest) = value.split_first().ok_or("a value is empty")?;
    if *version != VERSION {
        return Err("a value has another version");
    }
    let (seq, rest) = rest.split_first_chunk::<8>().ok_or("a value is cut short")?;
    let (found, body) = rest.split_first_chunk::<4>().ok_or("a value is cut short")?;
    let seq = u64::from_be_bytes(*seq);
    if check(&key, seq, body) != *found {
        return Err("a value is damaged");
    }
    let [kind, a, b, c, d, e, f] = key;
    let item = ItemId::read([kind, a, b, c, d]).ok_or("a key is of an unknown kind")?;
    Ok(Piece { item, number: u16::from_be_bytes([e, f]), seq, body })
}

fn check(key: &Key, seq: u64, body: &[u8]) -> [u8; 4] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(key).update(&seq.to_be_bytes()).update(body);
    let [a, b, c, d, ..] = *hasher.finalize().as_bytes();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_item_is_cut_into_pieces_in_order() {
        let body: Vec<u8> = (0..10_000_u32).map(|at| (at % 251) as u8).collect();
        let pieces = cut(ItemId::Node(7), 42, &body).expect("short enough");
        assert_eq!(pieces.len(), 3);
        assert!(pieces.is_sorted());
        let mut whole = Vec::new();
        for (number, (key, value)) in pieces.iter().enumerate() {
            assert!(value.len() <= 4096);
            let piece = read(key, value).expect("a good piece");
            assert_eq!((piece.item, usize::from(piece.number), piece.seq), (ItemId::Node(7), number, 42));
            whole.extend_from_slice(piece.body);
        }
        assert_eq!(whole, body);
        assert!(cut(ItemId::Node(7), 42, &vec![0; 70_000 * LONGEST_BODY]).is_none());
    }

    #[test]
    fn any_changed_byte_is_found() {
        let (key, value) =
            cut(ItemId::Node(7), 42, b"{\"a\":1}").and_then(|mut pieces| pieces.pop()).expect("one piece");
        for at in 0..value.len() {
            let mut bad = value.clone();
            bad[at] ^= 1;
            assert!(read(&key, &bad).is_err(), "byte {at}");
            assert!(read(&key, &value[..at]).is_err(), "cut to {at} bytes");
        }
        assert!(read(&super::key(ItemId::Loop(7), 0), &value).is_err());
    }
}
