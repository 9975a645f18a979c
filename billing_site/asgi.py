import os

from django.core.asgi import get_asgi_application

from billing_site.boot_checks import require_sound_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
application = get_asgi_application()
require_sound_start()
