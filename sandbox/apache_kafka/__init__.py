# SPDX-License-Identifier: GPL-3.0-or-later
"""Apache Kafka itself, in KRaft mode, as child processes: one broker or several."""

from sandbox.apache_kafka.broker import ApacheKafka
from sandbox.apache_kafka.brokers import ApacheKafkaBrokers
from sandbox.apache_kafka.moving import MovingKafka
from sandbox.apache_kafka.node import Listener
from sandbox.apache_kafka.programs import provide

__all__ = ["ApacheKafka", "ApacheKafkaBrokers", "Listener", "MovingKafka", "provide"]
