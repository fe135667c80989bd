//! Whether a database is a developer's, with `--dev`, or used in earnest: it is one of both, for good. Under `--dev` an admin
//! makes users without a login and tokens that do not expire, and payouts need no second factor.

use crate::error::Error;
use viral_store::PostgresStore;
use viral_store::postgres::Environment;

/// Marks a database that is used for the first time, and refuses one that was used otherwise. One from before there were
/// marks is a developer's if it has users, as they could be registered under `--dev` only.
pub(crate) async fn check(database: &PostgresStore, dev: bool) -> Result<(), Error> {
    let wanted = match dev {
        true => Environment::Development,
        false => Environment::Production,
    };
    let marked = match database.environment().await? {
        Some(marked) => marked,
        None if database.has_users().await? => database.mark_environment(Environment::Development).await?,
        None => database.mark_environment(wanted).await?,
    };
    let elsewhere = "name another database (DATABASE_URL) or another home (--home)";
    match (marked, wanted) {
        (Environment::Production, Environment::Development) => Err(Error::Other(format!(
            "this database is used without --dev, which would let people in without a login: start without it, or \
             {elsewhere} for development"
        ))),
        (Environment::Development, Environment::Production) => Err(Error::Other(format!(
            "this database was used with --dev, so it has users without a login: start with --dev, or {elsewhere}"
        ))),
        _ => Ok(()),
    }
}
