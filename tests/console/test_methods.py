"""Responses to HEAD: the headers of GET without a body."""

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from notifications.console.middleware import AllowedMethodsMiddleware

pytestmark = pytest.mark.one_database


def answer(method: str, response: HttpResponse) -> HttpResponse:
    request = RequestFactory().generic(method, "/")
    return AllowedMethodsMiddleware(lambda _request: response)(request)


def test_head_is_answered_without_a_body_and_with_its_length():
    page = HttpResponse("page", headers={"Content-Length": "4"})

    response = answer("HEAD", page)

    assert (response.content, response["Content-Length"]) == (b"", "4")
    assert answer("GET", HttpResponse("page")).content == b"page"


def test_what_is_streamed_is_left_to_the_server():
    streamed = StreamingHttpResponse([b"page"])

    assert answer("HEAD", streamed) is streamed
