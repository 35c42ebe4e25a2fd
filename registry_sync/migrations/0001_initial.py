"""The tables of registry_sync."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('namespaces', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='DiagnosticRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done')], default='waiting', max_length=7)),
                ('requested_by', models.CharField(max_length=254)),
                ('requested_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('results', models.JSONField(default=list)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Lease',
            fields=[
                ('name', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('token', models.BigIntegerField(default=0)),
                ('until', models.DateTimeField()),
                ('current_work', models.CharField(db_default='', default='', max_length=600)),
            ],
        ),
        migrations.CreateModel(
            name='Marker',
            fields=[
                ('name', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='SyncRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('incomplete', 'Incomplete'), ('failed', 'Failed'), ('needs_approval', 'Needs approval')], default='waiting', max_length=14)),
                ('quick', models.BooleanField(db_default=False, default=False)),
                ('requested_by', models.CharField(default='schedule', max_length=254)),
                ('requested_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('started_at', models.DateTimeField(null=True)),
                ('heartbeat_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('repositories_total', models.PositiveIntegerField(default=0)),
                ('repositories_done', models.PositiveIntegerField(default=0)),
                ('requests', models.PositiveIntegerField(default=0)),
                ('changes', models.PositiveIntegerField(default=0)),
                ('unreadable', models.PositiveIntegerField(default=0)),
                ('tags_needing_approval', models.PositiveIntegerField(db_default=0, default=0)),
                ('problem', models.CharField(default='', max_length=500)),
                ('deletions_approved', models.BooleanField(default=False)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_id', models.CharField(max_length=100, unique=True)),
                ('received_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('at', models.DateTimeField(null=True)),
                ('method', models.CharField(db_default='', default='', max_length=10)),
                ('action', models.CharField(default='', max_length=20)),
                ('repository', models.CharField(default='', max_length=255)),
                ('namespace', models.CharField(db_default='', default='', editable=False, max_length=255)),
                ('tag', models.CharField(default='', max_length=128)),
                ('digest', models.CharField(default='', max_length=140)),
                ('actor', models.CharField(default='', max_length=64)),
                ('media_type', models.CharField(default='', max_length=120)),
                ('address', models.CharField(default='', max_length=64)),
                ('client', models.CharField(default='', max_length=200)),
                ('raw', models.TextField(default='')),
                ('applied_at', models.DateTimeField(null=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('problem', models.CharField(default='', max_length=300)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('due_at', None), _negated=True), fields=['due_at', 'id'], name='event_due'), models.Index(condition=models.Q(('due_at', None), _negated=True), fields=['namespace', 'id'], name='event_due_of_each'), models.Index(condition=models.Q(('problem', ''), _negated=True), fields=['id'], name='event_failed'), models.Index(fields=['received_at'], name='event_received'), models.Index(condition=models.Q(('action', 'pull')), fields=['repository', 'digest', 'at'], name='event_pulled')],
            },
        ),
        migrations.CreateModel(
            name='Purge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('chosen', models.PositiveIntegerField(db_default=0, default=0)),
                ('cutoffs', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('emptied', 'Emptied'), ('restoring', 'Restoring'), ('done', 'Done'), ('partial', 'Partial'), ('failed', 'Failed'), ('restored', 'Restored')], default='waiting', max_length=9)),
                ('requested_by', models.CharField(max_length=254)),
                ('requested_by_id', models.BigIntegerField(null=True)),
                ('address', models.CharField(default='', max_length=45)),
                ('requested_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('planned_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('kept', models.PositiveIntegerField(default=0)),
                ('restoring_since', models.DateTimeField(null=True)),
                ('ends_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('problem', models.CharField(default='', max_length=500)),
                ('image', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='purges', to='namespaces.image')),
                ('namespace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='purges', to='namespaces.namespace')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='QuarantinedWork',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('repository', models.CharField(default='', max_length=255)),
                ('item', models.CharField(default='', max_length=200)),
                ('quarantined_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('crash_count', models.PositiveIntegerField(default=0)),
                ('account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Removal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('untag', 'Untag'), ('delete', 'Delete'), ('restore', 'Restore')], max_length=7)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('partial', 'Partial'), ('failed', 'Failed')], default='waiting', max_length=7)),
                ('requested_by', models.CharField(max_length=254)),
                ('requested_by_id', models.BigIntegerField(null=True)),
                ('address', models.CharField(default='', max_length=45)),
                ('requested_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('last_attempt_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('problem', models.CharField(default='', max_length=300)),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='removals', to='namespaces.image')),
                ('purge', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='removals', to='registry_sync.purge')),
                ('undoes', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='undone_by', to='registry_sync.removal')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='RemovalItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tag', models.CharField(default='', max_length=128)),
                ('digest', models.CharField(max_length=140)),
                ('expected_digest', models.CharField(default='', max_length=140)),
                ('confirmed_dependents', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('stopped', 'Stopped'), ('failed', 'Failed')], default='waiting', max_length=7)),
                ('started_at', models.DateTimeField(null=True)),
                ('placeholder_digest', models.CharField(db_index=True, default='', max_length=140)),
                ('nonce', models.CharField(default='', max_length=32)),
                ('outcome', models.CharField(default='', max_length=20)),
                ('detail', models.CharField(default='', max_length=300)),
                ('finished_at', models.DateTimeField(null=True)),
                ('removal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='registry_sync.removal')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Repository',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255, unique=True)),
                ('first_seen_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('missing_since', models.DateTimeField(null=True)),
                ('problem', models.CharField(default='', max_length=200)),
                ('failures', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('tags_needing_approval', models.PositiveIntegerField(db_default=0, default=0)),
                ('version', models.PositiveIntegerField(default=0)),
                ('last_viewed_at', models.DateTimeField(null=True)),
                ('image', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='repository_row', to='namespaces.image')),
            ],
            options={
                'verbose_name_plural': 'repositories',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='RetentionRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('image_name', models.CharField(blank=True, default='', max_length=200)),
                ('keep_last', models.PositiveIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10000)])),
                ('keep_days', models.PositiveIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10000)])),
                ('keep_pulled_days', models.PositiveIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10000)])),
                ('keep_checked', models.BooleanField(db_default=False, default=False)),
                ('keep_pattern', models.CharField(blank=True, default='', max_length=200)),
                ('protect_pattern', models.CharField(blank=True, default='', max_length=200)),
                ('enabled', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('namespace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='retention_rules', to='namespaces.namespace')),
            ],
            options={
                'ordering': ['namespace__name', 'image_name'],
            },
        ),
        migrations.CreateModel(
            name='RetentionRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('running', 'Running'), ('done', 'Done'), ('skipped', 'Skipped'), ('failed', 'Failed')], default='running', max_length=8)),
                ('requested_by', models.CharField(default='schedule', max_length=254)),
                ('requested_by_id', models.BigIntegerField(null=True)),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('planned_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('finished_at', models.DateTimeField(null=True)),
                ('kept', models.PositiveIntegerField(default=0)),
                ('removed', models.JSONField(default=list)),
                ('removed_count', models.PositiveIntegerField(default=0)),
                ('problem', models.CharField(default='', max_length=500)),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='registry_sync.retentionrule')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='removal',
            name='run',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='removals', to='registry_sync.retentionrun'),
        ),
        migrations.CreateModel(
            name='Drift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('repository', models.CharField(max_length=255)),
                ('tag', models.CharField(default='', max_length=128)),
                ('old', models.CharField(default='', max_length=140)),
                ('new', models.CharField(default='', max_length=140)),
                ('rolled_back', models.BooleanField(db_default=False, default=False)),
                ('found_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='drifts', to='registry_sync.syncrun')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='WorkerCrash',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('repository', models.CharField(default='', max_length=255)),
                ('item', models.CharField(default='', max_length=200)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Shard',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('repositories', models.JSONField(default=list)),
                ('done_at', models.DateTimeField(null=True)),
                ('token', models.PositiveIntegerField(default=0)),
                ('lease_until', models.DateTimeField(null=True)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shards', to='registry_sync.syncrun')),
                ('crash', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='shards', to='registry_sync.workercrash')),
            ],
            options={
                'ordering': ['run', 'number'],
            },
        ),
        migrations.AddIndex(
            model_name='purge',
            index=models.Index(condition=models.Q(('state__in', ['waiting', 'restoring', 'emptied'])), fields=['id'], name='purge_open'),
        ),
        migrations.AddIndex(
            model_name='repository',
            index=models.Index(condition=models.Q(('problem', ''), _negated=True), fields=['image'], name='repository_troubled'),
        ),
        migrations.AddConstraint(
            model_name='retentionrule',
            constraint=models.UniqueConstraint(fields=('namespace', 'image_name'), name='retention_rule_once'),
        ),
        migrations.AddIndex(
            model_name='removal',
            index=models.Index(fields=['image', '-id'], name='removal_by_image'),
        ),
        migrations.AddIndex(
            model_name='removal',
            index=models.Index(condition=models.Q(('due_at', None), _negated=True), fields=['due_at', 'id'], name='removal_due'),
        ),
        migrations.AddIndex(
            model_name='removal',
            index=models.Index(condition=models.Q(('last_attempt_at', None), _negated=True), fields=['last_attempt_at'], name='removal_attempted'),
        ),
        migrations.AddIndex(
            model_name='drift',
            index=models.Index(fields=['found_at'], name='drift_found_at'),
        ),
        migrations.AddConstraint(
            model_name='shard',
            constraint=models.UniqueConstraint(fields=('run', 'number'), name='shard_once'),
        ),
    ]
