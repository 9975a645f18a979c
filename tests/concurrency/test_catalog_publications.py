"""Of two publications at the same moment one has an effect; the other is told that the catalog moved on."""

from collections.abc import Callable

from accounts.clock import now
from accounts.errors import Conflict
from quotas.catalog.document import parse
from quotas.catalog_drafts import change_section, open_draft
from quotas.catalog_in_force import in_force
from quotas.catalog_publishing import payload, publish
from quotas.models import CatalogItemVersion, CatalogLine, CatalogState, CatalogVersion
from tests.cast import ACTOR, NOON, Cast
from tests.concurrency.racing import failures, race, successes
from tests.quotas.plans import catalog_document, plan


def a_draft(cpu: str) -> CatalogVersion:
    document = catalog_document(plans={"dev-pool": plan(cpu)}, eipQuota={"dev-pool": 1})
    return open_draft(parse(document), source="tests", actor=ACTOR, at=NOON)


def publishes(draft: CatalogVersion) -> Callable[[], CatalogVersion]:
    proposal = payload(draft, "move")
    return lambda: publish(proposal, actor=ACTOR, reason="racing", at=now())


def test_of_four_first_catalogs_at_once_one_is_published(committed_db: str, cast: Cast) -> None:
    drafts = [a_draft(cpu) for cpu in ("1", "2", "3", "4")]
    results = race(*map(publishes, drafts))
    (won,) = successes(results)
    assert {error.code for error in failures(results) if isinstance(error, Conflict)} == {"catalog_moved_on"}
    assert len(failures(results)) == 3
    assert in_force() == won
    assert (won.number, CatalogLine.objects.count(), CatalogItemVersion.objects.count()) == (1, 3, 3)


def test_a_draft_published_twice_at_once_is_published_once(committed_db: str, cast: Cast) -> None:
    act = publishes(a_draft("1"))
    results = race(act, act, act)
    assert len(successes(results)) == 1
    assert {error.code for error in failures(results) if isinstance(error, Conflict)} == {"not_a_draft"}
    assert CatalogVersion.objects.filter(state=CatalogState.PUBLISHED).count() == 1


def test_two_editors_of_one_draft_do_not_undo_each_other(committed_db: str, cast: Cast) -> None:
    draft = a_draft("1")

    def edits(code: str) -> Callable[[], CatalogVersion]:
        return lambda: change_section(draft.pk, "plans", code, plan("8"), seen=draft.sha256, actor=ACTOR, at=now())

    results = race(edits("pro-pool"), edits("scale-pool"))
    assert len(successes(results)) == 1
    assert [error.code for error in failures(results) if isinstance(error, Conflict)] == ["draft_changed"]
