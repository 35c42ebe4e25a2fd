"""One cell of the matrix, from the facts of one user and one namespace."""

import pytest

from namespaces.access import AccessContext, GrantedLevel, GrantSource, Level, UserStatus
from namespaces.access_cell import MatrixCell, matrix_cell

READ = GrantedLevel(GrantSource.NAMESPACE, Level.READ)
WRITE = GrantedLevel(GrantSource.IMAGE, Level.WRITE)
ADMIN = GrantedLevel(GrantSource.IMAGE, Level.ADMIN)


def image(*grants: GrantedLevel, status: UserStatus = UserStatus.ACTIVE) -> AccessContext:
    return AccessContext(status, grants=grants)


def test_nothing_granted_is_no_level() -> None:
    assert matrix_cell(AccessContext()) == MatrixCell(Level.NONE, None)


def test_the_level_says_where_it_comes_from() -> None:
    assert matrix_cell(image(READ)) == MatrixCell(Level.READ, GrantSource.NAMESPACE)
    assert matrix_cell(image(READ, WRITE)) == MatrixCell(Level.WRITE, GrantSource.IMAGE)
    assert matrix_cell(AccessContext(public=True)) == MatrixCell(Level.READ, GrantSource.PUBLIC)
    anonymous = AccessContext(UserStatus.ANONYMOUS, public=True)
    assert matrix_cell(anonymous) == MatrixCell(Level.READ, GrantSource.PUBLIC)


def test_images_count_where_a_grant_gives_more() -> None:
    same = GrantedLevel(GrantSource.IMAGE, Level.READ)
    cell = matrix_cell(image(READ), [image(READ, same), image(READ, WRITE), image(READ, ADMIN)])
    assert (cell.level, cell.image_count, cell.image_level) == (Level.READ, 2, Level.ADMIN)
    assert matrix_cell(image(), [image(same)]) == MatrixCell(Level.NONE, None, 1, Level.READ)


@pytest.mark.parametrize("status", [UserStatus.DISABLED, UserStatus.EXPIRED])
def test_who_is_blocked_may_nothing_and_would_have_what_was_granted(status: UserStatus) -> None:
    cell = matrix_cell(image(READ, status=status), [image(READ, WRITE, status=status)])
    assert cell == MatrixCell(Level.NONE, None, blocked_level=Level.WRITE)
    assert matrix_cell(image(status=status)) == MatrixCell(Level.NONE, None)
