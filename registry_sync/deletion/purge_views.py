"""Deleting images, or a namespace, with all in them: previewed, requested, followed and restored."""

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
from namespaces.ledger import breakage
from namespaces.models import Image, Namespace
from namespaces.views.breakage import as_html
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
    return _confirm_one(request, found.namespace, found)


@tab("images")
@login_required
@require_http_methods(METHODS)
def namespace(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    return _confirm_one(
        request, purge_service.load_deletable_namespace(principal(request), handle, name), None
    )


@tab("images")
@login_required
@require_http_methods(METHODS)
def images(request: PersonRequest, handle: str) -> HttpResponse:
    """Take `image=` (repeatable), `all=` of a page, or `matching=` with `q=`; `namespace=`: in whose list."""
    by = principal(request)
    account = account_permissions.account(by, handle, Permission.IMAGES_REMOVE)
    params = request.POST if request.method == "POST" else request.GET
    name = params.get("namespace", "")
    namespace = permissions.namespace(by, handle, name) if name else None
    return _confirm_selection(request, _selection(account, params, namespace))


@tab("images")
@login_required
@require_safe
@vary_on_headers("HX-Request")
def purge(request: PersonRequest, handle: str, name: str, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    found = purge_service.load(by, handle, name, id)
    live_note = live_updates.note_of_purge(request, found) if found.state in Purge.OPEN else ""
    why_not = button_permissions.denial_reason(found.namespace.account, Permission.IMAGES_REMOVE)
    image, namespace = found.image, found.namespace  # with the person's role
    found.refresh_from_db()
    can_restore = purge_service.can_restore(found)
    may_act = can_restore or found.state in (Purge.State.WAITING, Purge.State.EMPTIED)
    subtab = "settings" if found.of_namespace else "images"
    navigation = image_context(image, "history") if image else namespace_context(namespace, subtab)
    context = navigation | {
        "purge": found,
        "live": live_note,
        "progress": _progress(found),
        "removals": _removals(found),
        "can_restore": can_restore,
        "shows_actions": may_act and not why_not,
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


def _confirm_one(request: PersonRequest, namespace: Namespace, image: Image | None) -> HttpResponse:
    problem = ""
    if request.method == "POST":
        preview_digest, typed = _confirmation(request)
        try:
            purge = purge_service.request_purge(
                by=principal(request),
                namespace=namespace,
                image=image,
                preview_digest=preview_digest,
                confirmation=typed,
            )
        except Invalid as error:
            problem = error.message
        else:
            return redirect(_address(purge))
    navigation = image_context(image, "tags") if image else namespace_context(namespace, "settings")
    preview = purge_scope.preview(namespace.account, purge_scope.images_of(namespace, image), timezone.now())
    if not image:
        navigation["what_would_break"] = as_html(breakage.of_deleted(namespace))
    return _page(request, image or namespace, preview, navigation, problem=problem)


def _page(
    request: PersonRequest,
    target: Image | Namespace | None,
    preview: purge_scope.PurgePreview,
    navigation: dict[str, Any],
    *,
    problem: str = "",
) -> HttpResponse:
    """Render the page that asks for confirmation. `target`: None for several images."""
    phrase = ""
    if target or preview.images:
        phrase = target.name if target else purge_selection.confirmation_phrase(preview)
    context = navigation | {
        "preview": preview,
        "shown_images": preview.shown if target else preview.images,
        "is_image": isinstance(target, Image),
        "is_selection": target is None,
        "confirmation_phrase": phrase,
        "problem": problem,
    }
    return render(request, "registry_sync/purge_confirm.html", context, status=400 if problem else 200)


def _confirm_selection(request: PersonRequest, selection: ImageSelection) -> HttpResponse:
    problem = ""
    if request.method == "POST":
        preview_digest, typed = _confirmation(request)
        try:
            purges = purge_service.request_purges(
                by=principal(request), selection=selection, preview_digest=preview_digest, confirmation=typed
            )
        except Invalid as error:
            problem = error.message
        else:
            return redirect(_address(purges[0]) if len(purges) == 1 else _list_url(selection))
    missing: list[str] = []
    try:
        preview, missing = (
            purge_scope.preview(selection.account, selection.images(), timezone.now()),
            selection.missing(),
        )
    except Invalid as error:
        problem, preview = error.message, purge_scope.PurgePreview([])
    parent = purge_selection.common_parent(preview) if preview.images else selection.namespace
    navigation = _navigation(parent, selection.account) | {
        "account": selection.account,
        "selection": selection,
        "missing": missing,
        "back": _list_url(selection),
    }
    return _page(request, parent if isinstance(parent, Image) else None, preview, navigation, problem=problem)


def _confirmation(request: PersonRequest) -> tuple[str, str]:
    return request.POST.get("preview_digest", ""), request.POST.get("confirm", "").strip()


def _selection(account: Account, params: QueryDict, namespace: Namespace | None) -> ImageSelection:
    search = params.get("q", "").strip()[:200]
    if params.get("matching"):
        return ImageSelection(account, namespace=namespace, search=search)
    repositories = params.getlist("image")
    if params.get("all"):
        found = selectors.images_of(account, namespace=namespace, search=search)
        repositories = [each.repository for each in paginate(found, cursor=params.get("page", "")).rows]
    return ImageSelection(account, repositories, namespace)


def _list_url(selection: ImageSelection) -> str:
    return (selection.namespace or selection.account).get_absolute_url()


def _address(purge: Purge) -> str:
    return reverse("purge", args=[purge.namespace.account.handle, purge.namespace.name, purge.pk])


def _navigation(parent: Image | Namespace | Account | None, account: Account) -> dict[str, Any]:
    """`account`: of the parent, with the person's role."""
    if isinstance(parent, Image):
        parent.namespace.account = account
        return image_context(parent, "tags")
    if isinstance(parent, Namespace):
        parent.account = account
        return namespace_context(parent, "images")
    return {}


def _progress(found: Purge) -> dict[str, int]:
    """Return how many items of the deletion, or of the latest restore, there are, wait, are done, and were left."""
    items = RemovalItem.objects.filter(removal__purge=found, removal__kind=Removal.Kind.DELETE)
    if found.restoring_since:
        since = found.restoring_since
        items = RemovalItem.objects.filter(removal__purge=found, removal__requested_at__gte=since)
    waiting, done = Q(state=RemovalItem.State.WAITING), Q(state=RemovalItem.State.DONE)
    counts = items.aggregate(
        all=Count("pk"), waiting=Count("pk", filter=waiting), done=Count("pk", filter=done)
    )
    ended = counts["all"] - counts["waiting"]
    return counts | {"ended": ended, "left": ended - counts["done"]}


def _removals(found: Purge) -> list[Removal]:
    """Return the newest removals, those that are not simply done first."""
    rows = found.removals.select_related("image__namespace__account").exclude(items=None).distinct()
    if found.restoring_since:
        rows = rows.filter(requested_at__gte=found.restoring_since)
    order = {Removal.State.FAILED: 0, Removal.State.PARTIAL: 0, Removal.State.WAITING: 1}
    not_done = rows.exclude(state=Removal.State.DONE).order_by("id")[:REMOVALS_SHOWN]
    done = rows.filter(state=Removal.State.DONE).order_by("-id")[: REMOVALS_SHOWN - len(not_done)]
    return sorted([*not_done, *done], key=lambda each: order.get(Removal.State(each.state), 2))
