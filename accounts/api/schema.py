"""Names of operations in the API's description: said once, in the summary."""

import re

from drf_spectacular.openapi import AutoSchema


class NamedBySummary(AutoSchema):
    """`Open a project` is `open_a_project`; operations stand together by the noun their address begins with."""

    def get_operation_id(self) -> str:
        summary = self.get_summary()
        return re.sub(r"[^a-z0-9]+", "_", summary.lower()).strip("_") if summary else str(super().get_operation_id())

    def get_tags(self) -> list[str]:
        parts = [part for part in self.path.split("/") if part not in ("", "api", "v1")]
        return [parts[0]] if parts else super().get_tags()
