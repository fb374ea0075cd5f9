"""The filter above the changes of a sync."""

from django.utils.translation import gettext_lazy as _

from notifications.models import SyncChange

from .filters import FilterForm, OneOf


class SyncFilterForm(FilterForm):
    kind = OneOf(_("What"), SyncChange.Kind.choices)
