"""The commands of `accounts/client_commands.py`, for this installation and one of its users."""

from django.conf import settings
from django.utils import timezone

from accounts.client_commands import Example, Registry, Snippet, snippets
from accounts.id_tokens.job_texts import Login, job_text
from accounts.id_tokens.presets import preset_of
from accounts.models import RegistryUser, TrustPolicy
from accounts.selectors import trust_policies_of


def client_tabs(user: RegistryUser, example: Example, *, has_password: bool | None = None) -> list[Snippet]:
    """Return a tab for each tool; of a user without a password, one for each kind of job that it trusts.

    `has_password`: whether one works that was made for people; None asks.
    """
    if has_password is None:
        has_password = user.secrets.live(timezone.now()).unswapped().exists()
    if has_password:
        return snippets(_registry(), user.username, example)
    found = {policy.issuer.preset: policy for policy in trust_policies_of(user)}
    return [_job_tab(policy, example) for policy in found.values()]


def login_of(user: RegistryUser, audience: str, example: Example) -> Login:
    return Login(_registry(), user.username, audience, example)


def _job_tab(policy: TrustPolicy, example: Example) -> Snippet:
    preset = preset_of(policy.issuer.preset)
    steps = job_text(preset.slug, login_of(policy.user, policy.audience, example))
    return Snippet(f"job-{preset.slug}", preset.name, steps)


def _registry() -> Registry:
    return Registry(settings.REGISTRY_HOST, tls=not settings.PUBLIC_URL.startswith("http://"))
