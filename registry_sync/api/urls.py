from django.urls import path

from registry_sync.api import limits, self_rotation, sync
from registry_sync.deletion import api as deletion_api
from registry_sync.deletion import purge_api
from registry_sync.operations import accounts_api, events_api, groups_api, issuers_api, people_api
from registry_sync.operations import api as operations_api
from registry_sync.retention import api as retention_api
from registry_sync.retention import preview_api

_NAMESPACE = "accounts/<str:handle>/namespaces/<str:name>/"
_IMAGE = _NAMESPACE + "images/<path:image>/-/"
_ACCOUNT = "system/accounts/<str:handle>/"
_PERSON = "system/people/<int:person_id>/"

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
    path("system/accounts/", accounts_api.SystemAccounts.as_view(), name="api-system-accounts"),
    path(_ACCOUNT, accounts_api.OneSystemAccount.as_view(), name="api-system-account"),
    path(_ACCOUNT + "limits/", accounts_api.SystemAccountLimits.as_view(), name="api-system-account-limits"),
    path(_ACCOUNT + "suspend/", accounts_api.SuspendAccount.as_view(), name="api-system-account-suspend"),
    path(_ACCOUNT + "restore/", accounts_api.RestoreAccount.as_view(), name="api-system-account-restore"),
    path(_ACCOUNT + "owners/", accounts_api.AccountOwners.as_view(), name="api-system-account-owners"),
    path("system/people/", people_api.People.as_view(), name="api-system-people"),
    path(_PERSON, people_api.OnePerson.as_view(), name="api-system-person"),
    path(_PERSON + "disable/", people_api.DisablePerson.as_view(), name="api-system-person-disable"),
    path(_PERSON + "enable/", people_api.EnablePerson.as_view(), name="api-system-person-enable"),
    path(_PERSON + "end-sessions/", people_api.EndSessions.as_view(), name="api-system-person-end-sessions"),
    path(_PERSON + "reset-link/", people_api.ResetLink.as_view(), name="api-system-person-reset-link"),
    path(
        _PERSON + "reset-factors/", people_api.ResetFactors.as_view(), name="api-system-person-reset-factors"
    ),
    path(_PERSON + "operator/", people_api.Operator.as_view(), name="api-system-person-operator"),
    path("system/events/", events_api.Events.as_view(), name="api-system-events"),
    path("system/events/retry/", events_api.RetryEvents.as_view(), name="api-system-events-retry"),
    path("system/events/<int:id>/retry/", events_api.RetryEvent.as_view(), name="api-system-event-retry"),
    path("system/issuers/", issuers_api.SystemIssuers.as_view(), name="api-system-issuers"),
    path("system/issuers/<int:id>/", issuers_api.OneSystemIssuer.as_view(), name="api-system-issuer"),
    path(
        "system/issuers/<int:id>/fetch/",
        issuers_api.FetchSystemIssuer.as_view(),
        name="api-system-issuer-fetch",
    ),
    path("system/differences/", events_api.Differences.as_view(), name="api-system-differences"),
    path("system/groups/", groups_api.GroupRoles.as_view(), name="api-system-groups"),
    path("system/groups/<int:id>/", groups_api.OneGroupRole.as_view(), name="api-system-group"),
    path(
        "system/groups/<int:id>/preview/",
        groups_api.GroupRolePreview.as_view(),
        name="api-system-group-preview",
    ),
    path("system/unassigned/", events_api.Unassigned.as_view(), name="api-system-unassigned"),
    path("system/reserved-names/", events_api.ReservedNames.as_view(), name="api-system-reserved-names"),
    path(
        "system/reserved-names/<str:name>/",
        events_api.OneReservedName.as_view(),
        name="api-system-reserved-name",
    ),
    path("system/unassigned/<str:name>/", events_api.Assign.as_view(), name="api-system-assign"),
]
