"""Between the password and the second factor a person is nobody yet."""

from collections.abc import Callable

from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from notifications.services import second_step


class SecondFactorMiddleware:
    """Whatever asks for a person gets none, so no page opens that anybody forgot.

    The login page leads whoever stands there to the second step.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Late, as Django does it: pages that ask for nobody read no session.
        request.user = SimpleLazyObject(lambda: person_inside(request))  # type: ignore[assignment]  # stands for one
        return self.get_response(request)


def person_inside(request: HttpRequest) -> User | AnonymousUser:
    person = get_user(request)
    if not isinstance(person, User):
        return AnonymousUser()
    step = second_step.present(request.session, person)
    return person if step in second_step.INSIDE else AnonymousUser()
