"""The ready commands beside a fresh password name what the user may really reach."""

import re

from tests import factories
from tests.cast import Cast


def commands(cast: Cast, user: object) -> str:
    answer = cast.client("owner").post(f"{user.get_absolute_url()}password/", {"once": "a mark"})  # type: ignore[attr-defined]
    return "\n".join(command for each in answer.context["tabs"] for _text, command in each.steps)


def test_who_may_nothing_is_told_so_and_no_command_that_would_fail(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    told = commands(cast, user)
    assert "docker login localhost:5000" in told
    assert not re.search(r"IMAGE|localhost:5000/|docker (pull|push)", told)
    client, url = cast.client("owner"), f"{user.get_absolute_url()}password/"
    assert "This user has no permissions yet" in client.post(url, {"once": "second"}).text
    factories.GrantFactory(user=user)
    assert "This user has no permissions yet" not in client.post(url, {"once": "third"}).text


def test_into_an_empty_namespace_something_is_pushed_that_everybody_has(cast: Cast) -> None:
    grant = factories.GrantFactory(user__account=cast.account, namespace__name="team", level=2)
    assert "docker tag nginx localhost:5000/team/nginx\n" in commands(cast, grant.user)


def test_a_granted_image(cast: Cast) -> None:
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    user = factories.RegistryUserFactory(account=cast.account)
    factories.GrantFactory(user=user, namespace=namespace)
    factories.GrantFactory(user=user, namespace=namespace, image_name="api")
    assert "docker pull localhost:5000/team/api" in commands(cast, user)


def test_an_image_that_is_there_before_one_to_come(cast: Cast) -> None:
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    factories.TagFactory(image__namespace=namespace, image__name="api", name="1.2")
    user = factories.RegistryUserFactory(account=cast.account)
    for name in ("api", "soon"):
        factories.GrantFactory(user=user, namespace=namespace, image_name=name, level=1)
    assert "docker pull localhost:5000/team/api:1.2\n" in commands(cast, user) + "\n"
    assert "push" not in commands(cast, user)


def test_a_chart_is_no_example_for_docker(cast: Cast) -> None:
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    factories.TagFactory(image__namespace=namespace, image__name="chart", manifest__kind="artifact")
    user = factories.GrantFactory(user__account=cast.account, namespace=namespace).user
    assert "team/chart" not in commands(cast, user)


def test_who_may_push_is_told_how_to_push(cast: Cast) -> None:
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    grant = factories.GrantFactory(user__account=cast.account, namespace=namespace, image_name="api", level=2)
    told = commands(cast, grant.user)
    assert "docker push localhost:5000/team/api\n" in told
    assert "docker push localhost:5000/team/api:$CI_COMMIT_SHORT_SHA" in told


def test_an_image_of_a_granted_namespace(cast: Cast) -> None:
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    factories.TagFactory(image__namespace=namespace, image__name="web")
    user = factories.GrantFactory(user__account=cast.account, namespace=namespace).user
    assert "docker pull localhost:5000/team/web" in commands(cast, user)


def test_tools_are_told_that_there_is_no_tls(cast: Cast, settings: object) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    assert "podman login localhost:5000" in commands(cast, user)
    assert "--tls-verify=false" in commands(cast, user)
    settings.PUBLIC_URL = "https://registry.example.com"  # type: ignore[attr-defined]
    assert "--tls-verify=false" not in commands(cast, user)


def test_after_a_first_password_the_page_of_the_first_push_comes(cast: Cast) -> None:
    grant = factories.GrantFactory(user__account=cast.account, namespace__name="team", level=2)
    client, url = cast.client("owner"), f"{grant.user.get_absolute_url()}password/"
    assert f'data-saves href="/a/{cast.account.handle}/n/team/"' in client.post(url, {"once": "first"}).text
    factories.TagFactory(image__namespace=grant.namespace, image__name="web")
    assert f'data-saves href="{grant.user.get_absolute_url()}"' in client.post(url, {"once": "second"}).text


def test_who_may_pull_from_a_namespace_without_images_is_told_so(cast: Cast) -> None:
    user = factories.GrantFactory(user__account=cast.account, namespace__name="team", level=1).user
    told = commands(cast, user)
    assert not re.search(r"localhost:5000/|docker (pull|push)", told)
    text = cast.client("owner").post(f"{user.get_absolute_url()}password/", {"once": "second"}).text
    assert "Nothing has been pushed to team yet." in text
    assert "This user has no permissions yet" not in text
