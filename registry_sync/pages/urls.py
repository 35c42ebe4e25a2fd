from django.urls import path

from registry_sync.notifications import intake
from registry_sync.pages import history, removal, retention, sync, system

_NAMESPACE = "a/<slug:handle>/n/<str:name>/"
_IMAGE = _NAMESPACE + "i/<path:image_name>/-/"

urlpatterns = [
    path("registry/events", intake.events, name="registry-events"),
    path("a/<slug:handle>/sync/", sync.start, name="sync-start"),
    path(_IMAGE + "history/", history.history, name="image-history"),
    path(_IMAGE + "remove/", removal.remove, name="image-remove"),
    path(_IMAGE + "untag/", removal.untag, name="image-untag"),
    path(_IMAGE + "delete/", removal.delete, name="image-delete"),
    path(_IMAGE + "restore/", removal.restore, name="image-restore"),
    path(_IMAGE + "removals/<int:id>/", removal.removal, name="image-removal"),
    path(_NAMESPACE + "rules/", retention.retention, name="retention"),
    path(_NAMESPACE + "rules/<int:id>/", retention.rule, name="retention-rule"),
    path(_NAMESPACE + "rules/<int:id>/preview/", retention.preview, name="retention-preview"),
    path(_NAMESPACE + "rules/<int:id>/switch/", retention.switch, name="retention-switch"),
    path(_NAMESPACE + "rules/<int:id>/run/", retention.run, name="retention-run"),
    path(_NAMESPACE + "rules/<int:id>/delete/", retention.delete, name="retention-delete"),
    path("system/", system.system, name="system"),
]
