"""A webhook by the browser: made in four clicks, a push is told and seen, a receiver fails, and it is sent again."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from standardwebhooks.webhooks import Webhook

from tests.e2e.conftest import Installation, accessible, standalone
from tests.e2e.test_permission_story import inside
from tests.e2e.test_typing import a_newcomer
from tests.parts import images, processes
from tests.parts.clients import Client
from tests.parts.scripted import Answer, Scripted

pytestmark = [pytest.mark.e2e, pytest.mark.clients, pytest.mark.long]
MOST_CLICKS = 4

PUSHER = """
from accounts.models import Account, Person
from accounts.views.request import principal_for
from namespaces.grant_text import GrantTarget
from namespaces.models import Namespace
from namespaces.services import new_user
account = Account.objects.get(handle="told")
by = principal_for(Person.objects.get(email="told@example.com"), {})
target = GrantTarget(Namespace.objects.get(name="told-team"), "")
user, password = new_user.create(
    by=by, account=account, description="CI", expires_at=None, level="write", targets=[target]
)
print("MADE", user.username, password)
"""


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation whose operator opened this machine to webhooks."""
    with standalone(tmp_path_factory.mktemp("told"), {"WEBHOOK_NETWORKS": "127.0.0.0/8"}) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Scripted]:
    script = Scripted(otherwise=Answer(200, b"thanks"))
    yield script
    script.stop()


def push(installation: Installation, skopeo: Client, folder: Path, user: tuple[str, str], tag: str) -> None:
    images.write_layout(folder, images.Image(labels={"tag": tag}))
    name, password = user
    skopeo("login", "--username", name, "--password-stdin", installation.registry, stdin=password)
    skopeo("copy", f"oci:{folder}:latest", f"docker://{installation.registry}/told-team/app:{tag}")


def test_from_the_account_to_the_first_delivery_and_back_from_a_failure(
    private: Installation, page: Page, skopeo: Client, receiver: Scripted, tmp_path: Path
) -> None:
    account = a_newcomer(page, private, "told")
    _made, name, password = inside(private, PUSHER).split()
    page.goto(f"{account}images/")
    main, clicks = page.locator("main"), 0
    for link in ("Settings", "Webhooks", "A program of your own"):
        page.get_by_role("link", name=link).click()
        clicks += 1
        accessible(page)
    main.get_by_label("URL").fill(f"{receiver.url}/hook?secret=0123456789")
    page.get_by_role("button", name="Create webhook").click()
    clicks += 1
    assert clicks <= MOST_CLICKS
    expect(page.get_by_role("heading", name="Save the signing secret")).to_be_visible()
    accessible(page)
    secret = page.locator("#signing-secret").text_content() or ""

    push(private, skopeo, tmp_path / "one", (name, password), "1.0")
    page.get_by_role("link", name="I have saved it").click()
    delivered = page.get_by_role("row").filter(has_text="told-team/app:1.0")
    expect(delivered).to_contain_text("delivered")  # by itself: nobody reloads
    accessible(page)
    assert "0123456789" not in page.content()
    delivered.get_by_role("link").click()
    expect(page.get_by_text("thanks")).to_be_visible()
    expect(main).to_contain_text(f"POST {receiver.url}/hook?secret=…")
    accessible(page)
    last = receiver.posted[-1]
    event = Webhook(secret).verify(last.body, last.headers)
    assert (event["type"], event["subject"]) == ("registry-manager.image.pushed", "told-team/app:1.0")

    receiver.otherwise = Answer(503, b"busy")
    push(private, skopeo, tmp_path / "two", (name, password), "2.0")
    page.get_by_role("link", name="http").click()
    failing = page.get_by_role("row").filter(has_text="told-team/app:2.0")
    expect(failing).to_contain_text("will be tried again")
    expect(failing).to_contain_text("The receiver answered 503.")
    failing.get_by_role("link").click()
    expect(page.get_by_role("region", name="Answer")).to_contain_text("busy")
    expect(page.get_by_role("region", name="Earlier attempts")).to_contain_text("The receiver answered 503.")
    accessible(page)
    receiver.otherwise = Answer(204)
    page.get_by_role("button", name=re.compile("Try now|Send again")).click()  # it may be tried just now
    expect(main.get_by_role("status")).to_have_text("delivered")
    before = page.url
    page.get_by_role("button", name="Send again").click()
    expect(page).not_to_have_url(before)  # a row of its own
    expect(main.get_by_text("told@example.com")).to_be_visible()
    expect(main.get_by_role("status")).to_have_text("delivered")
    again = [Webhook(secret).verify(each.body, each.headers) for each in receiver.posted[-2:]]
    assert again[0] == again[1]


def test_it_all_works_without_a_script_and_by_keyboard(
    private: Installation, browser: Browser, receiver: Scripted
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    account = a_newcomer(page, private, "scriptless")
    page.goto(f"{account}webhooks/new/?preset=keel&where=scriptless-team")
    page.get_by_label("URL").fill("http://10.1.2.3/v1/webhooks/native")
    page.get_by_label("URL").press("Enter")
    expect(page.get_by_text("an operator can allow it with WEBHOOK_NETWORKS")).to_be_visible()
    page.get_by_label("URL").fill(f"{receiver.url}/v1/webhooks/native")
    page.get_by_label("URL").press("Enter")
    page.get_by_role("link", name="I have saved it").press("Enter")
    expect(page.get_by_text("scriptless-team", exact=True)).to_be_visible()
    page.get_by_role("button", name="Send a test").press("Enter")
    expect(page.get_by_role("heading", name="A test")).to_be_visible()
    ends = time.monotonic() + processes.PATIENCE
    page.wait_for_load_state()  # of half a page nobody knows what it will say
    while not page.get_by_text("thanks").count():
        assert time.monotonic() < ends
        page.get_by_role("link", name="Refresh").press("Enter")
        page.wait_for_load_state()

    page.locator("main").get_by_role("link", name="http").press("Enter")
    page.get_by_role("button", name="Switch off").press("Enter")
    expect(page.get_by_text("This webhook is off.")).to_be_visible()
    page.get_by_role("button", name="Switch on again").press("Enter")
    page.get_by_role("link", name="New signing secret").press("Enter")
    page.get_by_role("button", name="Make new secret").press("Enter")
    expect(page.get_by_text("This is the only time the new secret is shown.")).to_be_visible()
    page.goto(f"{account}n/scriptless-team/webhooks/")
    expect(page.get_by_role("row").filter(has_text="scriptless-team")).to_be_visible()
