from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0008_security_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="suspended_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        *(
            migrations.AddField(model_name="account", name=name, field=models.PositiveIntegerField(null=True))
            for name in (
                "max_namespaces",
                "max_users",
                "max_grants",
                "max_members",
                "max_invitations",
                "max_retention_rules",
            )
        ),
    ]
