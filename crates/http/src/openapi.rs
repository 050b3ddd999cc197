//! The OpenAPI 3.1 document of a service, from its registered routes: what every
//! route shares is added here, so that no handler repeats it.

use serde_json::{Value, json};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, Content, InfoBuilder, OpenApi, OpenApiBuilder, Paths, Ref, Response};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::{Access, Failure, RateClass, Route, Routes, Time};

/// The document of `routes`.
pub fn document(title: &str, version: &str, routes: &Routes) -> OpenApi {
    let mut paths = Paths::new();
    for route in routes.iter() {
        let item = PathItem::new(http_method(route), operation(route));
        match paths.paths.get_mut(&route.path) {
            Some(known) => known.merge_operations(item),
            None => {
                paths.paths.insert(route.path.clone(), item);
            }
        }
    }
    let mut components = Components::new();
    for (name, schema) in &routes.schemas {
        components.schemas.insert(name.clone(), schema.clone());
    }
    components
        .schemas
        .insert(Failure::name().into_owned(), Failure::schema());
    components
        .schemas
        .insert(Time::name().into_owned(), Time::schema());
    components.add_security_scheme(
        "bearer",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some("An access token, or an API token (plr_…)."))
                .build(),
        ),
    );
    components.add_security_scheme(
        "cookie",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::caller::SESSION_COOKIE))),
    );
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title(title).version(version).build())
        .paths(paths)
        .components(Some(components))
        .build()
}

fn operation(route: &Route) -> Operation {
    let mut operation = route.operation();
    if operation.tags.is_none() {
        operation.tags = Some(vec![route.service.to_owned()]);
    }
    operation.security = Some(match route.access {
        Access::Public | Access::Anonymous => vec![SecurityRequirement::default()],
        _ => vec![
            SecurityRequirement::new("bearer", Vec::<String>::new()),
            SecurityRequirement::new("cookie", Vec::<String>::new()),
        ],
    });
    let mut errors = vec![
        (400, "The request is not valid."),
        (503, "Not available at the moment."),
    ];
    if route.access.reads_tokens() || route.access == Access::External {
        errors.push((401, "Nobody is signed in, or the token is not valid."));
        errors.push((403, "Not allowed."));
    }
    if route.access == Access::Anonymous && route.class == RateClass::Auth {
        errors.push((401, "The sign-in, token or code is refused."));
        errors.push((403, "The account may not be used."));
    }
    if route.class != RateClass::None {
        errors.push((429, "Too many requests."));
    }
    if operation.request_body.is_some() {
        errors.push((408, "The body did not arrive in time."));
        errors.push((409, "It exists already, or the Idempotency-Key is in use."));
        errors.push((413, "The body is too large."));
        errors.push((415, "The body is not of the right type."));
    }
    if route.path.contains('{') {
        errors.push((404, "There is no such thing, or not for this caller."));
    }
    for (status, description) in errors {
        let responses = &mut operation.responses.responses;
        responses
            .entry(status.to_string())
            .or_insert_with(|| failure(description).into());
    }
    operation.extensions = Some(
        ExtensionsBuilder::new()
            .add("x-rate-class", json!(route.class))
            .add("x-access", access(route.access))
            .add("x-reads-tokens", json!(route.access.reads_tokens()))
            .build(),
    );
    operation
}

fn failure(description: &str) -> Response {
    let mut response = Response::new(description);
    let schema = Ref::from_schema_name(Failure::name());
    response
        .content
        .insert("application/json".to_owned(), Content::new(Some(schema)).into());
    response
}

/// The rule as data, for the generated tests and for readers.
fn access(access: Access) -> Value {
    match access {
        Access::Public | Access::Anonymous => json!("public"),
        Access::User => json!("user"),
        Access::External => json!("external"),
        Access::Roles(roles) => json!(roles),
        Access::Permission(permission) => json!({ "permission": permission }),
    }
}

fn http_method(route: &Route) -> HttpMethod {
    match route.method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        "PATCH" => HttpMethod::Patch,
        "HEAD" => HttpMethod::Head,
        "OPTIONS" => HttpMethod::Options,
        _ => HttpMethod::Get,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use utoipa::ToSchema;

    use super::*;
    use crate::{ApiError, Check, External, Json, JsonOrDefault, Reply};

    #[derive(Default, Deserialize, ToSchema)]
    struct Why {
        #[expect(dead_code, reason = "only its schema is asked for")]
        reason: Option<String>,
    }

    impl Check for Why {}

    #[utoipa::path(post, path = "/may", request_body = Why, responses((status = 200)))]
    async fn may(_: External, _: JsonOrDefault<Why>) -> Result<Reply, ApiError> {
        Err(ApiError::not_found())
    }

    #[utoipa::path(post, path = "/must", request_body = Why, responses((status = 200)))]
    async fn must(_: External, _: Json<Why>) -> Result<Reply, ApiError> {
        Err(ApiError::not_found())
    }

    #[test]
    fn a_document_says_which_bodies_may_be_left_out_and_whom_a_signature_keeps_out() {
        let routes = Routes::of("things")
            .add::<__path_may, _, _, _>(RateClass::None, may)
            .add::<__path_must, _, _, _>(RateClass::None, must);
        let document = serde_json::to_value(document("things", "1", &routes)).unwrap();
        for (path, required) in [("/may", false), ("/must", true)] {
            let operation = &document["paths"][path]["post"];
            assert_eq!(operation["requestBody"]["required"], required, "{path}");
            assert!(operation["responses"]["403"].is_object(), "{path}");
        }
    }
}
