//! The services that this binary has.

use parlour_chassis::Service;

/// All of them, the gateway first.
pub fn all() -> Vec<Service> {
    vec![
        parlour_gateway::service(),
        parlour_identity::service(),
        parlour_chat::service(),
        parlour_media::service(),
        parlour_notify::service(),
        parlour_orders::service(),
    ]
}

/// Those with these names, or all when none is named.
pub fn named(names: &[String]) -> anyhow::Result<Vec<Service>> {
    if names.is_empty() {
        return Ok(all());
    }
    let known = all();
    let find = |name: &String| {
        let found = known.iter().find(|service| service.name == name).copied();
        found.ok_or_else(|| {
            let list: Vec<&str> = known.iter().map(|service| service.name).collect();
            anyhow::anyhow!("there is no service {name:?}; there are {}", list.join(", "))
        })
    };
    names.iter().map(find).collect()
}
