"""Files that clients take a password from."""

import base64
import json

import yaml

from accounts.client_files import FILES, docker_config, kubernetes_secret

HOST, NAME, PASSWORD = "registry.example.com:5000", "wsbq5k5ysqyt", "rmp_" + "a" * 38


def credentials_in(config: str) -> tuple[str, str]:
    (host, entry), *others = json.loads(config)["auths"].items()
    assert not others
    return host, base64.b64decode(entry["auth"]).decode()


def test_the_docker_config_holds_the_login_of_the_registry() -> None:
    file = docker_config(HOST, NAME, PASSWORD)
    assert (file.name, file.media_type) == ("config.json", "application/json")
    assert credentials_in(file.text) == (HOST, f"{NAME}:{PASSWORD}")


def test_the_kubernetes_secret_is_yaml_with_the_same_config() -> None:
    file = kubernetes_secret(HOST, NAME, PASSWORD)
    found = yaml.safe_load(file.text)
    assert file.name == "registry-wsbq5k5ysqyt.yaml"
    assert found["metadata"] == {"name": "registry-wsbq5k5ysqyt"}
    assert (found["apiVersion"], found["kind"], found["type"]) == (
        "v1",
        "Secret",
        "kubernetes.io/dockerconfigjson",
    )
    config = base64.b64decode(found["data"][".dockerconfigjson"]).decode()
    assert credentials_in(config) == (HOST, f"{NAME}:{PASSWORD}")


def test_there_is_one_for_each_kind() -> None:
    assert set(FILES) == {"docker", "kubernetes"}
