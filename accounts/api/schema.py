"""Names of operations in the API's description: said once, in the summary."""

import re

from drf_spectacular.openapi import AutoSchema


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
        own = "" if self.path.startswith("/api/v1/") else "seed: "
        return [own + parts[0]]
