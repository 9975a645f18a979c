"""What the database itself refuses to do to a published catalog, by plain SQL as the application role."""

import pytest

from quotas.catalog.document import parse
from quotas.catalog_drafts import discard, open_draft
from quotas.models import CatalogItemVersion, CatalogVersion
from tests.cast import ACTOR, NOON
from tests.ledger.raw_sql import NO_PRIVILEGE, execute, fetch, refused_by
from tests.quotas.plans import addon, catalog_document, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def published() -> CatalogVersion:
    return publish().catalog


def draft() -> CatalogVersion:
    document = catalog_document(addons={"turbo-x3": addon()})
    return open_draft(parse(document), source="tests", actor=ACTOR, at=NOON)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("catalog_versions", "document", "'{}'"),
        ("catalog_versions", "sha256", "'x'"),
        ("catalog_versions", "number", "7"),
        ("catalog_versions", "state", "'draft', number = NULL, published_at = NULL"),
        ("catalog_versions", "state", "'discarded', number = NULL, published_at = NULL"),
        ("catalog_versions", "published_at", "now()"),
        ("catalog_versions", "source", "'elsewhere'"),
        ("catalog_item_versions", "terms", "'{}'"),
        ("catalog_item_versions", "number", "7"),
        ("catalog_item_versions", "published_at", "now()"),
    ],
)
def test_what_is_published_does_not_change(published: CatalogVersion, table: str, column: str, value: str) -> None:
    rule = "catalogs_are_frozen" if table == "catalog_versions" else "item_versions_retire_once"
    with refused_by(rule):
        execute(f"UPDATE {table} SET {column} = {value}")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE catalog_items SET code = 'other'",
        "UPDATE catalog_prices SET amount_minor = 1",
        "UPDATE catalog_lines SET disabled = true",
        *(
            f"{word} {table}"
            for word in ("DELETE FROM", "TRUNCATE")
            for table in (
                *("catalog_versions", "catalog_items", "catalog_item_versions"),
                *("catalog_prices", "catalog_lines", "catalog_refusals"),
            )
        ),
    ],
)
def test_rows_of_the_catalog_are_neither_changed_nor_removed(published: CatalogVersion, change: str) -> None:
    with refused_by(NO_PRIVILEGE):
        execute(change)


def test_nothing_is_added_to_a_published_catalog(published: CatalogVersion) -> None:
    with refused_by("catalogs_are_frozen"):
        execute(
            "INSERT INTO catalog_lines (catalog_id, item_id, version_id, position, self_service, disabled)"
            " SELECT catalog_id, item_id, version_id, 99, true, false FROM catalog_lines LIMIT 1"
        )
    with refused_by("catalogs_are_frozen"):
        execute(
            "INSERT INTO catalog_prices (item_id, version_id, currency, interval, amount_minor)"
            " SELECT item_id, version_id, 'GBP', 'month', 1 FROM catalog_prices LIMIT 1"
        )


def test_no_second_version_of_an_item_is_sold_beside_the_first(published: CatalogVersion) -> None:
    with refused_by("one_version_of_an_item_is_sold"):
        execute(
            "INSERT INTO catalog_item_versions (item_id, number, terms, sha256, published_at)"
            " SELECT item_id, 2, terms, sha256, published_at FROM catalog_item_versions LIMIT 1"
        )
    with refused_by("catalog_item_version_number_once"):
        execute(
            "INSERT INTO catalog_item_versions (item_id, number, terms, sha256, published_at, retired_at)"
            " SELECT item_id, 1, terms, sha256, published_at, published_at FROM catalog_item_versions LIMIT 1"
        )


def test_a_line_and_a_price_are_of_a_version_of_their_item(published: CatalogVersion) -> None:
    first, second = CatalogItemVersion.objects.order_by("pk")[:2]
    opened = draft()
    with refused_by("catalog_line_lists_a_version_of_its_item"):
        execute(
            "INSERT INTO catalog_lines (catalog_id, item_id, version_id, position, self_service, disabled)"
            " VALUES (%s, %s, %s, 0, true, false)",
            [opened.pk, first.item_id, second.pk],
        )
        execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_retired_version_is_never_sold_again(published: CatalogVersion) -> None:
    execute("UPDATE catalog_item_versions SET retired_at = published_at + interval '1 day'")
    for word in ("NULL", "now()", "published_at"):
        with refused_by("item_versions_retire_once"):
            execute(f"UPDATE catalog_item_versions SET retired_at = {word}")


def test_catalogs_are_numbered_without_a_gap_and_begin_as_drafts(published: CatalogVersion) -> None:
    opened = draft()
    for number in (1, 3, 17):
        with refused_by("catalogs_are_frozen"):
            execute(
                "UPDATE catalog_versions SET state = 'published', number = %s, published_at = now() WHERE id = %s",
                [number, opened.pk],
            )
    for state, number, moment in (("published", "2", "now()"), ("discarded", "NULL", "NULL")):
        with refused_by("catalogs_begin_as_drafts"):
            execute(
                "INSERT INTO catalog_versions (state, number, document, sha256, source, created_at, changed_at,"
                f" published_at) VALUES ('{state}', {number}, '{{}}', 'x', 'sql', now(), now(), {moment})"
            )
    assert fetch("SELECT count(*) FROM catalog_versions") == [(2,)]


def test_a_discarded_draft_stays_discarded() -> None:
    opened = discard(draft().pk, actor=ACTOR, reason="not wanted", at=NOON)
    for change in ("state = 'draft'", "document = '{}'", "state = 'published', number = 1, published_at = now()"):
        with refused_by("catalogs_are_frozen"):
            execute(f"UPDATE catalog_versions SET {change} WHERE id = %s", [opened.pk])


def test_a_draft_has_neither_number_nor_time_of_publication() -> None:
    opened = draft()
    for change in ("number = 1", "published_at = now()", "state = 'published'"):
        with refused_by("catalog_publication_has_number_and_time"):
            execute(f"UPDATE catalog_versions SET {change} WHERE id = %s", [opened.pk])


def test_one_alarm_of_a_source_is_open_at_a_time() -> None:
    insert = "INSERT INTO catalog_refusals (source, faults, refused_at) VALUES ('plans.yaml', '[]', now())"
    execute(insert)
    with refused_by("one_open_refusal_per_source"):
        execute(insert)
