"""The last stage of a login: people who need a second factor and have none set one up.

Until all stages are passed, django-allauth keeps the login in the session, and the
request is anonymous on every page.
"""

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.stages import LoginStage
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import redirect

from notifications.access.queries import must_set_up


class SetUpStage(LoginStage):  # type: ignore[misc]  # untyped
    key = "notifications_set_up"
    urlname = "mfa_set_up"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        person = self.login.user
        if not isinstance(person, User) or not (person.is_active and person.is_staff):
            return None, False  # ends the login
        records = get_authentication_records(self.request, person)
        by_provider = any(record["method"] == "socialaccount" for record in records)
        if by_provider or not must_set_up(person):
            return None, True
        return redirect(self.urlname), True
