"""Retention rules of a namespace: what they keep, what they would remove, when they ran."""

from itertools import islice
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.common.translation import translate
from accounts.roles import Permission
from accounts.templatetags.cells import when
from accounts.views import button_permissions
from accounts.views.confirmation import Question, ask, asks
from accounts.views.form_errors import put_errors, status_of
from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions
from namespaces.models import Image, Namespace
from namespaces.views.navigation import namespace_context
from registry_sync import live_updates
from registry_sync.models import RetentionRule, RetentionRun
from registry_sync.retention import preview as retention_preview
from registry_sync.retention import runs, service, texts
from registry_sync.retention.policy import Decision, find_blocker

IMAGES_A_PAGE = 20
VERSIONS_A_PAGE = 100
RUNS_SHOWN = 20


class ConditionsForm(forms.Form):
    keep_last = forms.IntegerField(
        label=gettext_lazy("Keep the newest (versions)"),
        required=False,
        help_text=gettext_lazy(
            "For each image, by push time. A digest with all its tags counts as one version."
        ),
    )
    keep_days = forms.IntegerField(label=gettext_lazy("Keep pushed in the last (days)"), required=False)
    keep_pulled_days = forms.IntegerField(
        label=gettext_lazy("Keep pulled in the last (days)"),
        required=False,
        help_text=gettext_lazy(
            "Only where the registry notifies the panel of pulls; otherwise the rule does not run."
        ),
    )
    keep_checked = forms.BooleanField(
        label=gettext_lazy("Checks count as pulls"),
        required=False,
        help_text=gettext_lazy(
            "In a check, a client that already has the image asks only whether the tag has changed."
        ),
    )
    keep_pattern = forms.CharField(
        label=gettext_lazy("Keep tags named like"),
        required=False,
        help_text=gettext_lazy("* is any text, ? one character. Separate several with spaces: v* latest"),
    )
    protect_pattern = forms.CharField(
        label=gettext_lazy("Never remove tags named like"),
        required=False,
        help_text=gettext_lazy("As above. These are always kept."),
    )


class RuleForm(ConditionsForm):
    image_name = forms.CharField(
        label=gettext_lazy("Image"),
        required=False,
        help_text=gettext_lazy("Leave empty for every image of the namespace that has no rule of its own."),
    )
    field_order = ("image_name",)


@tab("images")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    by, writes = principal(request), request.method == "POST"
    namespace = permissions.namespace(
        by, handle, name, Permission.IMAGES_REMOVE if writes else Permission.ACCOUNT_VIEW
    )
    form = RuleForm(request.POST if writes else None, initial={"image_name": request.GET.get("image", "")})
    if writes and form.is_valid():
        values: Any = dict(form.cleaned_data)
        image_name = values.pop("image_name")
        try:
            row = service.create(by=by, namespace=namespace, image_name=image_name, conditions=values)
        except Invalid as error:
            put_errors(form, error)
        else:
            return redirect("retention-preview", handle, name, row.pk)
    rows = RetentionRule.objects.filter(namespace=namespace).select_related("namespace")
    context = _context(by, namespace) | {
        "form": form,
        "rules": [
            (row, texts.of_rule(service.rule_of(row)), row.runs.first())
            for row in rows.order_by("image_name")
        ],
    }
    return render(request, "registry_sync/retention.html", context, status=status_of(form))


@tab("images")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: PersonRequest, handle: str, name: str, id: int) -> HttpResponse:  # noqa: A002
    by, writes = principal(request), request.method == "POST"
    row = service.load(by, handle, name, id, Permission.IMAGES_REMOVE if writes else Permission.ACCOUNT_VIEW)
    form = ConditionsForm(request.POST if writes else None, initial=dict(service.conditions_of(row)))
    if writes and form.is_valid():
        try:
            service.change(by=by, rule=row, conditions=form.cleaned_data)  # type: ignore[arg-type]
        except Invalid as error:
            put_errors(form, error)
        else:
            messages.success(request, _("Saved. This is what the rule would remove now."))
            return redirect("retention-preview", handle, name, row.pk)
    context = _context(by, row.namespace) | {
        "rule": row,
        "form": form,
        "live": _live(request, row),
        "runs": list(row.runs.all()[:RUNS_SHOWN]),
    }
    return render(request, "registry_sync/retention_rule.html", context, status=status_of(form))


@tab("images")
@login_required
@require_safe
def preview(request: PersonRequest, handle: str, name: str, id: int) -> HttpResponse:  # noqa: A002
    """Show what the rule would do: a row for each image, or (`image=`) for each version of one image."""
    by = principal(request)
    row = service.load(by, handle, name, id)
    names, rule = service.images_of(row), service.rule_of(row)
    chosen = request.GET.get("image", "") or row.image_name
    blocker = find_blocker(rule, retention_preview.load_evidence(), timezone.now())
    context = _context(by, row.namespace) | {
        "rule": row,
        "keeps": texts.of_rule(rule),
        "blocked_reason": texts.BLOCKERS[blocker] if blocker else "",
    }
    if chosen:
        if chosen not in names:
            if not row.image_name:
                raise NotFound
            return render(request, "registry_sync/retention_preview.html", context | {"images": []})
        context |= _tags_page(request, row, chosen)
        return render(request, "registry_sync/retention_preview_image.html", context)
    start = _start(request, len(names))
    previews = [_preview(row, image) for image in islice(names, start, start + IMAGES_A_PAGE)]
    context |= {
        "images": [
            (each, len(retention_preview.removed_though_used(each, timezone.now())))
            for each in previews
            if each
        ],
        "page": _pager(request, start, IMAGES_A_PAGE, len(names)),
    }
    return render(request, "registry_sync/retention_preview.html", context)


@login_required
@require_POST
def toggle(request: PersonRequest, handle: str, name: str, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    row = service.load(by, handle, name, id, Permission.IMAGES_REMOVE)
    enabled = request.POST.get("enabled") == "yes"
    service.set_enabled(by=by, rule=row, enabled=enabled)
    messages.success(request, _("The rule is on; it runs once a day.") if enabled else _("The rule is off."))
    return redirect("retention-rule", handle, name, row.pk)


@login_required
@require_POST
def run(request: PersonRequest, handle: str, name: str, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    row = service.load(by, handle, name, id, Permission.IMAGES_REMOVE)
    runs.start(by=by, rule=row)
    messages.info(request, _("The rule is running; the result appears below."))
    return redirect("retention-rule", handle, name, row.pk)


@tab("images")
@login_required
@asks
def delete(request: PersonRequest, handle: str, name: str, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    row = service.load(by, handle, name, id, Permission.IMAGES_REMOVE)
    if request.method != "POST":
        return ask(request, _deletion_question(row))
    try:
        service.remove(by=by, rule=row)
    except Conflict as error:
        messages.error(request, str(error))
        return redirect("retention-rule", handle, name, row.pk)
    messages.success(request, _("The rule was deleted. What it removed stays removed."))
    return redirect("retention-rules", handle, name)


def _deletion_question(row: RetentionRule) -> Question:
    last = row.runs.first()
    text = _("It last ran {when}, requested by {who}.") if last else _("It has never run.")
    who = translate(last.requested_by) if last else ""
    return Question(
        title=_("Delete the rule for %(rule)s?") % {"rule": row},
        last_use=format_html(text, when=when(last.started_at if last else None), who=who),
        stops=[_("The rule and the list of its runs are deleted. What it removed stays removed.")],
        button=_("Delete rule"),
        back=reverse("retention-rule", args=[row.namespace.account.handle, row.namespace.name, row.pk]),
    )


def _live(request: PersonRequest, row: RetentionRule) -> str:
    newest = row.runs.select_related("rule__namespace").first()
    running = newest and newest.state == RetentionRun.State.RUNNING
    return live_updates.note_of_retention(request, newest) if newest and running else ""


def _tags_page(request: PersonRequest, row: RetentionRule, name: str) -> dict[str, Any]:
    found, rule = _preview(row, name), service.rule_of(row)
    if found is None:
        raise NotFound
    # Removed versions come first: that is what people look for.
    ordered = sorted(found.decisions, key=lambda each: each.decision is Decision.KEEP)
    start = _start(request, len(ordered))
    decisions = [(each, texts.of_decision(each, rule)) for each in ordered[start : start + VERSIONS_A_PAGE]]
    return {
        "image": found.image,
        "preview": found,
        "decisions": decisions,
        "groups": [(each, texts.of_group(each, rule)) for each in retention_preview.groups_of(found)],
        "space": retention_preview.space_of(found),
        "in_use": texts.of_removed_though_used(retention_preview.removed_though_used(found, timezone.now())),
        "is_uncertain": retention_preview.is_uncertain(found.image),
        "page": _pager(request, start, VERSIONS_A_PAGE, len(ordered)),
    }


def _preview(row: RetentionRule, name: str) -> retention_preview.RetentionPreview | None:
    image = (
        Image.objects.select_related("namespace__account").filter(namespace=row.namespace, name=name).first()
    )
    return retention_preview.preview_image(service.rule_of(row), image, timezone.now()) if image else None


def _context(by: Any, namespace: Namespace) -> dict[str, Any]:
    return namespace_context(namespace, "retention") | {
        "why_not": button_permissions.denial_reason(namespace.account, Permission.IMAGES_REMOVE)
    }


def _start(request: PersonRequest, total: int) -> int:
    """Return the number of the first row. Decisions are not stored, so their pages have no key to start from."""
    given = request.GET.get("from", "0")
    return min(int(given), total) if given.isascii() and given.isdigit() and len(given) < 8 else 0  # noqa: PLR2004


def _pager(request: PersonRequest, start: int, size: int, total: int) -> dict[str, str]:
    def url(at: int) -> str:
        query = request.GET.copy()
        query["from"] = str(at)
        return f"?{query.urlencode()}"

    return {
        "words": _("%(first)s–%(last)s of %(total)s")
        % {
            "first": min(start + 1, total),
            "last": min(start + size, total),
            "total": total,
        },
        "previous_url": url(max(start - size, 0)) if start else "",
        "next_url": url(start + size) if start + size < total else "",
    }
