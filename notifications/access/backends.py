"""Authentication backends: passwords, permissions, sessions of single sign-on."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission, User
from django.db.models import Q
from django.http import HttpRequest

from notifications.access.lockout import forget_wrong_logins


class RoleBackend(ModelBackend):
    """Verifies passwords of staff, and reads the permissions of a user in one query."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> Any:
        person = super().authenticate(request, username, password, **credentials)
        if isinstance(person, User):
            forget_wrong_logins(request, person.get_username())
        return person

    def user_can_authenticate(self, user: Any) -> bool:
        return bool(super().user_can_authenticate(user) and user.is_staff)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if user_obj.is_superuser:
            return super().get_all_permissions(user_obj)
        if not hasattr(user_obj, "_perm_cache"):
            granted = Permission.objects.filter(
                Q(pk__in=user_obj.user_permissions.values("pk"))
                | Q(group__in=user_obj.groups.values("pk"))
            )
            names = granted.order_by().values_list(
                "content_type__app_label", "codename"
            )
            # ModelBackend caches them under the same name.
            user_obj._perm_cache = {f"{label}.{name}" for label, name in names}
        cached: set[str] = user_obj._perm_cache
        return cached


class SsoBackend(RoleBackend):
    """Marks the sessions of single sign-on. Its name in the settings keeps them valid."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:  # type: ignore[override]  # accepts no password
        return None
