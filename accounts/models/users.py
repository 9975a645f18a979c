from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from simple_history.models import HistoricalRecords

from accounts.public_ids import PublicId


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        if not email:
            raise ValueError("a user needs an e-mail address")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(PublicId, AbstractBaseUser, PermissionsMixin):
    """A person. The e-mail address is the log-in, stored in lower case."""

    PUBLIC_PREFIX = "usr"

    email = models.EmailField(max_length=254, unique=True)
    display_name = models.CharField(max_length=256, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=16, default="en")
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    history = HistoricalRecords(
        excluded_fields=["password", "last_login", "email", "display_name"]
    )  # history is for ever

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        db_table = "users"
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="users_email_is_lower_case"),
        ]

    def __str__(self) -> str:
        """Staff by name; customers by id, since titles and columns show this without having been asked."""
        return self.get_full_name() if self.is_staff else self.public_id

    def get_full_name(self) -> str:
        return self.display_name or self.email
