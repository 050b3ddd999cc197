//! Pages by number, and cursors for those who read deep.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{ApiError, Call, Check, Extract, Query};

/// `page`, `limit` and `cursor` of a list.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// From 1.
    #[schema(minimum = 1, maximum = 1_000_000)]
    #[param(minimum = 1, maximum = 1_000_000)]
    pub page: Option<i64>,
    /// Items on a page, 20 unless said otherwise.
    #[schema(minimum = 1, maximum = 100)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// `pagination.next_cursor` of the page before; takes the place of `page`.
    #[schema(max_length = 200)]
    #[param(max_length = 200)]
    pub cursor: Option<String>,
}

impl Check for PageQuery {}

/// A query of filters together with the page that it asks for. What is wrong with either is told at once.
pub struct Paged<T>(pub T, pub PageQuery);

impl<T> Extract for Paged<T>
where
    T: DeserializeOwned + ToSchema + Check + 'static,
{
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        match (Query::extract(call).await, Query::extract(call).await) {
            (Ok(Query(filters)), Ok(Query(pages))) => Ok(Self(filters, pages)),
            (Err(mut wrong), Err(also)) => {
                wrong.details.extend(also.details);
                Err(wrong)
            }
            (Err(wrong), _) | (_, Err(wrong)) => Err(wrong),
        }
    }
}

/// Where a page ended: the sort key and id of its last item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The time that the list is sorted by.
    pub at: DateTime<Utc>,
    /// The id that tells items of one time apart.
    pub id: Uuid,
}

impl Cursor {
    /// As text that says nothing to the client.
    pub fn encode(self) -> String {
        let mut bytes = self.at.timestamp_micros().to_be_bytes().to_vec();
        bytes.extend_from_slice(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// From the text of [`Cursor::encode`].
    pub fn decode(text: &str) -> Result<Self, ApiError> {
        let wrong = || ApiError::field("cursor", "is not one of ours");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
        let (micros, id) = bytes.split_first_chunk::<8>().ok_or_else(wrong)?;
        Ok(Self {
            at: DateTime::from_timestamp_micros(i64::from_be_bytes(*micros)).ok_or_else(wrong)?,
            id: Uuid::from_slice(id).map_err(|_| wrong())?,
        })
    }
}

impl PageQuery {
    /// Items on a page.
    pub fn limit(&self) -> i64 {
        self.limit.unwrap_or(20)
    }

    /// The number of the page.
    pub fn page(&self) -> i64 {
        self.page.unwrap_or(1)
    }

    /// How many rows to ask for: one more than is shown, which tells whether there is a next page.
    pub fn most(&self) -> i64 {
        self.limit() + 1
    }

    /// Cuts what [`PageQuery::most`] brought down to the page. Answers where the next one
    /// begins, if there is one; `place` is where an item stands.
    pub fn cut<T>(&self, rows: &mut Vec<T>, place: impl FnOnce(&T) -> Cursor) -> Option<Cursor> {
        let limit = usize::try_from(self.limit()).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        rows.last().filter(|_| more).map(place)
    }

    /// How many items stand before the page.
    pub fn offset(&self) -> i64 {
        (self.page() - 1).saturating_mul(self.limit())
    }

    /// The cursor, if one was given.
    pub fn cursor(&self) -> Result<Option<Cursor>, ApiError> {
        self.cursor.as_deref().map(Cursor::decode).transpose()
    }
}

/// Samia's description of a page.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Pagination {
    /// This page.
    pub page: i64,
    /// Items on a page.
    pub limit: i64,
    /// Items in all.
    pub total: i64,
    /// Pages in all.
    pub total_pages: i64,
    /// What to pass as `cursor` for the next page; null at the end.
    pub next_cursor: Option<String>,
}

impl Pagination {
    /// Describes the page that `query` asked for.
    pub fn new(query: &PageQuery, total: i64, next: Option<Cursor>) -> Self {
        let limit = query.limit();
        Self {
            page: query.page(),
            limit,
            total,
            total_pages: total.saturating_add(limit - 1) / limit,
            next_cursor: next.map(Cursor::encode),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_is_cut_where_the_next_one_begins() {
        let pages = PageQuery {
            limit: Some(2),
            ..PageQuery::default()
        };
        let place = |n: &u128| Cursor {
            at: DateTime::UNIX_EPOCH,
            id: Uuid::from_u128(*n),
        };
        assert_eq!(pages.most(), 3);
        let mut rows = vec![1, 2, 3];
        assert_eq!(pages.cut(&mut rows, place), Some(place(&2)));
        assert_eq!(rows, [1, 2]);
        assert_eq!(pages.cut(&mut rows, place), None);
        assert_eq!(rows, [1, 2]);
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back(micros in 0i64..4_000_000_000_000_000, id: u128) {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            let cursor = Cursor { at, id: Uuid::from_u128(id) };
            prop_assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
        }

        #[test]
        fn rubbish_is_no_cursor_and_no_panic(text: String) {
            if let Ok(cursor) = Cursor::decode(&text) {
                prop_assert_eq!(cursor.encode(), text);
            }
        }
    }
}
