//! `viral demo`: the whole journey of a campaign, through the HTTP API like any client.

mod stage;
mod story;
mod teller;
mod trail;

use crate::client::Client;
use crate::error::Error;
use stage::Stage;
use std::path::Path;
use teller::Teller;

/// Tells a story beside the earlier ones, then shows what is in the log about it. `start` starts a platform for that
/// time where none runs.
pub(crate) async fn run(home: &Path, url: Option<&str>, start: bool) -> Result<(), Error> {
    let stage = match start {
        true => Stage::set_up(home).await?,
        false => None,
    };
    let told = tell(home, url).await;
    if let Some(stage) = stage {
        stage.clear().await?;
    }
    told
}

async fn tell(home: &Path, url: Option<&str>) -> Result<(), Error> {
    let operator = Client::operator(home, url)?;
    let mut teller = Teller::new(operator).await?;
    let cast = story::tell(&mut teller).await?;
    trail::show(&teller, &cast).await
}
