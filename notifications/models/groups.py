"""Chat groups: the Tencent IM groups that we may push to."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from notifications.im.rules import ALL_MEMBERS_ONLY_TYPES, is_group_id


class GroupType(models.TextChoices):
    """The value is Tencent's word, the label is what people read."""

    PRIVATE = "Private", _("Private")
    PUBLIC = "Public", _("Public")
    CHAT_ROOM = "ChatRoom", _("Chat room")
    AV_CHAT_ROOM = "AVChatRoom", _("Live room")
    B_CHAT_ROOM = "BChatRoom", _("Broadcast")


def validate_group_id(value: str) -> None:
    if not is_group_id(value):
        raise ValidationError(
            _(
                "“%(value)s” is not a group ID. A group ID has 1 to 48 letters, digits "
                "or signs, without spaces."
            ),
            params={"value": value},
        )


class ChatGroupQuerySet(models.QuerySet["ChatGroup"]):
    def in_use(self) -> "ChatGroupQuerySet":
        """Groups that may be sent to."""
        return self.filter(state=ChatGroup.State.IN_USE)

    def matching(self, term: str) -> "ChatGroupQuerySet":
        """Groups whose name, former name or ID holds ``term``."""
        return self.filter(
            models.Q(name__icontains=term)
            | models.Q(group_id__icontains=term)
            | models.Q(former_names__icontains=term)
        )


class ChatGroup(models.Model):
    """One group. Groups with a history are switched off, never deleted."""

    ALL_MEMBERS_ONLY = ALL_MEMBERS_ONLY_TYPES

    class State(models.TextChoices):
        IN_USE = "in_use", _("In use")
        SWITCHED_OFF = "switched_off", _("Switched off")
        CLOSED = "closed", _("Closed")

    group_id = models.CharField(
        _("group ID"), max_length=48, unique=True, validators=[validate_group_id]
    )
    name = models.CharField(_("name"), max_length=100)
    # One per line: the history shows the names of that time, and is searched by them.
    former_names = models.TextField(blank=True, editable=False)
    type = models.CharField(_("type"), max_length=32, choices=GroupType)
    member_count = models.PositiveIntegerField(_("members"), default=0)
    state = models.CharField(
        _("state"), max_length=16, choices=State, default=State.IN_USE
    )
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    # The last time that somebody or something vouched for name, type and existence.
    checked_at = models.DateTimeField(_("last checked"), null=True, editable=False)

    objects: ClassVar = ChatGroupQuerySet.as_manager()

    class Meta:
        verbose_name = _("chat group")
        verbose_name_plural = _("chat groups")
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(group_id=""), name="chat_group_has_id"
            ),
            models.CheckConstraint(
                condition=~models.Q(name=""), name="chat_group_has_name"
            ),
            # Any word of Tencent's, but one: the rule of the type stands on Delivery.
            models.CheckConstraint(
                condition=~models.Q(type=""), name="chat_group_has_type"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["in_use", "switched_off", "closed"]),
                name="chat_group_state_known",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "type"])]

    def __str__(self) -> str:
        return f"{self.name} · {self.get_type_display()}"

    def rename(self, name: str) -> None:
        """Take another name and remember the one before; does not save."""
        names = [line for line in self.former_names.split("\n") if line]
        if name != self.name and self.name not in names:
            self.former_names = "\n".join([*names, self.name])
        self.name = name

    @property
    def all_members_only(self) -> bool:
        """Whether Tencent refuses named recipients for this type."""
        return self.type in ALL_MEMBERS_ONLY_TYPES
