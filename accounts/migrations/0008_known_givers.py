"""Who made an invitation, and who opened an account, as far as the audit trail knows."""

from typing import Any

from django.db import migrations


def fill(apps: Any, _schema: Any) -> None:
    Person, AuditEvent = apps.get_model("accounts", "Person"), apps.get_model("accounts", "AuditEvent")
    for model, field, action in (("Invitation", "maker", "member.invited"), ("Account", "opened_by", "account.opened")):
        rows = apps.get_model("accounts", model).objects.filter(**{field: None})
        wanted = {str(key) for key in rows.values_list("pk", flat=True)}
        told = AuditEvent.objects.filter(action=action, object_id__in=wanted).values_list("object_id", "actor_id")
        for key, person in told.order_by().iterator():
            if Person.objects.filter(pk=person).exists():
                rows.filter(pk=int(key)).update(**{field: person})


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_givers'),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
