"""Commitments of accounts: what was promised, what is drawn and what remains."""

from operator import attrgetter

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.found_rows import find_account
from accounts.admin.previews import Preview, facts_about
from accounts.admin.staff_admin import StaffAdmin
from accounts.admin.within import REHEARSAL
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.csv_cells import in_csv, value_cell
from accounts.currencies import format_minor, parse_positive_minor
from accounts.display import account_link, moment, money, public_id, show_money
from accounts.errors import DomainError
from accounts.models import User
from quotas import account_commitments
from quotas.account_commitments import month_of, standing
from quotas.admin.price_forms import MOMENT_HINT, moment_or_now, whole_number
from quotas.decimals import parse_quantity
from quotas.meters import find_meter
from quotas.models import AccountCommitment, CommitmentDraw


class GrantForm(forms.Form):
    billing_account = text_field("Billing account", hint="Its id: ba_…")
    metric = text_field("Metric", longest=253, hint="Usage of it draws the commitment down.")
    amount_minor = text_field("Amount", hint="Over the whole term, minor units of the account's currency.")
    months = text_field("Months", hint="1 to 120.")
    starts_at = text_field("From", required=False, hint=f"{MOMENT_HINT} Empty means now.")
    paid = text_field("Paid", hint="arrears: the last month bills what was not used. advance: it covers usage.")
    reason = reason_field()


class DrawForm(forms.Form):
    quantity = text_field("Quantity", hint="What the account used in that month, in the meter's unit.")
    reason = reason_field()


class GrantCommitment(ActPage):
    name = "grant"
    path = "grant/"
    title = "Grant a commitment"
    button = "Write it down"
    explanation = "What an account promised to use over a term of months. It never changes."
    form_class = GrantForm

    def first_values(self, request: object) -> Cleaned:
        return {"paid": "arrears", "months": "12"}

    def preview(self, cleaned: Cleaned) -> Preview:
        account = find_account(cleaned["billing_account"])
        rehearse(lambda: self._grant(cleaned, REHEARSAL))
        facts = [
            *facts_about(account),
            ("Metric", cleaned["metric"]),
            ("Promised", format_minor(parse_positive_minor(cleaned["amount_minor"]), account.currency)),
            ("Term", f"{cleaned['months']} months"),
            ("Paid", cleaned["paid"]),
            ("Reason", cleaned["reason"]),
        ]
        return Preview(facts)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        commitment = self._grant(cleaned, person(user))
        return _done(commitment, "The commitment is written down.", ends_at=commitment.ends_at.isoformat())

    def _grant(self, cleaned: Cleaned, actor: Actor) -> AccountCommitment:
        if cleaned["paid"] not in ("arrears", "advance"):
            raise DomainError("write arrears or advance", field="paid", code="paid_invalid")
        return account_commitments.grant_commitment(
            find_account(cleaned["billing_account"]).pk,
            find_meter(cleaned["metric"]),
            amount_minor=cleaned["amount_minor"],
            months=whole_number(cleaned["months"], "months") or 0,
            starts_at=moment_or_now(cleaned["starts_at"], "starts_at"),
            in_advance=cleaned["paid"] == "advance",
            actor=actor,
            reason=cleaned["reason"],
            at=now(),
        )


class DrawMonth(ActPage):
    name = "draw"
    path = "<int:pk>/draw/"
    title = "Draw the next month"
    button = "Draw it"
    explanation = "Prices the usage of the next month of the term and draws it from the commitment, once."
    form_class = DrawForm
    final = True

    def subject(self) -> str:
        return self._commitment().public_id

    def preview(self, cleaned: Cleaned) -> Preview:
        commitment = self._commitment()
        stand = standing(commitment)
        rehearse(lambda: self._draw(cleaned, REHEARSAL))
        month = month_of(commitment, stand.next_month or 1)
        facts = [
            *facts_about(commitment.billing_account),
            (
                "Month",
                f"{stand.next_month} of {commitment.months}: {month.start:%Y-%m-%d} to {month.end:%Y-%m-%d}, UTC",
            ),
            ("Quantity", f"{cleaned['quantity']} {commitment.meter.unit}"),
            ("Remaining before", format_minor(stand.remaining_minor, commitment.currency)),
            ("Reason", cleaned["reason"]),
        ]
        return Preview(facts, warning="A month draws once.")

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        row = self._draw(cleaned, person(user))
        currency = row.currency
        billed, drawn = format_minor(row.billed_minor, currency), format_minor(row.drawn_minor, currency)
        told = {"month": row.month, "drawn_minor": row.drawn_minor, "true_up_minor": row.true_up_minor}
        return _done(self._commitment(), f"{drawn} drawn; {billed} to bill.", billed_minor=row.billed_minor, **told)

    def _commitment(self) -> AccountCommitment:
        rows = AccountCommitment.objects.select_related("billing_account", "meter")
        found = rows.filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found

    def _draw(self, cleaned: Cleaned, actor: Actor) -> CommitmentDraw:
        quantity = parse_quantity(cleaned["quantity"])
        return account_commitments.draw_month(
            self._commitment().pk, quantity, actor=actor, reason=cleaned["reason"], at=now()
        )


def _done(commitment: AccountCommitment, message: str, **told: object) -> Done:
    url = reverse("admin:quotas_accountcommitment_change", args=[commitment.pk])
    return Done(url, message, result={"commitment": commitment.public_id, **told})


@in_csv(("remaining_minor", lambda row: value_cell(standing(row).remaining_minor)))
@admin.display(description="Remaining")
def money_remaining(row: AccountCommitment) -> SafeString | str:
    return show_money(standing(row).remaining_minor, row.currency)


@admin.display(description="Months drawn")
def draws(row: AccountCommitment) -> SafeString | str:
    lines = [
        (
            held.month,
            format_minor(held.used_minor, row.currency),
            format_minor(held.drawn_minor, row.currency),
            format_minor(held.true_up_minor, row.currency),
            format_minor(held.billed_minor, row.currency),
        )
        for held in sorted(row.draws.all(), key=attrgetter("month"))
    ]
    if not lines:
        return "none yet"
    head = "<tr><th>Month</th>" + "".join(f'<th class="amount">{word}</th>' for word in _DRAWN) + "</tr>"
    body = format_html_join("", _DRAWN_ROW, lines)
    return format_html('<div class="scroll"><table class="plain spaced">{}{}</table></div>', SafeString(head), body)


_DRAWN = ("Used", "Drawn", "True-up", "Billed")
_DRAWN_ROW = "<tr><td>{}</td>" + '<td class="amount">{}</td>' * len(_DRAWN) + "</tr>"


@in_csv(("in_advance", lambda row: value_cell(row.in_advance)))
@admin.display(description="Paid")
def paid(row: AccountCommitment) -> str:
    return "in advance" if row.in_advance else "in arrears"


@admin.register(AccountCommitment)
class AccountCommitmentAdmin(StaffAdmin):
    act_pages = (GrantCommitment, DrawMonth)
    change_form_before_template = "admin/price_book/commitment_acts.html"
    list_display = (
        *(public_id, account_link, "meter", money("amount_minor", "Promised"), money_remaining),
        *(moment("starts_at", "From"), moment("ends_at", "Until")),
    )
    list_select_related = ("billing_account", "meter")
    search_fields = ("billing_account__name",)
    search_help_text = "Account"
    fields = (*list_display, "months", paid, draws, moment("granted_at", "Granted"))
    empty_text = "No account has a commitment."
    empty_hint = "Write one down with the button above."

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountCommitment]:
        rows: QuerySet[AccountCommitment] = super().get_queryset(request)
        return rows.prefetch_related("draws")
