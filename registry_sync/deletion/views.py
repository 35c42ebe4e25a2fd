"""Removing tags and images, and restoring them: previewed, requested, and followed until it is done."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.common.errors import Invalid, NotFound
from accounts.common.pagination import Page, paginate
from accounts.common.prepared_queries import prepared
from accounts.roles import Permission
from accounts.views import button_permissions
from accounts.views.form_errors import next_url
from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions
from namespaces.listing import pg_plans, tag_list
from namespaces.models import Image, Tag
from namespaces.views.navigation import image_context
from registry_sync import live_updates
from registry_sync.client.responses import SIGNED_SCHEMA_1
from registry_sync.deletion import matching_tags, pull_through_cache, service
from registry_sync.deletion import restore as deletion_restore
from registry_sync.deletion.history import present_digests
from registry_sync.deletion.outcomes import sentence
from registry_sync.models import Removal, RemovalItem


@tab("images")
@login_required
@require_safe
def delete_preview(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    """Show what deleting would do; with nothing selected, the tags to select from.

    Takes `tag=` and `digest=` (repeatable), `all=` of a page, or `matching=` with `q=`.
    """
    image = permissions.image(principal(request), handle, name, image_name, Permission.IMAGES_REMOVE)
    if request.GET.get("matching"):
        return _matching_page(request, image, _search(request.GET))
    tags = request.GET.getlist("tag")
    if request.GET.get("all"):
        tags = [tag.name for tag in _choosable(request, image).rows]
    return _page(request, image, tags, request.GET.getlist("digest"))


@tab("images")
@login_required
@require_POST
def untag(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    by = principal(request)
    image = permissions.image(by, handle, name, image_name, Permission.IMAGES_REMOVE)
    if request.POST.get("matching"):
        return _request_matching(request, image)
    tags = request.POST.getlist("tag")
    digests = dict(zip(tags, request.POST.getlist("expected_digest"), strict=False))
    try:
        removal = service.untag(by=by, image=image, tags=digests)
    except Invalid as error:
        return _page(request, image, tags, [], problem=error.message)
    return redirect(_address(removal))


@tab("images")
@login_required
@require_POST
def delete(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    by = principal(request)
    image = permissions.image(by, handle, name, image_name, Permission.IMAGES_REMOVE)
    if request.POST.get("matching"):
        return _request_matching(request, image)
    tags, digests = request.POST.getlist("tag"), request.POST.getlist("digest")
    try:
        removal = service.delete(
            by=by,
            image=image,
            tags=tags,
            digests=digests,
            preview_digest=request.POST.get("preview_digest", ""),
            confirmation=request.POST.get("confirm", "").strip(),
        )
    except Invalid as error:
        return _page(request, image, tags, digests, problem=error.message)
    return redirect(_address(removal))


@login_required
@require_POST
def restore(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    by = principal(request)
    image = permissions.image(by, handle, name, image_name, Permission.IMAGES_REMOVE)
    fields = {key: request.POST.get(key, "") for key in ("tag", "digest", "expected_digest")}
    try:
        removal = service.restore(by=by, image=image, **fields)
    except Invalid as error:
        messages.error(request, error.message)
        return redirect(next_url(request, reverse("image-history", args=[handle, name, image_name])))
    return redirect(_address(removal))


@tab("images")
@login_required
@require_safe
@vary_on_headers("HX-Request")
def removal(request: PersonRequest, handle: str, name: str, image_name: str, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    image = permissions.image(by, handle, name, image_name)
    found = Removal.objects.select_related("image__namespace").filter(image=image, pk=id).first()
    if not found:
        raise NotFound
    live_note = live_updates.note_of_removal(request, found) if found.state == Removal.State.WAITING else ""
    found.refresh_from_db()
    items = list(found.items.order_by("id")[:1000])
    present = present_digests(image, {item.digest for item in items if item.tag})
    context = image_context(image, "history") | {
        "removal": found,
        "live": live_note,
        "rows": [
            _row(item, can_restore=item.digest in present and found.kind == Removal.Kind.UNTAG)
            for item in items
        ],
        "can_restore": deletion_restore.can_restore(found),
        "why_not": button_permissions.denial_reason(image.namespace.account, Permission.IMAGES_REMOVE),
    }
    fragment = request.htmx and request.htmx.target == "removal"
    return render(request, f"registry_sync/{'_removal' if fragment else 'removal'}.html", context)


@login_required
@require_POST
def restore_removal(request: PersonRequest, handle: str, name: str, image_name: str, id: int) -> HttpResponse:  # noqa: A002
    """Restore all that a deletion deleted."""
    by = principal(request)
    image = permissions.image(by, handle, name, image_name, Permission.IMAGES_REMOVE)
    found = Removal.objects.select_related("image__namespace__account").filter(image=image, pk=id).first()
    if not found:
        raise NotFound
    try:
        removal = deletion_restore.restore_removal(by=by, removal=found)
    except Invalid as error:
        messages.error(request, error.message)
        return redirect(_address(found))
    return redirect(_address(removal))


def _row(item: RemovalItem, *, can_restore: bool) -> dict[str, Any]:
    text = sentence(item.outcome, started=bool(item.started_at))
    restorable = can_restore and item.state == item.State.DONE
    return {"item": item, "sentence": text, "restorable_digest": item.digest if restorable else ""}


def _page(
    request: PersonRequest, image: Image, tags: list[str], digests: list[str], *, problem: str = ""
) -> HttpResponse:
    rows = _tags(image=image.pk, names=tags[: service.ITEMS_MAX])
    status = 400 if problem else 200
    missing = sorted(set(tags) - {row.name for row in rows})
    if len({*tags, *digests}) > service.ITEMS_MAX:
        problem = problem or _("Select at most %(most)s at once.") % {"most": service.ITEMS_MAX}
    elif rows or digests:
        context = _confirm(image, rows, digests) | {"problem": problem, "missing": missing}
        return render(request, "registry_sync/removal_confirm.html", context, status=status)
    return _choose(request, image, missing, problem, status)


@prepared
def _tags(*, image: int, names: list[str]) -> QuerySet[Tag]:
    found = Tag.objects.filter(image=image, name__in=names).select_related("manifest")
    return found.defer("manifest__details", "manifest__body_zlib").order_by("sort_key", "id")


def _confirm(image: Image, rows: list[Tag], digests: list[str]) -> dict[str, Any]:
    found = service.preview(image, tags=[row.name for row in rows], digests=digests)
    return image_context(image, "tags") | {
        "chosen": rows,
        "digests": digests,
        "preview": found,
        "impact": found.impact,
        "unrestorable": [row.name for row in rows if row.manifest.media_type == SIGNED_SCHEMA_1],
        "left_untagged": _left_untagged(image, rows),
        "confirmation_phrase": image.name,
        "is_pull_through_cache": bool(pull_through_cache.refusal()),
    }


def _search(params: QueryDict) -> str:
    return params.get("q", "").strip()[:200]


def _request_matching(request: PersonRequest, image: Image) -> HttpResponse:
    """Untag or delete all tags that match, as the submitted form of the page below says."""
    by, search = principal(request), _search(request.POST)
    tags_digest = request.POST.get("tags_digest", "")
    try:
        if "preview_digest" in request.POST:
            removal = matching_tags.delete(
                by=by,
                image=image,
                search=search,
                tags_digest=tags_digest,
                preview_digest=request.POST["preview_digest"],
                confirmation=request.POST.get("confirm", "").strip(),
            )
        else:
            removal = matching_tags.untag(by=by, image=image, search=search, tags_digest=tags_digest)
    except Invalid as error:
        return _matching_page(request, image, search, problem=error.message)
    return redirect(_address(removal))


def _matching_page(request: PersonRequest, image: Image, search: str, *, problem: str = "") -> HttpResponse:
    status = 400 if problem else 200
    try:
        rows = matching_tags.tags(image, search)
    except Invalid as error:
        return _choose(request, image, [], error.message, 400)
    if not rows:
        return _choose(request, image, [], problem, status)
    context = _confirm(image, rows, []) | {
        "problem": problem,
        "matching": True,
        "search": search,
        "tags_digest": matching_tags.fingerprint_of(rows),
    }
    return render(request, "registry_sync/removal_confirm.html", context, status=status)


def _choosable(request: PersonRequest, image: Image) -> Page[Tag]:
    """Return a page of tags, as many as may be selected at once."""
    query = {"q": request.GET.get("q", "").strip()[:200]}
    with pg_plans.by_value(query["q"]):
        found = tag_list.find_tags(image, query["q"]).tags()
        return paginate(found, cursor=request.GET.get("page", ""), query=query, size=service.ITEMS_MAX)


def _choose(
    request: PersonRequest, image: Image, missing: list[str], problem: str, status: int
) -> HttpResponse:
    page = _choosable(request, image)
    context = image_context(image, "tags") | {
        "page": page,
        "query": page.query,
        "cursor": request.GET.get("page", ""),
        "missing": missing,
        "problem": problem,
    }
    return render(request, "registry_sync/removal_choose.html", context, status=status)


def _left_untagged(image: Image, chosen: list[Tag]) -> list[str]:
    """Return the digests that would be left without any tag."""
    digests = {tag.manifest_id for tag in chosen}
    others = _other_tags(image=image.pk, digests=list(digests), chosen=[tag.pk for tag in chosen])
    return sorted(digests - set(others))


@prepared
def _other_tags(*, image: int, digests: list[str], chosen: list[int]) -> QuerySet[Tag, str]:
    """Return the digests that other tags than `chosen` point at."""
    others = Tag.objects.filter(image=image, manifest__digest__in=digests).exclude(pk__in=chosen)
    return others.order_by().values_list("manifest_id", flat=True).distinct()


def _address(removal: Removal) -> str:
    namespace = removal.image.namespace
    return reverse(
        "image-removal", args=[namespace.account.handle, namespace.name, removal.image.name, removal.pk]
    )
