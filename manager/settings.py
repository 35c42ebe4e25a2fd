"""Settings. Every one comes from the environment; the table is in docs/operations.md."""

import logging
from pathlib import Path
from urllib.parse import quote, urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from manager import database_url, environment, mail_url, redis_url, version
from manager.bounds import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = version.read(BASE_DIR)

environment.refuse_old_names()
ENVIRONMENT = environment.one_of("ENVIRONMENT", "standalone", environment.ENVIRONMENTS)
PRODUCTION = ENVIRONMENT == "production"
DEBUG = environment.flag("DEBUG", default=False)
DATA_DIR = Path(environment.text("DATA_DIR", str(BASE_DIR / "var"))).resolve()
SECRETS_DIR = Path(environment.text("SECRETS_DIR", str(DATA_DIR / "secrets"))).resolve()

# Where things are -------------------------------------------------------------------------------------
PORT = environment.number("PORT", 8000, least=1, most=65535)
REGISTRY_PORT = environment.number("REGISTRY_PORT", 5000, least=1, most=65535)
# The server of tokens, beside that of pages; behind a proxy both have PUBLIC_URL.
TOKEN_PORT = environment.number("TOKEN_PORT", PORT + 1, least=1, most=65535)
PUBLIC_URL = environment.url("PUBLIC_URL", f"http://localhost:{PORT}")
# Where the registry sends clients for a token. The server of pages answers there too.
_by_itself = f"http://localhost:{PORT}" == PUBLIC_URL
TOKEN_URL = f"{f'http://localhost:{TOKEN_PORT}' if _by_itself else PUBLIC_URL}/auth/token"
REGISTRY_URL = environment.url("REGISTRY_URL", f"http://127.0.0.1:{REGISTRY_PORT}")
# A pull-through cache (`proxy.remoteurl`) answers 404 for what exists, while what it stands for is away.
REGISTRY_IS_PULL_THROUGH_CACHE = environment.flag("REGISTRY_IS_PULL_THROUGH_CACHE", default=False)
REGISTRY_HOST = environment.host("REGISTRY_HOST", f"localhost:{REGISTRY_PORT}")
# Where the registry posts its notifications; it stands inside and does not pass the proxy.
EVENTS_URL = environment.url("EVENTS_URL", "", path="/registry/events")
TOKEN_SERVICE = environment.word("TOKEN_SERVICE", REGISTRY_HOST)
TOKEN_ISSUER = environment.word("TOKEN_ISSUER", "registry-manager")
# Clients raise anything below 60 s to 60 s; revocation takes effect within this time plus 60 s.
TOKEN_TTL_SECONDS = environment.number("TOKEN_TTL_SECONDS", 300, least=60, most=3600)
SYNC_INTERVAL_SECONDS = environment.number(
    "SYNC_INTERVAL_SECONDS", 60 if PRODUCTION else 10, least=2, most=86400
)
SYNC_CONCURRENCY = environment.number("SYNC_CONCURRENCY", 1, least=1, most=16)
SIGNUP = environment.one_of("SIGNUP", "invite" if PRODUCTION else "open", environment.SIGNUP_MODES)
# How many of each an account may hold; of accounts and API tokens, a person. 0: any number.
MAX_ACCOUNTS_PER_PERSON = environment.number("MAX_ACCOUNTS_PER_PERSON", 20, least=0, most=1_000_000)
MAX_API_TOKENS_PER_PERSON = environment.number("MAX_API_TOKENS_PER_PERSON", 100, least=0, most=1_000_000)
MAX_GRANTS_PER_ACCOUNT = environment.number("MAX_GRANTS_PER_ACCOUNT", 10_000, least=0, most=1_000_000)
MAX_INVITATIONS_PER_ACCOUNT = environment.number("MAX_INVITATIONS_PER_ACCOUNT", 100, least=0, most=1_000_000)
MAX_MEMBERS_PER_ACCOUNT = environment.number("MAX_MEMBERS_PER_ACCOUNT", 200, least=0, most=1_000_000)
MAX_NAMESPACES_PER_ACCOUNT = environment.number("MAX_NAMESPACES_PER_ACCOUNT", 100, least=0, most=1_000_000)
MAX_RETENTION_RULES_PER_ACCOUNT = environment.number(
    "MAX_RETENTION_RULES_PER_ACCOUNT", 500, least=0, most=1_000_000
)
MAX_USERS_PER_ACCOUNT = environment.number("MAX_USERS_PER_ACCOUNT", 1000, least=0, most=1_000_000)
ACCESS_LEDGER_DAYS = environment.number("ACCESS_LEDGER_DAYS", 60, least=1, most=400)
# After so many days without a backup the doctor says so. 0: backups are made by other means.
BACKUP_DAYS = environment.number("BACKUP_DAYS", 7, least=0, most=400)
TRUSTED_PROXY_COUNT = environment.number("TRUSTED_PROXY_COUNT", 0, least=0, most=5)
# Private networks in which issuers of ID tokens may stand, whose keys are fetched.
ISSUER_NETWORKS = environment.networks("ISSUER_NETWORKS")
# Those in which receivers of webhooks may stand, also without TLS.
WEBHOOK_NETWORKS = environment.networks("WEBHOOK_NETWORKS")
SECURITY_CONTACT = environment.contact("SECURITY_CONTACT")
LOG_LEVEL = environment.one_of("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_FORMAT = environment.one_of("LOG_FORMAT", "line", ("line", "json"))
# Of whoever may read /metrics. Where no file is named, metrics are on if there is one.
METRICS_KEY_FILE = Path(environment.text("METRICS_KEY_FILE", "") or SECRETS_DIR / "metrics.key")
if environment.text("METRICS_KEY_FILE", ""):
    environment.secret(METRICS_KEY_FILE, create=environment.preparing())

SECRET_KEY = environment.secret(SECRETS_DIR / "django.key", create=not PRODUCTION or environment.preparing())
ALLOWED_HOSTS = environment.hosts("ALLOWED_HOSTS")
_public = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS += [str(_public.hostname)]
if EVENTS_URL:
    ALLOWED_HOSTS += [str(urlsplit(EVENTS_URL).hostname)]  # the registry asks by this name
if not PRODUCTION:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# Applications -----------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "manager",
    "registry_sync",
    "namespaces",
    "accounts",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "csp",
]
MIDDLEWARE = [
    "manager.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Pads each answer at random, so that its length does not tell what a secret in it was compared with (BREACH).
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "accounts.views.live_middleware.LiveMiddleware",
    "accounts.views.language.LanguageMiddleware",
    "accounts.views.time_preferences.TimesMiddleware",
    "accounts.views.page_above.PageAboveMiddleware",
    "accounts.views.last_account.LastAccountMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "manager.upload_limits.BodyMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.views.session_seen.SessionSeenMiddleware",
    "manager.second_factor_middleware.SecondFactorMiddleware",
    "manager.errors.DomainErrorMiddleware",
]
ROOT_URLCONF = "manager.urls"
WSGI_APPLICATION = "manager.wsgi.application"
FORM_RENDERER = "accounts.form_renderer.FormRenderer"
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
                "accounts.views.context_processors.frame",
                "registry_sync.views.context_processors.freshness",
            ],
        },
    },
]

# Database ---------------------------------------------------------------------------------------------
DATABASE_URL = environment.text("DATABASE_URL", f"sqlite:///{quote(str(DATA_DIR))}/db.sqlite3")
DATABASE_POOLER = environment.one_of("DATABASE_POOLER", "none", database_url.POOLERS)
DATABASE_TIMEOUTS = database_url.TIMEOUTS
_password_file = environment.text("DATABASE_PASSWORD_FILE", "")
_database = database_url.read(
    DATABASE_URL,
    password=environment.secret(Path(_password_file), create=environment.preparing())
    if _password_file
    else "",
    pooler=DATABASE_POOLER,
)
_database.update(CONN_MAX_AGE=600, CONN_HEALTH_CHECKS=True)
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cache, broker ----------------------------------------------------------------------------------------
REDIS_URL = environment.text("REDIS_URL", "")
REDIS_PASSWORD_FILE = environment.text("REDIS_PASSWORD_FILE", "")
_password = (
    environment.secret(Path(REDIS_PASSWORD_FILE), create=environment.preparing())
    if REDIS_PASSWORD_FILE
    else ""
)
# Counts of attempts live here. Django's 300 are so few that who guesses from a few places has their counts thrown out.
CACHE_ENTRIES = 100_000
REDIS = redis_url.read(REDIS_URL, password=_password) if REDIS_URL else None
if REDIS:
    CACHES = {"default": {"BACKEND": "manager.cache.RedisOrMemoryCache", "LOCATION": [REDIS.url],
                          "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1, **REDIS.tls}}}  # fmt: skip
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": CACHE_ENTRIES},
        }
    }

# Persons ----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["accounts.backends.PersonBackend"]
PASSWORD_HASHERS = ["accounts.hashers.BoundedArgon2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "accounts.password_length.MaximumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.allauth_adapter.PanelAdapter"
ACCOUNT_FORMS = {
    "signup": "accounts.signup_form.SignUpForm",
    "change_password": "accounts.password_forms.ChangeForm",
    "set_password": "accounts.password_forms.SetForm",
    "reset_password": "accounts.password_forms.AskForResetForm",
    "reset_password_from_key": "accounts.password_forms.ResetForm",
    "user_token": "accounts.password_forms.ResetLinkForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
# With a mail server, signing up looks the same whether an address is taken or not (docs/adr/0004).
EMAIL_URL = environment.text("EMAIL_URL", "")
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_URL else "optional"
# In the browser that signed up; a link that it followed goes on there.
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_PREVENT_ENUMERATION = True
# Of mails that anybody can have sent to an address, a few a day.
ACCOUNT_RATE_LIMITS = {
    "confirm_email": "1/3m/key,6/d/key",
    "reset_password": "20/m/ip,3/10m/key,20/d/key",
    "sso_start": "60/m/ip",  # each writes a session (accounts/views/sso.py)
    "second_factor_failed": "100/d/key",  # of one person, from everywhere (accounts/second_factors/attempts.py)
}
ACCOUNT_MAX_EMAIL_ADDRESSES = 10  # of a person; to each added one goes a mail, whoever has it
ACCOUNT_EMAIL_NOTIFICATIONS = bool(EMAIL_URL)  # of a changed password or address: word to the owner
# Before a change of address: a session that was left open is not enough.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _public.scheme
# A code by mail proves no more than a reset link, which may be followed anyway.
ACCOUNT_REAUTHENTICATION_METHODS = ("password", "mfa")
USERSESSIONS_TRACK_ACTIVITY = (
    False  # it would write a row for every page; ours does by the hour (session_seen.py)
)
MFA_ADAPTER = "accounts.second_factors.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# With a mail server nobody is signed in before their address is verified (ACCOUNT_EMAIL_VERIFICATION); without one
# no address ever is, and nobody could have a second factor.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # steps of 30 s: telephones are seldom right to the second
MFA_RATE_LIMITS = {"webauthn_options": "30/m/ip"}  # each writes a session (accounts/views/second_factors.py)
MFA_FORMS = {
    "authenticate": "accounts.second_factors.forms.AuthenticateForm",
    "reauthenticate": "accounts.second_factors.forms.ReauthenticateForm",
    "activate_totp": "accounts.second_factors.forms.ActivateTOTPForm",
    "add_webauthn": "accounts.second_factors.forms.AddPasskeyForm",
    "edit_webauthn": "accounts.second_factors.forms.RenamePasskeyForm",
    "authenticate_webauthn": "accounts.second_factors.forms.AuthenticatePasskeyForm",
    "login_webauthn": "accounts.second_factors.forms.LoginPasskeyForm",
    "reauthenticate_webauthn": "accounts.second_factors.forms.ReauthenticatePasskeyForm",
}

# Sign-in at an OpenID Connect provider (docs/sso.md) ---------------------------------------------------
OIDC_PLAIN_HTTP = not PRODUCTION
OIDC_ISSUER = environment.issuer("OIDC_ISSUER", plain_http=OIDC_PLAIN_HTTP)
OIDC_CLIENT_ID = environment.text("OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = environment.text("OIDC_CLIENT_SECRET", "")
OIDC_NAME = environment.text("OIDC_NAME", "SSO")
OIDC_SCOPES = environment.text("OIDC_SCOPES", "openid profile email").split()
OIDC_GROUPS_CLAIM = environment.word("OIDC_GROUPS_CLAIM", "groups")
OIDC_OPERATOR_GROUP = environment.text("OIDC_OPERATOR_GROUP", "")
OIDC_TRUST_EMAIL = environment.flag("OIDC_TRUST_EMAIL", default=False)
OIDC_ONLY = environment.flag("OIDC_ONLY", default=False)
# Groups change a person's roles when they sign in, so they have to do that now and then.
OIDC_SESSION_HOURS = environment.number("OIDC_SESSION_HOURS", 12, least=1, most=720)
OIDC_GROUPS_DAYS = environment.number("OIDC_GROUPS_DAYS", 30, least=0, most=3650)
if OIDC_ISSUER and not OIDC_CLIENT_ID:
    raise ImproperlyConfigured("OIDC_CLIENT_ID must be set when OIDC_ISSUER is.")
if not OIDC_ISSUER and (OIDC_CLIENT_ID or OIDC_CLIENT_SECRET or OIDC_ONLY):
    raise ImproperlyConfigured("OIDC_ISSUER must be set when another OIDC setting is.")
if "openid" not in OIDC_SCOPES:
    raise ImproperlyConfigured("OIDC_SCOPES must hold openid.")
SOCIALACCOUNT_ADAPTER = "accounts.social_adapter.SocialAdapter"

# Mail -------------------------------------------------------------------------------------------------
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
DEFAULT_FROM_EMAIL = environment.sender("EMAIL_FROM", f"Registry Manager <no-reply@{_public.hostname}>")
if EMAIL_URL:
    _mail = mail_url.read(EMAIL_URL)
    # No page speaks to the mail server: the worker does (accounts/outbox.py).
    EMAIL_BACKEND, MAIL_TRANSPORT = (
        "accounts.outbox.OutboxBackend",
        "django.core.mail.backends.smtp.EmailBackend",
    )
    EMAIL_HOST, EMAIL_PORT = _mail["HOST"], _mail["PORT"]
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["HOST_USER"], _mail["HOST_PASSWORD"]
    EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = _mail["USE_TLS"], _mail["USE_SSL"], _mail["TIMEOUT"]
else:
    EMAIL_BACKEND = MAIL_TRANSPORT = "accounts.mail.FolderBackend"

# API --------------------------------------------------------------------------------------------------
# Calls a minute of each token; 0: any number.
API_CALLS_PER_MINUTE = environment.number("API_CALLS_PER_MINUTE", 1200, least=0, most=1_000_000)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.ApiTokenAuthentication",
        "accounts.api.authentication.PersonSessionAuthentication",
    ],
    # Closed by default: a view that names no permission refuses.
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.permissions.Refuse"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttling.CallThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.api.errors.handler",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "URL_FORMAT_OVERRIDE": None,  # "format" is a parameter of our own
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Registry Manager",
    "DESCRIPTION": "Accounts, users, namespaces, images, tags, grants and the state of the sync.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["accounts.api.permissions.IsPerson"],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_NAME_OVERRIDES": {
        "Role": "accounts.api.serializers.ROLES",
        "InvitationState": "accounts.api.invitations.STATES",
        "SecondFactorRequiredOf": "accounts.api.second_factors.REQUIRED_OF",
        "UserState": "accounts.api.users.STATES",
        "GrantLevel": "namespaces.api.grants.GRANTED",
        "WebhookDeliveryState": "namespaces.listing.webhook_list.STATES",
        "Level": "namespaces.api.images.LEVELS",
        "RegistryAction": "namespaces.api.access.ACTIONS",
        "RunState": "registry_sync.api.sync.RUN_STATES",
        "SyncState": "registry_sync.selectors.FRESHNESS_STATES",
        "LifeState": "registry_sync.operations.api.LIFE_STATES",
        "CheckState": "registry_sync.operations.api.CHECK_STATES",
        "DiagnosticRunState": "registry_sync.operations.api.DIAGNOSTIC_RUN_STATES",
        "DroppedKind": "registry_sync.operations.api.DROPPED_KINDS",
        "RemovalKind": "registry_sync.deletion.api.KINDS",
        "RemovalState": "registry_sync.deletion.api.REMOVAL_STATES",
        "PurgeState": "registry_sync.deletion.purge_api.STATES",
        "RetentionRunState": "registry_sync.retention.api.RUN_STATES",
        "RemovalItemState": "registry_sync.deletion.api.ITEM_STATES",
    },
}

# Security ---------------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_ENGINE = "accounts.session_store"
# It lasts two weeks, as Django has it; without "Remember Me" (allauth) until the browser is closed.
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "panel_session"
CSRF_COOKIE_NAME = "panel_csrf"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
SECURE_REDIRECT_EXEMPT = ["^registry/events/?$"]  # a registry loses the event on the way
if _public.scheme == "https":
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    # No other host of the domain can set a cookie of these names.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-panel_session", "__Host-panel_csrf"
    SECURE_HSTS_SECONDS = 31536000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    if TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = bool(TRUSTED_PROXY_COUNT)
if PRODUCTION:
    if _public.scheme != "https":
        raise ImproperlyConfigured("PUBLIC_URL must begin with https:// when ENVIRONMENT=production.")
    if DEBUG:
        raise ImproperlyConfigured("DEBUG must not be on when ENVIRONMENT=production.")
    if not _database["ENGINE"].endswith("postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must name PostgreSQL when ENVIRONMENT=production.")
    if not REDIS:
        raise ImproperlyConfigured("REDIS_URL must be set when ENVIRONMENT=production.")

# Text, files, log -------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "manager" / "locale"]
FORMAT_MODULE_PATH = "manager.formats"
TIME_ZONE = environment.zone("TIME_ZONE", "UTC")
USE_TZ = True
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(environment.text("STATIC_DIR", str(DATA_DIR / "static"))).resolve()
_held = any(kept.is_relative_to(STATIC_ROOT) for kept in (DATA_DIR, SECRETS_DIR))
if _held or STATIC_ROOT.is_relative_to(SECRETS_DIR):
    raise ImproperlyConfigured("STATIC_DIR must be a folder of its own: everybody can read what is in it.")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if LOG_FORMAT == "json":
    logging.captureWarnings(capture=True)  # they are several lines, else
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "manager.log_format.LineFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "manager.log_format.JsonFormatter"},
    },
    "filters": {"without_traceback": {"()": "manager.log_format.WithoutTraceback"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"propagate": True, "handlers": []},
        "celery.beat": {"filters": ["without_traceback"]},
        # That a process of a worker was killed; where it has no handler, Celery gives it one with a format of its own.
        "multiprocessing": {"handlers": ["console"], "propagate": False},
    },
}
