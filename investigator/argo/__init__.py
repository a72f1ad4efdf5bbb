# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenShift and Argo: workflows are scheduled here, within the pending limit."""
