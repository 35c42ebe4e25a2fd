"""The tables of accounts. The audit log and its seals are append-only in the database too."""

import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


AUDIT_TABLES = {"accounts_auditevent": "audit", "accounts_auditseal": "audit_seal"}
# One command each: a server-side prepared statement holds no more. TRUNCATE goes past the triggers of rows.
FUNCTION = """
CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""
POSTGRESQL = (
    "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
)
SQLITE = """
CREATE TRIGGER {name}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
"""


def make_append_only(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION)
        commands = [command.format(table=table) for table in AUDIT_TABLES for command in POSTGRESQL]
    else:
        verbs = ("UPDATE", "DELETE")
        commands = [SQLITE.format(table=table, name=name, verb=verb) for table, name in AUDIT_TABLES.items() for verb in verbs]
    for command in commands:
        schema_editor.execute(command)


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name='AuditSeal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_event_id', models.BigIntegerField(unique=True)),
                ('event_count', models.IntegerField()),
                ('digest', models.CharField(max_length=64)),
                ('pepper_version', models.IntegerField()),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Person',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('email', models.EmailField(max_length=254, unique=True, verbose_name='email address')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('is_staff', models.BooleanField(default=False, verbose_name='operator')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='joined')),
            ],
            options={
                'verbose_name': 'person',
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='person_email_once')],
            },
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('handle', models.CharField(max_length=40, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('closed_at', models.DateTimeField(editable=False, null=True)),
                ('opened_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['name', 'id'],
            },
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('hint', models.CharField(max_length=8)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(editable=False, null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('account_id', models.BigIntegerField(null=True)),
                ('actor_kind', models.CharField(max_length=10)),
                ('actor_id', models.BigIntegerField(null=True)),
                ('actor', models.CharField(max_length=254)),
                ('address', models.CharField(default='', max_length=45)),
                ('action', models.CharField(max_length=40)),
                ('object_kind', models.CharField(max_length=20)),
                ('object_id', models.CharField(default='', max_length=64)),
                ('object', models.CharField(max_length=300)),
                ('before', models.JSONField(default=dict)),
                ('after', models.JSONField(default=dict)),
            ],
            options={
                'ordering': ['-at', '-id'],
                'indexes': [models.Index(fields=['account_id', '-at', '-id'], name='audit_listing')],
            },
        ),
        migrations.CreateModel(
            name='DropCounter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('denials', 'refusals'), ('uses', 'last uses of users'), ('digests', 'new digests of passwords'), ('differences', 'differences that a check found'), ('sign-ins', 'sign-ins')], max_length=20)),
                ('username', models.CharField(default='', max_length=12)),
                ('count', models.PositiveBigIntegerField(default=0)),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'username'), name='drop_counter_once')],
            },
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('owner', 'owner'), ('manager', 'manager'), ('viewer', 'viewer')], max_length=10)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('created_by', models.CharField(max_length=254)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(editable=False, null=True)),
                ('accepted_by', models.CharField(db_default='', default='', max_length=254)),
                ('revoked_at', models.DateTimeField(editable=False, null=True)),
                ('voided_at', models.DateTimeField(editable=False, null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='accounts.account')),
                ('inviter', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reserved_for', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='OperatorLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('reserved_for', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='OutgoingMail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('to', models.CharField(max_length=254)),
                ('encrypted', models.TextField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('problem', models.CharField(default='', max_length=200)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('due_at', None), _negated=True), fields=['due_at'], name='mail_due')],
            },
        ),
        migrations.CreateModel(
            name='RegistryUser',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('username', models.CharField(max_length=12, unique=True)),
                ('description', models.CharField(max_length=100)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('disabled_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(editable=False, null=True)),
                ('last_used_from', models.CharField(default='', editable=False, max_length=45)),
                ('last_used_with', models.CharField(default='', editable=False, max_length=80)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='users', to='accounts.account')),
            ],
            options={
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Denial',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('repository', models.CharField(default='', max_length=200)),
                ('action', models.CharField(default='', max_length=10)),
                ('reason', models.CharField(max_length=200)),
                ('remedy', models.CharField(max_length=200)),
                ('count', models.PositiveBigIntegerField(default=0)),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('address', models.CharField(default='', max_length=45)),
                ('client', models.CharField(default='', max_length=80)),
                ('sources', models.TextField(db_default='', default='')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='denials', to='accounts.registryuser')),
            ],
            options={
                'ordering': ['-last_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Secret',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('pepper_version', models.PositiveSmallIntegerField()),
                ('hint', models.CharField(max_length=8)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to='accounts.registryuser')),
            ],
            options={
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Member',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('owner', 'owner'), ('manager', 'manager'), ('viewer', 'viewer')], max_length=10)),
                ('joined_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='accounts.account')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['person__email', 'id'],
                'constraints': [models.UniqueConstraint(fields=('account', 'person'), name='member_once')],
            },
        ),
        migrations.AddIndex(
            model_name='registryuser',
            index=models.Index(fields=['account', '-created_at', '-id'], name='user_listing'),
        ),
        migrations.AddIndex(
            model_name='denial',
            index=models.Index(fields=['user', '-last_at', '-id'], name='denial_listing'),
        ),
        migrations.AddIndex(
            model_name='denial',
            index=models.Index(fields=['repository', '-last_at'], name='denial_by_repository'),
        ),
        migrations.AddIndex(
            model_name='denial',
            index=models.Index(fields=['last_at'], name='denial_by_age'),
        ),
        migrations.AddConstraint(
            model_name='denial',
            constraint=models.UniqueConstraint(fields=('user', 'repository', 'action'), name='denial_once'),
        ),
        migrations.RunPython(make_append_only),
    ]
