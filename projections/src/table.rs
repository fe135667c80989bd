//! Tables of read models and the SQL that follows from their columns. A table exists once per version of its read
//! model, `users_v1`, behind a view with its plain name.

/// A table of a read model. Its first column is `id`, a UUID and the primary key.
#[derive(Debug)]
pub struct Table {
    /// The name of the view that is read.
    pub name: &'static str,
    /// Names and SQL types of the columns after `id`.
    pub columns: &'static [(&'static str, &'static str)],
    /// The columns of its indexes, as they stand in `CREATE INDEX`.
    pub indexes: &'static [&'static str],
}

impl Table {
    /// The name of the table of a version.
    pub(crate) fn versioned(&self, version: i32) -> String {
        format!("{}_v{version}", self.name)
    }

    fn names(&self) -> Vec<&'static str> {
        std::iter::once("id")
            .chain(self.columns.iter().map(|(name, _)| *name))
            .collect()
    }

    /// Makes the table of a version, without its indexes. The application's role may read it, to compare it with the log.
    pub(crate) fn create(&self, version: i32) -> String {
        let table = self.versioned(version);
        let columns: String = self
            .columns
            .iter()
            .map(|(name, kind)| format!(", {name} {kind}"))
            .collect();
        // Rows are updated more than once: room in their page keeps the update in place.
        format!(
            "CREATE TABLE {table} (id uuid PRIMARY KEY{columns}) WITH (fillfactor = 80); GRANT SELECT ON {table} TO viral_app"
        )
    }

    /// Makes the indexes of a version: at once for a new table, at the end for one that is filled in bulk.
    pub(crate) fn create_indexes(&self, version: i32) -> String {
        let table = self.versioned(version);
        let statements = self
            .indexes
            .iter()
            .map(|columns| format!("CREATE INDEX ON {table} ({columns});"));
        statements.collect()
    }

    /// Lets the plain name mean a version.
    pub(crate) fn create_view(&self, version: i32) -> String {
        let (view, columns, table) = (self.name, self.names().join(", "), self.versioned(version));
        format!(
            "DROP VIEW IF EXISTS {view}; CREATE VIEW {view} AS SELECT {columns} FROM {table}; GRANT SELECT ON {view} TO viral_app"
        )
    }

    /// Removes the table of a version.
    pub(crate) fn drop(&self, version: i32) -> String {
        format!("DROP TABLE IF EXISTS {}", self.versioned(version))
    }

    /// Reads rows as JSON objects, spelled exactly as rows serialise: amounts as decimal text, so that no digit is lost
    /// in a floating-point number, and times in UTC with six digits.
    pub(crate) fn select(&self, version: i32, rest: &str) -> String {
        let column = |(name, kind): &(&str, &str)| {
            if kind.starts_with("numeric") {
                format!(", {name}::text AS {name}")
            } else if kind.starts_with("timestamptz") {
                format!(", to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS {name}")
            } else {
                format!(", {name}")
            }
        };
        let columns: String = self.columns.iter().map(column).collect();
        let table = self.versioned(version);
        format!("SELECT row_to_json(r)::text FROM (SELECT id{columns} FROM {table} {rest}) r")
    }

    /// Writes rows, which `$1` holds as a JSON array.
    pub(crate) fn upsert(&self, version: i32) -> String {
        let (table, columns) = (self.versioned(version), self.names().join(", "));
        let updates: Vec<String> = self
            .columns
            .iter()
            .map(|(name, _)| format!("{name} = EXCLUDED.{name}"))
            .collect();
        format!(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, $1::json) \
             ON CONFLICT (id) DO UPDATE SET {}",
            updates.join(", ")
        )
    }
}
