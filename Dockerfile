# SPDX-License-Identifier: GPL-3.0-or-later
FROM python:3.11-slim

# pip builds SQLAlchemy 1.3 from source; without its C extensions it needs no compiler.
ENV DISABLE_SQLALCHEMY_CEXT=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONDONTWRITEBYTECODE=1

WORKDIR /opt/investigator
COPY requirements.txt constraints-build.txt ./
RUN PIP_CONSTRAINT=constraints-build.txt python -m pip install --requirement requirements.txt
COPY LICENSE ./
COPY agents agents
COPY investigator investigator
RUN python -m compileall -q agents investigator

# OpenShift runs the container with any user id; the worker writes no files.
USER 1001
EXPOSE 6066
CMD ["faust", "-A", "investigator", "worker"]
