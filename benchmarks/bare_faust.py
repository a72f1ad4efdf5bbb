# SPDX-License-Identifier: GPL-3.0-or-later
"""A minimal Faust agent: `python -m benchmarks.bare_faust worker` parses each message and counts it."""

import os

import faust

from benchmarks.counter import PREFIX, Counter


class PackageReleased(faust.Record, serializer="json"):
    """The package-released message, as the producers' client library declares it."""

    component_name: str
    service_version: str
    index_url: str
    package_name: str
    package_version: str
    version: str = "v1"


app = faust.App(
    os.environ[PREFIX + "GROUP"],
    broker=f"kafka://{os.environ[PREFIX + 'BROKER']}",
    broker_session_timeout=6,
    broker_heartbeat_interval=1.5,
    topic_allow_declare=False,
    topic_disable_leader=True,
)
counter = Counter(os.environ[PREFIX + "COUNTER"])


@app.agent(app.topic(os.environ[PREFIX + "TOPIC"], value_type=PackageReleased))
async def count(stream: faust.StreamT[PackageReleased]) -> None:
    """Count each message and do nothing else."""
    async for _ in stream:
        counter.add()


if __name__ == "__main__":
    app.main()
