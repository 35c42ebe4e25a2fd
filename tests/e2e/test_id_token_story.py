"""A job of GitHub's shape that pushes where no password is stored: docker and skopeo beside a browser.

The user, its trust policy and what the job needs come from the pages. A job of a pull request is refused with the
reason, is allowed by one click, and pushes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Installation, accessible, load_until, standalone
from tests.e2e.test_id_token_clients import until
from tests.e2e.test_permission_story import inside, named_skopeo, refused
from tests.parts import images
from tests.parts.clients import Client
from tests.parts.id_token_claims import OWNER_ID, REPOSITORY_ID, Claims, github_pull_request, github_with_ids
from tests.parts.id_token_issuer import IdTokenIssuer

pytestmark = [pytest.mark.e2e, pytest.mark.clients, pytest.mark.long]
REASON = "comes from a pull request, which may only pull"
EMAIL, PASSWORD = "grace@example.com", "tall ships and 9 harbours"

# These run inside the installation. GitHub's own issuer is there from the start; the tests cannot sign as it.
WORLD = f"""
from allauth.account.models import EmailAddress
from accounts.models import IdTokenIssuer, Person
from accounts.views.request import principal_for
from accounts.services import accounts
from namespaces.services import namespaces
person = Person.objects.create_user({EMAIL!r}, {PASSWORD!r})
EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
by = principal_for(person, {{}})
account = accounts.open_account(by=by, name="Yard")
namespaces.create(by=by, account=account, name="yard")
IdTokenIssuer.objects.create(url=%r, name="GitHub of the tests", preset="github")
"""
STORED = """
from accounts.models import Secret
print("STORED", Secret.objects.count())
"""


@dataclass(frozen=True)
class Yard:
    """An account with an empty namespace, and where the ID tokens of its jobs come from."""

    installation: Installation
    issuer: IdTokenIssuer

    @property
    def account(self) -> str:
        return f"{self.installation.panel}/a/yard/"

    def token(self, claims: Claims) -> str:
        return self.issuer.sign(claims, audience=self.installation.panel, size=2500, lifetime=3600)

    def gives(self, username: str) -> bool:
        """Whether a job may sign in: the keys of an issuer are fetched once a policy trusts it."""
        url = f"{self.installation.panel}/auth/token?service={self.installation.registry}"
        return requests.get(url, auth=(username, self.token(github_with_ids())), timeout=120).ok


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with IdTokenIssuer(tmp_path / "issuer") as issuer:
        more = {"ISSUER_NETWORKS": "127.0.0.0/8", "SSL_CERT_FILE": str(issuer.authority)}
        with standalone(tmp_path, more) as installation:
            inside(installation, WORLD % issuer.url)
            yield Yard(installation, issuer)


def test_from_a_new_user_to_the_push_of_a_pull_request(
    yard: Yard, page: Page, docker: Client, tmp_path: Path
) -> None:
    skopeo = named_skopeo(tmp_path, "skopeo")
    layout = images.write_layout(tmp_path / "layout", images.Image())
    target = f"{yard.installation.registry}/yard/api"
    archive = images.write_docker_tar(tmp_path / "image.tar", images.Image(), f"{target}:1", f"{target}:2")
    docker("load", "--input", archive)

    sign_in(page, yard)
    username = create_user(page, yard)
    trust_jobs(page, username)
    until(lambda: yard.gives(username), "the issuer's keys")
    for client in (docker, skopeo):
        log_in(client, yard, username, github_with_ids())
    docker("push", f"{target}:1")
    skopeo("copy", f"oci:{layout}:latest", f"docker://{target}:skopeo")
    assert "STORED 0" in inside(yard.installation, STORED)
    see_the_use(page, yard, username)

    for client in (docker, skopeo):
        log_in(client, yard, username, github_pull_request(9))
    assert "denied" in refused(docker, "push", f"{target}:2")
    assert "denied" in refused(skopeo, "copy", f"oci:{layout}:latest", f"docker://{target}:9")
    allow_pull_requests(page, yard, username)
    docker("push", f"{target}:2")
    skopeo("copy", f"oci:{layout}:latest", f"docker://{target}:9")
    assert "STORED 0" in inside(yard.installation, STORED)


def create_user(page: Page, yard: Yard) -> str:
    """Return the username."""
    page.goto(f"{yard.account}users/new/")
    page.get_by_label("Description").fill("CI deploy")
    page.get_by_label("Push from CI").check()
    page.locator("[name=where]").fill("yard/api")
    page.get_by_label("With ID tokens of CI jobs").check()
    accessible(page)
    page.get_by_role("button", name="Create user").click()
    expect(page.get_by_role("heading", name="Trust a CI job")).to_be_visible()
    accessible(page)
    return page.url.rstrip("/").split("/users/")[1].split("/")[0]


def trust_jobs(page: Page, username: str) -> None:
    page.get_by_role("link", name="GitHub Actions").click()
    option = page.get_by_label("Issuer").get_by_role("option").filter(has_text="GitHub of the tests")
    page.get_by_label("Issuer").select_option(option.get_attribute("value"))
    page.get_by_label("Repository ID").fill(REPOSITORY_ID)
    page.get_by_label("Owner ID").fill(OWNER_ID)
    accessible(page)
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator("#id-tokens")).to_contain_text(f"repository_id is {REPOSITORY_ID}")
    expect(page.locator("#passwords")).to_contain_text("This user has no password.")
    expect(page.locator("main")).to_contain_text(f"-u {username} --password-stdin")
    accessible(page)


def see_the_use(page: Page, yard: Yard, username: str) -> None:
    load_until(page, f"{yard.account}users/{username}/", "skopeo/")
    accessible(page)


def allow_pull_requests(page: Page, yard: Yard, username: str) -> None:
    """From the user's page to the reason, and with one click to what it takes."""
    load_until(page, f"{yard.account}denials/", "push denied: the ID token comes from a pull request")
    load_until(page, f"{yard.account}users/{username}/", "refused token")
    page.get_by_role("link", name="refused token").click()
    expect(page.get_by_role("heading", name=REASON)).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_text("Allowed. Run the job again.")).to_be_visible()
    expect(page.get_by_text("allowed now")).to_be_visible()
    accessible(page)


def log_in(client: Client, yard: Yard, username: str, claims: Claims) -> None:
    words = ("login", yard.installation.registry, "--username", username, "--password-stdin")
    client(*words, stdin=yard.token(claims))


def sign_in(page: Page, yard: Yard) -> None:
    page.goto(f"{yard.installation.panel}/me/login/")
    page.locator("[name=login]").fill(EMAIL)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("link", name="Images", exact=True)).to_be_visible()
