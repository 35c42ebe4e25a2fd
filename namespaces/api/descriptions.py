"""What namespaces and images share in the API: a description, and a README as it was written."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from accounts.api.serializers import Strict
from namespaces import selectors
from namespaces.image_description import DESCRIPTION_MAX
from namespaces.models import Image, Namespace
from namespaces.readme import README_MAX


class ReadmeSerializer(serializers.Serializer[Any]):
    readme = serializers.SerializerMethodField(help_text="Markdown, as it was written; empty: there is none.")

    def get_readme(self, row: Namespace | Image) -> str:
        return selectors.readme_of(row)


class DescriptionBody(Strict):
    """What is not given stays as it is."""

    description = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=DESCRIPTION_MAX,
        help_text="One line; empty: none of your own.",
    )
    readme = serializers.CharField(
        required=False, allow_blank=True, max_length=README_MAX, trim_whitespace=False,
        help_text="Markdown. Pages show no HTML and no images in it.",
    )  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError(_("Give at least one field to change."))
        return attrs
