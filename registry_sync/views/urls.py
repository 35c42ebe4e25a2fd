from django.urls import path

from registry_sync.deletion import history_views, purge_views
from registry_sync.deletion import views as deletion_views
from registry_sync.events import views
from registry_sync.operations.views import (
    accounts,
    doctor,
    events,
    groups,
    issuers,
    leaks,
    overview,
    people,
    person_acts,
    read_only,
    repositories,
    sign_in,
)
from registry_sync.retention import views as retention_views
from registry_sync.views import credential_test, freshness, installation_status, sync

_NAMESPACE = "a/<slug:handle>/n/<str:name>/"
_IMAGE = _NAMESPACE + "i/<path:image_name>/-/"
_ACCOUNT = "system/accounts/<slug:account_handle>/"
_PERSON = "system/people/<int:person_id>/"

urlpatterns = [
    path("registry/events", views.receive_events, name="registry-events"),
    path("registry/events/", views.receive_events),  # an address with a slash is no reason to lose events
    path("freshness/", freshness.line, name="freshness"),
    path("installation-status/", installation_status.standing_now, name="installation-status"),
    path("a/<slug:handle>/sync/", sync.start, name="sync-start"),
    path("a/<slug:handle>/users/<slug:username>/test/", credential_test.try_password, name="user-test"),
    path(_IMAGE + "history/", history_views.history, name="image-history"),
    path(_IMAGE + "delete-preview/", deletion_views.delete_preview, name="image-delete-preview"),
    path(_IMAGE + "untag/", deletion_views.untag, name="image-untag"),
    path(_IMAGE + "delete/", deletion_views.delete, name="image-delete"),
    path(_IMAGE + "restore/", deletion_views.restore, name="image-restore"),
    path(_IMAGE + "removals/<int:id>/", deletion_views.removal, name="image-removal"),
    path(_IMAGE + "removals/<int:id>/restore/", deletion_views.restore_removal, name="image-removal-restore"),
    path(_IMAGE + "delete-all/", purge_views.image, name="image-purge"),
    path("a/<slug:handle>/images/delete-all/", purge_views.images, name="images-purge"),
    path(_NAMESPACE + "delete-all/", purge_views.namespace, name="namespace-purge"),
    path(_NAMESPACE + "deletions/<int:id>/", purge_views.purge, name="purge"),
    path(_NAMESPACE + "deletions/<int:id>/stop/", purge_views.stop, name="purge-stop"),
    path(_NAMESPACE + "deletions/<int:id>/restore/", purge_views.restore, name="purge-restore"),
    path(_NAMESPACE + "rules/", retention_views.rules, name="retention-rules"),
    path(_NAMESPACE + "rules/<int:id>/", retention_views.rule, name="retention-rule"),
    path(_NAMESPACE + "rules/<int:id>/preview/", retention_views.preview, name="retention-preview"),
    path(_NAMESPACE + "rules/<int:id>/toggle/", retention_views.toggle, name="retention-toggle"),
    path(_NAMESPACE + "rules/<int:id>/run/", retention_views.run, name="retention-run"),
    path(_NAMESPACE + "rules/<int:id>/delete/", retention_views.delete, name="retention-delete"),
    path("system/", overview.overview, name="system"),
    path("system/runs/<int:id>/approve/", overview.approve, name="system-approve"),
    path("system/quarantine/<int:id>/retry/", overview.retry_quarantined, name="system-quarantine-retry"),
    path("system/doctor/", doctor.doctor, name="doctor"),
    path("system/events/", events.inbox, name="system-events"),
    path("system/events/retry/", events.retry_all, name="system-events-retry"),
    path("system/events/<int:id>/retry/", events.retry, name="system-event-retry"),
    path("system/differences/", read_only.differences, name="system-differences"),
    path("system/repositories/", repositories.repositories, name="system-repositories"),
    path("system/repositories/<str:first>/", repositories.assign, name="system-assign"),
    path("system/repositories/<str:first>/release/", repositories.release, name="system-release"),
    path("system/issuers/", issuers.issuers, name="system-issuers"),
    path("system/issuers/new/", issuers.create, name="system-issuer-create"),
    path("system/issuers/<int:id>/", issuers.issuer, name="system-issuer"),
    path("system/issuers/<int:id>/edit/", issuers.edit, name="system-issuer-edit"),
    path("system/issuers/<int:id>/fetch/", issuers.fetch, name="system-issuer-fetch"),
    path("system/issuers/<int:id>/enable/", issuers.enable, name="system-issuer-enable"),
    path("system/issuers/<int:id>/disable/", issuers.disable, name="system-issuer-disable"),
    path("system/issuers/<int:id>/delete/", issuers.delete, name="system-issuer-delete"),
    path("system/groups/", groups.groups, name="system-groups"),
    path("system/groups/<int:id>/", groups.change, name="system-group-change"),
    path("system/groups/<int:id>/delete/", groups.delete, name="system-group-delete"),
    path("system/accounts/", accounts.accounts, name="system-accounts"),
    path(_ACCOUNT, accounts.account, name="system-account"),
    path(_ACCOUNT + "suspend/", accounts.suspend, name="system-account-suspend"),
    path(_ACCOUNT + "restore/", accounts.restore, name="system-account-restore"),
    path(_ACCOUNT + "limits/", accounts.change_limits, name="system-account-limits"),
    path(_ACCOUNT + "owner/", accounts.assign_owner, name="system-account-owner"),
    path("system/people/", people.people, name="system-people"),
    path(_PERSON, people.person, name="system-person"),
    path(_PERSON + "disable/", person_acts.disable, name="system-person-disable"),
    path(_PERSON + "enable/", person_acts.enable, name="system-person-enable"),
    path(_PERSON + "end-sessions/", person_acts.end_sessions, name="system-person-end-sessions"),
    path(_PERSON + "reset-link/", person_acts.reset_link, name="system-person-reset-link"),
    path(_PERSON + "reset-factors/", person_acts.reset_factors, name="system-person-reset-factors"),
    path(_PERSON + "make-operator/", person_acts.make_operator, name="system-person-make-operator"),
    path(_PERSON + "end-operator/", person_acts.unmake_operator, name="system-person-end-operator"),
    path("system/leaks/", leaks.desk, name="system-leaks"),
    path("system/sign-in/", sign_in.sign_in, name="system-sign-in"),
    path("system/settings/", read_only.settings, name="system-settings"),
]
