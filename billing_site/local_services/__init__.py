"""PostgreSQL and Redis for a clone without any: started when no URL is given, stopped by the last user."""

from billing_site.local_services.fault import LocalServicesFault
from billing_site.local_services.sharing import named_only, provided

__all__ = ["LocalServicesFault", "named_only", "provided"]
