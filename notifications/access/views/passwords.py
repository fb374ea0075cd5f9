"""Pages of a link for a new password: asking for one, and setting the password."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordResetConfirmView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.access.forms import AddressForm, OwnPasswordForm
from notifications.access.services import links, people
from notifications.access.views.login import Framed
from notifications.ui.pages import page


def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link by mail. The answer is the same for an unknown address."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and settings.MAIL_IS_CONFIGURED and form.is_valid():
        links.request_by_address(form.cleaned_data["email"], request)
        messages.info(
            request,
            _(
                "If a login here has this address, a link is on its way to it. It is valid "
                "for a day."
            ),
        )
        return redirect("account_login")
    return page(
        request,
        "notifications/access/password_forgotten.html",
        _("Password forgotten"),
        form=form,
        has_mail=settings.MAIL_IS_CONFIGURED,
    )


class SetPassword(Framed, PasswordResetConfirmView):
    """The page of a link. Django keeps the token in the session, out of the address."""

    title = gettext_lazy("Set your password")
    template_name = "notifications/access/password_set.html"
    form_class = OwnPasswordForm
    success_url = reverse_lazy("account_login")
    request: HttpRequest

    @transaction.atomic
    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().dispatch(*args, **kwargs)

    def get_user(self, uidb64: str) -> Any:
        """The person, locked while the password is set: a link counts once."""
        person = super().get_user(uidb64)
        if not isinstance(person, User):
            return None
        if self.request.method == "POST":
            locked = User.objects.select_for_update(no_key=True)
            person = locked.get(pk=person.pk)
        try:
            links.require_local_login(person)
        except ValidationError:
            return None
        return person if person.is_staff else None

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        people.record_password(form.user, by="link")
        messages.success(self.request, _("Your password is set. Log in with it."))
        return response
