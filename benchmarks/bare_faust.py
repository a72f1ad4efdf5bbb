# SPDX-License-Identifier: GPL-3.0-or-later
"""The least that Faust can do with a message: `python -m benchmarks.bare_faust worker` reads it and counts it."""

import os

import faust

from benchmarks.counter import NAME, Counter


class PackageReleased(faust.Record, serializer="json"):
    """The message, as a producer's library declares it."""

    component_name: str
    service_version: str
    index_url: str
    package_name: str
    package_version: str
    version: str = "v1"


app = faust.App(
    os.environ[NAME + "GROUP"],
    broker=f"kafka://{os.environ[NAME + 'BROKER']}",
    broker_session_timeout=6,
    broker_heartbeat_interval=1.5,
    topic_allow_declare=False,
    topic_disable_leader=True,
)
counter = Counter(os.environ[NAME + "COUNTER"])


@app.agent(app.topic(os.environ[NAME + "TOPIC"], value_type=PackageReleased))
async def count(stream: faust.StreamT[PackageReleased]) -> None:
    """Do nothing with any message."""
    async for _ in stream:
        counter.add()


if __name__ == "__main__":
    app.main()
