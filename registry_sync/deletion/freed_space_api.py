"""What a deletion frees, as previews tell it in the API: the fields of FreedSpace."""

from typing import Any

from rest_framework import serializers


class FreedSpaceSerializer(serializers.Serializer[Any]):
    freed_bytes = serializers.IntegerField(
        help_text="What the registry’s next garbage collection frees; at most, if not `freed_exactly`."
    )
    staying_bytes = serializers.IntegerField(
        help_text="What stays of the deleted, because other tags or images of the account use it."
    )
    freed_exactly = serializers.BooleanField(
        help_text="False: other accounts, repositories of none, or what could not be read may share layers."
    )
