"""What members write about a namespace or an image: a description in a sentence, and a README."""

import hashlib
import json
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.names import clean_title
from accounts.principal import Principal
from namespaces import selectors
from namespaces.image_description import DESCRIPTION_MAX
from namespaces.models import Image, Namespace, Readme
from namespaces.readme import README_MAX


def version_of(description: str, readme: str) -> str:
    """Return a digest of both, for a form to say later which ones it showed."""
    return hashlib.sha256(json.dumps([description, readme]).encode()).hexdigest()


@transaction.atomic
def describe_namespace(
    *,
    by: Principal,
    namespace: Namespace,
    description: str | None = None,
    readme: str | None = None,
    version: str | None = None,
) -> Namespace:
    """Write what is not None; "" clears it. Raise Invalid on `description` or `readme`, or NotFound.

    `version`: of what was shown. Raise Conflict instead of replacing what somebody else wrote meanwhile.
    """
    row = Namespace.objects.select_for_update(no_key=True).filter(pk=namespace.pk).first()
    if not row:
        raise NotFound  # somebody else deleted it meanwhile
    changes = _Changes(row, row.description, version)
    namespace.description = changes.of_description(_description(description))
    Namespace.objects.filter(pk=row.pk).update(description=namespace.description)
    changes.write_readme(readme, namespace=row)
    if changes.found():
        audit.record(by=by, action=AuditAction.NAMESPACE_DESCRIBED, kind="namespace", id=row.pk, label=row.name,
                     account=namespace.account, before=changes.before, after=changes.after)  # fmt: skip
    return namespace


@transaction.atomic
def describe_image(
    *,
    by: Principal,
    image: Image,
    description: str | None = None,
    readme: str | None = None,
    version: str | None = None,
) -> Image:
    """As `describe_namespace`. While the description is "", the one that the image brings is shown."""
    row = Image.objects.select_for_update(no_key=True).filter(pk=image.pk).first()
    if not row:
        raise NotFound
    changes = _Changes(row, row.own_description, version)
    image.own_description = changes.of_description(_description(description))
    Image.objects.filter(pk=row.pk).update(own_description=image.own_description)
    changes.write_readme(readme, image=row)
    if changes.found():
        audit.record(by=by, action=AuditAction.IMAGE_DESCRIBED, kind="image", id=row.pk, label=image.repository,
                     account=image.namespace.account, before=changes.before, after=changes.after)  # fmt: skip
    return image


class _Changes:
    """What was changed, as the audit log keeps it: of a README its length alone."""

    def __init__(self, row: Namespace | Image, description: str, version: str | None) -> None:
        self.before: dict[str, Any] = {}
        self.after: dict[str, Any] = {}
        self._description, self._readme = description, selectors.readme_of(row)
        self._outdated = version not in (None, version_of(self._description, self._readme))

    def of_description(self, after: str | None) -> str:
        """Return what it is now."""
        before = self._description
        if after is None or after == before:
            return before
        self.before["description"], self.after["description"] = before, after
        return after

    def write_readme(self, readme: str | None, **of: Any) -> None:
        before, after = self._readme, _readme(readme)
        if after is None or after == before:
            return
        self.before["readme"], self.after["readme"] = len(before), len(after)
        if after:
            Readme.objects.update_or_create(**of, defaults={"text": after})
        else:
            Readme.objects.filter(**of).delete()

    def found(self) -> bool:
        """Raise Conflict if there are any, and others came before: the transaction undoes what is written."""
        if self.after and self._outdated:
            raise Conflict.on("", _("Somebody else has changed this since you opened it. Nothing was saved."))
        return bool(self.after)


def _description(text: str | None) -> str | None:
    if text is None:
        return None
    text = clean_title(text)
    if len(text) > DESCRIPTION_MAX:
        raise Invalid.on("description", _("Use at most %(most)s characters.") % {"most": DESCRIPTION_MAX})
    return text


def _readme(text: str | None) -> str | None:
    """Return it as it is kept: what no database keeps is replaced, and lines end as on Unix."""
    if text is None:
        return None
    text = text.encode("utf-8", "replace").decode().replace("\x00", "").replace("\r\n", "\n").strip("\n")
    if len(text) > README_MAX:
        raise Invalid.on("readme", _("Use at most %(most)s characters.") % {"most": README_MAX})
    return text if text.strip() else ""
