from django.urls import path

from registry_sync.api import inbox, limits, purges, removals, retention, sync, system

_NAMESPACE = "accounts/<str:handle>/namespaces/<str:name>/"
_IMAGE = _NAMESPACE + "images/<path:image>/-/"

urlpatterns = [
    path("sync/", sync.Sync.as_view(), name="api-sync"),
    path("accounts/<str:handle>/limits/", limits.Limits.as_view(), name="api-account-limits"),
    path("accounts/<str:handle>/sync/", sync.AskForSync.as_view(), name="api-account-sync"),
    path(_IMAGE + "history/", removals.History.as_view(), name="api-image-history"),
    path(_IMAGE + "impact/", removals.Impact.as_view(), name="api-image-impact"),
    path(_IMAGE + "removals/", removals.Removals.as_view(), name="api-removals"),
    path(_IMAGE + "removals/<int:id>/", removals.OneRemoval.as_view(), name="api-removal"),
    path(_IMAGE + "removals/<int:id>/back/", removals.Undo.as_view(), name="api-removal-back"),
    path("accounts/<str:handle>/images/purge/", purges.SomePurge.as_view(), name="api-images-purge"),
    path(_IMAGE + "purge/", purges.ImagePurge.as_view(), name="api-image-purge"),
    path(_NAMESPACE + "purge/", purges.NamespacePurge.as_view(), name="api-namespace-purge"),
    path(_NAMESPACE + "purges/", purges.Purges.as_view(), name="api-purges"),
    path(_NAMESPACE + "purges/<int:id>/", purges.OnePurge.as_view(), name="api-purge"),
    path(_NAMESPACE + "purges/<int:id>/stop/", purges.StopPurge.as_view(), name="api-purge-stop"),
    path(_NAMESPACE + "purges/<int:id>/back/", purges.PutBack.as_view(), name="api-purge-back"),
    path(_NAMESPACE + "retention/", retention.Rules.as_view(), name="api-retention"),
    path(_NAMESPACE + "retention/<int:id>/", retention.OneRule.as_view(), name="api-retention-rule"),
    path(_NAMESPACE + "retention/<int:id>/switch/", retention.Switch.as_view(), name="api-retention-switch"),
    path(
        _NAMESPACE + "retention/<int:id>/preview/", retention.Preview.as_view(), name="api-retention-preview"
    ),
    path(_NAMESPACE + "retention/<int:id>/runs/", retention.Runs.as_view(), name="api-retention-runs"),
    path("system/", system.System.as_view(), name="api-system"),
    path("system/runs/", system.Runs.as_view(), name="api-system-runs"),
    path("system/runs/<int:id>/let-go/", system.LetGo.as_view(), name="api-system-let-go"),
    path("system/aside/", inbox.Asides.as_view(), name="api-system-aside"),
    path("system/aside/<int:id>/retry/", inbox.RetryAside.as_view(), name="api-system-aside-retry"),
    path("system/doctor/", system.Checkups.as_view(), name="api-system-doctor"),
    path("system/events/", inbox.Events.as_view(), name="api-system-events"),
    path("system/events/retry/", inbox.RetryEvents.as_view(), name="api-system-events-retry"),
    path("system/events/<int:id>/retry/", inbox.RetryEvent.as_view(), name="api-system-event-retry"),
    path("system/differences/", inbox.Differences.as_view(), name="api-system-differences"),
    path("system/unclaimed/", inbox.Unclaimed.as_view(), name="api-system-unclaimed"),
    path("system/names/", inbox.KeptNames.as_view(), name="api-system-names"),
    path("system/names/<str:first>/", inbox.KeptName.as_view(), name="api-system-name"),
    path("system/unclaimed/<str:first>/", inbox.Give.as_view(), name="api-system-give"),
]
