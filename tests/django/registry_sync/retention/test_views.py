"""/a/…/n/NAMESPACE/rules/…: made, looked at, switched on, run, deleted."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from namespaces.models import NEVER, Image, Manifest, PullStats, RepositoryManifest
from registry_sync.models import Repository, RetentionRule, SyncRun
from tests import factories
from tests.cast import MEMBERS, Cast

HERE = "/a/team-red/n/team/rules/"
DIFFERENT = [("owner", 302), ("manager", 302), ("viewer", 403), ("stranger", 404)]


@pytest.fixture
def image(cast: Cast) -> Image:
    made: Image = factories.ImageFactory(
        namespace__account=cast.account, namespace__name="team", name="deep/app"
    )
    Repository.objects.create(name="team/deep/app", image=made)
    for age in (1, 50, 100):
        tag = factories.TagFactory(
            image=made, name=f"old-{age}", pushed_at=timezone.now() - timedelta(days=age)
        )
        RepositoryManifest.objects.create(image=made, manifest=tag.manifest)
    return made


@pytest.fixture
def rule(image: Image) -> RetentionRule:
    return RetentionRule.objects.create(namespace=image.namespace, keep_days=60)


@pytest.mark.parametrize("page", ["", "{}/", "{}/preview/", "{}/preview/?image=deep/app"])
@pytest.mark.parametrize("who", MEMBERS)
def test_members_see_rules_and_strangers_nothing(
    cast: Cast, rule: RetentionRule, who: str, page: str
) -> None:
    path = HERE + page.format(rule.pk)
    assert cast.client(who).get(path).status_code == 200
    assert cast.client("stranger").get(path).status_code == 404
    assert cast.client("anonymous").get(path).status_code == 302


@pytest.mark.parametrize(("who", "status"), DIFFERENT)
def test_who_makes_a_rule_which_is_off_and_shows_what_it_would_remove(
    cast: Cast, image: Image, who: str, status: int
) -> None:
    answer = cast.client(who).post(HERE, {"keep_last": "3", "protect_pattern": "v* latest"})
    assert answer.status_code == status
    made = RetentionRule.objects.first()
    assert (made is not None) is (status == 302)
    if made:
        assert answer.headers["Location"] == f"{HERE}{made.pk}/preview/"
        assert (made.enabled, made.keep_last, made.protect_pattern) == (False, 3, "v* latest")
        assert AuditEvent.objects.get(action="retention.created").object == "team/*"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "__all__"),
        ({"protect_pattern": "v*"}, "__all__"),
        ({"keep_last": "0"}, "keep_last"),
        ({"keep_last": "-1"}, "keep_last"),
        ({"keep_days": "10001"}, "keep_days"),
        ({"keep_days": "9" * 30}, "keep_days"),
        ({"keep_pulled_days": "soon"}, "keep_pulled_days"),
        ({"keep_pattern": "a b/c"}, "keep_pattern"),
        ({"keep_pattern": "[a-z]"}, "keep_pattern"),
        ({"keep_pattern": "x" * 201}, "keep_pattern"),
        ({"keep_last": "1", "image_name": "Not/Legal"}, "image_name"),
    ],
)
def test_what_cannot_be_a_rule_is_refused_beside_its_field(
    cast: Cast, image: Image, given: dict[str, str], field: str
) -> None:
    answer = cast.client("owner").post(HERE, given)
    assert answer.status_code == 400
    assert answer.context["form"].errors[field]
    assert not RetentionRule.objects.exists()


def test_a_second_rule_for_the_same_is_refused(cast: Cast, rule: RetentionRule) -> None:
    assert "already" in cast.client("owner").post(HERE, {"keep_last": "1"}).content.decode()
    assert cast.client("owner").post(HERE, {"keep_last": "1", "image_name": "deep/app"}).status_code == 302
    assert RetentionRule.objects.count() == 2


def test_the_dry_run_tells_every_tag_and_why(cast: Cast, rule: RetentionRule) -> None:
    ((line, in_use),) = cast.client("viewer").get(f"{HERE}{rule.pk}/preview/").context["images"]
    assert in_use == 0
    assert ([each.version.name for each in line.removed], line.kept_tag_count) == (["old-100"], 2)
    page = cast.client("viewer").get(f"{HERE}{rule.pk}/preview/?image=deep/app")
    told = [(each.version.name, each.decision.value) for each, _why in page.context["decisions"]]
    assert told == [("old-100", "delete"), ("old-1", "keep"), ("old-50", "keep")]
    text = page.content.decode()
    assert "nothing in the rule keeps it" in text
    assert "pushed on" in text
    assert "the registry has not been read completely yet" in text
    SyncRun.objects.create(state="done", finished_at=timezone.now())
    assert "would be skipped" not in cast.client("viewer").get(f"{HERE}{rule.pk}/preview/").content.decode()


def test_the_dry_run_in_short(cast: Cast, rule: RetentionRule, image: Image) -> None:
    image.tags.get(name="old-100").manifest.descriptors.create(
        digest=f"sha256:{'1' * 64}", kind="layer", size=300
    )
    for tag, size in (("old-100", 300), ("old-50", 20), ("old-1", 1)):
        Manifest.objects.filter(tags__image=image, tags__name=tag).update(size=size)
    page = cast.client("viewer").get(f"{HERE}{rule.pk}/preview/?image=deep/app")
    told = [
        (group.version_count, group.tag_count, group.size_bytes, why) for group, why in page.context["groups"]
    ]
    assert told == [(1, 1, 300, "nothing in the rule keeps it"), (2, 2, 21, "pushed within the last 60 days")]
    assert page.context["space"].freed_bytes == 300
    assert page.context["in_use"] == ""


def test_the_dry_run_warns_of_what_was_pulled_lately(cast: Cast, rule: RetentionRule, image: Image) -> None:
    tag = image.tags.get(name="old-100")
    for days, warned in ((31, False), (1, True)):
        image.tags.filter(pk=tag.pk).update(pulled_at=timezone.now() - timedelta(days=days))
        client = cast.client("viewer")
        one = client.get(f"{HERE}{rule.pk}/preview/?image=deep/app").text
        assert ("was pulled in the last 30 days: old-100." in one) is warned
        every = client.get(f"{HERE}{rule.pk}/preview/").text
        assert ("1 version pulled in the last 30 days" in every) is warned


REASONS = {
    "protected by v*": {"protect_pattern": "v*", "keep_last": 1},
    "named like old*": {"keep_pattern": "old*"},
    "among the newest 3": {"keep_last": 3},
    "pushed within the last 200 days": {"keep_days": 200},
    "pushed within the last 200 days, which counts as use": {"keep_pulled_days": 200},
    "pulled within the last 40 days": {"keep_pulled_days": 40},
    "checked within the last 40 days": {"keep_pulled_days": 40, "keep_checked": True},
    "known for less than 40 days, so it may have been pulled before": {"keep_pulled_days": 40},
    "the rule does not say what to keep, so it removes nothing": {"protect_pattern": "none"},
    "missing from the registry’s last list, so nothing is certain about it": {"keep_days": 1},
}


@pytest.mark.parametrize("text", REASONS)
def test_each_reason_is_said_for_a_group(cast: Cast, rule: RetentionRule, image: Image, text: str) -> None:
    RetentionRule.objects.filter(pk=rule.pk).update(**{"keep_days": None} | REASONS[text])
    tags, now = image.tags.filter(name="old-100"), timezone.now()
    long_ago = now - timedelta(days=100)
    image.tags.update(first_seen_at=long_ago, pushed_at=long_ago)
    if "protected" in text:
        tags.update(name="v1")
    elif "pulled within" in text:
        tags.update(pulled_at=now)
    elif "checked" in text:
        PullStats.objects.create(image=image, tag="old-100", last_at=NEVER, checks=1, checked_at=now)
    elif "known" in text:
        tags.update(first_seen_at=now)
    elif "missing" in text:
        tags.update(missing_since=now)
    page = cast.client("viewer").get(f"{HERE}{rule.pk}/preview/?image=deep/app")
    assert text in [why for _group, why in page.context["groups"]]


def test_the_dry_run_names_a_digest_by_the_tag_that_says_most(
    cast: Cast, rule: RetentionRule, image: Image
) -> None:
    old = image.tags.get(name="old-100")
    factories.TagFactory(image=image, name="1.2.0", manifest=old.manifest, pushed_at=old.pushed_at)
    factories.TagFactory(image=image, name=old.manifest_id.replace(":", "-") + ".src")
    page = cast.client("viewer").get(f"{HERE}{rule.pk}/preview/?image=deep/app")
    (first, _why), *_others = page.context["decisions"]
    assert first.version.names == ("1.2.0", "old-100")
    text = page.content.decode()
    assert 'also <span class="font-monospace">old-100</span>' in text
    assert ".src" not in text
    assert "Tags to remove: 2. Tags to keep: 2" in text


def test_the_dry_run_is_paged(cast: Cast, rule: RetentionRule, image: Image) -> None:
    factories.TagFactory.create_batch(150, image=image)
    path = f"{HERE}{rule.pk}/preview/?image=deep/app"
    first = cast.client("viewer").get(path)
    second = cast.client("viewer").get(f"{HERE}{rule.pk}/preview/" + first.context["page"]["next_url"])
    assert [len(page.context["decisions"]) for page in (first, second)] == [100, 53]
    assert cast.client("viewer").get(path + "&from=x").status_code == 200
    assert cast.client("viewer").get(path + "&from=99999999999999999999").status_code == 200
    assert cast.client("viewer").get(f"{HERE}{rule.pk}/preview/?image=other").status_code == 404


@pytest.mark.parametrize(("who", "status"), DIFFERENT)
@pytest.mark.parametrize("act", ["toggle", "run", "delete", "change"])
def test_who_changes_a_rule(cast: Cast, rule: RetentionRule, act: str, who: str, status: int) -> None:
    client, path = cast.client(who), f"{HERE}{rule.pk}/"
    answer = client.post(path + ("" if act == "change" else f"{act}/"), {"enabled": "yes", "keep_last": "7"})
    assert answer.status_code == status
    happened = {
        "toggle": RetentionRule.objects.filter(enabled=True).exists(),
        "run": rule.runs.filter(requested_by=f"{who}@example.com").exists(),
        "delete": not RetentionRule.objects.exists(),
        "change": RetentionRule.objects.filter(keep_last=7).exists(),
    }
    assert happened == {each: each == act and status == 302 for each in happened}


def test_a_changed_rule_is_off_until_it_was_looked_at(cast: Cast, rule: RetentionRule) -> None:
    client, path = cast.client("owner"), f"{HERE}{rule.pk}/"
    client.post(path + "toggle/", {"enabled": "yes"})
    client.post(path, {"keep_days": "60"})
    assert RetentionRule.objects.get().enabled  # nothing changed
    answer = client.post(path, {"keep_days": "50"})
    assert answer.headers["Location"] == path + "preview/"
    assert not RetentionRule.objects.get().enabled
    actions = (
        AuditEvent.objects.filter(object_kind="retention").order_by("id").values_list("action", flat=True)
    )
    assert list(actions) == ["retention.switched_on", "retention.changed", "retention.changed"]


def test_the_rule_of_another_namespace_is_absent(cast: Cast, rule: RetentionRule) -> None:
    other = factories.NamespaceFactory(account=cast.account, name="other")
    theirs = RetentionRule.objects.create(
        namespace=factories.NamespaceFactory(account=cast.elsewhere), keep_last=1
    )
    client = cast.client("owner")
    assert client.get(f"/a/team-red/n/{other.name}/rules/{rule.pk}/").status_code == 404
    assert client.get(f"{HERE}{theirs.pk}/").status_code == 404
    assert client.post(f"{HERE}{theirs.pk}/delete/").status_code == 404
    assert client.get(f"{HERE}{rule.pk}/toggle/").status_code == 405


def test_what_a_run_removed_is_shown_as_text(cast: Cast, rule: RetentionRule) -> None:
    rule.runs.create(
        state="done",
        finished_at=timezone.now(),
        removed_count=1,
        problem="<b>x</b>",
        removed=[{"image": "team/deep/app", "tag": "old-100", "digest": "sha256:abc"}],
    )
    page = cast.client("viewer").get(f"{HERE}{rule.pk}/").content.decode()
    assert "team/deep/app:old-100" in page
    assert "&lt;b&gt;x" in page
