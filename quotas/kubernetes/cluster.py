"""A cluster's API server, through the official client: objects are plain dictionaries, refusals a few exceptions.

Never called with a transaction open or a row locked.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException, new_client_from_config
from kubernetes.watch.watch import iter_resp_lines
from urllib3.exceptions import HTTPError
from yaml import YAMLError

from quotas.kubernetes.resources import Resource

Object = dict[str, Any]

_PAGE = 500
_ANSWERS = dict.fromkeys((200, 201, 202), "object")


class ClusterError(Exception):
    """The cluster did not do what was asked; trying again may help."""


class ObjectMissing(ClusterError):
    """The object, or the namespace it should lie in, does not exist."""


class ObjectChanged(ClusterError):
    """Somebody wrote the object since it was read, or made it first."""


class TooOld(ClusterError):
    """The server no longer knows what happened since that resource version."""


class Unreachable(ClusterError):
    """No answer: what was asked may have been done or not."""


@dataclass(frozen=True)
class Event:
    """ADDED, MODIFIED, DELETED or BOOKMARK, as a watch tells it."""

    type: str
    object: Object


class Cluster:
    def __init__(self, client: ApiClient, *, timeout_seconds: float) -> None:
        self._client = client
        self._timeout = timeout_seconds

    @classmethod
    def of_kubeconfig(cls, path: str | Path, *, timeout_seconds: float) -> "Cluster":
        """The cluster of the file's current context. Raises ClusterError where the file says none."""
        configuration = Configuration()
        configuration.retries = False  # a try is a row's, with its own waiting time
        try:
            client = new_client_from_config(str(path), client_configuration=configuration, persist_config=False)
        except (ConfigException, YAMLError, OSError, ValueError, TypeError, KeyError) as error:
            raise ClusterError(f"the kubeconfig cannot be used: {type(error).__name__}") from None
        return cls(client, timeout_seconds=timeout_seconds)

    def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        try:
            return self._ask("GET", resource.path(namespace, name))
        except ObjectMissing:
            return None

    def list(self, resource: Resource, namespace: str | None = None, *, name: str = "") -> tuple[list[Object], str]:
        """All objects (of that name, where one is given), and the resource version from which a watch goes on."""
        found: list[Object] = []
        query = [("limit", _PAGE), *_named(name)]
        page = self._ask("GET", resource.path(namespace), query=query)
        found += page["items"]
        while following := page["metadata"].get("continue"):
            page = self._ask("GET", resource.path(namespace), query=[*query, ("continue", following)])
            found += page["items"]
        return found, page["metadata"]["resourceVersion"]

    def create(self, resource: Resource, body: Object) -> Object:
        return self._ask("POST", resource.path(body["metadata"]["namespace"]), body)

    def replace(self, resource: Resource, body: Object) -> Object:
        """Write the object as read and changed; ObjectChanged where it is not as it was read."""
        return self._ask("PUT", resource.path(body["metadata"]["namespace"], body["metadata"]["name"]), body)

    def patch(self, resource: Resource, read: Object, changes: Object) -> Object:
        """Merge changes (RFC 7396) into the object as it was read; ObjectChanged where it is no longer so."""
        metadata = {**changes.get("metadata", {}), "resourceVersion": read["metadata"]["resourceVersion"]}
        path = resource.path(read["metadata"]["namespace"], read["metadata"]["name"])
        return self._ask("PATCH", path, {**changes, "metadata": metadata})

    def delete(self, resource: Resource, read: Object) -> None:
        """Delete the object as it was read, and no other."""
        metadata = read["metadata"]
        preconditions = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        self._ask("DELETE", resource.path(metadata["namespace"], metadata["name"]), {"preconditions": preconditions})

    def watch(
        self, resource: Resource, namespace: str | None = None, *, since: str, seconds: int, name: str = ""
    ) -> Iterator[Event]:
        """What happened since a resource version, and what happens for so many seconds more. Raises TooOld."""
        query = [("watch", "true"), ("resourceVersion", since), ("timeoutSeconds", seconds), *_named(name)]
        try:
            answer = self._call("GET", resource.path(namespace), query=query, stream=True)
            for line in iter_resp_lines(answer):
                if line:
                    yield _event(json.loads(line))
        except HTTPError as error:
            raise Unreachable(f"the watch broke off: {type(error).__name__}") from None

    def _ask(self, method: str, path: str, body: Object | None = None, *, query: Any = ()) -> Object:
        answer: Object = self._call(method, path, body, query=query)
        return answer

    def _call(self, method: str, path: str, body: Any = None, *, query: Any = (), stream: bool = False) -> Any:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        try:
            return self._client.call_api(
                path,
                method,
                query_params=list(query),
                header_params={"Accept": "application/json", "Content-Type": kind},
                body=body,
                response_types_map=_ANSWERS,
                auth_settings=["BearerToken"],
                _return_http_data_only=True,
                _preload_content=not stream,
                _request_timeout=self._timeout,
            )
        except ApiException as error:
            raise _refusal(error, f"{method} {path}") from None
        except HTTPError as error:
            raise Unreachable(f"{method} {path}: {type(error).__name__}") from None


def _named(name: str) -> list[tuple[str, str]]:
    return [("fieldSelector", f"metadata.name={name}")] if name else []


def _event(line: Object) -> Event:
    if line["type"] == "ERROR":
        kind = TooOld if line["object"].get("code") == 410 else ClusterError
        raise kind(str(line["object"].get("message", "the watch failed"))[:300])
    return Event(line["type"], line["object"])


def _refusal(error: ApiException, asked: str) -> ClusterError:
    """Without the body's rest: it may quote what was sent."""
    kinds = {404: ObjectMissing, 409: ObjectChanged, 410: TooOld, 0: Unreachable}
    try:
        message = json.loads(error.body or "{}").get("message") or error.reason
    except (ValueError, AttributeError):
        message = error.reason
    return kinds.get(error.status, ClusterError)(f"{asked}: {error.status} {message}"[:500])
