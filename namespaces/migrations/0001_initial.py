"""The tables of namespaces, and on PostgreSQL the index that finds a piece of a tag's name."""

import datetime
import sys

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import namespaces.models.derived
from namespaces.listing import trigram_index


def make_index(apps, schema_editor):
    """Needs the extension pg_trgm, which the database's owner may add; a refusal must not stop an installation."""
    if problem := trigram_index.make_index(schema_editor.connection):
        sys.stderr.write(
            f"\n  Searching for a piece of a tag's name stays slow, because its index could not be made: {problem}\n"
            "  docs/operations.md, “Searching large registries”, says how to make it later.\n"
        )


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='CatalogRead',
            fields=[
                ('registry', models.CharField(max_length=500, primary_key=True, serialize=False)),
                ('started_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Manifest',
            fields=[
                ('digest', models.CharField(max_length=140, primary_key=True, serialize=False)),
                ('media_type', models.CharField(max_length=120)),
                ('artifact_type', models.CharField(default='', max_length=120)),
                ('kind', models.CharField(max_length=10)),
                ('size', models.BigIntegerField(default=0)),
                ('created_at', models.DateTimeField(null=True)),
                ('platforms', models.JSONField(default=list)),
                ('details', models.JSONField(default=dict)),
                ('subject', models.CharField(default='', max_length=140)),
                ('body_zlib', models.BinaryField(default=b'')),
                ('fetched_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('complete', models.BooleanField(db_default=True, default=True, editable=False)),
            ],
            options={
                'indexes': [models.Index(fields=['subject'], name='manifest_by_subject'), models.Index(condition=models.Q(('kind', 'unknown')), fields=['digest'], name='manifest_unknown')],
            },
        ),
        migrations.CreateModel(
            name='Namespace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True)),
                ('public', models.BooleanField(default=False)),
                ('stored_bytes', models.BigIntegerField(default=0, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='namespaces', to='accounts.account')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Image',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('first_seen_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('tag_count', models.PositiveIntegerField(default=0, editable=False)),
                ('untagged_count', models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ('size', models.BigIntegerField(default=0, editable=False)),
                ('stored_bytes', models.BigIntegerField(default=0, editable=False)),
                ('latest_tag', models.CharField(default='', editable=False, max_length=128)),
                ('pushed_at', models.DateTimeField(editable=False, null=True)),
                ('newest_history_id', models.BigIntegerField(db_default=0, default=0, editable=False)),
                ('namespace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='images', to='namespaces.namespace')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Grant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('image_name', models.CharField(blank=True, default='', max_length=200)),
                ('level', models.PositiveSmallIntegerField(choices=[(1, 'read'), (2, 'write'), (3, 'admin')])),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='grants', to='accounts.registryuser')),
                ('namespace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='grants', to='namespaces.namespace')),
            ],
            options={
                'ordering': ['namespace__name', 'image_name', 'user__description', 'id'],
            },
        ),
        migrations.CreateModel(
            name='PullStats',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tag', models.CharField(default='', max_length=128)),
                ('digest', models.CharField(default='', max_length=140)),
                ('username', models.CharField(default='', max_length=40)),
                ('count', models.PositiveBigIntegerField(default=0)),
                ('last_at', models.DateTimeField()),
                ('checks', models.PositiveBigIntegerField(db_default=0, default=0)),
                ('checked_at', models.DateTimeField(null=True)),
                ('address', models.CharField(default='', max_length=64)),
                ('client', models.CharField(default='', max_length=200)),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pull_stats', to='namespaces.image')),
            ],
        ),
        migrations.CreateModel(
            name='RepositoryManifest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_seen_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('gone_at', models.DateTimeField(null=True)),
                ('due_at', models.DateTimeField(editable=False, null=True)),
                ('image', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='repository_manifests', to='namespaces.image')),
                ('manifest', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='repository_manifests', to='namespaces.manifest')),
            ],
        ),
        migrations.CreateModel(
            name='ReservedName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True)),
                ('until', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reserved_names', to='accounts.account')),
            ],
        ),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=128)),
                ('first_seen_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('pushed_at', models.DateTimeField()),
                ('pushed_by', models.CharField(default='', max_length=40)),
                ('pulled_at', models.DateTimeField(default=datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))),
                ('pull_count', models.PositiveBigIntegerField(default=0)),
                ('missing_since', models.DateTimeField(null=True)),
                ('unreadable_since', models.DateTimeField(null=True)),
                ('sort_key', namespaces.models.derived.NaturalKey(default='', editable=False, max_length=400)),
                ('size', models.BigIntegerField(default=0)),
                ('technical', namespaces.models.derived.Technical(default=False, editable=False)),
                ('stem', namespaces.models.derived.Stem(db_default='', default='', editable=False, max_length=80)),
                ('image', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='namespaces.image')),
                ('manifest', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tags', to='namespaces.manifest')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='TagHistoryEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tag', models.CharField(max_length=128)),
                ('old', models.CharField(default='', max_length=140)),
                ('new', models.CharField(default='', max_length=140)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('by', models.CharField(default='', max_length=254)),
                ('how', models.CharField(choices=[('event', 'Event'), ('found', 'Found'), ('panel', 'Panel')], max_length=5)),
                ('image', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tag_history', to='namespaces.image')),
            ],
        ),
        migrations.CreateModel(
            name='Usage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account_id', models.BigIntegerField(db_index=True)),
                ('namespace_id', models.BigIntegerField(default=0)),
                ('day', models.DateField()),
                ('stored_bytes', models.BigIntegerField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account_id', 'namespace_id', 'day'), name='usage_once_a_day')],
            },
        ),
        migrations.CreateModel(
            name='Label',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200)),
                ('value', models.TextField()),
                ('value_prefix', namespaces.models.derived.ValuePrefix(default='', editable=False, max_length=100)),
                ('manifest', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='labels', to='namespaces.manifest')),
            ],
            options={
                'indexes': [models.Index(fields=['value_prefix', 'manifest'], name='label_by_prefix')],
                'constraints': [models.UniqueConstraint(fields=('manifest', 'key'), name='label_once')],
            },
        ),
        migrations.CreateModel(
            name='Descriptor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=140)),
                ('kind', models.CharField(choices=[('config', 'Config'), ('layer', 'Layer'), ('manifest', 'Manifest')], max_length=8)),
                ('size', models.BigIntegerField(default=0)),
                ('manifest', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='descriptors', to='namespaces.manifest')),
            ],
            options={
                'indexes': [models.Index(fields=['digest'], name='descriptor_by_digest')],
                'constraints': [models.UniqueConstraint(fields=('manifest', 'digest'), name='descriptor_once')],
            },
        ),
        migrations.AddIndex(
            model_name='image',
            index=models.Index(fields=['namespace', '-pushed_at', '-id'], name='image_by_push'),
        ),
        migrations.AddIndex(
            model_name='image',
            index=models.Index(fields=['namespace', '-newest_history_id'], name='image_by_history'),
        ),
        migrations.AddConstraint(
            model_name='image',
            constraint=models.UniqueConstraint(fields=('namespace', 'name'), name='image_once'),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.UniqueConstraint(fields=('user', 'namespace', 'image_name'), name='grant_once'),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.CheckConstraint(condition=models.Q(('level__in', [1, 2, 3])), name='grant_level'),
        ),
        migrations.AddIndex(
            model_name='pullstats',
            index=models.Index(fields=['username', '-last_at'], name='pull_by_user'),
        ),
        migrations.AddConstraint(
            model_name='pullstats',
            constraint=models.UniqueConstraint(condition=models.Q(('tag', ''), _negated=True), fields=('image', 'tag', 'username'), name='pull_of_tag_once'),
        ),
        migrations.AddConstraint(
            model_name='pullstats',
            constraint=models.UniqueConstraint(condition=models.Q(('tag', '')), fields=('image', 'digest', 'username'), name='pull_of_digest_once'),
        ),
        migrations.AddIndex(
            model_name='repositorymanifest',
            index=models.Index(fields=['manifest'], name='repository_manifest_by_digest'),
        ),
        migrations.AddIndex(
            model_name='repositorymanifest',
            index=models.Index(condition=models.Q(('due_at', None), _negated=True), fields=['due_at'], name='repository_manifest_due'),
        ),
        migrations.AddConstraint(
            model_name='repositorymanifest',
            constraint=models.UniqueConstraint(fields=('image', 'manifest'), name='repository_manifest_once'),
        ),
        migrations.AddIndex(
            model_name='tag',
            index=models.Index(fields=['image', 'technical', '-pushed_at', '-id'], name='tag_by_push'),
        ),
        migrations.AddIndex(
            model_name='tag',
            index=models.Index(fields=['image', 'technical', 'sort_key', 'id'], name='tag_by_name'),
        ),
        migrations.AddIndex(
            model_name='tag',
            index=models.Index(fields=['image', 'technical', '-size', '-id'], name='tag_by_size'),
        ),
        migrations.AddIndex(
            model_name='tag',
            index=models.Index(fields=['image', 'technical', '-pulled_at', '-id'], name='tag_by_pull'),
        ),
        migrations.AddIndex(
            model_name='tag',
            index=models.Index(fields=['image', 'manifest'], name='tag_by_manifest'),
        ),
        migrations.AddIndex(
            model_name='tag',
            index=models.Index(condition=models.Q(('technical', True)), fields=['image', 'stem'], name='tag_by_stem'),
        ),
        migrations.AddIndex(
            model_name='tag',
            index=models.Index(fields=['manifest'], name='tag_of_manifest'),
        ),
        migrations.AddConstraint(
            model_name='tag',
            constraint=models.UniqueConstraint(fields=('image', 'name'), name='tag_once'),
        ),
        migrations.AddIndex(
            model_name='taghistoryentry',
            index=models.Index(fields=['image', '-id'], name='history_by_image'),
        ),
        migrations.AddIndex(
            model_name='taghistoryentry',
            index=models.Index(fields=['image', '-at', '-id'], name='history_by_moment'),
        ),
        migrations.AddIndex(
            model_name='taghistoryentry',
            index=models.Index(fields=['image', 'tag', '-at', '-id'], name='history_by_tag_moment'),
        ),
        migrations.RunPython(make_index),
    ]
