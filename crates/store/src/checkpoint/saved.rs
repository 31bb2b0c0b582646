//! The content of a checkpoint store: writing it as batches, reading it whole, and the state that follows from it.

use lifeboat_engine::store::StoreError;
use lifeboat_model::record::Items;
use lifeboat_model::run_state::{NodeCheckpoint, RunCheckpoint};
use lifeboat_model::{NodeIndex, Record, RunState, Seq};
use serde::{Deserialize, Serialize};

use crate::checkpoint::book::{Book, Entry};
use crate::checkpoint::piece::{self, ItemId};
use crate::line::LineHash;
use crate::text::JournalText;

/// What is stored about the run as a whole.
#[derive(Debug, Serialize, Deserialize)]
struct SavedRun {
    /// The hash of the record up to which the checkpoints hold.
    hash: String,
    /// The sum of the book.
    sum: u64,
    run: RunCheckpoint,
}

/// All that was in a checkpoint store.
#[derive(Debug)]
pub(crate) struct Saved {
    run: SavedRun,
    nodes: Vec<(NodeIndex, NodeCheckpoint)>,
    loops: Vec<(NodeIndex, Items)>,
}

impl Saved {
    /// Reads a store whole and checks it in itself. With it comes the book, to go on with.
    pub(crate) fn read(db: &sled::Db) -> Result<(Self, Book), String> {
        let mut book = Book::default();
        let (mut nodes, mut loops) = (Vec::new(), Vec::new());
        let mut run = None;
        for item in items(db) {
            let Item { id, seq, pieces, body } = item?;
            book.enter(id, Entry { seq, pieces });
            match id {
                ItemId::Run => run = Some(from_json::<SavedRun>(&body)?),
                ItemId::Node(number) => nodes.push((NodeIndex(number), from_json(&body)?)),
                ItemId::Loop(number) => loops.push((NodeIndex(number), from_json(&body)?)),
            }
        }
        let run = run.ok_or("there is no entry for the run")?;
        if run.sum != book.sum() {
            return Err("entries are missing or of another time than the rest".to_owned());
        }
        Ok((Self { run, nodes, loops }, book))
    }

    /// The record up to which the checkpoints hold.
    pub(crate) fn seq(&self) -> Seq {
        self.run.run.seq
    }

    /// Fails when they know a record that the journal does not hold: they are written after it is on disk.
    pub(crate) fn check_end(&self, text: &JournalText) -> Result<(), StoreError> {
        let seq = self.seq();
        if seq <= text.seq() {
            return Ok(());
        }
        Err(text.cut_off(&format!("the checkpoints know record {seq}")))
    }

    /// The state of a journal with that first record as of the checkpoints and the records behind them, if the checkpoints are of this journal.
    pub(crate) fn restore(self, first: &Record, text: &JournalText) -> Result<RunState, String> {
        let seq = self.seq();
        if text.hash_at(seq).is_none_or(|hash| hash.as_str() != self.run.hash) {
            return Err(format!("they were made from another record {seq} than the journal's"));
        }
        let mut state = RunState::restore(first, self.run.run, self.loops, self.nodes)
            .map_err(|error| error.to_string())?;
        text.fold_into(&mut state).map_err(|error| error.to_string())?;
        Ok(state)
    }
}

/// What has to be written so that the store holds `state`, of which the newest record has that hash.
pub(crate) fn batch(state: &mut RunState, hash: &LineHash, book: &mut Book) -> Result<sled::Batch, String> {
    let mut batch = sled::Batch::default();
    let seq = state.seq().0;
    for (at, items) in state.take_expanded() {
        put(&mut batch, book, ItemId::Loop(at.0), seq, &items)?;
    }
    for at in state.take_touched() {
        put(&mut batch, book, ItemId::Node(at.0), seq, &state.node_checkpoint(at))?;
    }
    let run = SavedRun { hash: hash.as_str().to_owned(), sum: book.sum(), run: state.run_checkpoint() };
    put(&mut batch, book, ItemId::Run, seq, &run)?;
    Ok(batch)
}

fn put<T: Serialize>(
    batch: &mut sled::Batch,
    book: &mut Book,
    id: ItemId,
    seq: u64,
    value: &T,
) -> Result<(), String> {
    let body = serde_json::to_vec(value).map_err(|error| error.to_string())?;
    let pieces = piece::cut(id, seq, &body).ok_or("an entry is too long")?;
    let count = u16::try_from(pieces.len()).map_err(|error| error.to_string())?;
    for (key, value) in pieces {
        batch.insert(&key, value);
    }
    let before = book.enter(id, Entry { seq, pieces: count });
    for left_over in count..before.map_or(0, |before| before.pieces) {
        batch.remove(&piece::key(id, left_over));
    }
    Ok(())
}

/// A stored item, its pieces put together.
struct Item {
    id: ItemId,
    seq: u64,
    pieces: u16,
    body: Vec<u8>,
}

fn items(db: &sled::Db) -> impl Iterator<Item = Result<Item, String>> {
    let mut pairs = db.iter().peekable();
    std::iter::from_fn(move || {
        let mut item: Option<Item> = None;
        while let Some(pair) = pairs.next_if(|pair| belongs(pair, item.as_ref())) {
            if let Err(error) =
                pair.map_err(|error| error.to_string()).and_then(|(key, value)| add(&mut item, &key, &value))
            {
                return Some(Err(error));
            }
        }
        item.map(Ok)
    })
}

/// Whether a pair continues the item, or begins one. What cannot be read belongs anywhere: it is reported at once.
fn belongs(pair: &sled::Result<(sled::IVec, sled::IVec)>, item: Option<&Item>) -> bool {
    match (pair, item) {
        (Ok((key, _)), Some(item)) => key.starts_with(&item.id.prefix()),
        (Ok(_), None) | (Err(_), _) => true,
    }
}

fn add(item: &mut Option<Item>, key: &[u8], value: &[u8]) -> Result<(), String> {
    let piece = piece::read(key, value)?;
    let item =
        item.get_or_insert_with(|| Item { id: piece.item, seq: piece.seq, pieces: 0, body: Vec::new() });
    if piece.number != item.pieces || piece.seq != item.seq {
        return Err("an entry is not whole".to_owned());
    }
    item.body.extend_from_slice(piece.body);
    item.pieces = item.pieces.checked_add(1).ok_or("an entry is too long")?;
    Ok(())
}

fn from_json<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}
