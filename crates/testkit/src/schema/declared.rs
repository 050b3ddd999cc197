//! The tables that a `schema.rs` declares, read from its text.

use super::Column;

/// A table as `diesel::table!` declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    /// The columns of the primary key.
    pub(super) key: Vec<String>,
    pub(super) columns: Vec<Column>,
}

/// The tables of `text`. What cannot be read is an error, not a table less.
pub(super) fn tables(text: &str) -> Result<Vec<Table>, String> {
    let code: String = text.lines().map(without_comment).collect::<Vec<_>>().join("\n");
    let mut tables = Vec::new();
    for part in code.split("table!").skip(1) {
        // Outside of any table it may be an import: `use diesel::table;` has no `!`.
        let body = braced(part).ok_or("a table! without braces")?;
        tables.push(table(body)?);
    }
    Ok(tables)
}

fn without_comment(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// What stands between the first `{` and the `}` that belongs to it.
fn braced(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('{')?;
    let mut depth = 1;
    for (at, c) in text
        .char_indices()
        .skip_while(|(at, _)| *at < text.len() - rest.len())
    {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(text.len() - rest.len()..at);
        }
    }
    None
}

/// `name (key, …) { column -> Type, … }`, after any `use` lines and attributes.
fn table(body: &str) -> Result<Table, String> {
    let columns = braced(body).ok_or_else(|| format!("no columns in {body:?}"))?;
    let head = body.split('{').next().unwrap_or_default();
    let head = head.rsplit([';', ']']).next().unwrap_or_default().trim();
    let (name, key) = head
        .split_once('(')
        .ok_or_else(|| format!("no primary key in {head:?}"))?;
    let key = key.trim_end().trim_end_matches(')');
    let (mut list, mut renamed) = (Vec::new(), None);
    for line in columns.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(attribute) = line.strip_prefix("#[sql_name = \"") {
            renamed = attribute.split('"').next().map(ToOwned::to_owned);
        } else if !line.starts_with('#') {
            list.push(column(line, renamed.take())?);
        }
    }
    Ok(Table {
        name: name.trim().rsplit('.').next().unwrap_or_default().to_owned(),
        key: key
            .split(',')
            .map(|part| part.trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect(),
        columns: list,
    })
}

fn column(line: &str, renamed: Option<String>) -> Result<Column, String> {
    let (name, kind) = line
        .split_once("->")
        .ok_or_else(|| format!("not a column: {line}"))?;
    let kind = kind.trim().trim_end_matches(',');
    let (nullable, kind) = inside(kind, "Nullable");
    let (is_array, kind) = inside(kind, "Array");
    // Whether an element may be null the database does not say.
    let (_, kind) = inside(kind, "Nullable");
    Ok(Column {
        name: renamed.unwrap_or_else(|| name.trim().trim_start_matches("r#").to_owned()),
        kind: postgres_name(kind),
        is_array,
        nullable,
    })
}

fn inside<'t>(kind: &'t str, wrapper: &str) -> (bool, &'t str) {
    let inner = kind
        .strip_prefix(wrapper)
        .and_then(|rest| rest.strip_prefix('<')?.strip_suffix('>'));
    inner.map_or((false, kind), |inner| (true, inner))
}

/// diesel names PostgreSQL's types after PostgreSQL, with aliases from SQL.
fn postgres_name(kind: &str) -> String {
    let last = if kind.contains('<') {
        kind
    } else {
        kind.rsplit("::").next().unwrap_or_default()
    };
    let name = match last {
        "SmallInt" => "int2",
        "Integer" => "int4",
        "BigInt" => "int8",
        "Float" => "float4",
        "Double" => "float8",
        "Binary" => "bytea",
        "Decimal" => "numeric",
        "Range<Timestamptz>" => "tstzrange",
        "Range<Date>" => "daterange",
        "Range<Int4>" | "Range<Integer>" => "int4range",
        "Range<Int8>" | "Range<BigInt>" => "int8range",
        other => other,
    };
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        use diesel::table;
        // table! { not one
        diesel::table! {
            use diesel::sql_types::*;
            /// Comments { in braces
            identity.things (id, r#type) {
                id -> Uuid,
                #[sql_name = "type"]
                #[max_length = 7]
                kind -> Nullable<Varchar>, // why
                tags -> Array<Nullable<Text>>,
                during -> Range<Timestamptz>,
                state -> Nullable<crate::sql_types::ThingState>,
            }
        }
        diesel::table! { others (id) {
            id -> BigInt,
        } }
        diesel::joinable!(things -> others (id));
        diesel::allow_tables_to_appear_in_same_query!(things, others);
    "#;

    #[test]
    fn tables_are_read() {
        let [things, others] = tables(TEXT).unwrap().try_into().unwrap();
        assert_eq!((things.name.as_str(), things.key.len()), ("things", 2));
        let columns: Vec<_> = things
            .columns
            .iter()
            .map(|c| (c.name.as_str(), c.kind.as_str(), c.is_array, c.nullable))
            .collect();
        assert_eq!(
            columns,
            [
                ("id", "uuid", false, false),
                ("type", "varchar", false, true),
                ("tags", "text", true, false),
                ("during", "tstzrange", false, false),
                ("state", "thingstate", false, true),
            ]
        );
        assert_eq!(
            (others.name.as_str(), others.columns[0].kind.as_str()),
            ("others", "int8")
        );
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(
            tables("table! { a (id) { id: Uuid } }")
                .unwrap_err()
                .contains("not a column")
        );
        assert!(tables("table! { a (id) ").is_err());
    }
}
