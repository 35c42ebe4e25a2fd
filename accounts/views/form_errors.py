"""Joins forms, which parse, to services, which decide: what a service refuses stands beside its field."""

from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.common.errors import Invalid


def put_errors(form: forms.Form, error: Invalid, **names: str) -> None:
    """Each sentence goes to its field; what names no field of the form goes on top.

    `names` maps a word of the service to the form's own: expires_at="expires_on".
    """
    for field, sentences in error.errors.items():
        name = names.get(field, field)
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, sentence)


def status_of(form: forms.Form) -> int:
    """400 for a form with errors, so that no client takes the page for a success."""
    return 400 if form.errors else 200


def is_ours(url: str) -> bool:
    """Whether a redirect may lead there: to a path of ours, or to PUBLIC_URL, never without its https."""
    public = urlsplit(settings.PUBLIC_URL)
    return url_has_allowed_host_and_scheme(url, {public.netloc}, require_https=public.scheme == "https")


def next_url(request: HttpRequest, otherwise: str) -> str:
    """Where the form, or the question before it, asks to return to, if that is a path of ours; else `otherwise`."""
    asked = request.POST.get("next") or request.GET.get("next", "")
    return asked if asked.startswith("/") and is_ours(asked) else otherwise
