"""Chat groups, their labels, and uploads of group lists."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Concat, Lower, StrIndex
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)
from notifications.tencent.ids import is_group_id

if TYPE_CHECKING:  # audiences import GroupType
    from notifications.models.audiences import Rule

LABEL_MAX_LENGTH = 50


class Label(models.Model):
    """A label of groups, created with its first group and unique regardless of case."""

    name = models.CharField(_("label"), max_length=LABEL_MAX_LENGTH)

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(name=""), name="label_has_name"),
            models.UniqueConstraint(Lower("name"), name="label_once"),
        ]

    def __str__(self) -> str:
        return self.name


class GroupType(models.TextChoices):
    """The value is Tencent's word in its calls; the label is displayed.

    Newer documents of Tencent use Work for Private and Meeting for ChatRoom; its calls
    keep the old words (https://cloud.tencent.com/document/product/269/1614).
    """

    PRIVATE = "Private", _("Private (Work)")
    PUBLIC = "Public", _("Public")
    CHAT_ROOM = "ChatRoom", _("Chat room (Meeting)")
    AV_CHAT_ROOM = "AVChatRoom", _("Live room")
    B_CHAT_ROOM = "BChatRoom", _("Broadcast")
    COMMUNITY = "Community", _("Community")


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
    def usable(self) -> "ChatGroupQuerySet":
        """Groups that can receive notifications: in use, and of a known type."""
        return self.filter(state=ChatGroup.State.IN_USE, type__in=GroupType.values)

    def unusable(self) -> "ChatGroupQuerySet":
        """All other groups: switched off, closed, or of an unknown type."""
        return self.exclude(state=ChatGroup.State.IN_USE, type__in=GroupType.values)

    def matching(self, term: str) -> "ChatGroupQuerySet":
        """Groups whose name, former name or ID contains ``term``, regardless of case.

        Adds the alias ``place``, the position of the term; 1 is the start of the name.
        """
        # StrIndex takes a fifth of the time of LIKE on SQLite.
        place = StrIndex("search_text", Lower(models.Value(term)))
        return self.alias(place=place).filter(place__gt=0)

    def fitting(self, rule: "Rule") -> "ChatGroupQuerySet":
        """Groups that meet the conditions of a rule, usable or not."""
        return self.filter(matches_rule(rule))


def matches_rule(rule: "Rule") -> models.Q:
    """The condition of ``ChatGroupQuerySet.fitting``, to be combined with others."""
    condition = models.Q()
    if rule.types:
        condition &= models.Q(type__in=rule.types)
    if rule.labels:
        labelled = ChatGroup.labels.through.objects.filter(label__name__in=rule.labels)
        condition &= models.Q(pk__in=labelled.values("chatgroup_id"))
    if rule.name_contains:
        condition &= models.Q(name__icontains=rule.name_contains)
    if rule.min_members is not None:
        condition &= models.Q(member_count__gte=rule.min_members)
    if rule.max_members is not None:
        condition &= models.Q(member_count__lte=rule.max_members)
    if rule.exceptions:
        condition &= ~models.Q(group_id__in=rule.exceptions)
    return condition


def with_former_name(former_names: str, before: str, name: str) -> str:
    """The new value of ``former_names`` after a change from ``before`` to ``name``."""
    names = [line for line in former_names.split("\n") if line]
    if name == before or before in names:
        return former_names
    return "\n".join([*names, before])


class ChatGroup(models.Model):
    """A chat group. Groups with a history are switched off, never deleted."""

    class State(models.TextChoices):
        IN_USE = "in_use", _("In use")
        SWITCHED_OFF = "switched_off", _("Switched off")
        CLOSED = "closed", _("Closed")

    group_id = models.CharField(
        _("group ID"), max_length=48, unique=True, validators=[validate_group_id]
    )
    name = models.CharField(_("name"), max_length=100)
    # One per line: the history contains former names, and is searched by them.
    former_names = models.TextField(blank=True, editable=False)
    # Tencent's word. A group of a type unknown to this release is not usable.
    type = models.CharField(_("type"), max_length=32, choices=GroupType)
    labels = models.ManyToManyField(
        Label, verbose_name=_("labels"), related_name="groups", blank=True
    )
    member_count = models.PositiveIntegerField(_("members"), default=0)
    state = models.CharField(
        _("state"), max_length=16, choices=State, default=State.IN_USE
    )
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    # The last time that a person or a sync confirmed name, type and existence.
    checked_at = models.DateTimeField(_("last checked"), null=True, editable=False)

    # All searched text in one column: a search is one pass over 100,000 groups.
    search_text = models.GeneratedField(
        expression=Lower(
            Concat(
                "name",
                models.Value("\n"),
                "group_id",
                models.Value("\n"),
                "former_names",
                output_field=models.TextField(),
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

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
            # Any word: known types are required by a constraint of Delivery.
            models.CheckConstraint(
                condition=~models.Q(type=""), name="chat_group_has_type"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["in_use", "switched_off", "closed"]),
                name="chat_group_state_known",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "type"]),
            models.Index(fields=["name", "id"], name="chat_group_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} · {self.get_type_display()}"

    def rename(self, name: str) -> None:
        """Set another name and append the old one to the former names; does not save."""
        self.former_names = with_former_name(self.former_names, self.name, name)
        self.name = name

    @property
    def is_usable(self) -> bool:
        """Whether the group can receive notifications; for many, use ``usable()``."""
        return self.state == self.State.IN_USE and self.type in GroupType.values

    @property
    def all_members_only(self) -> bool:
        """Whether Tencent refuses named recipients for this type."""
        return self.type in SendGroupSystemNotification.ALL_MEMBERS_ONLY_TYPES


class GroupImport(models.Model):
    """An uploaded or pasted list; deleted after its import, or after a day."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    file_name = models.CharField(max_length=200, blank=True)  # empty: pasted
    content = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"#{self.pk} {self.file_name}"
