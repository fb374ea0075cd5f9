"""Why a login by single sign-on is refused."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class SsoRefusalReason(TextChoices):
    LOST = (
        "lost",
        _("This login was not begun in this browser, or it was used up already."),
    )
    PROVIDER = (
        "provider",
        _("The provider of single sign-on did not confirm who it is."),
    )
    UNREACHABLE = (
        "unreachable",
        _("The provider of single sign-on could not be reached, or it failed."),
    )
    UNTRUSTED = (
        "untrusted",
        _(
            "What the provider of single sign-on answered proves nothing. Whoever runs "
            "this console finds the reason in its log."
        ),
    )
    SWITCHED_OFF = "switched_off", _("This login is switched off here.")
    NAME_TAKEN = (
        "name_taken",
        _(
            "Another login here has the same username. Whoever runs this console can "
            "make the two one."
        ),
    )


class SsoRefused(Exception):
    """A login by single sign-on was refused. ``username`` is empty when it is unknown."""

    def __init__(self, why: SsoRefusalReason, username: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.username = username
