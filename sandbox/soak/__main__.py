# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m sandbox.soak [--duration SECONDS] [--seed NUMBER]`: ends with 0 where nothing was lost or done twice."""

import argparse
import os
import random
import secrets
import shutil
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress

from sandbox.apache_kafka import provide
from sandbox.background import BackgroundLoop
from sandbox.broker import UnavailableError, broker_of_environment
from sandbox.environment import Sandbox, running_sandbox
from sandbox.kafka_client import KafkaClient
from sandbox.processes import eventually
from sandbox.soak.chaos import Chaos
from sandbox.soak.checks import Verdict, judge, place_of
from sandbox.soak.load import GOOD, Load, Sent, number_of

_PARTITIONS = 3
_CATCH_UP_SECONDS = 180.0
_ENVIRONMENT = {
    "THOTH_INVESTIGATOR_ACK_ON_FAIL": "1",
    # Faults of the API are not the messages' fault: none is to be given up over them, nor a topic halted.
    "THOTH_INVESTIGATOR_MAX_RETRIES": "200",
    "THOTH_INVESTIGATOR_BACKOFF": "0.01",
    "THOTH_INVESTIGATOR_CALL_TIMEOUT": "2",
}


class Soak:
    """One run.

    Args:
        seed: decides what is sent and what goes wrong; when it meets is up to the machine.
        duration: seconds of trouble.
        sandbox: the surroundings.
    """

    def __init__(self, seed: int, duration: float, sandbox: Sandbox) -> None:
        self._seed = seed
        self._duration = duration
        self._sandbox = sandbox
        self._loop = BackgroundLoop("soak")
        self._kafka = KafkaClient(sandbox.broker.bootstrap_servers)

    def run(self) -> Verdict:
        """Do it all, tell about it, and give the verdict."""
        with ExitStack() as parts:
            parts.callback(self._loop.stop)
            self._loop.run(self._kafka.__aenter__())
            parts.callback(lambda: self._loop.run(self._kafka.__aexit__(None, None, None)))
            topics = [self._sandbox.topic(base_name) for base_name in GOOD]
            self._loop.run(self._sandbox.broker.create_topics(topics, _PARTITIONS))
            environment = self._sandbox.env(**_ENVIRONMENT)
            workers = [self._sandbox.worker(environment) for _ in range(2)]
            for worker in workers:
                parts.enter_context(worker)
            trouble = Chaos(random.Random(self._seed), self._sandbox, environment, workers)  # noqa: S311 - chance that can be repeated
            sent = self._send_under(trouble)
            return self._verdict(sent, trouble)

    def _send_under(self, trouble: Chaos) -> Sent:
        load = Load(random.Random(self._seed + 1), self._kafka, self._sandbox.deployment)  # noqa: S311 - chance that can be repeated
        began = shown = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            making: Future[None] = pool.submit(trouble.make)
            while (now := time.monotonic()) < began + self._duration:
                self._loop.run(load.send_some())
                if making.done():
                    making.result()
                    making = pool.submit(trouble.make)
                if now > shown + 15:
                    shown = now
                    self._show(now - began, load.sent, trouble)
                time.sleep(0.25)
            making.result()
        trouble.end()
        return load.sent

    def _show(self, seconds: float, sent: Sent, trouble: Chaos) -> None:
        done, made = self._done(), sum(trouble.done.values())
        print(f"  {seconds:4.0f} s: {sent.count} messages sent, {done} workflows, {made} troubles", flush=True)

    def _done(self) -> int:
        return len({number_of(workflow.parameters) for workflow in self._sandbox.cluster.created})

    def _verdict(self, sent: Sent, trouble: Chaos) -> Verdict:
        eventually(lambda: self._done() >= len(sent.good) and self._committed() >= sent.count, _CATCH_UP_SECONDS, 0.5)
        letters = {base_name: self._dead_letters(base_name, len(places)) for base_name, places in sent.bad.items()}
        verdict = judge(sent, self._sandbox.cluster.created, letters)
        verdict.other += trouble.complaints
        if (committed := self._committed()) != sent.count:
            verdict.other.append(f"{committed} of {sent.count} messages are committed")
        print(f"  {sent.count} messages, {sent.count - len(sent.good)} bad ones among them, and meanwhile:")
        for name, count in sorted(trouble.done.items()):
            print(f"    {count} x {name}")
        return verdict

    def _committed(self) -> int:
        group = self._sandbox.group()
        topics = (self._sandbox.topic(base_name) for base_name in GOOD)
        return sum(sum(self._loop.run(self._kafka.committed(group, topic)).values()) for topic in topics)

    def _dead_letters(self, base_name: str, wanted: int) -> set[tuple[int, int]]:
        # One that was written just before a kill -9 is written again, so more may come than were bad.
        topic = f"{self._sandbox.topic(base_name)}-dlt"
        records = self._loop.run(self._kafka.read(topic, 2 * wanted + 100, timeout=5), timeout=60)
        return {place_of(record) for record in records}


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 < (seconds := float(text)) < float("inf"):
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")


def _choose_broker() -> None:
    """Take Apache Kafka where it can be had, unless the environment names a broker: it is what production has.

    The embedded broker may wait for ever for the leader of a group that was killed at the wrong moment.
    """
    if os.environ.get("SANDBOX_KAFKA") or os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        return
    try:
        provide()
        os.environ["SANDBOX_KAFKA"] = "apache"
    except UnavailableError as error:
        print(f"On the embedded broker, since {error}")


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.soak", description=__doc__)
    parser.add_argument("--duration", type=_seconds, default=600.0, help="seconds of trouble")
    parser.add_argument("--seed", type=int, default=None, help="repeats the choices of another run")
    options = parser.parse_args()
    try:
        _choose_broker()
        broker_of_environment()
    except UnavailableError as error:
        parser.error(str(error))
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    print(f"Soak of {options.duration:g} s with SEED={seed}", flush=True)
    # A broker that somebody else runs may still have the topics of an earlier run with this seed.
    with running_sandbox(deployment=f"soak-{seed}-{secrets.token_hex(4)}") as sandbox:
        verdict = Soak(seed, options.duration, sandbox).run()
        if not verdict.is_good:
            kept = shutil.copytree(sandbox.folder, tempfile.mkdtemp(prefix="soak-"), dirs_exist_ok=True)
            print(f"  the logs of the workers are kept in {kept}")
    for line in verdict.lines():
        print(f"  {line.rstrip()}")
    print(f"{'Nothing was lost or done twice' if verdict.is_good else 'FAILED'}: SEED={seed}")
    sys.exit(not verdict.is_good)


if __name__ == "__main__":
    _main()
