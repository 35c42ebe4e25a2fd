"""Deleting images, or a namespace, with all in them: said beforehand, asked for, followed, and put back."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import permissions as account_permissions
from accounts.common.errors import Invalid
from accounts.common.pagination import paginate
from accounts.models import Account
from accounts.roles import Permission
from accounts.views import button_permissions
from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions, selectors
from namespaces.models import Image, Namespace
from namespaces.views.navigation import image_context, namespace_context
from registry_sync import live_updates
from registry_sync.deletion import purge_scope, purge_selection, purge_service
from registry_sync.deletion.purge_selection import ImageSelection
from registry_sync.models import Purge, Removal, RemovalItem

REMOVALS_SHOWN = 50
METHODS = ["GET", "HEAD", "POST"]


@tab("images")
@login_required
@require_http_methods(METHODS)
def image(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    found = permissions.image(principal(request), handle, name, image_name, Permission.IMAGES_REMOVE)
    return _ask(request, found.namespace, found)


@tab("images")
@login_required
@require_http_methods(METHODS)
def namespace(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    return _ask(request, purge_service.load_deletable_namespace(principal(request), handle, name), None)


@tab("images")
@login_required
@require_http_methods(METHODS)
def images(request: PersonRequest, handle: str) -> HttpResponse:
    """With `image=`, as often as wanted, `all=` of a page, or `matching=` a filter; `namespace=`: of which list."""
    by = principal(request)
    account = account_permissions.account(by, handle, Permission.IMAGES_REMOVE)
    asked = request.POST if request.method == "POST" else request.GET
    name = asked.get("namespace", "")
    namespace = permissions.namespace(by, handle, name) if name else None
    return _some(request, _choice(account, asked, namespace))


@tab("images")
@login_required
@require_safe
@vary_on_headers("HX-Request")
def purge(request: PersonRequest, handle: str, name: str, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    found = purge_service.load(by, handle, name, id)
    note = live_updates.note_of_purge(request, found) if found.state in Purge.OPEN else ""
    why_not = button_permissions.denial_reason(found.namespace.account, Permission.IMAGES_REMOVE)
    found.refresh_from_db()
    may_return = purge_service.can_restore(found)
    may_act = may_return or found.state in (Purge.State.WAITING, Purge.State.EMPTIED)
    where = "settings" if found.of_namespace else "images"
    around = (
        image_context(found.image, "history") if found.image else namespace_context(found.namespace, where)
    )
    context = around | {
        "purge": found,
        "live": note,
        "progress": _progress(found),
        "removals": _removals(found),
        "may_return": may_return,
        "offers": may_act and not why_not,
    }
    fragment = request.htmx and request.htmx.target == "purge"
    return render(request, f"registry_sync/{'_purge' if fragment else 'purge'}.html", context)


@login_required
@require_POST
def stop(request: PersonRequest, handle: str, name: str, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    found = purge_service.load(by, handle, name, id, Permission.IMAGES_REMOVE)
    purge_service.stop(by=by, purge=found)
    return redirect("purge", handle, name, id)


@login_required
@require_POST
def restore(request: PersonRequest, handle: str, name: str, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    found = purge_service.load(by, handle, name, id, Permission.IMAGES_REMOVE)
    try:
        purge_service.restore(by=by, purge=found)
    except Invalid as error:
        messages.error(request, error.message)
    return redirect("purge", handle, name, id)


def _ask(request: PersonRequest, owner: Namespace, image: Image | None) -> HttpResponse:
    problem = ""
    if request.method == "POST":
        preview_digest, typed = _agreed(request)
        try:
            asked = purge_service.request_purge(
                by=principal(request),
                namespace=owner,
                image=image,
                preview_digest=preview_digest,
                confirmation=typed,
            )
        except Invalid as error:
            problem = error.message
        else:
            return redirect(_address(asked))
    around = image_context(image, "tags") if image else namespace_context(owner, "settings")
    outlook = purge_scope.preview(owner.account, purge_scope.images(owner, image), timezone.now())
    return _confirm(request, image or owner, outlook, around, problem=problem)


def _confirm(
    request: PersonRequest, goes: Image | Namespace | None, outlook: purge_scope.PurgePreview,
    around: dict[str, Any], *, problem: str = "",
) -> HttpResponse:  # fmt: skip
    """`goes`: None where it is several images."""
    context = around | {
        "outlook": outlook,
        "lines": outlook.shown if goes else outlook.lines,
        "one": isinstance(goes, Image),
        "some": goes is None,
        "what": goes.name if goes else purge_selection.name_of(outlook) if outlook.lines else "",
        "problem": problem,
    }
    return render(request, "registry_sync/purge_confirm.html", context, status=400 if problem else 200)


def _some(request: PersonRequest, choice: ImageSelection) -> HttpResponse:
    problem = ""
    if request.method == "POST":
        preview_digest, typed = _agreed(request)
        try:
            asked = purge_service.request_purges(
                by=principal(request), choice=choice, preview_digest=preview_digest, confirmation=typed
            )
        except Invalid as error:
            problem = error.message
        else:
            return redirect(_address(asked[0]) if len(asked) == 1 else _list_of(choice))
    gone: list[str] = []
    try:
        outlook, gone = purge_scope.preview(choice.account, choice.images(), timezone.now()), choice.gone()
    except Invalid as error:
        problem, outlook = error.message, purge_scope.PurgePreview([])
    held = purge_selection.holder(outlook) if outlook.lines else choice.namespace
    around = _around(held) | {
        "account": choice.account, "choice": choice, "gone": gone, "back": _list_of(choice),
    }  # fmt: skip
    return _confirm(request, held if isinstance(held, Image) else None, outlook, around, problem=problem)


def _agreed(request: PersonRequest) -> tuple[str, str]:
    return request.POST.get("preview_digest", ""), request.POST.get("confirm", "").strip()


def _choice(account: Account, asked: QueryDict, namespace: Namespace | None) -> ImageSelection:
    search = asked.get("q", "").strip()[:200]
    if asked.get("matching"):
        return ImageSelection(account, namespace=namespace, search=search)
    repositories = asked.getlist("image")
    if asked.get("all"):
        found = selectors.images_of(account, namespace=namespace, search=search)
        repositories = [each.repository for each in paginate(found, cursor=asked.get("page", "")).rows]
    return ImageSelection(account, repositories, namespace)


def _list_of(choice: ImageSelection) -> str:
    return (choice.namespace or choice.account).get_absolute_url()


def _address(asked: Purge) -> str:
    return reverse("purge", args=[asked.namespace.account.handle, asked.namespace.name, asked.pk])


def _around(held: Image | Namespace | Account | None) -> dict[str, Any]:
    if isinstance(held, Image):
        return image_context(held, "tags")
    return namespace_context(held, "images") if isinstance(held, Namespace) else {}


def _progress(found: Purge) -> dict[str, int]:
    """Of the round that is under way, or was the last."""
    items = RemovalItem.objects.filter(removal__purge=found, removal__kind=Removal.Kind.DELETE)
    if found.restoring_since:
        since = found.restoring_since
        items = RemovalItem.objects.filter(removal__purge=found, removal__requested_at__gte=since)
    waiting, done = Q(state=RemovalItem.State.WAITING), Q(state=RemovalItem.State.DONE)
    counted = items.aggregate(
        all=Count("pk"), waiting=Count("pk", filter=waiting), done=Count("pk", filter=done)
    )
    ended = counted["all"] - counted["waiting"]
    return counted | {"ended": ended, "left": ended - counted["done"]}


def _removals(found: Purge) -> list[Removal]:
    """Those that are not simply done first."""
    rows = found.removals.select_related("image__namespace__account").exclude(items=None).distinct()
    if found.restoring_since:
        rows = rows.filter(requested_at__gte=found.restoring_since)
    order = {Removal.State.FAILED: 0, Removal.State.PARTIAL: 0, Removal.State.WAITING: 1}
    first = rows.exclude(state=Removal.State.DONE).order_by("id")[:REMOVALS_SHOWN]
    done = rows.filter(state=Removal.State.DONE).order_by("-id")[: REMOVALS_SHOWN - len(first)]
    return sorted([*first, *done], key=lambda each: order.get(Removal.State(each.state), 2))
