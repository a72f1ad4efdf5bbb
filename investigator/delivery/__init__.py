# SPDX-License-Identifier: GPL-3.0-or-later
"""The processing of a message from its arrival to its commit; independent of Kafka, Faust and Thoth."""
