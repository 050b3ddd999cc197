//! What migrations contain, without running them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use diesel::connection::{
    AnsiTransactionManager, Connection, ConnectionSealed, Instrumentation, SimpleConnection,
};
use diesel::migration::MigrationSource as _;
use diesel::pg::Pg;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::{ConnectionError, ConnectionResult, QueryResult};
use parlour_chassis::Service;

/// A number that changes when the name or the SQL of a migration of `service` does.
pub(crate) fn of(service: &Service) -> u64 {
    let mut hasher = DefaultHasher::new();
    service.name.hash(&mut hasher);
    for source in parlour_chassis::migrations(service) {
        let mut list: Vec<Box<dyn diesel::migration::Migration<Pg>>> =
            source.migrations().expect("embedded migrations are readable");
        list.sort_by_key(|migration| migration.name().to_string());
        for migration in list {
            let mut recorder = Recorder::default();
            migration.run(&mut recorder).expect("a recorder refuses nothing");
            migration.name().to_string().hash(&mut hasher);
            recorder.sql.hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// A connection that leads nowhere and writes down what it is told to run: the
/// only way to see the text of an embedded migration.
#[derive(Default)]
struct Recorder {
    sql: String,
    transactions: AnsiTransactionManager,
    instrumentation: Option<Box<dyn Instrumentation>>,
}

impl SimpleConnection for Recorder {
    fn batch_execute(&mut self, sql: &str) -> QueryResult<()> {
        self.sql.push_str(sql);
        Ok(())
    }
}

impl ConnectionSealed for Recorder {}

impl Connection for Recorder {
    type Backend = Pg;
    type TransactionManager = AnsiTransactionManager;

    fn establish(_url: &str) -> ConnectionResult<Self> {
        Err(ConnectionError::BadConnection(
            "a recorder leads nowhere".to_owned(),
        ))
    }

    fn execute_returning_count<T>(&mut self, _source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        Ok(0)
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transactions
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut self.instrumentation
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.instrumentation = Some(Box::new(instrumentation));
    }

    fn set_prepared_statement_cache_size(&mut self, _size: diesel::connection::CacheSize) {}
}
