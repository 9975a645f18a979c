"""The menu of the back office, grouped by the work people do."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.request_abilities import may

Item = dict[str, Any]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links that the reader may open."""
    groups = [
        _group("", _item("Home", "home", "index")),
        _group(
            "Accounts",
            _item("Billing accounts", "account_balance_wallet", "accounts_billingaccount_changelist"),
            _item("Organizations", "corporate_fare", "accounts_organization_changelist"),
            _item("Projects", "folder", "accounts_project_changelist"),
            _item("Members", "group", "accounts_membership_changelist"),
            _item("API keys", "key", "accounts_apikey_changelist"),
            _item("Bindings", "link", "accounts_billingaccountbinding_changelist"),
        ),
        _group(
            "Book",
            _item("Entries", "receipt_long", "ledger_ledgerentry_changelist"),
            _item("Transactions", "sync_alt", "ledger_ledgertransaction_changelist"),
            _item("Bank transfers", "account_balance", "payments_banktransfer_changelist"),
            _item("Chart of accounts", "account_tree", "ledger_ledgeraccount_changelist"),
            _item("Verification runs", "verified", "ledger_verificationrun_changelist"),
        ),
        _group("Approvals", _item("Approvals", "how_to_reg", "accounts_approvalrequest_changelist")),
        _group(
            "Plans",
            _item("Subscriptions", "subscriptions", "quotas_subscription_changelist"),
            _item("Limits", "speed", "quotas_limit_changelist"),
            _item("Catalogs", "menu_book", "quotas_catalogversion_changelist"),
            _item("Plans and add-ons", "loyalty", "quotas_catalogitem_changelist"),
            _item("Refused catalogs", "report", "quotas_catalogrefusal_changelist"),
            _item("Cluster", "hub", "quotas_clustersync_changelist"),
            _item("Stopped workloads", "pause_circle", "quotas_workloadscale_changelist"),
        ),
        _group(
            "Usage",
            _item("Allocations", "memory", "quotas_allocation_changelist"),
            _item("Unconfirmed releases", "running_with_errors", "unconfirmed_releases"),
            _item("Usage records", "data_usage", "ledger_usagerecord_changelist"),
            _item("Accrual", "schedule", "ledger_accrualschedule_changelist"),
            _item("SKUs", "sell", "quotas_sku_changelist"),
            _item("Rates", "price_change", "quotas_skurate_changelist"),
        ),
        _group(
            "Price book",
            _item("Meters", "speed", "quotas_meter_changelist"),
            _item("Prices", "request_quote", "quotas_serviceprice_changelist"),
            _item("Offers", "local_offer", "quotas_offer_changelist"),
            _item("Entitlements", "assignment_turned_in", "quotas_billingentitlement_changelist"),
            _item("Segments", "category", "quotas_customersegment_changelist"),
            _item("Accounts by segment", "group_work", "quotas_segmentmembership_changelist"),
            _item("Discounts", "percent", "quotas_accountdiscount_changelist"),
            _item("Commitments", "handshake", "quotas_accountcommitment_changelist"),
            _item("Price calculator", "calculate", "price_calculator"),
        ),
        _group(
            "Settings",
            _item("Policies", "tune", "accounts_policyvalue_changelist"),
            _item("Payment provider", "payments", "accounts_providerswitch_changelist"),
            _item("Legal entities", "domain", "accounts_legalentity_changelist"),
            _item("Audit log", "history", "accounts_auditlog_changelist"),
            _item("Outbox messages", "outbox", "accounts_outboxmessage_changelist"),
            _item("Deliveries", "local_shipping", "accounts_outboxdelivery_changelist"),
            _item("Runbooks", "healing", "runbooks"),
        ),
    ]
    if may(request, "administer"):
        people = _item("People", "person", "accounts_user_changelist")
        groups.append(
            _group(
                "Staff",
                people,
                _item("Staff groups", "groups", "auth_group_changelist"),
                _item("Token issuers", "verified_user", "accounts_trustedissuer_changelist"),
            )
        )
    return groups


def _group(title: str, *items: Item) -> dict[str, Any]:
    return {"title": title, "separator": bool(title), "items": list(items)}


def _item(title: str, icon: str, page: str) -> Item:
    return {"title": title, "icon": icon, "link": reverse(f"admin:{page}")}
