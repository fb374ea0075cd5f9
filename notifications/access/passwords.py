"""Passwords that anybody who knows this console would try first."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# OWASP ASVS 5.0, 6.2.11: the words of the product and of what it is for.
WORDS = (
    "notifier",
    "notification",
    "notify",
    "notice",
    "message",
    "system",
    "group",
    "chat",
    "send",
    "console",
    "admin",
    "administrator",
    "manager",
    "auditor",
    "tencent",
    "tengxun",
    "wechat",
    "weixin",
    "cloud",
    "sandbox",
    "tongzhi",
    "xiaoxi",
    "qunzhu",
    "password",
    "passwort",
    "mima",
    "login",
    "welcome",
    "change",
    "secret",
)

# Letters and digits that must be left without them.
AT_LEAST = 8


# The longest first: "notification" is no "notify" with something behind it.
_words = re.compile("|".join(sorted(WORDS, key=len, reverse=True)), re.IGNORECASE)


class ContextWordsValidator:
    """Refuses what consists of such words, with little beside them."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ``ValidationError`` for such a password."""
        rest = _words.sub("", password)
        if len(rest) == len(password):
            return
        if sum(sign.isalnum() for sign in rest) < AT_LEAST:
            raise ValidationError(
                _(
                    "This password is made of words that anybody would try here first. "
                    "Use words that have nothing to do with this console."
                ),
                code="password_of_context_words",
            )

    def get_help_text(self) -> str:
        return _("Use words that have nothing to do with this console.")
