"""What a manifest and its config say; and that no JSON whatever breaks the reading of it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.manifests import details as manifests_details
from registry_sync.inventory.parser import (
    BODY_KEPT_MAX,
    CHART_CONFIG,
    CONFIG_MAX,
    IMAGE_CONFIGS,
    LAYERS_MAX,
    ParsedManifest,
    annotated_created_at,
    parse,
    parse_config,
    with_config,
)

TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DIGEST = "sha256:" + "a" * 64
CHILD = "sha256:" + "b" * 64
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=5), each, max_size=4),
    max_leaves=12,
)
WORDS = (
    "manifests layers config annotations subject artifactType digest size mediaType platform os architecture "
    "variant history created_by empty_layer created Env Cmd Entrypoint ExposedPorts Labels User WorkingDir "
    "vnd.docker.reference.type vnd.docker.reference.digest maintainers dependencies keywords name"
).split()
# The right words in the wrong places, which goes deeper than any JSON at random.
SHAPED: st.SearchStrategy[Any] = st.recursive(
    JSON
    | st.sampled_from(
        [DIGEST, CHILD, IMAGE_CONFIGS[0], CHART_CONFIG, "attestation-manifest", "\x00", "\ud800"]
    ),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.sampled_from(WORDS), each, max_size=8),
    max_leaves=40,
)


def parsed(document: Any) -> ParsedManifest:
    return parse(
        json.dumps(document).encode(),
        INDEX if isinstance(document, dict) and "manifests" in document else TYPE,
    )


@given(st.binary())
def test_no_bytes_break_it(body: bytes) -> None:
    assert parse(body, TYPE).kind in {"unknown", "image", "artifact", "index"}
    manifests_details.parse_details(parse_config(body, IMAGE_CONFIGS[0], []).details)


@given(SHAPED, SHAPED, st.sampled_from([*IMAGE_CONFIGS, CHART_CONFIG]))
def test_no_json_breaks_it_and_a_database_takes_it(document: Any, config: Any, config_type: str) -> None:
    found = parsed(document)
    assert 0 <= found.size < 2**63
    made = parse_config(json.dumps(config).encode(), config_type, found.details.get("layers", []))
    kept = json.dumps([found.details, found.platforms, made.details, made.platform], ensure_ascii=False)
    kept.encode()
    assert "\\u0000" not in kept
    read = manifests_details.parse_details({**found.details, **made.details})
    assert all(isinstance(layer.size, int) and layer.size >= 0 for layer in read.layers)


@given(SHAPED)
def test_details_of_any_shape_can_be_shown(details: Any) -> None:
    read = manifests_details.parse_details(details)
    assert all(len(pair) == 2 for pair in (*read.labels, *read.annotations))
    assert read.largest_layer >= 1


@pytest.mark.parametrize("body", [b"", b"[" * 100_000, b'{"layers":' * 5000, b"9" * 5000, b"\xff\xfe", b"[]"])
def test_what_is_no_manifest_is_unknown(body: bytes) -> None:
    assert parse(body, TYPE).kind == "unknown"


def test_an_artifact_keeps_its_types_its_files_and_its_subject() -> None:
    notes = {
        "org.opencontainers.image.title": "sbom.json",
        "in-toto.io/predicate-type": "https://spdx.dev/Document",
    }
    found = parsed(
        {
            "artifactType": "application/spdx+json",
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": CHILD, "size": 2},
            "layers": [{"mediaType": "text/plain", "digest": DIGEST, "size": 5, "annotations": notes}],
            "subject": {"digest": DIGEST},
            "annotations": {"org.opencontainers.image.created": "2026-01-02T03:04:05Z"},
        }
    )
    assert (found.kind, found.artifact_type, found.subject, found.config) == (
        "artifact",
        "application/spdx+json",
        DIGEST,
        "",
    )
    assert found.details["config_type"] == "application/vnd.oci.empty.v1+json"
    assert found.details["layers"] == [
        {"digest": DIGEST, "size": 5, "media_type": "text/plain", "title": "sbom.json",
         "predicate": "https://spdx.dev/Document"}
    ]  # fmt: skip
    assert found.created_at
    assert found.created_at.year == 2026


def test_a_platform_is_written_as_containerd_writes_it() -> None:
    said = {"os": "windows", "architecture": "amd64", "os.version": "10.0.20348.2"}
    listed = [
        {"digest": CHILD, "platform": said},
        {"digest": CHILD, "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}},
        {"digest": CHILD, "platform": {"architecture": "amd64", "os.version": "1"}},
        {"digest": CHILD, "platform": None},
        {"digest": CHILD},
    ]
    found = parse(json.dumps({"manifests": listed}).encode(), INDEX).platforms
    words = ["windows(10.0.20348.2)/amd64", "linux/arm/v7", "amd64", "", ""]
    assert [each["platform"] for each in found] == words
    config = parse_config(json.dumps(said).encode(), "application/vnd.oci.image.config.v1+json", [])
    assert config.platform == words[0]


def test_a_charts_config_is_read_and_a_list_of_referrers_says_what_each_is() -> None:
    found = parsed({"config": {"mediaType": CHART_CONFIG, "digest": CHILD, "size": 9}, "layers": []})
    assert (found.kind, found.artifact_type, found.config) == ("artifact", CHART_CONFIG, CHILD)
    chart = {"name": "api", "version": "1.2.0", "dependencies": [{"name": "db", "version": "1"}], "icon": 1}
    read = manifests_details.parse_details(parse_config(json.dumps(chart).encode(), CHART_CONFIG, []).details)
    assert dict(read.chart) == {"name": "api", "version": "1.2.0"}
    assert read.dependencies == (manifests_details.Dependency("db", "1", ""),)
    (child,) = parsed({"manifests": [{"digest": CHILD, "artifactType": "application/spdx+json"}]}).platforms
    assert child["artifact_type"] == "application/spdx+json"


def test_buildx_attestations_are_nothing_to_run() -> None:
    entry = {
        "digest": CHILD,
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": DIGEST,
        },
    }
    found = parsed(
        {"manifests": [{"digest": DIGEST, "platform": {"os": "linux", "architecture": "amd64"}}, entry]}
    )
    assert [child["platform"] for child in found.platforms] == ["linux/amd64"]
    assert found.details["attestations"] == [{"digest": CHILD, "subject": DIGEST}]
    config = b'{"os": "unknown", "architecture": "unknown"}'
    assert parse_config(config, IMAGE_CONFIGS[0], []).platform == ""


@pytest.mark.parametrize(
    "when", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "yesterday", "", 5, None, [], "NaN"]
)
def test_a_moment_that_is_none(when: Any) -> None:
    assert parse_config(json.dumps({"created": when}).encode(), IMAGE_CONFIGS[0], []).created_at is None


def test_many_layers_are_bounded() -> None:
    layers = [{"digest": DIGEST, "size": -1}] * 2000
    found = parsed({"config": {"mediaType": IMAGE_CONFIGS[0]}, "layers": layers})
    assert len(found.details["layers"]) == LAYERS_MAX
    assert found.size == 0


def test_everything_that_an_index_lists_is_a_part_of_it_however_long() -> None:
    listed = [{"digest": f"sha256:{number:064x}", "size": 1} for number in range(300)]
    parsed = parse(json.dumps({"manifests": listed}).encode(), "application/vnd.oci.image.index.v1+json")
    assert len(parsed.parts) == 300
    assert len(parsed.platforms) == 200


def test_a_plain_manifest_that_lists_others_is_no_index() -> None:
    """The registry checks that a repository holds what an index lists, and nothing that another manifest lists."""
    forged = json.dumps({"manifests": [{"digest": DIGEST}], "config": {}}).encode()
    parsed = parse(forged, "application/vnd.docker.distribution.manifest.v2+json")
    assert (parsed.kind, parsed.parts, parsed.platforms) == ("artifact", (), [])


@pytest.mark.parametrize("body", [{}, {"layers": None}, {"LAYERS": []}, {"layers": [], "Layers": None}])
def test_an_image_manifest_without_layers_keeps_its_subject(body: dict[str, Any]) -> None:
    found = parsed(body | {"Subject": {"digest": DIGEST}, "artifactType": "application/spdx+json"})
    assert (found.kind, found.subject, found.artifact_type) == ("artifact", DIGEST, "application/spdx+json")
    assert found.details["layers"] == []


def test_a_config_of_any_bytes_and_depth_is_read() -> None:
    """One label in Latin-1 hid the platform of its image."""
    strange = b'"strange": ' + b"[" * 5000 + b"9" * 5000 + b"]" * 5000
    body = (
        b'{"os": "linux", "architecture": "amd64", "config": {"Labels": {"by": "Andr\xe9"}}, '
        + strange
        + b"}"
    )
    found = parse_config(body, IMAGE_CONFIGS[0], [])
    assert (found.platform, found.details["config"]["labels"]) == ("linux/amd64", {"by": "Andr\ufffd"})


def test_what_is_cut_off_is_said() -> None:
    layers = [{"digest": f"sha256:{n:064x}", "size": 2} for n in range(600)]
    config = {"mediaType": IMAGE_CONFIGS[0], "digest": CHILD, "size": 2**20}
    found = parsed({"config": config, "layers": layers})
    read = manifests_details.parse_details(found.details)
    assert (len(read.layers), read.all_layers, read.all_config) == (500, 600, 2**20)
    assert (len(found.parts), found.size) == (601, 1200 + 2**20)  # but they count
    entries = [{"digest": f"sha256:{n:064x}", "mediaType": TYPE} for n in range(300)]
    assert manifests_details.parse_details(parsed({"manifests": entries}).details).all_entries == 300
    whole = manifests_details.parse_details(parsed({"config": {}, "layers": layers[:500]}).details)
    assert (whole.all_layers, whole.all_entries, whole.all_config) == (0, 0, 0)


def test_a_layer_counts_once_and_one_that_is_held_elsewhere_not_at_all() -> None:
    here = {"digest": DIGEST, "size": 5}
    there = {"digest": CHILD, "size": 7, "urls": ["https://example.com/layer"]}
    found = parsed({"config": {"mediaType": IMAGE_CONFIGS[0]}, "layers": [here, here, there]})
    assert (found.size, [part.digest for part in found.parts]) == (5, [DIGEST])
    layers = manifests_details.parse_details(found.details).layers
    assert [(layer.size, layer.elsewhere) for layer in layers] == [(5, False), (5, False), (7, True)]


def test_an_index_lists_manifests_and_blobs() -> None:
    """A blob's size is the index's own, and the same digest as both is a manifest: that must not be deleted."""
    blob = {"digest": DIGEST, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "size": 5}
    cache = {
        "digest": "sha256:" + "c" * 64,
        "mediaType": "application/vnd.buildkit.cacheconfig.v0",
        "size": 3,
    }
    found = parsed({"manifests": [blob, cache, {"digest": CHILD, "mediaType": TYPE, "size": 9}]})
    assert {part.digest: part.kind for part in found.parts} == {
        DIGEST: "layer",
        cache["digest"]: "config",
        CHILD: "manifest",
    }
    assert (found.size, found.artifact_type) == (8, cache["mediaType"])
    assert [child["digest"] for child in found.platforms] == [CHILD]
    away = parsed({"manifests": [{"digest": CHILD, "mediaType": TYPE, "urls": ["https://example.com"]}]})
    assert [part.digest for part in away.parts] == [CHILD]  # wherever else it is, it must not be deleted here
    both = parsed({"manifests": [{"digest": DIGEST}, blob]})
    assert [(part.kind, part.digest) for part in both.parts] == [("manifest", DIGEST)]
    assert both.size == 0


def test_sizes_that_nobody_has_are_none() -> None:
    layers = [{"digest": f"sha256:{n:064x}", "size": 2**53 - 1} for n in range(600)]
    assert parse(json.dumps({"layers": layers}).encode(), TYPE).size == 0


def test_a_type_that_is_no_manifests_is_unknown_whatever_is_in_it() -> None:
    found = parse(b'{"manifests": [], "layers": []}', "text/html")
    assert (found.kind, found.media_type, found.size) == ("unknown", "text/html", 31)


def test_an_annotation_says_when_it_was_made() -> None:
    made = {"annotations": {"org.opencontainers.image.created": "2026-02-21T10:00:00Z"}}
    assert str(annotated_created_at(made)) == "2026-02-21 10:00:00+00:00"
    assert annotated_created_at({"annotations": None}) is None


def test_a_config_adds_to_its_manifest_and_one_that_did_not_come_leaves_it_incomplete() -> None:
    digest = "sha256:" + "1" * 64
    body = json.dumps(
        {"config": {"mediaType": IMAGE_CONFIGS[0], "digest": CHILD, "size": 9}, "layers": []}
    ).encode()
    manifest = parse(body, TYPE, digest=digest)
    assert manifest.config == CHILD
    assert (manifest.digest, manifest.body) == (digest, body)
    read = with_config(
        manifest, b'{"os": "linux", "architecture": "amd64", "created": "2026-01-02T03:04:05Z"}'
    )
    assert read.platforms == [{"platform": "linux/amd64", "digest": digest, "size": manifest.size}]
    assert read.created_at
    assert read.complete
    missing = with_config(manifest, None)
    assert (missing.platforms, missing.complete) == ([], False)


def test_a_long_body_is_not_kept_and_a_long_config_not_read() -> None:
    assert parse(b" " * (BODY_KEPT_MAX + 1), TYPE).body == b""
    config = {"mediaType": IMAGE_CONFIGS[0], "digest": CHILD, "size": CONFIG_MAX + 1}
    assert parsed({"config": config, "layers": []}).config == ""
    assert parsed({"layers": []}).config == ""


def test_an_index_names_its_children() -> None:
    index = parse(json.dumps({"manifests": [{"digest": CHILD}]}).encode(), INDEX)
    assert index.child_digests == [CHILD]
