from accounts.models.api_keys import ApiKey
from accounts.models.approvals import ApprovalRequest, ApprovalState
from accounts.models.audit import AuditLog
from accounts.models.billing_accounts import BillingAccount, InvoiceFrequency, Phase, Settlement
from accounts.models.billing_details import BillingAddress, BillingContact, InvoiceEmail, TaxId
from accounts.models.bindings import BillingAccountBinding, BindingPhase
from accounts.models.conditions import Condition, ConditionStatus
from accounts.models.doorbells import Doorbell
from accounts.models.enforcement import EnforcementReason, Level
from accounts.models.event_feed import FeedEvent
from accounts.models.features import Feature, FeatureGrant
from accounts.models.form_tokens import UsedFormToken
from accounts.models.idempotency import IdempotencyRecord
from accounts.models.issuers import ExternalIdentity, TrustedIssuer
from accounts.models.legal_entities import LegalEntity
from accounts.models.organizations import Membership, Organization, OrganizationRole, Project
from accounts.models.outbox import DeliveryState, OutboxDelivery, OutboxMessage
from accounts.models.policy_values import PolicyScope, PolicyValue
from accounts.models.project_memberships import ProjectMembership
from accounts.models.provider_switches import ProviderSwitch
from accounts.models.saved_filters import SavedFilter
from accounts.models.users import User

__all__ = [
    "ApiKey",
    "ApprovalRequest",
    "ApprovalState",
    "AuditLog",
    "BillingAccount",
    "BillingAccountBinding",
    "BillingAddress",
    "BillingContact",
    "BindingPhase",
    "Condition",
    "ConditionStatus",
    "DeliveryState",
    "Doorbell",
    "EnforcementReason",
    "ExternalIdentity",
    "Feature",
    "FeatureGrant",
    "FeedEvent",
    "IdempotencyRecord",
    "InvoiceEmail",
    "InvoiceFrequency",
    "LegalEntity",
    "Level",
    "Membership",
    "Organization",
    "OrganizationRole",
    "OutboxDelivery",
    "OutboxMessage",
    "Phase",
    "PolicyScope",
    "PolicyValue",
    "Project",
    "ProjectMembership",
    "ProviderSwitch",
    "SavedFilter",
    "Settlement",
    "TaxId",
    "TrustedIssuer",
    "UsedFormToken",
    "User",
]
