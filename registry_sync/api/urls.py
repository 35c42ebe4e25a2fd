from django.urls import path

from registry_sync.api import limits, self_rotation, sync
from registry_sync.deletion import api as deletion_api
from registry_sync.deletion import purge_api
from registry_sync.operations import api as operations_api
from registry_sync.operations import events_api
from registry_sync.retention import api as retention_api
from registry_sync.retention import preview_api

_NAMESPACE = "accounts/<str:handle>/namespaces/<str:name>/"
_IMAGE = _NAMESPACE + "images/<path:image>/-/"

urlpatterns = [
    path("self/rotate/", self_rotation.RotateOwnPassword.as_view(), name="api-self-rotate"),
    path("sync/", sync.Sync.as_view(), name="api-sync"),
    path("accounts/<str:handle>/limits/", limits.Limits.as_view(), name="api-account-limits"),
    path("accounts/<str:handle>/sync/", sync.AskForSync.as_view(), name="api-account-sync"),
    path(_IMAGE + "history/", deletion_api.History.as_view(), name="api-image-history"),
    path(
        _IMAGE + "deletion-preview/",
        deletion_api.DeletionPreview.as_view(),
        name="api-image-deletion-preview",
    ),
    path(_IMAGE + "removals/", deletion_api.Removals.as_view(), name="api-removals"),
    path(_IMAGE + "removals/<int:id>/", deletion_api.OneRemoval.as_view(), name="api-removal"),
    path(
        _IMAGE + "removals/<int:id>/restore/",
        deletion_api.RestoreRemoval.as_view(),
        name="api-removal-restore",
    ),
    path("accounts/<str:handle>/images/purge/", purge_api.ImagesPurge.as_view(), name="api-images-purge"),
    path(_IMAGE + "purge/", purge_api.ImagePurge.as_view(), name="api-image-purge"),
    path(_NAMESPACE + "purge/", purge_api.NamespacePurge.as_view(), name="api-namespace-purge"),
    path(_NAMESPACE + "purges/", purge_api.Purges.as_view(), name="api-purges"),
    path(_NAMESPACE + "purges/<int:id>/", purge_api.OnePurge.as_view(), name="api-purge"),
    path(_NAMESPACE + "purges/<int:id>/stop/", purge_api.StopPurge.as_view(), name="api-purge-stop"),
    path(_NAMESPACE + "purges/<int:id>/restore/", purge_api.RestorePurge.as_view(), name="api-purge-restore"),
    path(_NAMESPACE + "retention/", retention_api.Rules.as_view(), name="api-retention"),
    path(_NAMESPACE + "retention/<int:id>/", retention_api.OneRule.as_view(), name="api-retention-rule"),
    path(
        _NAMESPACE + "retention/<int:id>/preview/",
        preview_api.Preview.as_view(),
        name="api-retention-preview",
    ),
    path(_NAMESPACE + "retention/<int:id>/runs/", retention_api.Runs.as_view(), name="api-retention-runs"),
    path("system/", operations_api.System.as_view(), name="api-system"),
    path("system/runs/", operations_api.Runs.as_view(), name="api-system-runs"),
    path("system/runs/<int:id>/approve/", operations_api.ApproveRun.as_view(), name="api-system-run-approve"),
    path("system/quarantine/", events_api.Quarantine.as_view(), name="api-system-quarantine"),
    path(
        "system/quarantine/<int:id>/retry/",
        events_api.RetryQuarantined.as_view(),
        name="api-system-quarantine-retry",
    ),
    path("system/doctor/", operations_api.DiagnosticRuns.as_view(), name="api-system-doctor"),
    path("system/events/", events_api.Events.as_view(), name="api-system-events"),
    path("system/events/retry/", events_api.RetryEvents.as_view(), name="api-system-events-retry"),
    path("system/events/<int:id>/retry/", events_api.RetryEvent.as_view(), name="api-system-event-retry"),
    path("system/differences/", events_api.Differences.as_view(), name="api-system-differences"),
    path("system/unassigned/", events_api.Unassigned.as_view(), name="api-system-unassigned"),
    path("system/reserved-names/", events_api.ReservedNames.as_view(), name="api-system-reserved-names"),
    path(
        "system/reserved-names/<str:name>/",
        events_api.OneReservedName.as_view(),
        name="api-system-reserved-name",
    ),
    path("system/unassigned/<str:name>/", events_api.Assign.as_view(), name="api-system-assign"),
]
