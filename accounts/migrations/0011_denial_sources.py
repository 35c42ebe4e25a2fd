from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_moments_in_every_zone")]

    operations = [
        migrations.AddField("denial", "sources", models.TextField(db_default="", default="")),
    ]
