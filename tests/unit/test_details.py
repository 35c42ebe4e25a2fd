"""What pages show of a manifest: whatever somebody pushed, read so that it can be seen for what it is."""

from namespaces.manifests import details as manifests_details


def test_characters_that_turn_the_text_around_or_hide_are_written_out() -> None:
    hidden = "safe\u202eexe.gpj\u200b"
    shown = "safe\\u202eexe.gpj\\u200b"
    read = manifests_details.parse_details(
        {
            "layers": [{"digest": "sha256:0", "size": 1, "command": hidden}],
            "config": {"env": [hidden], "entrypoint": [hidden], "labels": {hidden: hidden}, "user": hidden},
            "annotations": {"title": hidden},
        }
    )
    assert read.layers[0].command == read.user == shown
    assert read.env == read.entrypoint == (shown,)
    assert read.labels == ((shown, shown),)
    assert read.annotations == (("title", shown),)


def test_other_writing_and_lines_stay_as_they_are() -> None:
    text = "RUN echo שלום\t日本語 ü\u00a0é \U0001f433 \n && true"
    assert (
        manifests_details.parse_details({"layers": [{"command": text, "size": 1}]}).layers[0].command == text
    )


def test_what_garbage_collection_loses_is_named_by_sha512() -> None:
    def lost(**details: object) -> bool:
        return manifests_details.parse_details(details).lost_to_gc

    assert not lost(layers=[{"digest": "sha256:" + "a" * 64}])
    assert lost(layers=[{"digest": "sha256:" + "a" * 64}, {"digest": "sha512:" + "a" * 128}])
    assert lost(by_sha512=True)
