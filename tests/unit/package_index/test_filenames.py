# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.package_index.filenames import is_distribution, version_in

SUFFIXES = [
    *(".zip", ".tar.bz2", ".tbz", ".tar.gz", ".tgz", ".tar", ".tar.xz", ".txz", ".tlz", ".tar.lz", ".tar.lzma"),
    *("-py3-none-any.whl", "-1-cp39-cp39-manylinux1_x86_64.manylinux2010_x86_64.whl"),
]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["zope_interface", "Zope.Interface", "zope.interface", "zope__interface"])
def test_every_kind_of_distribution_that_pip_installs_has_a_version(name: str, suffix: str) -> None:
    """In every spelling of the project's name."""
    file = f"{name}-5.0.post1{suffix}"
    assert is_distribution(file)
    assert version_in(file, "zope-interface") == "5.0.post1"


@pytest.mark.parametrize(
    ("file", "version"),
    [
        ("my-tool-1.0-1.tar.gz", "1.0-1"),
        ("my-tool-1.0+local.1.zip", "1.0+local.1"),
        ("my_tool-1.0+cu118-cp39-cp39-linux_x86_64.whl", "1.0+cu118"),
        ("my_tool-1.0_1-py3-none-any.whl", "1.0-1"),
        ("My-Tool-1!2.0.tar.gz", "1!2.0"),
        ("my-tool-.tar.gz", ""),
    ],
)
def test_the_version_is_the_text_after_the_name(file: str, version: str) -> None:
    """Both may have dashes in a source distribution."""
    assert version_in(file, "my-tool") == version


@pytest.mark.parametrize(
    "file",
    [
        "other-1.0.tar.gz",
        "my-toolbox-1.0.tar.gz",
        "my-1.0.tar.gz",
        "my_toolbox-1.0-py3-none-any.whl",
        "my-tool-1.0-py3-none-any.whl",  # the dash of a wheel's name is escaped
        "my_tool-1.0.whl",
        "my-tool-1.0.exe",
        "my-tool-1.0-py2.7.egg",
        "my-tool-1.0.tar.gz.asc",
        "my-tool.tar.gz",
        "",
    ],
)
def test_a_file_that_is_no_distribution_of_the_project_has_no_version(file: str) -> None:
    """Pages may link to signatures, to installers, and to other projects."""
    assert version_in(file, "my-tool") is None
