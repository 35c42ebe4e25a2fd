"""What differs between two images."""

from hypothesis import given
from hypothesis import strategies as st

from namespaces.manifests.details import Layer, ManifestDetails
from namespaces.manifests.diff import Change, ChangeState, DiffSide, diff_images

DIGESTS = st.lists(st.sampled_from("abcdef"), max_size=12)


def side(
    layers: str = "", digest: str = "x", size: int = 0, platforms: tuple[str, ...] = (), **config: object
) -> DiffSide:
    contents = ManifestDetails(layers=tuple(Layer(each, ord(each)) for each in layers), **config)  # type: ignore[arg-type]
    return DiffSide(digest, size, platforms, contents)


def told(left: str, right: str) -> str:
    """As in "a -b +c": kept, removed, added."""
    signs = {ChangeState.KEPT: "", ChangeState.REMOVED: "-", ChangeState.ADDED: "+"}
    return " ".join(
        signs[each.state] + each.layer.digest for each in diff_images(side(left), side(right)).layers
    )


def test_layers_by_common_base_and_by_digest() -> None:
    assert told("abc", "abc") == "a b c"
    assert told("abc", "abd") == "a b -c +d"
    assert told("ab", "abc") == "a b +c"
    assert told("abc", "ab") == "a b -c"
    assert told("abc", "xbc") == "-a +x b c"
    assert told("", "a") == "+a"
    assert told("aa", "a") == "a -a"
    assert told("abb", "acb") == "a -b +c b"
    assert diff_images(side("abc"), side("abd")).base == 2


def test_what_is_still_to_be_fetched_counts_each_layer_once() -> None:
    assert diff_images(side("ab"), side("abcc")).to_fetch == ord("c")
    assert diff_images(side("abc"), side("cab")).to_fetch == 0


def test_the_same_digest_is_said_and_the_same_contents_differ_in_nothing() -> None:
    same = diff_images(side("ab", digest="d"), side("ab", digest="d"))
    assert (same.same, same.differs) == (True, False)
    rebuilt = diff_images(side("ab", digest="d"), side("ab", digest="e"))
    assert (rebuilt.same, rebuilt.differs) == (False, False)


def test_settings_say_what_came_went_and_changed() -> None:
    left = side(
        env=("A=1", "B=2", "C"), labels=(("x", "1"),), user="root", ports=("80/tcp",), entrypoint=("a b",)
    )
    right = side(
        env=("B=3", "C", "D=4", "D=5"), labels=(), user="", ports=("80/tcp", "443/tcp"), entrypoint=("a", "b")
    )
    found = diff_images(left, right).settings
    assert found == {
        "env": (
            Change(ChangeState.REMOVED, "A", "1", ""),
            Change(ChangeState.CHANGED, "B", "2", "3"),
            Change(ChangeState.ADDED, "D", "", "5"),
        ),
        "labels": (Change(ChangeState.REMOVED, "x", "1", ""),),
        "user": (Change(ChangeState.REMOVED, "", "root", ""),),
        "ports": (Change(ChangeState.ADDED, "443/tcp", "", "443/tcp"),),
        "entrypoint": (Change(ChangeState.CHANGED, "", '"a b"', "a b"),),
    }


def test_a_variable_that_becomes_empty_is_changed_and_not_gone() -> None:
    assert diff_images(side(env=("A=1",)), side(env=("A=",))).settings["env"] == (
        Change(ChangeState.CHANGED, "A", "1", ""),
    )
    assert diff_images(side(env=("A=",)), side()).settings["env"] == (
        Change(ChangeState.REMOVED, "A", "", ""),
    )


def test_platforms_and_size() -> None:
    found = diff_images(
        side(size=100, platforms=("linux/amd64", "linux/386")),
        side(size=70, platforms=("linux/amd64", "linux/arm64")),
    )
    assert found.size_difference == -30
    assert [(each.state, each.name) for each in found.platforms] == [
        (ChangeState.REMOVED, "linux/386"),
        (ChangeState.ADDED, "linux/arm64"),
    ]


@given(DIGESTS, DIGESTS)
def test_each_layer_is_told_exactly_once(left: list[str], right: list[str]) -> None:
    found = diff_images(side("".join(left)), side("".join(right))).layers
    in_right = [each.layer.digest for each in found if each.state != ChangeState.REMOVED]
    in_left = [each.layer.digest for each in found if each.state != ChangeState.ADDED]
    assert in_right == right
    assert sorted(in_left) == sorted(left)


@given(DIGESTS, DIGESTS)
def test_backwards_what_came_goes(left: list[str], right: list[str]) -> None:
    there, back = (
        diff_images(side("".join(left)), side("".join(right))),
        diff_images(side("".join(right)), side("".join(left))),
    )

    def some(found: object, state: ChangeState) -> list[str]:
        return sorted(each.layer.digest for each in found.layers if each.state == state)  # type: ignore[attr-defined]

    assert there.base == back.base
    assert some(there, ChangeState.ADDED) == some(back, ChangeState.REMOVED)
    assert some(there, ChangeState.KEPT) == some(back, ChangeState.KEPT)
