"""The details of an entry of the audit trail, as lines: ``Note: the date is wrong``.

A line is left out where the entry has no value for it: older versions wrote less.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import permissions
from notifications.access.services.sso_refusal import Refusal
from notifications.delivery.explanations import explain_code
from notifications.models import ChatGroup, GroupSync, GroupType, Notification, Rule
from notifications.system.connection import State, Step
from notifications.ui import dates

Detail = Mapping[str, Any]

Line = Callable[[Detail], Iterator[str]]

SHOWN = 20  # of a list; the export has all of it


def named(key: str, label: Promise) -> Line:
    """``label: value``, where there is one."""
    return shown(key, label, _text)


def shown(key: str, label: Promise, words: Callable[[Any], str]) -> Line:
    def line(detail: Detail) -> Iterator[str]:
        value = detail.get(key)
        if value not in (None, "", [], {}, 0):
            yield _("%(label)s: %(value)s") % {"label": label, "value": words(value)}

    return line


def changes(detail: Detail) -> Iterator[str]:
    """What was changed, with its value before and after."""
    before, after = detail.get("before"), detail.get("after")
    if not isinstance(before, dict) or not isinstance(after, dict):
        return
    # Of what was added or deleted, there is one side only.
    for key, value in (after or before).items():
        label, words = FIELDS.get(key, key), _field(key, value)
        if before and after:
            was = _field(key, before.get(key))
            words = _("%(before)s → %(after)s") % {"before": was, "after": words}
        yield _("%(label)s: %(value)s") % {"label": label, "value": words}


def number(value: Any) -> int:
    """What is to be counted: a number, or how many there are in a list."""
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, int) else 0


def values(detail: Detail) -> Iterator[str]:
    """What a new group has."""
    for key, value in detail.items():
        if key in FIELDS:
            yield _("%(label)s: %(value)s") % {
                "label": FIELDS[key],
                "value": _field(key, value),
            }


def filters(detail: Detail) -> Iterator[str]:
    found = detail.get("filters") or {}
    words = ", ".join(f"{name}={value}" for name, value in found.items())
    yield _("Filters: %(value)s") % {"value": words or _("none, so all of it")}


def unfinished(detail: Detail) -> Iterator[str]:
    if detail.get("completed") is False:
        yield _("It was broken off before the end.")


def refused(detail: Detail) -> Iterator[str]:
    """Why a login was refused; with a password, there is one reason only."""
    if "why" in detail:
        yield str(dict(Refusal.choices).get(detail["why"], detail["why"]))
    else:
        yield _("Name and password did not match.")


def verified(detail: Detail) -> Iterator[str]:
    """What the verification found; of several differences, the first."""
    if "unchanged" not in detail:
        return
    words = _("unchanged") if detail["unchanged"] else _("CHANGED")
    yield _("%(label)s: %(value)s") % {"label": _("Result"), "value": words}
    yield from (detail.get("differences") or [])[:1]


def connection(detail: Detail) -> Iterator[str]:
    """Whether a check of the connection passed, and which step did not."""
    if "result" not in detail:
        return
    words = str(dict(State.choices).get(detail["result"], detail["result"]))
    if step := detail.get("step"):
        words = _("%(result)s: %(step)s") % {
            "result": words,
            "step": dict(Step.choices).get(step, step),
        }
    yield _("%(label)s: %(value)s") % {"label": _("Result"), "value": words}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value in (None, "", []):
        return "–"
    if isinstance(value, list):
        words = [_text(part) for part in value[:SHOWN]]
        more = len(value) - len(words)
        return ", ".join(words) + (f" … (+{more})" if more > 0 else "")
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(part)}" for key, part in value.items())
    return str(value)


def _field(key: str, value: Any) -> str:
    """A value of a chat group, an audience, a person, a role or a setting."""
    if key in VALUES and isinstance(value, str):
        return str(VALUES[key].get(value, value))
    if key == "roles" and value:
        return ", ".join(permissions.label(name) for name in value)
    if key == "permissions" and value:
        return "; ".join(str(permissions.SENTENCES.get(name, name)) for name in value)
    if key == "types" and value:
        return ", ".join(str(VALUES["type"].get(word, word)) for word in value)
    return _text(value)


def moment(value: Any) -> str:
    """A time of an entry, stored in ISO 8601, as pages show it."""
    try:
        return dates.moment(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return str(value)


def audience(value: Any) -> str:
    return str(dict(Notification.Audience.choices).get(value, value))


def rule(value: Any) -> str:
    return str(Rule.from_json(value))


def sync_status(value: Any) -> str:
    return str(dict(GroupSync.Status.choices).get(value, value))


def reason(value: Any) -> str:
    return str(dict(Notification.PauseReason.choices).get(value, value))


def code(value: Any) -> str:
    return f"{value} · {explain_code(value).meaning}" if value else str(value)


def kind(value: Any) -> str:
    return str(KINDS.get(value, value))


def way(value: Any) -> str:
    return str(WAYS.get(value, value))


def late(value: Any) -> str:
    return str(LATE.get(value, value))


def second_factor(value: Any) -> str:
    return str(SECOND_FACTORS.get(value, value))


KINDS: dict[str, Promise] = {
    "failed": gettext_lazy("those that failed"),
    "unconfirmed": gettext_lazy("those that were not confirmed"),
}

WAYS: dict[str, Promise] = {"sso": gettext_lazy("single sign-on")}

LATE: dict[str, Promise] = {
    "accepted": gettext_lazy("Tencent accepted it"),
    "rejected": gettext_lazy("Tencent refused it"),
    "not_sent": gettext_lazy("nothing was sent"),
    "unconfirmed": gettext_lazy("still not confirmed"),
}

SECOND_FACTORS: dict[str, Promise] = {
    "awaited": gettext_lazy("not given yet"),
    "app": gettext_lazy("code of the app"),
    "recovery": gettext_lazy("recovery code"),
}

FIELDS: dict[str, Promise] = {
    "group_id": gettext_lazy("Group ID"),
    "name": gettext_lazy("Name"),
    "type": gettext_lazy("Type"),
    "member_count": gettext_lazy("Members"),
    "state": gettext_lazy("State"),
    "username": gettext_lazy("Username"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "email": gettext_lazy("Email"),
    "is_active": gettext_lazy("May log in"),
    "is_superuser": gettext_lazy("May do everything"),
    "roles": gettext_lazy("Roles"),
    "subject": gettext_lazy("Subject at single sign-on"),
    "permissions": gettext_lazy("What it allows"),
    "types": gettext_lazy("Types"),
    "labels": gettext_lazy("Labels"),
    "name_contains": gettext_lazy("Name contains"),
    "min_members": gettext_lazy("Members, at least"),
    "max_members": gettext_lazy("Members, at most"),
    "exceptions": gettext_lazy("Except these groups"),
}

VALUES: dict[str, dict[str, Any]] = {
    "type": dict(GroupType.choices),
    "state": dict(ChatGroup.State.choices),
}
