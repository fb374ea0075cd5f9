"""Which tables, values of choices and audit events have no row."""

from django.apps import apps

from notifications.audit_log import EVENTS
from notifications.models import AuditEntry

# Tables without rows → why.
WITHOUT_ROWS = {
    "django_admin_log": "the audit trail replaces the log of Django's admin",
    "auth_user_user_permissions": "people have permissions by roles only",
    "account_emailconfirmation": "links of django-allauth are not stored",
    "socialaccount_socialapp": "identity providers are in the settings",
    "socialaccount_socialtoken": "tokens of identity providers are not stored",
    "axes_accesslog": "the audit trail records logins",
    "axes_accessfailurelog": "the audit trail records refused logins",
    "axes_accessattemptexpiration": "a lockout has the same length for everybody",
}
# Values of choices without rows.
WITHOUT_VALUES = {
    ("GroupSync", "status"): {"running"},  # only one run is open, and it waits
    ("DraftVersion", "channel"): {"recall", "correction"},  # they have no draft
    ("Tally", "status"): {"queued", "sending"},  # sealed deliveries have ended
}


def missing_kinds() -> list[str]:
    """The tables, values of choices and audit events that the database has no row of."""
    missing = []
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        if model._base_manager.exists() == (table in WITHOUT_ROWS):
            missing.append(table)
        if model._meta.app_label not in ("notifications", "mfa"):
            continue
        for field in filter(lambda field: field.choices, model._meta.fields):
            values = {value for value, _label in field.flatchoices}
            values -= WITHOUT_VALUES.get((model.__name__, field.name), set())
            values -= set(model._base_manager.values_list(field.name, flat=True))
            missing += sorted(f"{table}.{field.name}: {value}" for value in values)
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    return missing + sorted(set(EVENTS) - actions)
