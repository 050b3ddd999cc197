"""What is not in the document, for Schemathesis."""

import schemathesis


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """An empty parameter is as if it were not there (docs/API.md). OpenAPI 3.1 keeps a word for it, but deprecated it."""
    for path in raw_schema["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query" and not parameter.get("required"):
                    parameter["allowEmptyValue"] = True


schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
