//! How far the power of those who send reaches.

use parlour_auth::Principal;
use parlour_contracts::{Level, Role};

use crate::error::Error;

/// The country that a caller is limited to; `None` is not limited.
pub fn country_of(caller: &Principal) -> Result<Option<String>, Error> {
    if caller.level != Some(Level::CountryAdmin) || caller.has(Role::SuperAdmin) {
        return Ok(None);
    }
    match &caller.country {
        Some(country) => Ok(Some(country.clone())),
        None => Err(Error::Forbidden("your level has no country yet")),
    }
}
