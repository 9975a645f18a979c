"""Settings of the peer's own process: its apps, its database, nothing of ours."""

import os

from billing_site import environment

SECRET_KEY = "benchmark"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "mptt", "djmoney", "hordak"]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", **environment.database("HORDAK_DATABASE_URL")}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DEFAULT_CURRENCY = "USD"
CURRENCIES = ["USD"]
USE_TZ = True
os.environ.setdefault("DJANGO_SETTINGS_MODULE", __name__)
