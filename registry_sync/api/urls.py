from django.urls import path

from registry_sync.api import removals, sync

_NAMESPACE = "accounts/<str:handle>/namespaces/<str:name>/"
_IMAGE = _NAMESPACE + "images/<path:image>/-/"

urlpatterns = [
    path("sync/", sync.Sync.as_view(), name="api-sync"),
    path("accounts/<str:handle>/sync/", sync.AskForSync.as_view(), name="api-account-sync"),
    path(_IMAGE + "history/", removals.History.as_view(), name="api-image-history"),
    path(_IMAGE + "impact/", removals.Impact.as_view(), name="api-image-impact"),
    path(_IMAGE + "removals/", removals.Removals.as_view(), name="api-removals"),
    path(_IMAGE + "removals/<int:id>/", removals.OneRemoval.as_view(), name="api-removal"),
]
