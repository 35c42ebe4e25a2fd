"""What the usual receivers want: format, events, and how they are set up. PURE.

The pages start a webhook from one of these, so that nobody chooses what its receiver cannot read.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from accounts.common.lazy_text import LazyText
from accounts.common.lazy_text import lazy as _
from namespaces.webhooks.event_types import PUSHES, EventType, Format


@dataclass(frozen=True, slots=True)
class Preset:
    """A kind of receiver. `name` is what people call it.

    `formats`: which it reads, the best first; `types`: which events it may be told, and `chosen` of them are at first.
    `steps` are done on its side, a sentence each, and `configuration` (in no language) goes with them.
    """

    slug: str
    name: str
    reads: LazyText
    formats: tuple[Format, ...]
    types: frozenset[EventType]
    url_example: str
    url_help: LazyText
    authorization_help: LazyText
    steps: tuple[LazyText, ...]
    chosen: frozenset[EventType] = field(default=frozenset({EventType.IMAGE_PUSHED}))
    configuration: str = ""
    needs_authorization: bool = False

    @property
    def format(self) -> Format:
        return self.formats[0]


FLUX = Preset(
    slug="flux",
    name="Flux",
    reads=_("Looks for new tags at once, instead of at its next interval."),
    formats=(Format.HARBOR,),
    types=PUSHES,
    url_example="https://flux.example.com/hook/150f…",
    url_help=_(
        "The host of its webhook receiver, and the path that the Receiver shows. Exactly as it is: Flux compares the "
        "whole address."
    ),
    authorization_help=_("The token of the Receiver’s secret, as it is, without a word in front."),
    needs_authorization=True,
    steps=(
        _("Make a token, and a secret of it: `kubectl -n flux-system create secret generic registry-webhook "
          "--from-literal=token=TOKEN`"),
        _("Apply the Receiver below. It names what Flux checks again."),
        _("Its path: `kubectl -n flux-system get receiver registry`"),
    ),
    configuration="""\
apiVersion: notification.toolkit.fluxcd.io/v1
kind: Receiver
metadata:
  name: registry
  namespace: flux-system
spec:
  type: harbor
  secretRef:
    name: registry-webhook
  resources:
    - apiVersion: image.toolkit.fluxcd.io/v1
      kind: ImageRepository
      name: IMAGE""",
)  # fmt: skip
ARGOCD = Preset(
    slug="argocd",
    name="Argo CD Image Updater",
    reads=_("Updates the applications that use the image."),
    formats=(Format.HARBOR,),
    types=PUSHES,
    url_example="https://updater.example.com/webhook?type=harbor",
    url_help=_("The address of its webhook server, with ?type=harbor at the end."),
    authorization_help=_("The value of webhook.harbor-secret, as it is."),
    needs_authorization=True,
    steps=(
        _(
            "Start its webhook server: in the ConfigMap `argocd-image-updater-config`, set `webhook.enable` to true."
        ),
        _("Make a secret text, and put it into the Secret `argocd-image-updater-secret`, as below."),
        _("Its own certificate is self-signed: put a proxy with a valid one in front."),
    ),
    configuration="""\
stringData:
  webhook.harbor-secret: TOKEN""",
)
KEEL = Preset(
    slug="keel",
    name="Keel",
    reads=_("Updates the workloads that use the image."),
    formats=(Format.KEEL,),
    types=PUSHES,
    url_example="https://keel.example.com/v1/webhooks/native",
    url_help=_("The address of Keel, with /v1/webhooks/native."),
    authorization_help=_(
        "If Keel authenticates webhooks: Basic, a space, and NAME:PASSWORD in base64. Otherwise empty."
    ),
    steps=(
        _("Give the workload the annotation `keel.sh/policy`, as for any registry."),
        _("Unless Keel authenticates webhooks, whoever reaches it can trigger an update."),
    ),
)
PORTAINER = Preset(
    slug="portainer",
    name="Portainer",
    reads=_("Pulls and redeploys a stack or service."),
    formats=(Format.PORTAINER,),
    types=PUSHES,
    url_example="https://portainer.example.com/api/stacks/webhooks/0190…",
    url_help=_("The webhook’s address, as Portainer shows it. The tag is added when it is sent."),
    authorization_help=_("Portainer wants none: whoever knows the address may use it."),
    steps=(
        _("Switch on the webhook of the stack or service, and copy its address."),
        _("Select one image: each push that the webhook is for redeploys the same stack."),
    ),
)
OWN = Preset(
    slug="own",
    name="",
    reads=_("Reads signed JSON (CloudEvents), or any of the formats above."),
    formats=tuple(Format),
    types=frozenset(EventType),
    url_example="https://example.com/registry-events",
    url_help=_("Where the panel sends a POST to. Values after “?” are treated as secrets."),
    authorization_help=_("Sent as the header Authorization, exactly as it is written here."),
    steps=(
        _("Check the signature with a library of Standard Webhooks and the webhook’s signing secret."),
        _("Answer with any status from 200 to 299 within 10 seconds, and do the work afterwards."),
        _("A message may come twice, with the same webhook-id: drop what you have seen."),
    ),
)
PRESETS: dict[str, Preset] = {each.slug: each for each in (FLUX, ARGOCD, KEEL, PORTAINER, OWN)}


def preset_of(slug: str) -> Preset | None:
    return PRESETS.get(slug)


def nearest(format: str, types: Collection[str]) -> Preset:
    """Return the preset whose form can show such a webhook: of several that read the format, none is guessed."""
    found = [each for each in PRESETS.values() if each is not OWN and each.format == format]
    return found[0] if len(found) == 1 and found[0].types.issuperset(types) else OWN
