"""Discounts and commitments of single accounts: granted, withdrawn, drawn down month by month."""

from django import forms
from django.contrib import admin
from django.http import Http404
from django.urls import reverse

from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.found_rows import find_account
from accounts.admin.previews import Preview, facts_about
from accounts.admin.staff_admin import StaffAdmin
from accounts.admin.within import REHEARSAL
from accounts.audit import Actor, person
from accounts.clock import now, parse_moment
from accounts.csv_cells import in_csv
from accounts.currencies import format_minor
from accounts.display import NOTHING, account_link, moment, money, public_id, show_moment
from accounts.models import User
from quotas import price_grants
from quotas.admin.price_forms import MOMENT_HINT, moment_or_now, whole_number
from quotas.meters import find_meter
from quotas.models import AccountDiscount
from quotas.price_grants import DiscountTerms
from quotas.pricing.exact import shortest


class GrantForm(forms.Form):
    billing_account = text_field("Billing account", hint="Its id: ba_…")
    percent = text_field("Percent", required=False, hint="Such as 12.5; or an amount instead.")
    amount_minor = text_field("Amount", required=False, hint="Off each bill, minor units of the account's currency.")
    metric = text_field("Metric", required=False, longest=253, hint="Only usage of it; empty means any.")
    starts_at = text_field("From", required=False, hint=f"{MOMENT_HINT} Empty means now.")
    ends_at = text_field("Until", required=False, hint="The first moment without it. May be empty.")
    times = text_field("Bills", required=False, hint="For how many bills. Empty means any number.")
    reason = reason_field()


class WithdrawForm(forms.Form):
    reason = reason_field()


class GrantDiscount(ActPage):
    name = "grant"
    path = "grant/"
    title = "Grant a discount"
    button = "Grant it"
    explanation = "A line of its own on what the account's usage costs, after the discounts of its price."
    form_class = GrantForm

    def preview(self, cleaned: Cleaned) -> Preview:
        account = find_account(cleaned["billing_account"])
        rehearse(lambda: self._grant(cleaned, REHEARSAL))
        terms = _terms(cleaned)
        size = f"{terms.percent} %" if terms.percent else format_minor(int(cleaned["amount_minor"]), account.currency)
        facts = [
            *facts_about(account),
            ("Discount", size),
            ("On", terms.meter.name if terms.meter else "all usage"),
            ("From", show_moment(terms.starts_at)),
            ("Until", show_moment(terms.ends_at) if terms.ends_at else "withdrawn"),
            ("For", f"{terms.times} bills" if terms.times else "any number of bills"),
            ("Reason", cleaned["reason"]),
        ]
        return Preview(facts)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        discount = self._grant(cleaned, person(user))
        url = reverse("admin:quotas_accountdiscount_change", args=[discount.pk])
        return Done(url, "The discount is granted.", result={"discount": discount.public_id})

    def _grant(self, cleaned: Cleaned, actor: Actor) -> AccountDiscount:
        account = find_account(cleaned["billing_account"])
        return price_grants.grant_discount(account.pk, _terms(cleaned), actor=actor, reason=cleaned["reason"], at=now())


class WithdrawDiscount(ActPage):
    name = "withdraw"
    path = "<int:pk>/withdraw/"
    title = "Withdraw the discount"
    button = "Withdraw it"
    explanation = "From now on; what was billed with it stays."
    form_class = WithdrawForm
    final = True

    def subject(self) -> str:
        return self._discount().public_id

    def preview(self, cleaned: Cleaned) -> Preview:
        discount = self._discount()
        rehearse(lambda: self._withdraw(cleaned, REHEARSAL))
        facts = [*facts_about(discount.billing_account), ("Discount", size(discount)), ("Reason", cleaned["reason"])]
        return Preview(facts, warning="This cannot be undone.")

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        discount = self._withdraw(cleaned, person(user))
        url = reverse("admin:quotas_accountdiscount_change", args=[discount.pk])
        return Done(url, "The discount is withdrawn.", result={"discount": discount.public_id})

    def _discount(self) -> AccountDiscount:
        found = AccountDiscount.objects.select_related("billing_account").filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found

    def _withdraw(self, cleaned: Cleaned, actor: Actor) -> AccountDiscount:
        return price_grants.withdraw_discount(self._discount().pk, actor=actor, reason=cleaned["reason"], at=now())


def _terms(cleaned: Cleaned) -> DiscountTerms:
    return DiscountTerms(
        starts_at=moment_or_now(cleaned["starts_at"], "starts_at"),
        percent=cleaned["percent"] or None,
        amount_minor=cleaned["amount_minor"] or None,
        meter=find_meter(cleaned["metric"]) if cleaned["metric"] else None,
        ends_at=parse_moment(cleaned["ends_at"], field="ends_at") if cleaned["ends_at"] else None,
        times=whole_number(cleaned["times"], "times"),
    )


@in_csv(("percent", lambda row: shortest(row.percent) if row.percent is not None else ""))
@admin.display(description="Percent")
def percent(row: AccountDiscount) -> str:
    return f"{shortest(row.percent)} %" if row.percent is not None else NOTHING


def size(row: AccountDiscount) -> str:
    """The discount in words."""
    return percent(row) if row.amount_minor is None else format_minor(row.amount_minor, row.currency)


@admin.display(description="Taken on")
def used(row: AccountDiscount) -> str:
    bills = row.uses.count()
    return f"{bills} bill{'' if bills == 1 else 's'}"


@admin.register(AccountDiscount)
class AccountDiscountAdmin(StaffAdmin):
    act_pages = (GrantDiscount, WithdrawDiscount)
    change_form_before_template = "admin/price_book/discount_acts.html"
    list_display = (
        *(public_id, account_link, percent, money("amount_minor", "Amount"), "meter"),
        *(moment("starts_at", "From"), moment("ends_at", "Until"), "times", moment("withdrawn_at", "Withdrawn")),
    )
    list_select_related = ("billing_account", "meter")
    search_fields = ("billing_account__name",)
    search_help_text = "Account"
    fields = (*list_display, used, moment("granted_at", "Granted"))
    empty_text = "No account has a discount."
    empty_hint = "Grant one with the button above; prices can have discounts of their own."
