"""Saving the form of an existing row, as a browser does: read the page, then post."""

from typing import Any

from django.http import HttpResponse
from django.test import Client


def form_of(response: Any) -> Any:
    context = response.context
    return context["adminform"].form if "adminform" in context else context["form"]


def save_form(
    client: Client, url: str, values: dict[str, Any], **kwargs: Any
) -> HttpResponse:
    """Post ``values`` with the values of the row that the page was made from."""
    made_from = form_of(client.get(url))["made_from"].value()
    response: HttpResponse = client.post(
        url, {**values, "made_from": made_from}, **kwargs
    )
    return response
