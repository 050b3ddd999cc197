//! Rules without IO.

pub mod country;
pub mod email;
pub mod grants;
pub mod password;
pub mod requirements;
pub mod secret;
pub mod text;
pub mod username;
pub mod zodiac;
