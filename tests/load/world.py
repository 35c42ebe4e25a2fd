"""Run inside `manage.py shell`: a user with 200 grants; prints its name and password."""

import os

from django.utils import timezone

from accounts.models import Person
from accounts.services import accounts, users
from accounts.views.request import principal_for
from namespaces.services import grants, namespaces
from registry_sync.reconcile.writer import record_catalog_read

record_catalog_read(timezone.now())  # no worker runs beside
by = principal_for(Person.objects.create_user("bench@example.com"), {})
account = accounts.open_account(by=by, name="Bench")
user, password = users.create(by=by, account=account, description="bench", expires_at=None)
for number in range(20):
    space = namespaces.create(by=by, account=account, name=f"space{number}")
    for image in range(int(os.environ.get("BENCH_IMAGES", "10"))):
        grants.give(by=by, namespace=space, user=user, level="write", image_name=f"image{image}")
print(user.username, password)
