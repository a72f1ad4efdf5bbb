# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the soak test: `python -m sandbox.soak [--duration SECONDS] [--seed NUMBER]`.

The exit status is 0 if no message was lost, processed twice, out of order within a key, or wrongly dead-lettered.
"""

import argparse
import math
import os
import random
import secrets
import shutil
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress

import psycopg2

from sandbox.apache_kafka import provide
from sandbox.background import BackgroundLoop
from sandbox.broker import UnavailableError, broker_of_environment
from sandbox.fault_matrix.effects import Effects, seed_versions
from sandbox.fault_matrix.run import ENVIRONMENT
from sandbox.fault_matrix.surroundings import Surroundings, surroundings
from sandbox.kafka_client import KafkaClient
from sandbox.postgres import PostgresServer
from sandbox.processes import eventually
from sandbox.soak.chaos import Chaos
from sandbox.soak.checks import Verdict, check_messages, original_position
from sandbox.soak.load import BASE_NAMES, Load, Sent

_PARTITIONS = 3
_CATCH_UP_SECONDS = 180.0
_MAX_MESSAGES_PER_SECOND = 80  # twice what the load sends
_ENVIRONMENT = {
    **ENVIRONMENT,
    "THOTH_INVESTIGATOR_ACK_ON_FAIL": "1",
    # Faults must neither exhaust the retries of a message nor halt a topic.
    "THOTH_INVESTIGATOR_MAX_RETRIES": "200",
    "THOTH_INVESTIGATOR_BACKOFF": "0.01",
    "THOTH_INVESTIGATOR_CALL_TIMEOUT": "2",
}


class Soak:
    """One run of the soak test.

    Args:
        seed: the seed of all random choices; their timing still depends on the machine.
        duration: the duration of load and failures, in seconds.
        parts: the running servers.
    """

    def __init__(self, seed: int, duration: float, parts: Surroundings) -> None:
        self._seed = seed
        self._duration = duration
        self._parts = parts
        self._sandbox = sandbox = parts.sandbox
        self._effects = Effects(parts)
        self._loop = BackgroundLoop("soak")
        self._kafka = KafkaClient(sandbox.broker.bootstrap_servers)

    def run(self) -> Verdict:
        """Run workers under load and failures, print the progress, and return the verdict on all messages."""
        with ExitStack() as parts:
            parts.callback(self._loop.stop)
            self._loop.run(self._kafka.__aenter__())
            parts.callback(lambda: self._loop.run(self._kafka.__aexit__(None, None, None)))
            topics = [self._sandbox.topic(base_name) for base_name in BASE_NAMES]
            self._loop.run(self._sandbox.broker.create_topics(topics, _PARTITIONS))
            seed_versions(self._parts, math.ceil(self._duration * _MAX_MESSAGES_PER_SECOND))
            environment = self._parts.environment(**_ENVIRONMENT)
            workers = [self._sandbox.worker(environment) for _ in range(2)]
            for worker in workers:
                parts.enter_context(worker)
            chaos = Chaos(random.Random(self._seed), self._parts, environment, workers)  # noqa: S311 - a repeatable sequence
            sent = self._send_during(chaos)
            return self._verdict(sent, chaos)

    def _send_during(self, chaos: Chaos) -> Sent:
        load = Load(random.Random(self._seed + 1), self._kafka, self._parts)  # noqa: S311 - a repeatable sequence
        started = shown = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            failure: Future[None] = pool.submit(chaos.inject_one)
            while (now := time.monotonic()) < started + self._duration:
                with chaos.broker_in_use:
                    self._loop.run(load.send_some())
                if failure.done():
                    failure.result()
                    failure = pool.submit(chaos.inject_one)
                if now > shown + 15:
                    shown = now
                    self._show(now - started, load.sent, chaos)
                time.sleep(0.25)
            failure.result()
        return load.sent

    def _show(self, seconds: float, sent: Sent, chaos: Chaos) -> None:
        processed, failures = self._processed(sent), sum(chaos.injected.values())
        print(f"  {seconds:4.0f} s: {sent.count} messages sent, {processed} handled, {failures} failures", flush=True)

    def _processed(self, sent: Sent) -> int:
        with suppress(psycopg2.OperationalError):  # the database may be unavailable
            self._effects.update()
        return sum(len(self._effects.times(number)) >= stream.effects for number, stream in sent.valid.items())

    def _verdict(self, sent: Sent, chaos: Chaos) -> Verdict:
        eventually(lambda: self._caught_up(sent), _CATCH_UP_SECONDS, 0.5)
        dead_letters = {
            base_name: self._dead_letters(base_name, len(positions)) for base_name, positions in sent.invalid.items()
        }
        self._effects.update()
        effects = {number: self._effects.times(number) for number in sent.valid}
        verdict = check_messages(sent, effects, self._effects.repeated, dead_letters)
        verdict.other += chaos.problems
        if (committed := self._committed()) != sent.count:
            verdict.other.append(f"{committed} of {sent.count} offsets are committed")
        print(f"  {sent.count} messages, of which {sent.count - len(sent.valid)} invalid, during these failures:")
        for name, count in sorted(chaos.injected.items()):
            print(f"    {count} x {name}")
        return verdict

    def _caught_up(self, sent: Sent) -> bool:
        return self._processed(sent) >= len(sent.valid) and self._committed() >= sent.count

    def _committed(self) -> int:
        group = self._sandbox.group()
        topics = (self._sandbox.topic(base_name) for base_name in BASE_NAMES)
        return sum(sum(self._loop.run(self._kafka.committed(group, topic)).values()) for topic in topics)

    def _dead_letters(self, base_name: str, expected: int) -> set[tuple[int, int]]:
        # A worker may write a dead letter again after a kill -9, so there may be more of them than invalid messages.
        topic = f"{self._sandbox.topic(base_name)}-dlt"
        records = self._loop.run(self._kafka.read(topic, 2 * expected + 100, timeout=5), timeout=60)
        return {original_position(record) for record in records}


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 < (seconds := float(text)) < float("inf"):
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")


def _choose_broker() -> None:
    """Choose Apache Kafka, as in production, if it can run here and the environment names no broker.

    The embedded broker may wait forever for a group leader that was killed during a rebalance.
    """
    if os.environ.get("SANDBOX_KAFKA") or os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        return
    try:
        provide()
        os.environ["SANDBOX_KAFKA"] = "apache"
    except UnavailableError as error:
        print(f"The soak test runs on the embedded broker. {error}")


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.soak", description=__doc__)
    parser.add_argument("--duration", type=_seconds, default=600.0, help="seconds of load and failures")
    parser.add_argument("--seed", type=int, default=None, help="repeat the random choices of another run")
    options = parser.parse_args()
    try:
        _choose_broker()
        broker_of_environment()
    except UnavailableError as error:
        parser.error(str(error))
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    print(f"Soak test of {options.duration:g} s with SEED={seed}", flush=True)
    # A broker from KAFKA_BOOTSTRAP_SERVERS may still have the topics of an earlier run with this seed.
    deployment = f"soak-{seed}-{secrets.token_hex(4)}"
    with (
        broker_of_environment(proxied=True) as broker,
        PostgresServer() as postgres,
        surroundings(broker, postgres, deployment) as parts,
    ):
        verdict = Soak(seed, options.duration, parts).run()
        if not verdict.passed:
            copy = shutil.copytree(parts.sandbox.folder, tempfile.mkdtemp(prefix="soak-"), dirs_exist_ok=True)
            print(f"  The logs of the workers are in {copy}")
    for line in verdict.lines():
        print(f"  {line.rstrip()}")
    print(f"{'PASSED: no message was lost or processed twice' if verdict.passed else 'FAILED'}: SEED={seed}")
    sys.exit(not verdict.passed)


if __name__ == "__main__":
    _main()
