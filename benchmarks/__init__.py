# SPDX-License-Identifier: GPL-3.0-or-later
"""Benchmarks of investigator's throughput, latency and memory, as ratios within one run.

The page on performance in docs/ describes the method and the results.
"""
