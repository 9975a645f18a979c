"""A code of an authenticator app counts once: each must be of a later half minute than the last that was taken.

allauth remembers used codes in the cache, for one period; here the row remembers, under its lock, so neither a second
worker nor a lost Redis lets a code through twice, and the neighbouring half minutes can be allowed for slow typing.
"""

from allauth.account.adapter import get_adapter as account_rules
from allauth.core import context, ratelimit
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User

ACTION = "second_factor"
LAST = "last_counter"


class CodeForm(AuthenticateForm):  # type: ignore[misc]
    """Asked after the password."""

    def clean_code(self) -> str:
        self.authenticator = accepted(self.user, self.cleaned_data["code"])
        return str(self.cleaned_data["code"])


class CodeAgainForm(ReauthenticateForm):  # type: ignore[misc]
    """Asked before something sensitive."""

    def clean_code(self) -> str:
        self.authenticator = accepted(self.user, self.cleaned_data["code"])
        return str(self.cleaned_data["code"])


def accepted(user: User, code: str) -> Authenticator:
    """The factor that the code proves. Raises ValidationError: wrong, used before, or too many tries."""
    if not ratelimit.consume(context.request, action=ACTION, key=str(user.pk)):
        raise account_rules().validation_error("too_many_login_attempts")
    with transaction.atomic():
        for factor in Authenticator.objects.select_for_update().filter(user=user).order_by("-type"):
            by_clock = factor.type == Authenticator.Type.TOTP
            proved = _takes(factor, code) if by_clock else factor.wrap().validate_code(code)
            if proved:
                ratelimit.clear(context.request, action=ACTION, key=str(user.pk))
                factor.user = user
                return factor
    raise ValidationError("That code is not right, or it was used before.", code="incorrect_code")


def _takes(factor: Authenticator, code: str) -> bool:
    secret, last = decrypt(factor.data["secret"]), factor.data.get(LAST, 0)
    for counter in yield_hotp_counters_from_time():
        expected = format_hotp_value(hotp_value(secret, counter))
        if counter > last and compare_user_code(actual=code, expected=expected):
            factor.data[LAST] = counter
            factor.save(update_fields=["data"])
            return True
    return False
