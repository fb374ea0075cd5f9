"""The second factor of somebody who lost it: a people administrator removes it."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from notifications.selectors.second_factors import device_of, is_demanded_of
from notifications.services import second_factor

from .page import page, person


def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks first, because it is the voice of somebody that an administrator trusts."""
    user = person(request, "auth.change_user")
    loser = get_object_or_404(User, pk=pk)
    second_factor.require_may_help(user, loser)
    if request.method == "POST":
        try:
            second_factor.remove_of(user, loser)
        except ValidationError as error:
            messages.error(request, error.messages[0])
        else:
            said = _("The second factor of %(person)s is removed.")
            messages.success(request, said % {"person": loser.get_username()})
        return redirect("admin:auth_user_change", loser.pk)
    return page(
        request,
        "notifications/lost_factor.html",
        _("Remove the second factor of %(person)s?") % {"person": loser.get_username()},
        person=loser,
        is_there=device_of(loser) is not None,
        is_demanded=is_demanded_of(loser),
    )
