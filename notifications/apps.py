"""App configurations: the application, and Django's admin with its own admin site."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.contrib.auth import signals
from django.db.models.signals import (
    post_migrate,
    post_save,
    pre_migrate,
    pre_save,
)
from django.utils.translation import gettext_lazy as _


class ConsoleAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "notifications.console.site.ConsoleSite"


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")
    default = True

    def ready(self) -> None:
        # Importing these modules registers the events of the audit trail.
        from allauth.account.signals import authentication_step_completed

        import notifications.access.audit_events
        import notifications.amendments.audit_events
        import notifications.audiences.audit_events
        import notifications.audit.audit_events
        import notifications.compose.audit_events
        import notifications.delivery.audit_events
        import notifications.groups.audit_events
        import notifications.history.audit_events
        import notifications.record.audit_events
        import notifications.system.audit_events
        import notifications.ui.audit_events  # noqa: F401  registers

        from . import approvals, permissions  # noqa: F401  registers
        from .access import admin, checks, role_admin, usernames  # noqa: F401  registers
        from .access.services import logins, protected_changes
        from .db.migrations import refuse_development_database
        from .groups import admin as groups_admin  # noqa: F401  registers
        from .record import checks as record_checks  # noqa: F401  registers
        from .record.guards import install as guards
        from .record.guards import privileges
        from .system import checks as system_checks  # noqa: F401  registers
        from .system import web_checks  # noqa: F401  registers

        authentication_step_completed.connect(logins.record_step)
        signals.user_logged_in.connect(logins.record_login)
        signals.user_logged_in.connect(protected_changes.show_at_login)
        signals.user_login_failed.connect(logins.record_refused_login)
        signals.user_logged_out.connect(logins.record_logout)
        pre_save.connect(usernames.refuse_used, sender="auth.User")
        post_save.connect(usernames.remember, sender="auth.User")
        # After Django's receiver, which creates the permissions of the last app.
        post_migrate.connect(permissions.make_missing_roles, sender=self)
        pre_migrate.connect(refuse_development_database, sender=self)
        pre_migrate.connect(privileges.require_owner_before_migrate, sender=self)
        pre_migrate.connect(guards.remove_before_migrate, sender=self)
        post_migrate.connect(guards.install_after_migrate, sender=self)
        post_migrate.connect(privileges.grant_after_migrate, sender=self)
