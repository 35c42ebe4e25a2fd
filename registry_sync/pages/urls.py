from django.urls import path

from registry_sync.notifications import intake
from registry_sync.pages import freshness, sync
from registry_sync.pages.system import doctor, events, overview, reading, repositories

urlpatterns = [
    path("registry/events", intake.events, name="registry-events"),
    path("freshness/", freshness.line, name="freshness"),
    path("a/<slug:handle>/sync/", sync.start, name="sync-start"),
    path("system/", overview.overview, name="system"),
    path("system/runs/<int:id>/let-go/", overview.let_go, name="system-let-go"),
    path("system/doctor/", doctor.doctor, name="doctor"),
    path("system/events/", events.inbox, name="system-events"),
    path("system/events/retry/", events.retry_all, name="system-events-retry"),
    path("system/events/<int:id>/retry/", events.retry, name="system-event-retry"),
    path("system/differences/", reading.differences, name="system-differences"),
    path("system/repositories/", repositories.repositories, name="system-repositories"),
    path("system/repositories/<str:first>/", repositories.give, name="system-give"),
    path("system/settings/", reading.settings, name="system-settings"),
]
