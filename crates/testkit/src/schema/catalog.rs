//! What a schema consists of, as the catalogs tell it.

use tokio_postgres::Client;

use super::Column;

/// One line for everything in the schema, as `(kind, text)`. diesel's own list of
/// migrations is left out, and so is the order of columns: what was dropped and
/// made again stands at the end.
const CONTENTS: &str = r"
WITH ns AS (SELECT oid FROM pg_namespace WHERE nspname = $1),
rel AS (
  SELECT c.* FROM pg_class c, ns
  WHERE c.relnamespace = ns.oid AND c.relname NOT LIKE '\_\_diesel\_%'
)
SELECT format('%s %s: owner %s, row security %s %s, options %s, privileges %s, bound %s',
    CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'S' THEN 'sequence'
      WHEN 'i' THEN 'index' WHEN 'I' THEN 'partitioned index' WHEN 'v' THEN 'view'
      WHEN 'm' THEN 'materialized view' ELSE relkind::text END,
    relname, pg_get_userbyid(relowner), relrowsecurity, relforcerowsecurity, reloptions, relacl,
    pg_get_expr(relpartbound, oid)) AS line FROM rel
UNION ALL SELECT format('column %s.%s: %s, not null %s, default %s, identity %s, generated %s',
    rel.relname, attname, format_type(atttypid, atttypmod), attnotnull,
    pg_get_expr(adbin, adrelid), attidentity, attgenerated)
  FROM pg_attribute a JOIN rel ON rel.oid = attrelid
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm')
UNION ALL SELECT format('constraint %s of %s: %s', conname, rel.relname, pg_get_constraintdef(pg_constraint.oid))
  FROM pg_constraint JOIN rel ON rel.oid = conrelid
UNION ALL SELECT format('index: %s', pg_get_indexdef(indexrelid)) FROM pg_index JOIN rel ON rel.oid = indexrelid
UNION ALL SELECT format('policy %s on %s: %s for %s, roles %s, using %s, check %s', polname, rel.relname,
    CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END, polcmd, polroles::regrole[],
    pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
  FROM pg_policy JOIN rel ON rel.oid = polrelid
UNION ALL SELECT format('trigger: %s', pg_get_triggerdef(pg_trigger.oid))
  FROM pg_trigger JOIN rel ON rel.oid = tgrelid WHERE NOT tgisinternal
UNION ALL SELECT format('rule: %s', pg_get_ruledef(pg_rewrite.oid)) FROM pg_rewrite JOIN rel ON rel.oid = ev_class
UNION ALL SELECT format('sequence %s: from %s by %s, %s to %s, cycles %s', rel.relname,
    seqstart, seqincrement, seqmin, seqmax, seqcycle)
  FROM pg_sequence JOIN rel ON rel.oid = seqrelid
UNION ALL SELECT format('function owned by %s, privileges %s: %s', pg_get_userbyid(proowner), proacl,
    pg_get_functiondef(pg_proc.oid))
  FROM pg_proc, ns WHERE pronamespace = ns.oid AND prokind IN ('f', 'p')
UNION ALL SELECT format('type %s: %s, base %s, labels %s', typname, typtype,
    CASE WHEN typtype = 'd' THEN format_type(typbasetype, typtypmod) END,
    (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = pg_type.oid))
  FROM pg_type, ns WHERE typnamespace = ns.oid AND typtype IN ('e', 'd', 'r')
ORDER BY 1";

/// Everything in `schema`, one line each, sorted.
pub(super) async fn contents(admin: &Client, schema: &str) -> Vec<String> {
    let rows = admin
        .query(CONTENTS, &[&schema])
        .await
        .expect("the catalogs can be read");
    rows.iter().map(|row| row.get("line")).collect()
}

/// A column and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) table: String,
    /// A table that rows are kept in, not a view of others.
    pub(super) is_table: bool,
    pub(super) in_key: bool,
    pub(super) column: Column,
}

const COLUMNS: &str = r"
SELECT c.relname, c.relkind IN ('r', 'p') AS is_table, a.attname,
    coalesce(e.typname, t.typname) AS kind, e.oid IS NOT NULL AS is_array, NOT a.attnotnull AS nullable,
    coalesce(a.attnum = ANY (k.conkey), false) AS in_key
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type e ON t.typcategory = 'A' AND e.oid = t.typelem
LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
  AND c.relname NOT LIKE '\_\_diesel\_%'
ORDER BY c.relname, a.attnum";

/// The columns of all tables and views in `schema`.
pub(super) async fn columns(admin: &Client, schema: &str) -> Vec<Placed> {
    let rows = admin
        .query(COLUMNS, &[&schema])
        .await
        .expect("the catalogs can be read");
    let placed = |row: &tokio_postgres::Row| Placed {
        table: row.get("relname"),
        is_table: row.get("is_table"),
        in_key: row.get("in_key"),
        column: Column {
            name: row.get("attname"),
            kind: row.get("kind"),
            is_array: row.get("is_array"),
            nullable: row.get("nullable"),
        },
    };
    rows.iter().map(placed).collect()
}
