from django.urls import path

from registry_sync.api import sync

urlpatterns = [
    path("sync/", sync.Sync.as_view(), name="api-sync"),
    path("accounts/<str:handle>/sync/", sync.AskForSync.as_view(), name="api-account-sync"),
]
