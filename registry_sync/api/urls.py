from django.urls import path

from registry_sync.api import removals, retention, sync

_NAMESPACE = "accounts/<str:handle>/namespaces/<str:name>/"
_IMAGE = _NAMESPACE + "images/<path:image>/-/"

urlpatterns = [
    path("sync/", sync.Sync.as_view(), name="api-sync"),
    path("accounts/<str:handle>/sync/", sync.AskForSync.as_view(), name="api-account-sync"),
    path(_IMAGE + "history/", removals.History.as_view(), name="api-image-history"),
    path(_IMAGE + "impact/", removals.Impact.as_view(), name="api-image-impact"),
    path(_IMAGE + "removals/", removals.Removals.as_view(), name="api-removals"),
    path(_IMAGE + "removals/<int:id>/", removals.OneRemoval.as_view(), name="api-removal"),
    path(_NAMESPACE + "retention/", retention.Rules.as_view(), name="api-retention"),
    path(_NAMESPACE + "retention/<int:id>/", retention.OneRule.as_view(), name="api-retention-rule"),
    path(_NAMESPACE + "retention/<int:id>/switch/", retention.Switch.as_view(), name="api-retention-switch"),
    path(
        _NAMESPACE + "retention/<int:id>/preview/", retention.Preview.as_view(), name="api-retention-preview"
    ),
    path(_NAMESPACE + "retention/<int:id>/runs/", retention.Runs.as_view(), name="api-retention-runs"),
]
