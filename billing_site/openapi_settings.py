"""What drf-spectacular is told about the REST API; imports nothing of ours, the settings read it."""

from typing import Any

TITLE = "Countinghouse"
ABOUT = """
The billing back office of a cloud platform. Amounts are whole numbers of minor units beside their currency; rates and
quantities are decimals as text; moments are RFC 3339 in UTC; ids are opaque and sort as their rows were made.

Lists are pages: `limit`, and `next_cursor` as `cursor` for the next. Refusals are problems (RFC 9457) with a stable
`code`. Every act takes `dry_run=true` and an `Idempotency-Key`; what moves money demands one. What is not yours
answers like what does not exist.
"""

SETTINGS: dict[str, Any] = {
    "TITLE": TITLE,
    "DESCRIPTION": ABOUT.strip(),
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api(/v1)?",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATION_PARAMETERS": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "billing_site.api_examples.ours_first",
        "billing_site.api_examples.add_examples",
    ],
}
