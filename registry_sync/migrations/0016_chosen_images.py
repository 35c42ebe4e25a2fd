from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registry_sync', '0015_purges'),
    ]

    operations = [
        migrations.AddField(
            model_name='purge',
            name='chosen',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
