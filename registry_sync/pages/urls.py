from django.urls import path

from registry_sync.events import views
from registry_sync.pages import freshness, history, purge, removal, retention, standing, sync
from registry_sync.pages.system import doctor, events, overview, reading, repositories

_NAMESPACE = "a/<slug:handle>/n/<str:name>/"
_IMAGE = _NAMESPACE + "i/<path:image_name>/-/"

urlpatterns = [
    path("registry/events", views.events, name="registry-events"),
    path("registry/events/", views.events),  # an address with a slash is no reason to lose events
    path("freshness/", freshness.line, name="freshness"),
    path("standing/", standing.standing_now, name="standing"),
    path("a/<slug:handle>/sync/", sync.start, name="sync-start"),
    path(_IMAGE + "history/", history.history, name="image-history"),
    path(_IMAGE + "remove/", removal.remove, name="image-remove"),
    path(_IMAGE + "untag/", removal.untag, name="image-untag"),
    path(_IMAGE + "delete/", removal.delete, name="image-delete"),
    path(_IMAGE + "restore/", removal.restore, name="image-restore"),
    path(_IMAGE + "removals/<int:id>/", removal.removal, name="image-removal"),
    path(_IMAGE + "removals/<int:id>/put-back/", removal.put_back, name="image-removal-put-back"),
    path(_IMAGE + "delete-all/", purge.image, name="image-purge"),
    path("a/<slug:handle>/images/delete-all/", purge.images, name="images-purge"),
    path(_NAMESPACE + "delete-all/", purge.namespace, name="namespace-purge"),
    path(_NAMESPACE + "deletions/<int:id>/", purge.purge, name="purge"),
    path(_NAMESPACE + "deletions/<int:id>/stop/", purge.stop, name="purge-stop"),
    path(_NAMESPACE + "deletions/<int:id>/put-back/", purge.put_back, name="purge-put-back"),
    path(_NAMESPACE + "rules/", retention.retention, name="retention"),
    path(_NAMESPACE + "rules/<int:id>/", retention.rule, name="retention-rule"),
    path(_NAMESPACE + "rules/<int:id>/preview/", retention.preview, name="retention-preview"),
    path(_NAMESPACE + "rules/<int:id>/switch/", retention.switch, name="retention-switch"),
    path(_NAMESPACE + "rules/<int:id>/run/", retention.run, name="retention-run"),
    path(_NAMESPACE + "rules/<int:id>/delete/", retention.delete, name="retention-delete"),
    path("system/", overview.overview, name="system"),
    path("system/runs/<int:id>/let-go/", overview.let_go, name="system-let-go"),
    path("system/aside/<int:id>/retry/", overview.retry_aside, name="system-aside-retry"),
    path("system/doctor/", doctor.doctor, name="doctor"),
    path("system/events/", events.inbox, name="system-events"),
    path("system/events/retry/", events.retry_all, name="system-events-retry"),
    path("system/events/<int:id>/retry/", events.retry, name="system-event-retry"),
    path("system/differences/", reading.differences, name="system-differences"),
    path("system/repositories/", repositories.repositories, name="system-repositories"),
    path("system/repositories/<str:first>/", repositories.give, name="system-give"),
    path("system/repositories/<str:first>/clear/", repositories.clear, name="system-clear"),
    path("system/settings/", reading.settings, name="system-settings"),
]
