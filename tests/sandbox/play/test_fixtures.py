# SPDX-License-Identifier: GPL-3.0-or-later
from sandbox.cluster import SOLVERS
from sandbox.play.fixtures import (
    FEDORA,
    PYPI,
    PYTORCH,
    RHEL,
    affected_projects,
    artifacts_at_first,
    artifacts_now,
    has_sources,
    is_listed,
    listings,
)


def test_the_solvers_are_those_of_the_cluster() -> None:
    """Guarantee: the story expects a workflow for every solver that is installed, no more and no less."""
    assert set(SOLVERS) == {RHEL, FEDORA}


def test_two_indexes_list_packages() -> None:
    """Guarantee: a package is looked up on the index that has it."""
    assert set(listings()) == {PYPI, PYTORCH}
    assert set(listings()[PYTORCH]) == {"torch"}


def test_what_has_vanished_is_not_listed() -> None:
    """Guarantee: the version that an analysis finds gone is gone from the index, while its package is not."""
    assert "atomicwrites" in listings()[PYPI]
    assert not is_listed("atomicwrites", "1.4.0")
    assert is_listed("click", "8.1.3")


def test_some_packages_have_no_sources() -> None:
    """Guarantee: the story has both kinds."""
    assert not has_sources("tensorflow")
    assert has_sources("click")


def test_one_version_has_other_files_now() -> None:
    """Guarantee: of its two files one stayed and one was replaced; other versions have what they had."""
    before, now = set(artifacts_at_first("numpy", "1.22.4")), set(artifacts_now("numpy", "1.22.4"))
    assert (len(before & now), len(before - now), len(now - before)) == (1, 1, 1)
    assert artifacts_at_first("click", "8.1.3") == artifacts_now("click", "8.1.3")


def test_projects_are_found_by_package_and_environment() -> None:
    """Guarantee: a project is concerned by packages that it uses, in its own environment."""
    assert [project.slug for project in affected_projects("click", None)] == ["thoth-station/thamos"]
    assert affected_projects("click", FEDORA) == []
    assert affected_projects("ctx", None) == []
