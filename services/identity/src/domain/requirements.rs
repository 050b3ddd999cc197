//! Which profile fields an account's roles need.

use parlour_contracts::Role;

/// The fields that `roles` need, in the order in which a form asks for them.
pub fn required(roles: &[Role]) -> Vec<&'static str> {
    let mut fields = vec!["first_name", "last_name"];
    if roles.contains(&Role::Client) {
        fields.extend(["birth_date", "country"]);
    }
    if roles.contains(&Role::Reader) || roles.contains(&Role::Guide) {
        fields.extend(["display_name", "bio", "languages", "specialities"]);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_needs_what_the_page_says() {
        let fields = required(&[Role::Client]);
        assert_eq!(fields, ["first_name", "last_name", "birth_date", "country"]);
        assert_eq!(required(&[Role::Monitor]), ["first_name", "last_name"]);
    }
}
