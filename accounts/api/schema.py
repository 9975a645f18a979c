"""What the API's description takes from a view: names of operations, said once in the summary; shapes of refusals."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema

from accounts.api.problems import MEDIA_TYPE


class NamedBySummary(AutoSchema):
    """`Open a project` is `open_a_project`; operations stand together by the noun their address begins with."""

    def get_operation_id(self) -> str:
        summary = self.get_summary()
        if not summary:
            return str(super().get_operation_id())
        own = "" if self.path.startswith("/api/v1/") else "seed_"  # the same act at the address of a seed
        return own + re.sub(r"[^a-z0-9]+", "_", summary.lower()).strip("_")

    def get_tags(self) -> list[str]:
        parts = [part for part in self.path.split("/") if part not in ("", "api", "v1")]
        return [parts[0]] if self.path.startswith("/api/v1/") else ["seed 004"]

    def get_operation(self, *about: Any) -> Any:
        """As described, but where the view's refusals have a shape of their own."""
        operation = super().get_operation(*about)
        shape: Any = getattr(self.view, "refusal_shape", None)
        for answer in operation["responses"].values() if operation and shape else ():
            if answer.get("content", {}).pop(MEDIA_TYPE, None):
                answer["content"]["application/json"] = {"schema": self.resolve_serializer(shape, "response").ref}
        return operation
