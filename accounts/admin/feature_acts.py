"""Grant an organization a feature, and take it back."""

from abc import abstractmethod

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from accounts import account_quota, features
from accounts.admin.act_pages import Cleaned, Done, reason_field, rehearse
from accounts.admin.previews import Preview
from accounts.admin.within import REHEARSAL, WithinOrganization
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.models import Feature, FeatureGrant, User


class FeatureForm(forms.Form):
    feature = forms.ChoiceField(
        label="Feature", choices=[(str(name), str(name)) for name in Feature], widget=UnfoldAdminSelectWidget()
    )
    reason = reason_field()


class ChangeFeature(WithinOrganization):
    """What granting and revoking have in common."""

    form_class = FeatureForm

    def preview(self, cleaned: Cleaned) -> Preview:
        organization = self.organization()
        rehearse(lambda: self.change(cleaned, REHEARSAL))
        feature = features.known(cleaned["feature"])
        quota = account_quota.quota_of(organization)
        return Preview(
            [
                ("Organization", f"{organization.name} ({organization.public_id})"),
                ("Feature", str(feature)),
                ("With it, the organization", features.WORDS[feature]),
                ("Billing accounts now", f"{quota.used} of {quota.allowed}"),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        changed = self.change(cleaned, person(user))
        said = "Taken back." if changed.revoked_at else "Granted."
        named = {"organization": self.organization().public_id, "feature": changed.feature}
        return Done(self.url(), said, result=named)

    @abstractmethod
    def change(self, cleaned: Cleaned, actor: Actor) -> FeatureGrant:
        """Do it. Raises DomainError."""


class GrantFeature(ChangeFeature):
    name = "grantfeature"
    path = "<int:pk>/grant-feature/"
    title = "Grant a feature"
    button = "Grant it"
    explanation = "What this organization may do beyond what everyone may. In force at once, until it is taken back."

    def change(self, cleaned: Cleaned, actor: Actor) -> FeatureGrant:
        organization, feature = self.organization(), cleaned["feature"]
        return features.grant(organization.pk, feature, actor=actor, reason=cleaned["reason"], at=now())


class RevokeFeature(ChangeFeature):
    name = "revokefeature"
    path = "<int:pk>/revoke-feature/"
    title = "Take a feature back"
    button = "Take it back"
    explanation = "What was opened under the feature stays; nothing more is opened."

    def change(self, cleaned: Cleaned, actor: Actor) -> FeatureGrant:
        organization, feature = self.organization(), cleaned["feature"]
        return features.revoke(organization.pk, feature, actor=actor, reason=cleaned["reason"], at=now())
