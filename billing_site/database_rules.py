"""The triggers that must stand on each table. What the application role may do to it is in grants.py.

The start refuses where one is missing or switched off. A test holds the list equal to what migrations make.
"""

from collections.abc import Iterator

from django.db import connection

# Rows are born and never change; the table is never emptied.
NEVER_CHANGED = (
    *("audit_logs", "outbox", "used_form_tokens", "external_identities", "billing_provider_switches"),
    *("accounts_historicalbillingaccount", "accounts_historicallegalentity", "accounts_historicalmembership"),
    *("accounts_historicalorganization", "accounts_historicalpolicyvalue", "accounts_historicalproject"),
    *("accounts_historicaluser", "quotas_historicalsku", "quotas_historicalsubscription"),
    *("catalog_items", "catalog_prices", "catalog_lines"),
    *("sku_rates", "bank_transfers", "account_commitments", "commitment_draws", "discount_uses"),
    *("quotas_historicalmeter", "quotas_historicalcustomersegment"),
    *("quotas_historicalserviceprice", "quotas_historicaloffer"),
    *("ledger_accounts", "ledger_transactions", "ledger_entries", "usage_records", "verification_runs"),
    *("balance_transitions", "force_release_requests", "credit_lots"),
)

# Rows change, each by its own rules, but never vanish.
KEPT = (
    *("billing_accounts", "billing_account_bindings", "organizations", "outbox_deliveries"),
    *("enforcement_reasons", "approval_requests", "feature_grants"),
    *("memberships", "project_memberships", "api_keys", "trusted_issuers"),
    *("allocations", "allocation_quantities", "accrual_cursors", "accrual_schedules"),
    *("balance_states", "low_balance_events", "depletions"),
    *("meters", "customer_segments", "segment_memberships", "service_prices", "offers"),
    *("billing_entitlements", "account_discounts"),
    *("catalog_versions", "catalog_item_versions", "subscriptions", "subscription_items", "external_ips"),
    *("workload_scales", "event_feed"),
)

OWN_RULES: dict[str, tuple[str, ...]] = {
    "account_discounts": ("account_discounts_are_withdrawn_once",),
    "allocation_quantities": ("quantities_follow_each_other", "resizes_leave_billed_usage_alone"),
    "allocations": (
        "allocations_keep_their_past",
        "cursor_follows_allocation",
        "release_ends_with_the_last_window",
    ),
    "api_keys": ("api_keys_are_revoked_for_ever", "api_keys_are_used_and_revoked"),
    "approval_requests": ("approvals_are_decided_once",),
    "billing_account_bindings": (
        "bindings_change_once",
        "bindings_open_in_what_is_open",
        "rebinds_leave_billed_usage_alone",
        "schedule_follows_binding",
    ),
    "billing_entitlements": ("billing_entitlements_close_once", "entitlements_name_an_offer_at_ga"),
    "commitment_draws": ("draws_stay_within_their_commitment",),
    "memberships": ("an_organization_keeps_an_admin", "memberships_stay_whose_they_are"),
    "meters": ("meters_move_forward",),
    "offer_prices": ("offer_prices_are_frozen", "offer_prices_is_never_emptied"),
    "offers": ("offers_are_frozen",),
    "segment_memberships": ("segment_memberships_begin_open", "segment_memberships_close_once"),
    "billing_accounts": (
        "billing_account_terms_are_fixed",
        "billing_accounts_delete_for_ever",
        "billing_accounts_open_in_what_is_open",
        "balance_state_follows_account",
    ),
    "catalog_item_versions": ("item_versions_retire_once",),
    "catalog_lines": ("catalog_is_a_draft",),
    "catalog_prices": ("prices_come_with_their_version",),
    "catalog_versions": ("catalogs_are_frozen", "catalogs_begin_as_drafts"),
    "discount_uses": ("discounts_are_used_as_often_as_granted",),
    "depletions": ("depletions_closes_once",),
    "event_feed": ("positions_are_given_once",),
    "external_ips": ("external_ips_are_released_once",),
    "low_balance_events": ("low_balance_events_closes_once",),
    "feature_grants": ("feature_grants_change_once",),
    "ledger_entries": ("entries_are_whole",),
    "ledger_transactions": ("transaction_has_entries",),
    "outbox": ("messages_enter_the_feed",),
    "organizations": ("organizations_close_for_ever",),
    "project_memberships": ("project_memberships_stay_whose_they_are",),
    "projects": ("projects_close_for_ever", "projects_open_in_what_is_open"),
    "sku_rates": ("rates_leave_billed_usage_alone",),
    "subscription_items": ("plan_follows_its_item", "subscription_items_begin_open", "subscription_items_close_once"),
    "subscriptions": ("plan_is_new", "plan_is_of_the_open_item", "subscriptions_move_by_their_states"),
    "trusted_issuers": ("issuers_keep_their_name",),
    "workload_scales": ("workload_scales_close_once",),
    "usage_records": ("usage_moves_the_cursor", "waived_usage_lies_in_a_tail"),
}

# Statement triggers are not cloned to partitions, so each month carries its own.
PARTITIONED = ("usage_records",)
OF_EACH_PARTITION = ("{partition}_is_never_emptied", "{partition}_is_written_through_its_parent")


def missing_triggers() -> list[str]:
    """Triggers that are absent or switched off, one sentence each; empty when all is well."""
    standing = standing_triggers()
    faults = []
    for table, trigger in sorted(expected_triggers()):
        enabled = standing.get((table, trigger))
        if enabled is None:
            faults.append(f"trigger {trigger} is missing on {table}")
        elif not enabled:
            faults.append(f"trigger {trigger} on {table} is switched off")
    return faults


def expected_triggers() -> set[tuple[str, str]]:
    """(table, trigger) for every rule, and for every partition that exists now."""
    return set(_listed())


def standing_triggers() -> dict[tuple[str, str], bool]:
    """(table, trigger) → whether it fires for ordinary sessions, without those PostgreSQL makes itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgname, t.tgenabled IN ('O', 'A') FROM pg_trigger t"
            " JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace"
        )
        return {(table, trigger): enabled for table, trigger, enabled in cursor.fetchall()}


def _listed() -> Iterator[tuple[str, str]]:
    for table in NEVER_CHANGED:
        yield table, f"{table}_rows_never_change"
        yield table, f"{table}_is_never_emptied"
    for table in KEPT:
        yield table, f"{table}_rows_are_kept"
        yield table, f"{table}_is_never_emptied"
    for table, triggers in OWN_RULES.items():
        for trigger in triggers:
            yield table, trigger
    for parent, partition in _partitions():
        yield partition, f"{parent}_rows_never_change"  # a row trigger, cloned from the parent
        for pattern in OF_EACH_PARTITION:
            yield partition, pattern.format(partition=partition)


def _partitions() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.relname, c.relname FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent"
            " JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE p.relname = ANY(%s) AND p.relnamespace = 'public'::regnamespace AND p.relkind = 'p'",
            [list(PARTITIONED)],
        )
        return [(parent, partition) for parent, partition in cursor.fetchall()]
