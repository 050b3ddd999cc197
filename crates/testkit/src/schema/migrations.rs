//! Whether each migration can be taken back, and what it leaves to whom.

use parlour_chassis::Service;

use super::{bare, catalog, privileges};
use crate::Database;
use crate::report::Report;

/// Fails the test unless every migration of `service`
///
/// - runs, is taken back without a trace, and runs again with the same result;
///
/// and unless, when all have run,
///
/// - every table with a policy has row-level security enabled and forced;
/// - the runtime role owns nothing, has no attribute by which it could go round a
///   policy, and can neither change the schema nor empty a table;
/// - the service cannot reach another's schema, nor another its.
///
/// ```no_run
/// # async fn example(service: parlour_chassis::Service) {
/// parlour_testkit::migrations_check(&service).await;
/// # }
/// ```
pub async fn migrations_check(service: &Service) {
    let mut report = Report::default();
    up_down_up(service, &mut report).await;
    // A stranger with the least that a service has.
    let neighbour = Service {
        name: "neighbour",
        ..bare(service)
    };
    let database = Database::of(&[*service, neighbour]).await;
    let admin = database.admin().await;
    privileges::check(&admin, service.name, &mut report).await;
    privileges::check_apart(&admin, service.name, neighbour.name, &mut report).await;
    privileges::check_apart(&admin, neighbour.name, service.name, &mut report).await;
    report.end(&format!("migrations of {}", service.name));
}

async fn up_down_up(service: &Service, report: &mut Report) {
    let database = Database::empty().await;
    let _roles_are_of_the_whole_cluster = database.cluster_lock().await;
    let (settings, admin) = (database.settings(), database.admin().await);
    let all = || parlour_chassis::migrations(service);
    let run = async || {
        let ran = parlour_db::migrate_next(&settings, service.name, all()).await;
        ran.unwrap_or_else(|error| panic!("{}: {error}", service.name))
    };
    // Only the schema and the roles.
    parlour_db::migrate(&settings, service.name, Vec::new())
        .await
        .expect("a schema can be made");
    loop {
        let before = catalog::contents(&admin, service.name).await;
        let Some(name) = run().await else { return };
        let after = catalog::contents(&admin, service.name).await;
        if let Err(error) = parlour_db::revert(&settings, service.name, all(), name.clone()).await {
            report.add(format!("{name} cannot be taken back: {error}"));
            continue;
        }
        let reverted = catalog::contents(&admin, service.name).await;
        report.compare(&format!("{name}, taken back"), &before, &reverted);
        let again = parlour_db::migrate_next(&settings, service.name, all()).await;
        if let Err(error) = again {
            return report.add(format!("{name} does not run again: {error}"));
        }
        let repeated = catalog::contents(&admin, service.name).await;
        report.compare(&format!("{name}, taken back and run again"), &after, &repeated);
    }
}
