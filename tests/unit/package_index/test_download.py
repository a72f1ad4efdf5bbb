# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from investigator.delivery.errors import TemporaryError
from investigator.package_index.download import _redirect_target

HTTPS, HTTP = "https://index.example.com/simple/flask", "http://index.example.com:80/simple/flask"


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        (HTTPS, "flask/", "https://index.example.com/simple/flask/"),
        (HTTPS, "/simple/flask/", "https://index.example.com/simple/flask/"),
        (HTTPS, "https://INDEX.example.com:443/x", "https://INDEX.example.com:443/x"),
        (HTTP, "https://index.example.com/x", "https://index.example.com/x"),
        (HTTP, "//index.example.com/x", "http://index.example.com/x"),
    ],
)
def test_a_redirect_on_the_same_server_is_followed(url: str, location: str, target: str) -> None:
    """From HTTP to HTTPS too."""
    assert _redirect_target(url, location) == target


@pytest.mark.parametrize(
    "location",
    [
        *("http://index.example.com/x", "https://example.com/x", "https://evil.index.example.com/x"),
        *("https://index.example.com:8443/x", "https://index.example.com@10.0.0.1/x", "https://u@index.example.com/x"),
        *("ftp://index.example.com/x", "file:///x", "//10.0.0.1", "https://index.example.com.evil.com", "https://:443"),
    ],
)
def test_a_redirect_to_another_server_or_without_tls_is_refused(location: str) -> None:
    """The error names the scheme and the host only."""
    with pytest.raises(TemporaryError, match="refused a redirect"):
        _redirect_target(HTTPS, location)
