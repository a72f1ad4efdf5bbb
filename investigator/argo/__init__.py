# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenShift and Argo: scheduling of workflows within the limit of pending workflows."""
