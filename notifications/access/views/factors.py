"""Pages of the second factors: set up, recovery codes, removal, reset by an administrator."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.stages import LoginStageController
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import clear_totp_secret
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic.base import TemplateView
from django.views.generic.edit import FormView

from notifications.access import factors
from notifications.access.forms import AppCodeForm, PasskeyForm
from notifications.access.queries import (
    FACTORS,
    has_factor,
    must_set_up,
    second_factors_of,
)
from notifications.access.stages import SetUpStage
from notifications.access.views.login import Framed
from notifications.ui.pages import (
    page,
    require_recent_proof,
    session_key,
)

KEY_GROUP = 4


class OfOnePerson(Framed):
    """Admits logged-in people who proved recently who they are.

    ``sets_up`` admits a login that must set up a factor as well. People of single sign-on
    have no password and no factor here.
    """

    sets_up = True
    stage: Any = None
    person: User
    request: HttpRequest

    @method_decorator(sensitive_post_parameters("code"))
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if isinstance(request.user, User):
            if not request.user.has_usable_password():
                raise PermissionDenied
            require_recent_proof(request)
            self.person = request.user
        else:
            if self.sets_up:
                self.stage = LoginStageController.enter(request, SetUpStage.key)
            if self.stage is None:
                return redirect_to_login(request.get_full_path())
            self.person = self.stage.login.user
            if not must_set_up(self.person):
                # Set up in another browser meanwhile, which must not be bypassed.
                ended: HttpResponse = self.stage.abort()
                return ended
        response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # of the view
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        base = "notifications/ui/base_anonymous.html"
        return super().get_context_data(**kwargs) | {
            "base": base if self.stage else "admin/base_site.html",
            "factors": second_factors_of(self.person),
        }

    def show_codes(self, codes: tuple[str, ...], then: str) -> HttpResponse:
        return page(
            self.request,
            "notifications/access/recovery_codes.html",
            _("Recovery codes"),
            codes=codes,
            then=then,
        )


class SetUp(OfOnePerson, TemplateView):
    """The choice of a factor, for a login that must set one up."""

    title = gettext_lazy("Set up a second factor")
    template_name = "notifications/access/second_factor_choice.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(passkey_login=settings.PASSKEY_LOGIN, **kwargs)


class _AddFactor(OfOnePerson, FormView):
    title = gettext_lazy("Set up a second factor")
    kind: str

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"user": self.person}

    def save(self, form: Any) -> tuple[str, ...]:
        raise NotImplementedError

    def form_valid(self, form: Any) -> HttpResponse:
        codes = self.save(form)
        # The session has proved the factor by setting it up.
        record_authentication(self.request, self.person, "mfa", type=self.kind)
        if self.stage is None:
            response = redirect("admin:account")
        elif must_set_up(self.person):  # an app, where a passkey is required
            response = redirect("mfa_set_up")
        else:
            response = self.stage.exit()
        messages.success(self.request, _("The second factor is set up."))
        return self.show_codes(codes, response.url) if codes else response


class AddApp(_AddFactor):
    """Shows the key of an app until its first right code. It replaces another app."""

    template_name = "notifications/access/second_factor_key.html"
    form_class = AppCodeForm
    kind = Authenticator.Type.TOTP

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        secret = context["form"].secret
        url = get_adapter().build_totp_url(self.person, secret)
        svg = get_adapter().build_totp_svg(url)
        starts = range(0, len(secret), KEY_GROUP)
        # The SVG contains no text, only the path that the library computed.
        qr_code = SafeString(svg[svg.index("<svg") :])  # nosec B703
        key = " ".join(secret[start : start + KEY_GROUP] for start in starts)
        return context | {"address": url, "qr_code": qr_code, "key": key}

    def save(self, form: Any) -> tuple[str, ...]:
        codes = factors.set_up_app(
            self.person, form.secret, present=session_key(self.request)
        )
        clear_totp_secret(self.request)
        return codes


class AddPasskey(_AddFactor):
    template_name = "notifications/access/passkey_add.html"
    form_class = PasskeyForm
    kind = Authenticator.Type.WEBAUTHN

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        options = webauthn.begin_registration(self.person, passwordless=True)
        data = {"creation_options": options}
        return super().get_context_data(**kwargs) | {"js_data": data}

    def save(self, form: Any) -> tuple[str, ...]:
        return factors.set_up_passkey(
            self.person,
            form.cleaned_data["name"],
            form.cleaned_data["credential"],
            present=session_key(self.request),
        )


class NewRecoveryCodes(OfOnePerson, TemplateView):
    sets_up = False
    title = gettext_lazy("New recovery codes")
    template_name = "notifications/access/second_factor_sure.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "sentence": _("The old codes stop working."),
            "button": _("Make new codes"),
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        if not has_factor(self.person):
            return redirect("admin:account")
        codes = factors.make_recovery_codes(self.person)
        return self.show_codes(codes, reverse("admin:account"))


class RemoveFactor(OfOnePerson, TemplateView):
    sets_up = False
    template_name = "notifications/access/second_factor_sure.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        factor = self._factor()
        title = _("Remove the authenticator app?")
        if factor.type == Authenticator.Type.WEBAUTHN:
            title = _("Remove the passkey “%(name)s”?") % {"name": factor}
        if self._own().exclude(pk=factor.pk).exists():
            sentence = _("You can then no longer log in with it.")
        else:
            sentence = _(
                "It is your last second factor. Without one, the password alone lets "
                "you in, and recovery codes stop working."
            )
        return super().get_context_data(**kwargs) | {
            "title": title,
            "sentence": sentence,
            "button": _("Remove"),
            "removes": True,
        }

    def _own(self) -> QuerySet[Authenticator]:
        own: QuerySet[Authenticator]
        own = Authenticator.objects.filter(user=self.person, type__in=FACTORS)
        return own

    def _factor(self) -> Authenticator:
        return get_object_or_404(self._own(), pk=self.kwargs["pk"])

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        factors.remove_own(self.person, self._factor(), present=session_key(request))
        messages.success(request, _("The second factor is removed."))
        return redirect("admin:account")
