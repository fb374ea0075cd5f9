"""The list of groups as a file, under the filters of the list."""

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST

from notifications import roles
from notifications.forms.filters import GroupFilterForm
from notifications.models import ChatGroup
from notifications.services.group_downloads import download_groups, file_name

from .files import CONTENT_TYPES, as_file, nothing_downloaded
from .page import person


@require_POST
def download(request: HttpRequest) -> HttpResponseBase:
    user = person(request, roles.SEE_GROUPS)
    form = GroupFilterForm(request.POST)
    if form.errors:
        return nothing_downloaded(
            request, form, "admin:notifications_chatgroup_changelist"
        )
    groups = form.apply(ChatGroup.objects.all())
    file = download_groups(user, groups, filters=form.active)
    return as_file(file, file_name(), CONTENT_TYPES["csv"])
