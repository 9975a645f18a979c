"""Start an allocation: who pays, at which rate, what an hour costs; once."""

from datetime import datetime

from django import forms

from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.previews import Preview, facts_about
from accounts.admin.within import REHEARSAL
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.errors import NotFound
from accounts.models import Project, User
from accounts.public_ids import decode
from quotas import allocations
from quotas.admin.allocation_facts import QUANTITY_HINT, cost_per_hour, done, rate_words, units
from quotas.admin.catalog import find_sku
from quotas.decimals import parse_quantity
from quotas.models import Allocation


class StartForm(forms.Form):
    project = text_field("Project", hint="Its id: prj_…")
    sku = text_field("SKU", hint="Its code, such as gpu.")
    quantity = text_field("Quantity", hint=QUANTITY_HINT)
    external_id = text_field(
        "External id",
        required=False,
        longest=255,
        hint="The platform's name for it, once per project. May be empty.",
    )
    reason = reason_field()


class StartAllocation(ActPage):
    name = "start"
    path = "start/"
    title = "Start an allocation"
    button = "Start it"
    explanation = "Charged from now on to the billing account that pays for the project."
    form_class = StartForm

    def preview(self, cleaned: Cleaned) -> Preview:
        at = now()
        project, sku = find_project(cleaned["project"]), find_sku(cleaned["sku"])
        quantity = parse_quantity(cleaned["quantity"])
        account, rate = allocations.check_start(project, sku, at=at)
        rehearse(lambda: self._start(cleaned, REHEARSAL, at))
        return Preview(
            [
                ("Project", f"{project.name} ({project.public_id})"),
                *facts_about(account),
                ("Settlement", account.settlement),
                ("SKU", f"{sku.name} ({sku.code})"),
                ("Quantity", units(quantity, sku)),
                ("Rate", rate_words(rate, sku)),
                ("Cost per hour", cost_per_hour(rate, quantity)),
                ("External id", cleaned["external_id"] or "none"),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        return done(self._start(cleaned, person(user), now()), "It runs, and is charged from now on.")

    def _start(self, cleaned: Cleaned, actor: Actor, at: datetime) -> Allocation:
        return allocations.start(
            find_project(cleaned["project"]),
            find_sku(cleaned["sku"]),
            quantity=cleaned["quantity"],
            external_id=cleaned["external_id"],
            actor=actor,
            reason=cleaned["reason"],
            at=at,
        )


def find_project(public_id: str) -> Project:
    """The project a public id names. Raises NotFound."""
    key = decode(Project.PUBLIC_PREFIX, public_id.strip())
    project = Project.objects.filter(pk=key).first() if key else None
    if project is None:
        raise NotFound("there is no project of that id", field="project")
    return project
