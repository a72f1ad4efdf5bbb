# SPDX-License-Identifier: GPL-3.0-or-later
"""Faust's web server without its own page at `/`, where the status page is."""

from typing import ClassVar

from faust.web.drivers.aiohttp import Web


class Server(Web):
    """Serves the pages that the application adds, and no others."""

    production_blueprints: ClassVar = ()
