"""Issuers whose tokens are accepted, for platform-admin alone."""

from django.contrib import admin

from accounts.admin.issuer_acts import SetIssuer
from accounts.admin.staff_admin import StaffAdmin
from accounts.csv_cells import in_csv, value_cell
from accounts.display import moment, public_id
from accounts.models import TrustedIssuer


@admin.register(TrustedIssuer)
class TrustedIssuerAdmin(StaffAdmin):
    view_ability = "administer"
    act_pages = (SetIssuer,)
    list_display = ("issuer", public_id, "is_trusted", "is_active", "audience", moment("created_at", "Since"))
    search_fields = ("issuer",)
    fields = (
        *("issuer", public_id, "is_trusted", "is_active", "jwks_uri", "audience", "signs_with"),
        moment("created_at", "Since"),
    )
    empty_text = "No issuer's tokens are accepted yet."
    change_form_before_template = "admin/issuers/acts.html"

    @in_csv(("trusted", lambda row: value_cell(row.trusted)))
    @admin.display(description="Trusted")
    def is_trusted(self, row: TrustedIssuer) -> str:
        return _word(row.trusted)

    @in_csv(("active", lambda row: value_cell(row.active)))
    @admin.display(description="Active")
    def is_active(self, row: TrustedIssuer) -> str:
        return _word(row.active)

    @admin.display(description="Algorithms")
    def signs_with(self, row: TrustedIssuer) -> str:
        return ", ".join(row.algorithms)


def _word(value: bool) -> str:
    return "yes" if value else "no"
