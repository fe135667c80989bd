//! The rows that a fold works on: those of a batch while a table is kept up to date, all of them while the log is
//! folded in memory. The fold cannot tell the difference.

use crate::fact::Problem;
use crate::table::Table;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;
use viral_store::Position;

/// A row of a table.
pub(crate) trait Row: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// Its table.
    const TABLE: &'static Table;
    /// What one row is called in messages.
    const CALLED: &'static str;

    /// Its key.
    fn id(&self) -> Uuid;

    /// Notes the last event that touched it.
    fn touched_at(&mut self, position: u64);
}

/// Implements [`Row`] for a struct with fields `id` and `position`.
macro_rules! row {
    ($row:ty, $table:expr, $called:literal) => {
        impl crate::rows::Row for $row {
            const TABLE: &'static crate::table::Table = &$table;
            const CALLED: &'static str = $called;

            fn id(&self) -> uuid::Uuid {
                self.id
            }

            fn touched_at(&mut self, position: u64) {
                self.position = position;
            }
        }
    };
}
pub(crate) use row;

/// A row in memory, or the knowledge that there is none.
#[derive(Clone)]
struct Slot<R> {
    row: Option<R>,
    dirty: bool,
}

/// Rows of one table.
pub(crate) struct Rows<R> {
    known: HashMap<Uuid, Slot<R>>,
    /// What the fold asked for and nobody looked up yet.
    wanted: BTreeSet<Uuid>,
    /// What has to be written, in the order of the first change.
    dirty: Vec<Uuid>,
    /// What to put back if the present event is refused, newest last, and how long `dirty` was before it.
    undo: Vec<(Uuid, Option<Slot<R>>)>,
    dirty_before: usize,
    position: u64,
    /// All rows that exist are known.
    whole: bool,
}

impl<R> Default for Rows<R> {
    fn default() -> Rows<R> {
        Rows {
            known: HashMap::new(),
            wanted: BTreeSet::new(),
            dirty: Vec::new(),
            undo: Vec::new(),
            dirty_before: 0,
            position: 0,
            whole: false,
        }
    }
}

impl<R: Row> Rows<R> {
    /// Asks for a row: it will be known, or known not to exist, before the event is applied.
    pub(crate) fn want(&mut self, id: Uuid) {
        if !self.whole && !self.known.contains_key(&id) {
            self.wanted.insert(id);
        }
    }

    /// A row, if it exists.
    pub(crate) fn get(&self, id: Uuid) -> Option<&R> {
        self.known.get(&id).and_then(|slot| slot.row.as_ref())
    }

    /// Adds a row that must not exist.
    pub(crate) fn add(&mut self, row: R) -> Result<(), Problem> {
        if self.get(row.id()).is_some() {
            return Err(Problem(format!("{} {} exists already", R::CALLED, row.id())));
        }
        self.put(row);
        Ok(())
    }

    /// Adds a row, or replaces it.
    pub(crate) fn put(&mut self, mut row: R) -> &mut R {
        let id = row.id();
        row.touched_at(self.position);
        let before = self.known.get(&id).cloned();
        if before.as_ref().is_none_or(|slot| !slot.dirty) {
            self.dirty.push(id);
        }
        self.undo.push((id, before));
        let slot = self.known.entry(id).or_insert(Slot { row: None, dirty: true });
        slot.dirty = true;
        slot.row.insert(row)
    }

    /// A row that must exist, to be changed.
    pub(crate) fn change(&mut self, id: Uuid) -> Result<&mut R, Problem> {
        match self.get(id).cloned() {
            Some(row) => Ok(self.put(row)),
            None => Err(Problem(format!("{} {id} is not known", R::CALLED))),
        }
    }
}

/// What the machinery does with the rows of any table.
pub(crate) trait TableRows: Send {
    /// Which table.
    fn table(&self) -> &'static Table;
    /// What was asked for and is not known yet.
    fn take_wanted(&mut self) -> Vec<Uuid>;
    /// Takes in what was found of it; the rest does not exist.
    fn load(&mut self, asked: &[Uuid], found: &[String]) -> Result<(), serde_json::Error>;
    /// The next event begins.
    fn begin(&mut self, position: Position);
    /// Puts everything back as it was when the present event began.
    fn undo(&mut self);
    /// The rows to be written, a JSON array; nothing if there are none.
    fn dirty(&self) -> Result<Option<String>, serde_json::Error>;
    /// They were written.
    fn written(&mut self);
    /// From now on these are all the rows there are.
    fn make_whole(&mut self);
    /// How many rows are in memory.
    fn len(&self) -> usize;
    /// Takes a row out, as columns.
    fn take(&mut self, id: Uuid) -> Result<Option<Map<String, Value>>, serde_json::Error>;
    /// The keys of all rows in memory, in order.
    fn ids(&self) -> Vec<Uuid>;
}

impl<R: Row> TableRows for Rows<R> {
    fn table(&self) -> &'static Table {
        R::TABLE
    }

    fn take_wanted(&mut self) -> Vec<Uuid> {
        std::mem::take(&mut self.wanted).into_iter().collect()
    }

    fn load(&mut self, asked: &[Uuid], found: &[String]) -> Result<(), serde_json::Error> {
        let absent = |id: &Uuid| {
            (
                *id,
                Slot {
                    row: None,
                    dirty: false,
                },
            )
        };
        self.known.extend(asked.iter().map(absent));
        for json in found {
            let row: R = serde_json::from_str(json)?;
            self.known.insert(
                row.id(),
                Slot {
                    row: Some(row),
                    dirty: false,
                },
            );
        }
        Ok(())
    }

    fn begin(&mut self, position: Position) {
        self.position = position.0;
        self.undo.clear();
        self.dirty_before = self.dirty.len();
    }

    fn undo(&mut self) {
        for (id, before) in self.undo.drain(..).rev() {
            match before {
                Some(slot) => self.known.insert(id, slot),
                None => self.known.remove(&id),
            };
        }
        self.dirty.truncate(self.dirty_before);
    }

    fn dirty(&self) -> Result<Option<String>, serde_json::Error> {
        if self.dirty.is_empty() {
            return Ok(None);
        }
        let rows: Vec<&R> = self.dirty.iter().filter_map(|id| self.get(*id)).collect();
        serde_json::to_string(&rows).map(Some)
    }

    fn written(&mut self) {
        for id in self.dirty.drain(..) {
            if let Some(slot) = self.known.get_mut(&id) {
                slot.dirty = false;
            }
        }
        self.dirty_before = 0;
        self.undo.clear();
    }

    fn make_whole(&mut self) {
        self.whole = true;
    }

    fn len(&self) -> usize {
        self.known.len()
    }

    fn take(&mut self, id: Uuid) -> Result<Option<Map<String, Value>>, serde_json::Error> {
        match self.known.remove(&id).and_then(|slot| slot.row) {
            Some(row) => match serde_json::to_value(&row)? {
                Value::Object(columns) => Ok(Some(columns)),
                _ => Ok(None),
            },
            None => Ok(None),
        }
    }

    fn ids(&self) -> Vec<Uuid> {
        let rows = self.known.iter().filter(|(_, slot)| slot.row.is_some());
        let mut ids: Vec<Uuid> = rows.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }
}
