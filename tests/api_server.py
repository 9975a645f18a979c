"""A stand-in for a cluster's API server: objects with uids and resource versions, optimistic concurrency, selectors,
merge patches, preconditions, watches with their history, and faults on demand. Spoken to over HTTP by the real client.

It keeps what real servers keep to: a write with an old resource version answers 409, one of an object that is there
answers 409, one into a namespace that is missing answers 404, a watch from a forgotten version answers 410.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Object = dict[str, Any]
Key = tuple[str, str, str]  # collection (group/version/plural), namespace, name
TOKEN = "the-token-of-the-stand-in"


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class Change:
    version: int
    type: str
    key: Key
    object: Object


@dataclass
class Fault:
    """Happens to the next request that `when` lets through: a status, or silence for some seconds, or a cut line."""

    status: int = 0
    silent_seconds: float = 0
    cut: bool = False
    after_the_deed: bool = False  # the write happens, and the answer is lost
    when: Callable[[str, str], bool] = lambda method, path: True
    times: int = 1


@dataclass
class ApiServer:
    """What the cluster holds. Tests write to it as `kubectl` would, by `put`, `annotate` and `remove`."""

    objects: dict[Key, Object] = field(default_factory=dict)
    namespaces: set[str] = field(default_factory=lambda: {"kube-dc"})
    history: list[Change] = field(default_factory=list)
    oldest: int = 0
    version: int = 100
    requests: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    url: str = ""
    longest_watch_seconds: float = 0  # a real server holds a watch open as long as it was asked to

    # What tests do, as an operator would.

    def put(self, collection: str, body: Object) -> Object:
        """Create or replace, whatever its version."""
        with self.lock:
            metadata = body["metadata"]
            key = (collection, metadata["namespace"], metadata["name"])
            self.namespaces.add(metadata["namespace"])
            return self._store(key, body)

    def annotate(self, collection: str, namespace: str, name: str, **annotations: str | None) -> None:
        with self.lock:
            body = deepcopy(self.objects[(collection, namespace, name)])
            noted = body["metadata"].setdefault("annotations", {})
            for word, value in annotations.items():
                noted[f"billing.kube-dc.com/{word.replace('_', '-')}"] = value
            body["metadata"]["annotations"] = {key: value for key, value in noted.items() if value is not None}
            self._store((collection, namespace, name), body)

    def remove(self, collection: str, namespace: str, name: str) -> None:
        with self.lock:
            self._drop((collection, namespace, name))

    def found(self, collection: str, namespace: str, name: str) -> Object | None:
        return self.objects.get((collection, namespace, name))

    def forget_history(self) -> None:
        """As after a compaction: watches from before answer 410."""
        with self.lock:
            self.version += 1
            self.history, self.oldest = [], self.version

    @property
    def writes(self) -> Counter[str]:
        return Counter(method for method, _ in self.requests if method != "GET")

    # What the server does.

    def create(self, collection: str, namespace: str, body: Object) -> Object:
        with self.lock:
            if namespace not in self.namespaces:
                raise Refused(404, f'namespaces "{namespace}" not found')
            key = (collection, namespace, body["metadata"]["name"])
            if key in self.objects:
                raise Refused(409, f'{key[2]} "already exists"')
            return self._store(key, body)

    def replace(self, key: Key, body: Object) -> Object:
        with self.lock:
            self._require(key, body["metadata"].get("resourceVersion"))
            return self._store(key, body)

    def patch(self, key: Key, changes: Object) -> Object:
        with self.lock:
            current = self._require(key, changes.get("metadata", {}).get("resourceVersion"))
            return self._store(key, _merged(current, changes))

    def delete(self, key: Key, preconditions: Object) -> Object:
        with self.lock:
            current = self._require(key, preconditions.get("resourceVersion"))
            if preconditions.get("uid") not in (None, current["metadata"]["uid"]):
                raise Refused(409, "the uid in the precondition is another object's")
            self._drop(key)
            return {"kind": "Status", "status": "Success"}

    def listed(self, collection: str, namespace: str, name: str) -> list[Object]:
        with self.lock:
            return [
                deepcopy(body)
                for (kind, space, called), body in sorted(self.objects.items())
                if kind == collection and namespace in ("", space) and name in ("", called)
            ]

    def since(self, collection: str, namespace: str, name: str, version: int, seconds: float) -> Iterator[Object]:
        if version < self.oldest:
            gone = {"kind": "Status", "code": 410, "message": "too old resource version"}
            yield {"type": "ERROR", "object": gone}
            return
        ends = time.monotonic() + seconds
        while True:
            with self.lock:
                fresh = [change for change in self.history if change.version > version]
            for change in fresh:
                version = change.version
                kind, space, called = change.key
                if kind == collection and namespace in ("", space) and name in ("", called):
                    yield {"type": change.type, "object": change.object}
            if time.monotonic() >= ends:
                return
            time.sleep(0.02)

    def take_fault(self, method: str, path: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times and fault.when(method, path):
                    fault.times -= 1
                    return fault
        return None

    def _require(self, key: Key, version: str | None) -> Object:
        current = self.objects.get(key)
        if current is None:
            raise Refused(404, f'{key[0].rpartition("/")[2]} "{key[2]}" not found')
        if version not in (None, current["metadata"]["resourceVersion"]):
            raise Refused(409, "the object has been modified; please apply your changes to the latest version")
        return current

    def _store(self, key: Key, body: Object) -> Object:
        self.version += 1
        before = self.objects.get(key)
        body = deepcopy(body)
        uid = before["metadata"]["uid"] if before else f"uid-{self.version}"
        body["metadata"] |= {"namespace": key[1], "uid": uid, "resourceVersion": str(self.version)}
        self.objects[key] = body
        self.history.append(Change(self.version, "MODIFIED" if before else "ADDED", key, deepcopy(body)))
        return deepcopy(body)

    def _drop(self, key: Key) -> None:
        self.version += 1
        body = self.objects.pop(key)
        body["metadata"]["resourceVersion"] = str(self.version)
        self.history.append(Change(self.version, "DELETED", key, deepcopy(body)))


@contextmanager
def api_server(folder: Path) -> Iterator[tuple[ApiServer, Path]]:
    """A server that listens, and a kubeconfig that leads to it."""
    state = ApiServer()

    class Handler(_Handler):
        server_state = state

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        state.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield state, kubeconfig(folder, state.url)
        finally:
            http.shutdown()
            thread.join()


def kubeconfig(folder: Path, url: str) -> Path:
    path = folder / "kubeconfig"
    named = {
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "x", **named}))
    return path


class _Handler(BaseHTTPRequestHandler):
    server_state: ApiServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer in one packet

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _serve(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null")
        self.server_state.requests.append((self.command, url.path))
        fault = self.server_state.take_fault(self.command, url.path)
        if fault and fault.after_the_deed:
            self._act(url.path, parse_qs(url.query), body)
        if fault and fault.silent_seconds:
            time.sleep(fault.silent_seconds)
        if fault and fault.status:
            self._answer(fault.status, {"kind": "Status", "message": "as the test wishes"})
        elif fault:
            self.close_connection = True
            self.connection.close()
        else:
            self._act_and_answer(url.path, parse_qs(url.query), body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _act_and_answer(self, path: str, query: dict[str, list[str]], body: Any) -> None:
        try:
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                raise Refused(401, "Unauthorized")
            if query.get("watch") == ["true"]:
                self._stream(path, query)
                return
            self._answer(201 if self.command == "POST" else 200, self._act(path, query, body))
        except Refused as refusal:
            self._answer(refusal.status, {"kind": "Status", "code": refusal.status, "message": refusal.message})

    def _act(self, path: str, query: dict[str, list[str]], body: Any) -> Object:
        state = self.server_state
        collection, namespace, name = _parts(path)
        key = (collection, namespace, name)
        if self.command == "GET" and not name:
            return self._page(state.listed(collection, namespace, _selected(query)), query)
        if self.command == "GET":
            if key not in state.objects:
                raise Refused(404, f'"{name}" not found')
            return state.objects[key]
        if self.command == "POST":
            return state.create(collection, namespace, body)
        if self.command == "PUT":
            return state.replace(key, body)
        if self.command == "PATCH":
            if self.headers["Content-Type"] != "application/merge-patch+json":
                raise Refused(415, "the stand-in knows merge patches only")
            return state.patch(key, body)
        return state.delete(key, (body or {}).get("preconditions") or {})

    def _page(self, found: list[Object], query: dict[str, list[str]]) -> Object:
        limit, begin = int(query.get("limit", ["0"])[0]), int(query.get("continue", ["0"])[0])
        metadata: Object = {"resourceVersion": str(self.server_state.version)}
        if limit and begin + limit < len(found):
            metadata["continue"] = str(begin + limit)
        return {"kind": "List", "metadata": metadata, "items": found[begin : begin + limit] if limit else found}

    def _stream(self, path: str, query: dict[str, list[str]]) -> None:
        state = self.server_state
        collection, namespace, _ = _parts(path)
        since, seconds = int(query["resourceVersion"][0]), float(query["timeoutSeconds"][0])
        if since > state.version:
            raise Refused(504, f"Too large resource version: {since}, current: {state.version}")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for event in state.since(
            collection, namespace, _selected(query), since, min(seconds, state.longest_watch_seconds)
        ):
            self.wfile.write(json.dumps(event).encode() + b"\n")
            self.wfile.flush()

    def _answer(self, status: int, body: Object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _parts(path: str) -> Key:
    """/apis/apps/v1/namespaces/acme/deployments/web → apps/v1/deployments, acme, web."""
    words = [unquote(word) for word in path.strip("/").split("/")]
    api, rest = ("v1", words[2:]) if words[0] == "api" else ("/".join(words[1:3]), words[3:])
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    return f"{api}/{rest[0]}", namespace, rest[1] if len(rest) > 1 else ""


def _selected(query: dict[str, list[str]]) -> str:
    return query.get("fieldSelector", ["metadata.name="])[0].removeprefix("metadata.name=")


def _merged(current: Any, changes: Any) -> Any:
    """RFC 7396."""
    if not isinstance(changes, dict):
        return changes
    result = dict(current) if isinstance(current, dict) else {}
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result
