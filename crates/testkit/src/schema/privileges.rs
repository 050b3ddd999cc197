//! What the roles of a service may do.

use tokio_postgres::Client;

use crate::report::Report;

/// What is wrong with a service's own role `$2` and schema `$1`, one sentence each.
const CLOSED: &str = r"
WITH role AS (SELECT * FROM pg_roles WHERE rolname = $2),
rel AS (
  SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
)
SELECT format('table %s has a policy and no row-level security that is enabled and forced', relname)
  FROM rel WHERE EXISTS (SELECT FROM pg_policy WHERE polrelid = rel.oid)
    AND NOT (relrowsecurity AND relforcerowsecurity)
UNION ALL SELECT format('table %s has row-level security that is not forced', relname)
  FROM rel WHERE relrowsecurity AND NOT relforcerowsecurity
UNION ALL SELECT format('role %s owns %s', rolname, pg_describe_object(d.classid, d.objid, d.objsubid))
  FROM role JOIN pg_shdepend d ON d.refobjid = role.oid
    AND d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o'
  WHERE d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
UNION ALL SELECT format('role %s may go round policies or change roles', rolname)
  FROM role WHERE rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
UNION ALL SELECT format('role %s is a member of %s', rolname, pg_get_userbyid(m.roleid))
  FROM role JOIN pg_auth_members m ON m.member = role.oid
UNION ALL SELECT format('role %s may create objects in schema %s', rolname, $1)
  FROM role WHERE has_schema_privilege(rolname, $1, 'CREATE')
UNION ALL SELECT format('role %s has the privilege %s on table %s', rolname, privilege, relname)
  FROM role, rel, unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
  WHERE has_table_privilege(rolname, rel.oid, privilege)
UNION ALL SELECT format('function %s runs as its owner with a search path that its caller chooses', proname)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname = $1 AND p.prosecdef
    AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search_path=%')
ORDER BY 1";

/// What role `$2` may do in the schema `$1` of somebody else.
const APART: &str = r"
SELECT format('role %s may use schema %s', $2::text, $1::text) WHERE has_schema_privilege($2, $1, 'USAGE')
UNION ALL SELECT format('role %s has the privilege %s on %s.%s', $2::text, privilege, $1::text, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
    unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS privilege
  WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm')
    AND has_table_privilege($2, c.oid, privilege)
ORDER BY 1";

/// Whether the runtime role of `service` is held to its policies.
pub(super) async fn check(admin: &Client, service: &str, report: &mut Report) {
    collect(admin, CLOSED, service, &role(service), report).await;
}

/// Whether `stranger` is kept out of the schema of `service`.
pub(super) async fn check_apart(admin: &Client, service: &str, stranger: &str, report: &mut Report) {
    collect(admin, APART, service, &role(stranger), report).await;
}

fn role(service: &str) -> String {
    format!("parlour_{service}")
}

async fn collect(admin: &Client, sql: &str, schema: &str, role: &str, report: &mut Report) {
    let rows = admin
        .query(sql, &[&schema, &role])
        .await
        .expect("the catalogs can be read");
    for row in rows {
        report.add(row.get::<_, String>(0));
    }
}
