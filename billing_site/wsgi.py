import os

from django.core.wsgi import get_wsgi_application

from billing_site.boot_checks import require_sound_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
application = get_wsgi_application()
require_sound_start()
