from django.urls import path

from registry_sync.notifications import intake
from registry_sync.pages import history, sync, system

_NAMESPACE = "a/<slug:handle>/n/<str:name>/"
_IMAGE = _NAMESPACE + "i/<path:image_name>/-/"

urlpatterns = [
    path("registry/events", intake.events, name="registry-events"),
    path("a/<slug:handle>/sync/", sync.start, name="sync-start"),
    path(_IMAGE + "history/", history.history, name="image-history"),
    path("system/", system.system, name="system"),
]
