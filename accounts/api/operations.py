"""The kinds of operation, as decorators of a view's methods.

`listing` is a page of rows, `reading` one thing with its ETag, `asking` a question with a body, `act` one act in one
transaction, which knows Idempotency-Key, If-Match and dry_run. Each describes itself for OpenAPI.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import clock, idempotency
from accounts.api import described, etags, paging
from accounts.api.described import AnySerializer
from accounts.api.fields import Body
from accounts.api.queries import ActQuery, NoQuery, PageQuery, Query
from accounts.api.resources import Resource

Method = Callable[..., Any]


@dataclass(frozen=True)
class Answer:
    """What an act answers where its usual status would not be true, such as 202 for what waits for approval."""

    status: int
    body: Any


def reading(
    summary: str, *, needs: str, staff: str = "", answers: AnySerializer, query: type[Query] = NoQuery
) -> Callable[[Method], Any]:
    """A GET of one thing. The method gets the query's values by name and returns what `answers` writes."""

    def decorate(method: Method) -> Any:
        @wraps(method)
        def get(self: Resource, request: Request, **url: str) -> Response:
            _admit(self, needs, staff)
            body = answers(method(self, **query.read(request.query_params), **url), context=_context(self)).data
            tag = etags.tag_of(body)
            if etags.matches(request.headers.get("If-None-Match", ""), tag):
                return Response(status=304, headers={"ETag": tag})
            return Response(body, headers={"ETag": tag})

        done = described.answers({200: answers}, writes=False)
        return extend_schema(
            summary=summary, description=_told(method, needs), parameters=described.of_query(query), responses=done
        )(needing(needs, staff)(get))

    return decorate


def listing(
    summary: str,
    *,
    needs: str,
    staff: str = "",
    answers: AnySerializer,
    query: type[PageQuery] = PageQuery,
    by: str = "pk",
    newest_first: bool = True,
    prepare: Callable[[Sequence[Any]], Sequence[Any]] | None = None,
) -> Callable[[Method], Any]:
    """A GET of a page. The method gets the filters by name and returns the rows that the caller may see;
    `prepare` turns the rows of one page into what `answers` writes."""

    def decorate(method: Method) -> Any:
        @wraps(method)
        def get(self: Resource, request: Request, **url: str) -> Response:
            _admit(self, needs, staff)
            filters = query.read(request.query_params)
            paged: dict[str, Any] = {name: filters.pop(name) for name in ("limit", "cursor") if name in filters}
            rows: QuerySet[Any] = method(self, **filters, **url)
            shown, cursor = paging.page(rows, paged, by=by, newest_first=newest_first)
            data: Any = answers(prepare(shown) if prepare else shown, many=True, context=_context(self)).data
            return Response(paging.answer(data, cursor))

        done = described.answers({200: described.page_of(answers)}, writes=False)
        return extend_schema(
            summary=summary, description=_told(method, needs), parameters=described.of_query(query), responses=done
        )(needing(needs, staff)(get))

    return decorate


def asking(summary: str, *, needs: str, takes: type[Body], answers: AnySerializer) -> Callable[[Method], Any]:
    """A POST of a question that is too long for an address. It writes nothing, so that a dry run of it is the same."""

    def decorate(method: Method) -> Any:
        @wraps(method)
        def post(self: Resource, request: Request, **url: str) -> Response:
            self.require_ability(needs)
            ActQuery.read(request.query_params)
            given = _body(takes, request, partial=False)
            return Response(answers(method(self, given, at=clock.now(), **url), context=_context(self)).data)

        done, said = described.answers({200: answers}, writes=True), _told(method, needs)
        return extend_schema(
            summary=summary, description=said, parameters=described.of_query(ActQuery), request=takes, responses=done
        )(needing(needs)(post))

    return decorate


def act(
    summary: str,
    *,
    needs: str,
    staff: str = "",
    takes: type[Body] | None,
    answers: AnySerializer | None,
    status: int = 200,
    partial: bool = False,
    money: bool = False,
    versioned: bool = False,
    also: Mapping[int, AnySerializer] | None = None,
) -> Callable[[Method], Any]:
    """One act in one transaction. The method gets the body's values as `given`, and the moment as `at`.

    `also` describes the other statuses that an `Answer` of the method may have.
    """

    def decorate(method: Method) -> Any:
        @wraps(method)
        def call(self: Resource, request: Request, **url: str) -> Response:
            _admit(self, needs, staff)
            dry = ActQuery.read(request.query_params).get("dry_run", False)
            given = _body(takes, request, partial=partial)
            return _performed(self, request, dry=dry, money=money, url=url, do=lambda: _done(self, given, url))

        def _done(self: Resource, given: dict[str, Any], url: dict[str, str]) -> Answer:
            result = method(self, given, at=clock.now(), **url)
            if isinstance(result, Answer):
                return result
            return Answer(status, answers(result, context=_context(self)).data if answers else None)

        done = described.answers({status: answers, **(also or {})}, writes=True)
        parameters = described.writing_parameters(money=money, versioned=versioned)
        said = _told(method, needs)
        return extend_schema(summary=summary, description=said, parameters=parameters, request=takes, responses=done)(
            needing(needs, staff)(call)
        )

    return decorate


def needing(needs: str, staff: str = "") -> Callable[[Method], Method]:
    """Writes on an operation the ability it needs, and which of staff's, for those who list who may do what."""

    def mark(method: Method) -> Method:
        method.__dict__.update(needs=needs, staff=staff)
        return method

    return mark


def _admit(view: Resource, needs: str, staff: str) -> None:
    """Before anything is read of the body: who may not ask is told nothing about it. Raises Forbidden."""
    view.require_ability(needs)
    if staff:
        view.caller.require_staff(staff)


def _performed(
    view: Resource, request: Request, *, dry: bool, money: bool, url: dict[str, str], do: Callable[[], Answer]
) -> Response:
    """1. hold the key, or answer again; 2. refuse another version; 3. act; 4. keep the answer, or undo it all."""
    key, who = _key(request, money=money), view.caller.actor.label
    wanted = idempotency.fingerprint(request.method or "", request.path, request.data)
    with transaction.atomic():
        kept = idempotency.claim(who, key, wanted) if key and not dry else None
        if kept:
            return Response(kept.body, status=kept.status, headers={"Idempotent-Replayed": "true"})
        if header := request.headers.get("If-Match"):
            view.lock(**url)
            etags.require_match(header, view.represent(**url))
        answered = do()
        if dry:
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit would refuse is refused
            transaction.set_rollback(True)
        elif key:
            idempotency.keep(who, key, wanted, status=answered.status, body=answered.body, at=clock.now())
    return Response(answered.body, status=answered.status, headers={"Dry-Run": "true"} if dry else None)


def _key(request: Request, *, money: bool) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None:
        return idempotency.check_key(key)
    if money:
        raise idempotency.KeyRequired("this moves money: send an Idempotency-Key")
    return None


def _body(takes: type[Body] | None, request: Request, *, partial: bool) -> dict[str, Any]:
    body = (takes or Body)(data={} if request.data is None or request.data == {} else request.data, partial=partial)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _context(view: Resource) -> dict[str, Any]:
    return {"caller": view.caller, "request": view.request}


def _told(method: Method, needs: str) -> str:
    said = " ".join((method.__doc__ or "").split())
    return f"{said}\n\nNeeds `{needs}`." if said else f"Needs `{needs}`."
