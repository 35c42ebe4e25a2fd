from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0009_account_suspension_and_limits"),
    ]

    operations = [
        migrations.AddField(
            model_name="idtokenissuer",
            name="failures",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="idtokenissuer",
            name="next_try_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
