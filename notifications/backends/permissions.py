"""What a person may do, asked once per request."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import Q


class RoleBackend(ModelBackend):
    """Django's own, but with the permissions of a person and of the roles in one query."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if user_obj.is_superuser:
            return super().get_all_permissions(user_obj)
        if not hasattr(user_obj, "_perm_cache"):
            held = Permission.objects.filter(
                Q(pk__in=user_obj.user_permissions.values("pk"))
                | Q(group__in=user_obj.groups.values("pk"))
            )
            names = held.order_by().values_list("content_type__app_label", "codename")
            # Where ModelBackend keeps them, too.
            user_obj._perm_cache = {f"{label}.{name}" for label, name in names}
        found: set[str] = user_obj._perm_cache
        return found
