"""Password validator that rejects words related to this console."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# OWASP ASVS 5.0, 6.2.11: words of the product and its purpose.
CONTEXT_WORDS = (
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

# Letters and digits that a password must have besides these words.
MIN_OTHER_CHARACTERS = 8


# The longest first, so that the pattern removes longer words as a whole.
_words = re.compile(
    "|".join(sorted(CONTEXT_WORDS, key=len, reverse=True)), re.IGNORECASE
)


class ContextWordsValidator:
    """Reject passwords that consist mainly of context words."""

    def validate(self, password: str, user: Any = None) -> None:
        rest = _words.sub("", password)
        if len(rest) == len(password):
            return
        if sum(char.isalnum() for char in rest) < MIN_OTHER_CHARACTERS:
            raise ValidationError(
                _(
                    "This password is made of words that anybody would try here first. "
                    "Use words that have nothing to do with this console."
                ),
                code="password_of_context_words",
            )

    def get_help_text(self) -> str:
        return _("Use words that have nothing to do with this console.")
