from django.urls import path

from registry_sync.notifications import intake
from registry_sync.pages import sync, system

urlpatterns = [
    path("registry/events", intake.events, name="registry-events"),
    path("a/<slug:handle>/sync/", sync.start, name="sync-start"),
    path("system/", system.system, name="system"),
]
