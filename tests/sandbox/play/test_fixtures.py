# SPDX-License-Identifier: GPL-3.0-or-later
from sandbox.cluster import SOLVERS
from sandbox.play.fixtures import (
    FEDORA,
    PYPI,
    PYTORCH,
    RHEL,
    affected_projects,
    current_hashes,
    has_sources,
    is_listed,
    listings,
    original_hashes,
)


def test_the_solvers_are_those_of_the_cluster_stand_in() -> None:
    """The scenarios expect one workflow for each installed solver."""
    assert set(SOLVERS) == {RHEL, FEDORA}


def test_only_the_pytorch_index_has_torch() -> None:
    """A package is looked up on the index that has it."""
    assert set(listings()) == {PYPI, PYTORCH}
    assert set(listings()[PYTORCH]) == {"torch"}


def test_a_removed_version_is_not_listed() -> None:
    """Its package still is, so that the analysis finds only the version missing."""
    assert "atomicwrites" in listings()[PYPI]
    assert not is_listed("atomicwrites", "1.4.0")
    assert is_listed("click", "8.1.3")


def test_some_packages_have_sources_and_others_have_none() -> None:
    """The scenarios need both: an analysis fails for a package without a source distribution."""
    assert not has_sources("tensorflow")
    assert has_sources("click")


def test_one_version_has_other_files_than_when_it_was_solved() -> None:
    """Of its two files one was replaced; the files of other versions are unchanged."""
    original, current = set(original_hashes("numpy", "1.22.4")), set(current_hashes("numpy", "1.22.4"))
    assert (len(original & current), len(original - current), len(current - original)) == (1, 1, 1)
    assert original_hashes("click", "8.1.3") == current_hashes("click", "8.1.3")


def test_a_project_is_affected_by_its_packages_in_its_environment() -> None:
    """Without a solver, all environments count."""
    assert [project.slug for project in affected_projects("click", None)] == ["thoth-station/thamos"]
    assert affected_projects("click", FEDORA) == []
    assert affected_projects("ctx", None) == []
