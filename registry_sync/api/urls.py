from django.urls import path

from registry_sync.api import inbox, sync, system

urlpatterns = [
    path("sync/", sync.Sync.as_view(), name="api-sync"),
    path("accounts/<str:handle>/sync/", sync.AskForSync.as_view(), name="api-account-sync"),
    path("system/", system.System.as_view(), name="api-system"),
    path("system/runs/", system.Runs.as_view(), name="api-system-runs"),
    path("system/runs/<int:id>/let-go/", system.LetGo.as_view(), name="api-system-let-go"),
    path("system/doctor/", system.Checkups.as_view(), name="api-system-doctor"),
    path("system/events/", inbox.Events.as_view(), name="api-system-events"),
    path("system/events/retry/", inbox.RetryEvents.as_view(), name="api-system-events-retry"),
    path("system/events/<int:id>/retry/", inbox.RetryEvent.as_view(), name="api-system-event-retry"),
    path("system/differences/", inbox.Differences.as_view(), name="api-system-differences"),
    path("system/unclaimed/", inbox.Unclaimed.as_view(), name="api-system-unclaimed"),
    path("system/unclaimed/<str:first>/", inbox.Give.as_view(), name="api-system-give"),
]
