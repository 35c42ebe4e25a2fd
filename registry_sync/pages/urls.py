from django.urls import path

from registry_sync.pages import sync, system

urlpatterns = [
    path("a/<slug:handle>/sync/", sync.start, name="sync-start"),
    path("system/", system.system, name="system"),
]
