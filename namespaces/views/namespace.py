"""One namespace: its images, its settings, its end."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import permissions as account_permissions
from accounts.common.errors import Invalid
from accounts.roles import Permission
from accounts.templatetags.cells import when
from accounts.views.button_permissions import denial_reason
from accounts.views.confirmation import Question, ask, asks
from accounts.views.form_errors import put_errors, status_of
from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions, selectors, tag_updates
from namespaces.forms import NamespaceForm
from namespaces.ledger import breakage
from namespaces.ledger.breakage import Breakage
from namespaces.listing import image_list
from namespaces.manifests.pull_stats import last_anonymous_pull
from namespaces.models import Namespace
from namespaces.services import namespaces
from namespaces.views.breakage import ACKNOWLEDGED, as_html, is_to_be_asked
from namespaces.views.first_steps import first_steps, new_user_url
from namespaces.views.navigation import namespace_context


@tab("images")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: PersonRequest, handle: str) -> HttpResponse:
    by = principal(request)
    account = account_permissions.account(by, handle, Permission.NAMESPACES_MANAGE)
    form = NamespaceForm(request.POST or None, initial={"name": request.GET.get("name", "")[:200]})
    if request.method == "POST" and form.is_valid():
        try:
            made = namespaces.create(by=by, account=account, name=form.cleaned_data["name"])
        except Invalid as error:
            put_errors(form, error)
        else:
            return _next_step(request, made)
    return render(request, "namespaces/create.html", {"form": form}, status=status_of(form))


def _next_step(request: PersonRequest, made: Namespace) -> HttpResponse:
    """Lead on to who may use it: to its permissions, or to the account's first user."""
    if selectors.has_users(made.account) or denial_reason(made.account, Permission.USERS_MANAGE):
        messages.success(request, _("Namespace %(name)s created.") % {"name": made.name})
        return redirect("permissions", made.account.handle, made.name)
    text = _("Namespace %(name)s created. Next, create a user that can push to it.")
    messages.success(request, text % {"name": made.name})
    return redirect(new_user_url(made.account, made.name))


@tab("images")
@login_required
@require_safe
@vary_on_headers("HX-Request")
def namespace(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    by = principal(request)
    namespace = permissions.namespace(by, handle, name)
    query = {"q": request.GET.get("q", "").strip()[:200]}
    page = image_list.image_page(
        namespace.account, namespace=namespace, search=query["q"], cursor=request.GET.get("page", "")
    )
    context = namespace_context(namespace, "images") | {
        "live": tag_updates.live_note_of_namespace(request, namespace),
        "query": query,
        "page": page,
        "cursor": request.GET.get("page", ""),
        "rows": image_list.image_rows(namespace.account, page.rows),
        "why_not": denial_reason(namespace.account, Permission.GRANTS_MANAGE),
        "may_remove": not denial_reason(namespace.account, Permission.IMAGES_REMOVE),
    }
    if not page.rows and not query["q"]:
        context["steps"] = first_steps(request, namespace.account, namespaces=[namespace])
    if request.htmx and request.htmx.target == "images":
        return render(request, "namespaces/_images.html", context)
    grants, more = selectors.first_grants_on(namespace)
    context |= {
        "names": selectors.namespace_names(namespace.account),
        "details": selectors.with_counted_at(
            selectors.namespaces_of(namespace.account, now=timezone.now())
        ).get(pk=namespace.pk),
        "grants": grants,
        "grants_more": more,
        "here": reverse("namespace", args=[handle, name]),
        "readme": selectors.readme_of(namespace),
    }
    if not denial_reason(namespace.account, Permission.NAMESPACES_MANAGE):
        context["edit_url"] = reverse("namespace-describe", args=[handle, name])
    return render(request, "namespaces/namespace.html", context)


@tab("images")
@login_required
@require_safe
def settings(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    by = principal(request)
    namespace = permissions.namespace(by, handle, name)
    context = namespace_context(namespace, "settings") | {
        "why_not": denial_reason(namespace.account, Permission.NAMESPACES_MANAGE),
        "has_images": selectors.images_of(namespace.account, namespace=namespace).exists(),
    }
    return render(request, "namespaces/settings.html", context)


@tab("images")
@login_required
@asks
def publish(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    """Make it public or private. The question is about making it private: that is what ends access."""
    by = principal(request)
    namespace = permissions.namespace(by, handle, name, Permission.NAMESPACES_MANAGE)
    if request.method != "POST":
        return ask(request, _unpublishing(namespace))
    namespaces.set_public(by=by, namespace=namespace, public=request.POST.get("public") == "yes")
    messages.success(request, _("Saved."))
    return redirect("namespace-settings", handle, name)


def _unpublishing(namespace: Namespace) -> Question:
    last = last_anonymous_pull(namespace)
    words = _("Last anonymous pull: {when}.") if last else _("No anonymous pulls recorded.")
    return Question(
        title=_("Make %(name)s private?") % {"name": namespace.name},
        last_use=format_html(words, when=when(last)),
        stops=[_("Anonymous pulls are denied at once, and so are users without a permission here.")],
        details=as_html(breakage.of_private(namespace)),
        button=_("Make private"),
        back=reverse("namespace-settings", args=[namespace.account.handle, namespace.name]),
        fields={"public": "no"},
    )


def _deleting(namespace: Namespace, broken: Breakage) -> Question:
    return Question(
        title=_("Delete %(name)s?") % {"name": namespace.name},
        stops=[_("Its permissions and rules are deleted too; its name stays reserved for this account.")],
        details=as_html(broken),
        button=_("Delete namespace"),
        back=reverse("namespace-settings", args=[namespace.account.handle, namespace.name]),
        fields={"confirm": namespace.name, ACKNOWLEDGED: "yes"},
    )


@tab("images")
@login_required
@require_POST
def delete(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    by = principal(request)
    namespace = permissions.namespace(by, handle, name, Permission.NAMESPACES_MANAGE)
    typed = request.POST.get("confirm", "") == namespace.name
    if typed and is_to_be_asked(request, broken := breakage.of_deleted(namespace)):
        return ask(request, _deleting(namespace, broken))
    try:
        namespaces.delete(by=by, namespace=namespace, confirmation=request.POST.get("confirm", ""))
    except Invalid as error:
        context = namespace_context(namespace, "settings") | {"error": error.message}
        return render(request, "namespaces/settings.html", context, status=400)
    messages.success(request, _("The namespace %(name)s was deleted.") % {"name": name})
    return redirect("images", handle)
