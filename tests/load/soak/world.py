"""Run inside `manage.py shell`: four accounts with two users each, and one of somebody who pushes odd things."""

import json
import os

from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import Person
from accounts.services import accounts, users
from accounts.views.request import principal_for
from namespaces.services import grants, namespaces, webhooks
from registry_sync.reconcile.writer import record_catalog_read

record_catalog_read(timezone.now())
by = principal_for(Person.objects.create_user("ada@example.com"), {})


def tenant(name, count, images):
    account = accounts.open_account(by=by, name=name)
    space = namespaces.create(by=by, account=account, name=name)
    webhooks.create(
        by=by, account=account, url=os.environ["SOAK_RECEIVER"], format="cloudevents",
        event_types=["image.pushed", "image.restored", "tag.deleted"],
    )  # fmt: skip
    made = []
    for _user in range(count):
        user, password = users.create(by=by, account=account, description="soak", expires_at=None)
        grants.give(by=by, namespace=space, user=user, level="admin", image_name="")
        repositories = [f"{name}/{image}" for image in images]
        made.append({"username": user.username, "password": password, "repositories": repositories})
    return made


everybody = [user for n in range(4) for user in tenant(f"team{n}", 2, ["app", "lib", "tool"])]
browser = Client()
browser.force_login(Person.objects.get(email="ada@example.com"))
cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
odd = tenant("odd", 1, [f"r{n}" for n in range(5)])[0]
print("MADE", json.dumps({"users": everybody, "odd": odd, "cookie": cookie}))
