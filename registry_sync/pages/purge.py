"""Deleting an image, or a namespace, with all in it: said beforehand, asked for, followed, and put back."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.errors import Invalid
from accounts.pages import rights
from accounts.pages.http import PersonRequest, principal, tab
from accounts.roles import Act
from namespaces import gate
from namespaces.models import Image, Namespace
from namespaces.pages.frame import image_context, namespace_context
from registry_sync import live
from registry_sync.models import Purge, Removal, RemovalItem
from registry_sync.removal import purges, whole

REMOVALS_SHOWN = 50
METHODS = ["GET", "HEAD", "POST"]


@tab("images")
@login_required
@require_http_methods(METHODS)
def image(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    found = gate.image(principal(request), handle, name, image_name, Act.IMAGES_REMOVE)
    return _ask(request, found.namespace, found)


@tab("images")
@login_required
@require_http_methods(METHODS)
def namespace(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    return _ask(request, purges.may_ask(principal(request), handle, name), None)


@tab("images")
@login_required
@require_safe
@vary_on_headers("HX-Request")
def purge(request: PersonRequest, handle: str, name: str, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    found = purges.load(by, handle, name, id)
    note = live.note_of_purge(request, found) if found.state in Purge.OPEN else ""
    found.refresh_from_db()
    context = _around(found.namespace, found.image, "history") | {
        "purge": found,
        "live": note,
        "progress": _progress(found),
        "removals": _removals(found),
        "may_return": found.state not in (*Purge.OPEN, Purge.State.BACK) and purges.went(found).exists(),
        "why_not": rights.why_not(by, found.namespace.account, Act.IMAGES_REMOVE),
    }
    fragment = request.htmx and request.htmx.target == "purge"
    return render(request, f"registry_sync/{'_purge' if fragment else 'purge'}.html", context)


@login_required
@require_POST
def stop(request: PersonRequest, handle: str, name: str, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    found = purges.load(by, handle, name, id, Act.IMAGES_REMOVE)
    purges.stop(by=by, purge=found)
    return redirect("purge", handle, name, id)


@login_required
@require_POST
def put_back(request: PersonRequest, handle: str, name: str, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    found = purges.load(by, handle, name, id, Act.IMAGES_REMOVE)
    try:
        purges.put_back(by=by, purge=found)
    except Invalid as error:
        messages.error(request, error.message)
    return redirect("purge", handle, name, id)


def _ask(request: PersonRequest, owner: Namespace, image: Image | None) -> HttpResponse:
    problem = ""
    if request.method == "POST":
        told, typed = request.POST.get("told", ""), request.POST.get("confirm", "").strip()
        try:
            asked = purges.ask(
                by=principal(request), namespace=owner, image=image, told=told, typed_name=typed
            )
        except Invalid as error:
            problem = error.message
        else:
            return redirect(reverse("purge", args=[owner.account.handle, owner.name, asked.pk]))
    context = _around(owner, image, "tags" if image else "settings") | {
        "outlook": whole.outlook(owner, image, timezone.now()),
        "purge_image": image,
        "what": image.name if image else owner.name,
        "problem": problem,
    }
    return render(request, "registry_sync/purge_confirm.html", context, status=400 if problem else 200)


def _around(owner: Namespace, image: Image | None, current: str) -> dict[str, object]:
    return image_context(image, current) if image else namespace_context(owner, "settings")


def _progress(found: Purge) -> dict[str, int]:
    """Of the round that is under way, or was the last."""
    items = RemovalItem.objects.filter(removal__purge=found, removal__kind=Removal.Kind.DELETE)
    if found.returning_since:
        since = found.returning_since
        items = RemovalItem.objects.filter(removal__purge=found, removal__asked_at__gte=since)
    waiting, done = Q(state=RemovalItem.State.WAITING), Q(state=RemovalItem.State.DONE)
    counted = items.aggregate(
        all=Count("pk"), waiting=Count("pk", filter=waiting), done=Count("pk", filter=done)
    )
    ended = counted["all"] - counted["waiting"]
    return counted | {"ended": ended, "left": ended - counted["done"]}


def _removals(found: Purge) -> list[Removal]:
    """Those that are not simply done first."""
    rows = found.removals.select_related("image__namespace__account").exclude(items=None).distinct()
    if found.returning_since:
        rows = rows.filter(asked_at__gte=found.returning_since)
    order = {Removal.State.FAILED: 0, Removal.State.PARTLY: 0, Removal.State.WAITING: 1}
    first = rows.exclude(state=Removal.State.DONE).order_by("id")[:REMOVALS_SHOWN]
    done = rows.filter(state=Removal.State.DONE).order_by("-id")[: REMOVALS_SHOWN - len(first)]
    return sorted([*first, *done], key=lambda each: order.get(Removal.State(each.state), 2))
