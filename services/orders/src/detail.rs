//! An order with everything that its viewer may know of it, and nothing else.

use parlour_http::Time;

use crate::domain::order::{self, Action, Party};
use crate::error::Error;
use crate::state::Orders;
use crate::store::history::{self, Entry, ResultRow, Story};
use crate::store::orders::Order;
use crate::view::{self, HistoryView, Notes, OrderDetail, PersonView, RatingView, ResultView, ReviewView};
use crate::viewer::Viewer;

impl Orders {
    /// An order with everything that the caller may know of it.
    pub fn detail(&self, story: &Story, viewer: &Viewer) -> Result<OrderDetail, Error> {
        let row = &story.order;
        let (status, parties) = (row.status()?, viewer.parties(row));
        let notes = self.notes_of(row)?;
        let result = story.result().filter(|_| order::sees_result(status, &parties));
        let mut entries = vec![created(row)];
        for entry in story.entries()? {
            entries.push(self.entry(row, entry, &parties)?);
        }
        Ok(OrderDetail {
            order: view::order(row, viewer)?,
            notes: notes.notes,
            details: notes.details,
            reader_rating: row.reader_id.map(|_| rating(story.ratings, story.rating_sum)),
            result: result.map(|result| self.result_of(row, result)).transpose()?,
            review: self.review_of(row)?,
            history: entries,
        })
    }

    fn notes_of(&self, row: &Order) -> Result<Notes, Error> {
        let Some(sealed) = &row.notes_sealed else {
            return Ok(Notes::default());
        };
        let plain = self.vault.open(&Order::notes_place(row.id), sealed)?;
        Ok(serde_json::from_slice(&plain)?)
    }

    fn result_of(&self, row: &Order, result: ResultRow) -> Result<ResultView, Error> {
        let place = history::result_place(row.id, result.revision);
        Ok(ResultView {
            text: self.vault.open_text(&place, &result.text_sealed)?,
            media_ids: result.media_ids,
            revision: result.revision,
            submitted_at: result.submitted_at.into(),
        })
    }

    fn review_of(&self, row: &Order) -> Result<Option<ReviewView>, Error> {
        let Some(rating) = row.rating else {
            return Ok(None);
        };
        let place = Order::comment_place(row.id);
        let comment = row.comment_sealed.as_deref();
        Ok(Some(ReviewView {
            rating,
            comment: comment
                .map(|sealed| self.vault.open_text(&place, sealed))
                .transpose()?,
            rated_at: row.rated_at.map(Time::from),
        }))
    }

    /// The client hears that a result went back, but not what was wrong with it.
    fn entry(&self, row: &Order, entry: Entry, parties: &[Party]) -> Result<HistoryView, Error> {
        let hidden = entry.action == Action::Reject.name() && parties.contains(&Party::Client);
        let place = history::reason_place(row.id, entry.version);
        let reason = entry.reason_sealed.filter(|_| !hidden);
        Ok(HistoryView {
            at: entry.at.into(),
            actor: entry
                .actor_id
                .map(|id| PersonView::new(id, entry.actor_name.as_deref())),
            action: entry.action,
            from: entry.from_status,
            to: entry.to_status,
            reason: reason
                .map(|sealed| self.vault.open_text(&place, &sealed))
                .transpose()?,
        })
    }
}

/// Every history begins with the order itself.
fn created(row: &Order) -> HistoryView {
    HistoryView {
        at: row.created_at.into(),
        actor: Some(PersonView::new(row.client_id, row.client_name.as_deref())),
        action: "create".to_owned(),
        from: None,
        to: order::Status::Pending.name().to_owned(),
        reason: None,
    }
}

fn rating(count: i64, sum: i64) -> RatingView {
    #[expect(clippy::cast_precision_loss, reason = "sums of ratings are far below 2^52")]
    let average = (count > 0).then(|| (sum as f64 / count as f64 * 100.0).round() / 100.0);
    RatingView { average, count }
}
