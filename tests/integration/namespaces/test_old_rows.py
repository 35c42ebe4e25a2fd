"""What an earlier release wrote down is mended where a later one knows better."""

from importlib import import_module

import pytest
from django.apps import apps

from namespaces.models import Manifest
from tests import factories

pytestmark = pytest.mark.django_db


def entry(digest: str, platform: str) -> dict[str, object]:
    return {"digest": digest, "platform": platform, "size": 7}


def test_an_entry_without_its_platform_has_that_of_its_config() -> None:
    image: Manifest = factories.ManifestFactory(kind="image")
    Manifest.objects.filter(pk=image.pk).update(platforms=[entry(image.pk, "linux/arm64")])
    index: Manifest = factories.ManifestFactory(kind="index", platforms=[entry(image.pk, "")])
    said = factories.ManifestFactory(kind="index", platforms=[entry(image.pk, "linux/amd64")])
    above = factories.ManifestFactory(kind="index", platforms=[entry(index.pk, ""), entry("sha256:gone", "")])
    import_module("namespaces.migrations.0016_platforms_of_configs").tell(apps, None)
    found = {row.pk: [each["platform"] for each in row.platforms] for row in Manifest.objects.all()}
    assert found == {
        image.pk: ["linux/arm64"], index.pk: ["linux/arm64"], said.pk: ["linux/amd64"], above.pk: ["", ""],
    }  # fmt: skip
