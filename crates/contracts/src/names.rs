//! Enums whose values have names: states, actions and kinds as they are stored and answered.

/// Declares an enum whose values have names. It gets `ALL`, `name()`, `Display` with the
/// name, and `FromStr`, which refuses any other text with [`UnknownName`].
///
/// ```
/// parlour_contracts::named! {
///     /// Where a door stands.
///     Door {
///         /// Anyone may pass.
///         Open = "open",
///         /// Nobody may.
///         Closed = "closed",
///     }
/// }
///
/// assert_eq!(Door::Open.name(), "open");
/// assert_eq!("closed".parse(), Ok(Door::Closed));
/// assert_eq!(Door::ALL.len(), 2);
/// assert!("ajar".parse::<Door>().is_err());
/// ```
#[macro_export]
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $value:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $value,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$value,)+];

            /// The name that is stored and answered.
            pub const fn name(self) -> &'static str {
                match self {
                    $($name::$value => $text,)+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::names::UnknownName;
            fn from_str(name: &str) -> Result<Self, Self::Err> {
                match name {
                    $($text => Ok($name::$value),)+
                    _ => Err($crate::names::UnknownName(name.to_owned())),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

/// A text that names none of the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName(pub String);

impl std::fmt::Display for UnknownName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unknown name {:?}", self.0)
    }
}

impl std::error::Error for UnknownName {}
