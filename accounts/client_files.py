"""Files with a password in them, as clients take them: docker's config.json and a Kubernetes secret. PURE."""

import base64
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientFile:
    name: str
    media_type: str
    text: str


def docker_config(host: str, username: str, password: str) -> ClientFile:
    """Return what `docker login` writes; podman, skopeo, crane and others read it too. `host` with its port if any."""
    return ClientFile("config.json", "application/json", f"{_config(host, username, password)}\n")


def kubernetes_secret(host: str, username: str, password: str) -> ClientFile:
    """Return a manifest for `kubectl apply -f`, to be named in `imagePullSecrets`."""
    name = f"registry-{username}"
    encoded = base64.b64encode(_config(host, username, password).encode()).decode()
    text = f"""apiVersion: v1
kind: Secret
metadata:
  name: {name}
type: kubernetes.io/dockerconfigjson
data:
  .dockerconfigjson: {encoded}
"""
    return ClientFile(f"{name}.yaml", "application/yaml", text)


def _config(host: str, username: str, password: str) -> str:
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return json.dumps({"auths": {host: {"auth": pair}}}, indent=2)


FILES = {"docker": docker_config, "kubernetes": kubernetes_secret}
