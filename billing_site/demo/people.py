"""Who appears in the demo, and how staff log in."""

from dataclasses import dataclass

from django.contrib.auth.models import Group

from accounts.models import User

PASSWORD = "countinghouse-demo"  # noqa: S105 - printed on purpose; the command refuses anywhere but an embedded site


@dataclass(frozen=True)
class Login:
    email: str
    name: str
    groups: tuple[str, ...]
    says: str


STAFF = (
    Login("dana@countinghouse.example", "Dana Okafor", ("finance-operator",), "records transfers, adjusts, corrects"),
    Login("erin@countinghouse.example", "Erin Lindqvist", ("finance-approver",), "approves what is above the limit"),
    Login("vera@countinghouse.example", "Vera Castillo", ("finance-viewer",), "sees everything, changes nothing"),
    Login("petra@countinghouse.example", "Petra Novak", ("platform-admin",), "looks after users and groups"),
)


def open_staff() -> dict[str, User]:
    """The staff by first name, with the demo's password."""
    return {login.name.split()[0].lower(): _open(login) for login in STAFF}


def open_customer(email: str, name: str) -> User:
    """A customer's owner; without a password until there is a portal to log in to."""
    return User.objects.filter(email=email).first() or User.objects.create_user(email, display_name=name)


def _open(login: Login) -> User:
    user = User.objects.filter(email=login.email).first()
    if user is None:
        user = User.objects.create_user(login.email, PASSWORD, display_name=login.name, is_staff=True)
        user.groups.set(Group.objects.filter(name__in=login.groups))
    return user
