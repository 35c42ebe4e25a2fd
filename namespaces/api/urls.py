from django.urls import path

from namespaces.api import (
    access,
    access_preview,
    activity,
    denials,
    diff,
    grants,
    images,
    namespaces,
    recent_use,
    search,
    tags,
    usage,
    user_uses,
    webhooks,
)

_ACCOUNT = "accounts/<str:handle>/"
_WEBHOOK = _ACCOUNT + "webhooks/<int:webhook_id>/"
_DELIVERY = _WEBHOOK + "deliveries/<int:delivery_id>/"
_NAMESPACE = _ACCOUNT + "namespaces/<str:name>/"
# Image names hold slashes; "-" is no legal part of one, so what follows "/-/" is never part of the name.
_IMAGE = _NAMESPACE + "images/<path:image>/"

urlpatterns = [
    path(_ACCOUNT + "users/<str:username>/denials/", denials.UserDenials.as_view(), name="api-user-denials"),
    path(
        _ACCOUNT + "users/<str:username>/recent-use/",
        recent_use.UserRecentUse.as_view(),
        name="api-user-recent-use",
    ),
    path(_ACCOUNT + "denials/", denials.Denials.as_view(), name="api-denials"),
    path(_ACCOUNT + "denials/<int:id>/allow/", denials.AllowDenied.as_view(), name="api-denial-allow"),
    path(_ACCOUNT + "users/<str:username>/uses/", user_uses.UserUses.as_view(), name="api-user-uses"),
    path(
        _ACCOUNT + "users/<str:username>/smallest-grants/",
        user_uses.UserSmallestGrants.as_view(),
        name="api-user-smallest-grants",
    ),
    path(_ACCOUNT + "access/", access.AccessMatrix.as_view(), name="api-access-matrix"),
    path(_ACCOUNT + "access/check/", access.AccessCheck.as_view(), name="api-access-check"),
    path(_ACCOUNT + "access/preview/", access_preview.AccessPreview.as_view(), name="api-access-preview"),
    path(_ACCOUNT + "access/who/", access.WhoMay.as_view(), name="api-access-who"),
    path(_ACCOUNT + "activity/", activity.Activity.as_view(), name="api-activity"),
    path(_ACCOUNT + "activity/download/", activity.Download.as_view(), name="api-activity-download"),
    path(
        _ACCOUNT + "users/<str:username>/grants/copy/",
        grants.CopyGrants.as_view(),
        name="api-user-grants-copy",
    ),
    path(_ACCOUNT + "grants/", grants.Grants.as_view(), name="api-grants"),
    path(_ACCOUNT + "grants/<int:id>/", grants.OneGrant.as_view(), name="api-grant"),
    path(_ACCOUNT + "webhooks/", webhooks.Webhooks.as_view(), name="api-webhooks"),
    path(_WEBHOOK, webhooks.OneWebhook.as_view(), name="api-webhook"),
    path(
        _WEBHOOK + "signing-secret/",
        webhooks.WebhookSigningSecret.as_view(),
        name="api-webhook-signing-secret",
    ),
    path(_WEBHOOK + "test/", webhooks.TestWebhook.as_view(), name="api-webhook-test"),
    path(_WEBHOOK + "deliveries/", webhooks.WebhookDeliveries.as_view(), name="api-webhook-deliveries"),
    path(_DELIVERY, webhooks.OneWebhookDelivery.as_view(), name="api-webhook-delivery"),
    path(_DELIVERY + "resend/", webhooks.ResendWebhookDelivery.as_view(), name="api-webhook-delivery-resend"),
    path("search/", search.Search.as_view(), name="api-search"),
    path(_ACCOUNT + "search/", search.AccountSearch.as_view(), name="api-account-search"),
    path(_ACCOUNT + "usage/", usage.AccountUsage.as_view(), name="api-usage"),
    path(_ACCOUNT + "images/", images.AccountImages.as_view(), name="api-account-images"),
    path(_ACCOUNT + "namespaces/", namespaces.Namespaces.as_view(), name="api-namespaces"),
    path(_NAMESPACE, namespaces.OneNamespace.as_view(), name="api-namespace"),
    path(_NAMESPACE + "usage/", usage.NamespaceUsage.as_view(), name="api-namespace-usage"),
    path(_NAMESPACE + "images/", images.Images.as_view(), name="api-images"),
    path(_IMAGE + "-/access/", images.ImageAccess.as_view(), name="api-image-access"),
    path(_IMAGE + "-/compare/", diff.Compare.as_view(), name="api-image-compare"),
    path(_IMAGE + "-/tags/", tags.Tags.as_view(), name="api-tags"),
    path(_IMAGE + "-/tags/<str:tag>/", tags.OneTag.as_view(), name="api-tag"),
    path(_IMAGE + "-/manifests/<str:digest>/", tags.OneManifest.as_view(), name="api-manifest"),
    path(_IMAGE, images.OneImage.as_view(), name="api-image"),
]
