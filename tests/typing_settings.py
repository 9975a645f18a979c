"""The settings for mypy's Django plugin: it imports them and builds the models, but reaches no service."""

import os

os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1/not_reached")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1/0")
os.environ.setdefault("SECRET_KEY", "not-used-for-signing")

from billing_site.settings import *  # noqa: F403
