# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a message, from its arrival to its commit; knows nothing of Kafka, Faust or Thoth."""
