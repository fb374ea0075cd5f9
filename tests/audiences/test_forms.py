"""The fields of a rule for chat groups."""

import pytest
from django.core.exceptions import ValidationError

from notifications.audiences.forms import RULE_FIELDS, RuleFields, initial_of_rule
from notifications.models import Label, Rule
from tests.factories import make_group

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def posted(rule: Rule) -> dict[str, object]:
    return {name: value for name, value in initial_of_rule(rule).items() if value != ""}


def test_a_rule_is_the_same_after_it_was_shown_and_posted():
    Label.objects.create(name="North")
    make_group(group_id="a,b")
    make_group(group_id="c")
    rule = Rule(
        types=("AVChatRoom",),
        labels=("North",),
        name_contains="直播",
        min_members=0,
        max_members=5000,
        exceptions=("a,b", "c"),
    )

    form = RuleFields(posted(rule))

    assert form.is_valid()
    assert form.rule() == rule
    assert tuple(form.fields) == RULE_FIELDS


def test_numbers_are_digits():
    form = RuleFields({"min_members": "many", "max_members": "9" * 5000})

    sentence = ["Write a number with digits only, such as 5000."]
    assert form.errors == {"min_members": sentence, "max_members": sentence}


def test_a_label_that_is_gone_never_widens_a_rule():
    rule = Rule(types=("Public",), labels=("Gone",))
    shown = RuleFields(initial=initial_of_rule(rule))
    form = RuleFields(posted(rule))

    assert shown.fields["labels"].choices == [("Gone", "Gone")]
    assert form.is_valid()
    with pytest.raises(ValidationError, match="no label “Gone”"):
        form.rule()


def test_labels_to_choose_from():
    assert RuleFields()["labels"].help_text == "No group has a label yet."
    Label.objects.create(name="North")

    assert RuleFields().fields["labels"].choices == [("North", "North")]
