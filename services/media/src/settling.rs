//! How a file stops waiting: it is ready, or in quarantine.

use chrono::{DateTime, Utc};
use parlour_db::Tx;
use parlour_events::Batch;

use crate::error::Error;
use crate::state::Media;
use crate::store::files::File;
use crate::store::pending::{self, Facts};
use crate::telling;

/// When links to avatars end: never, as far as anybody living is concerned.
const NO_END: &str = "9999-12-31T23:59:59Z";

impl Media {
    /// A scanned file is clean, and everything was made of it that others will see. Others
    /// may read it from now on, and hear of it. Nothing happens to one that waits no more.
    pub async fn settle_ready(&self, tx: &mut Tx, file: &File, facts: &Facts) -> Result<(), Error> {
        if !pending::settle(tx, file.id, "ready", facts, self.now()).await? {
            return Ok(());
        }
        let mut news = Batch::default().event(telling::aggregate(file.id), &telling::ready(file));
        if file.purpose == "avatar" && file.deleted_at.is_none() {
            let end: DateTime<Utc> = NO_END.parse().unwrap_or(DateTime::<Utc>::MAX_UTC);
            let changed = telling::avatar(file, self.link_until(file.id, end));
            news = news.event(telling::aggregate(file.id), &changed);
        }
        Ok(news.write(tx).await?)
    }

    /// A scanned file is harmful: nobody reads it any more.
    pub async fn settle_infected(&self, tx: &mut Tx, file: &File) -> Result<(), Error> {
        if !pending::settle(tx, file.id, "quarantined", &Facts::default(), self.now()).await? {
            return Ok(());
        }
        let news = Batch::default().event(telling::aggregate(file.id), &telling::infected(file));
        Ok(news.write(tx).await?)
    }
}
