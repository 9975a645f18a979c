"""Settings. Every value that differs between places is read by `environment`, typed, and nowhere else."""

import sys
from pathlib import Path

from django.templatetags.static import static
from django.urls import reverse_lazy

from billing_site import environment, openapi_settings
from billing_site.logging import dict_config
from billing_site.sign_in import issuers

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = environment.flag("DEBUG", False)
ENVIRONMENT = environment.choice("ENVIRONMENT", "embedded", ("embedded", "sandbox", "live"))
SECRET_KEY = environment.text("SECRET_KEY", "") or environment.local_secret(BASE_DIR / ".local", ENVIRONMENT)
SECRET_KEY_FALLBACKS = environment.words("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS")
CONSOLE_ORIGINS = frozenset(environment.words("CONSOLE_ORIGINS"))  # of consoles that call from a browser
METRICS_PORT = environment.integer("METRICS_PORT", 9100, minimum=1, maximum=65535)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "billing_site",
    "accounts",
    "quotas",
    "ledger",
    "payments",
    "simple_history",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "djstripe",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "billing_site.back_office.config.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "billing_site.page_policies.PagePolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "billing_site.request_context.RequestContextMiddleware",
    "billing_site.cross_origin.CrossOriginMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "billing_site.probe_hosts.ProbesByAnyHostMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "billing_site.sign_in.session_ends.SessionEndsMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "billing_site.sign_in.staff_gate.StaffGateMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "billing_site.back_office.reader_time_zone.ReaderTimeZoneMiddleware",
]

ROOT_URLCONF = "billing_site.urls"
ASGI_APPLICATION = "billing_site.asgi.application"
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = reverse_lazy("home")
LOGOUT_REDIRECT_URL = LOGIN_URL
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

ACCOUNT_ADAPTER = "billing_site.sign_in.account_rules.AccountRules"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # staff open people with their address, issuers vouch for it
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300  # seconds
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip,5/5m/key",
    "second_factor": "5/5m/key",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
    "reset_password": "10/m/ip,3/m/key",
    "reset_password_from_key": "20/m/ip",
}
PASSWORD_RESET_TIMEOUT = 3600  # seconds
MFA_ADAPTER = "billing_site.sign_in.second_factor_rules.SecondFactorRules"
MFA_FORMS = {
    "authenticate": "billing_site.sign_in.codes.CodeForm",
    "reauthenticate": "billing_site.sign_in.codes.CodeAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # half minutes before and after; each code counts once (billing_site/sign_in/codes.py)
MFA_TOTP_ISSUER = "Countinghouse"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody signs up by themselves with somebody else's address
SOCIALACCOUNT_ADAPTER = "billing_site.sign_in.oidc_rules.OidcRules"
SOCIALACCOUNT_PROVIDERS = issuers.providers(issuers.configured())
SOCIALACCOUNT_STORE_TOKENS = False
# For `make demo`, whose passwords are printed; the start refuses it anywhere but on an embedded site.
SECOND_FACTOR_WAIVED = environment.flag("SECOND_FACTOR_WAIVED")

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The application role serves; the owner migrates (see billing_site/roles.py).
_DATABASE = environment.database("DATABASE_URL")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **_DATABASE,
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            "connect_timeout": 5,  # seconds; a server that is gone must be said, not waited for
            **_DATABASE["OPTIONS"],  # what the URL asks for, such as sslmode
            "prepare_threshold": 5,  # for accounts/prepared.py; Django's own cursors never prepare
            "options": " ".join(
                (
                    "-c lock_timeout=20s -c idle_in_transaction_session_timeout=60s",
                    _DATABASE["OPTIONS"].get("options", ""),
                )
            ).strip(),
        },
        "TEST": {"NAME": environment.text("TEST_DATABASE_NAME", "test_countinghouse")},
    },
}
DATABASE_OWNER_URL_VARIABLE = "DATABASE_OWNER_URL"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# dj-stripe's own migrations take 35 s; ours is one file, held equal to its models by a test.
MIGRATION_MODULES = {"djstripe": "payments.providers.stripe.djstripe_migrations"}

REDIS_URL = environment.redis("REDIS_URL")
CELERY_BROKER_URL = environment.broker_url(REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "billing_site.sign_in.counting_cache.CountingCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "countinghouse",
        "OPTIONS": {
            "serializer": "billing_site.sign_in.counting_cache.PlainValues",
            "socket_connect_timeout": 0.5,
            "socket_timeout": 0.5,
        },
    },
}
OUTBOX_ROUTES = "billing_site.outbox_routes.ROUTES"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.BearerAuthentication",
        "accounts.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PARSER_CLASSES": ["accounts.api.bodies.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PERMISSION_CLASSES": [],  # each operation names the ability it needs
    "DEFAULT_SCHEMA_CLASS": "accounts.api.schema.NamedBySummary",
    "EXCEPTION_HANDLER": "accounts.api.problems.answer",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = openapi_settings.SETTINGS
# Requests a minute of one caller; all of them may come at once.
API_READS_PER_MINUTE = environment.integer("API_READS_PER_MINUTE", 600, minimum=1, maximum=10**6)
API_WRITES_PER_MINUTE = environment.integer("API_WRITES_PER_MINUTE", 120, minimum=1, maximum=10**6)
API_FAILURES_PER_MINUTE = environment.integer("API_FAILURES_PER_MINUTE", 60, minimum=1, maximum=10**6)

# The demo's own issuer of tokens, and what it keeps; its keys are served only where `serve --demo` started the site.
DEMO = environment.flag("DEMO") and ENVIRONMENT == "embedded"
DEMO_DIRECTORY = Path(environment.text("DEMO_DIRECTORY", str(BASE_DIR / ".local" / "demo")))

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "billing_site" / "static"]
WHITENOISE_USE_FINDERS = True

SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_ENFORCE_HISTORY_MODEL_PERMISSIONS = True

# Outside the embedded site everything is spoken over TLS, ended here or by proxies that are counted.
_TLS = ENVIRONMENT != "embedded"
TRUSTED_PROXIES = environment.integer("TRUSTED_PROXIES", 0, maximum=10)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_SSL_REDIRECT = environment.flag("SSL_REDIRECT", _TLS)
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$", "^metrics$"]  # asked from inside, without TLS
SECURE_HSTS_SECONDS = environment.integer("HSTS_SECONDS", 31_536_000 if _TLS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = bool(SECURE_HSTS_SECONDS)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = environment.cookie_names(SECRET_KEY, tls=_TLS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _TLS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = environment.integer("SESSION_IDLE_SECONDS", 7200, minimum=300)  # renewed by use
SESSION_LONGEST_SECONDS = environment.integer("SESSION_LONGEST_SECONDS", 43_200, minimum=300)  # then one signs in anew

STRIPE_API_VERSION = "2026-05-27.dahlia"
STRIPE_LIVE_SECRET_KEY = environment.text("STRIPE_LIVE_SECRET_KEY", "")
STRIPE_TEST_SECRET_KEY = environment.text("STRIPE_TEST_SECRET_KEY", "")
STRIPE_LIVE_MODE = ENVIRONMENT == "live"
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
# The embedded site keeps its mail as files; any other sends it.
_MAIL = "filebased" if ENVIRONMENT == "embedded" else "smtp"
EMAIL_BACKEND = environment.text("EMAIL_BACKEND", f"django.core.mail.backends.{_MAIL}.EmailBackend")
EMAIL_FILE_PATH = environment.text("EMAIL_FILE_PATH", str(BASE_DIR / ".local" / "mail"))
EMAIL_HOST = environment.text("EMAIL_HOST", "localhost")
EMAIL_TIMEOUT = 10  # seconds, for each answer of the mail server
EMAIL_PORT = environment.integer("EMAIL_PORT", 25, minimum=1, maximum=65535)
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", "billing@countinghouse.example")
MAIL_DOMAIN = DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
BILLING_PROVIDER = environment.choice("BILLING_PROVIDER", "manual", ("none", "manual"))

# Without it nothing is written to, or read from, a cluster.
KUBECONFIG_PATH = environment.file("KUBECONFIG_PATH")
CLUSTER_NAMESPACE = environment.text("CLUSTER_NAMESPACE", "kube-dc")  # of the ConfigMap billing-plans
CLUSTER_TIMEOUT_SECONDS = environment.integer("CLUSTER_TIMEOUT_SECONDS", 10, minimum=1, maximum=120)

LOG_LEVEL = environment.log_level("LOG_LEVEL")

# One JSON object per line; readable where a person starts the embedded site on a terminal.
LOGGING = dict_config(LOG_LEVEL, readable=ENVIRONMENT == "embedded" and sys.stderr.isatty())

UNFOLD = {
    "SITE_TITLE": "Countinghouse",
    "SITE_HEADER": "Countinghouse",
    "SITE_SUBHEADER": "Back office",
    "SITE_SYMBOL": "account_balance",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "billing_site.admin_site.environment_badge",
    "SITE_FAVICONS": [{"rel": "icon", "href": lambda request: static("billing_site/favicon.svg")}],
    "STYLES": [
        lambda request: static("billing_site/back_office.css"),
        lambda request: static("billing_site/finding.css"),
        lambda request: static("billing_site/account.css"),
    ],
    "SIDEBAR": {"navigation": "billing_site.back_office.menu.navigation"},
}
