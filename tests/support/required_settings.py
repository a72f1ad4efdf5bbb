# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment variables without which no worker starts, with values of a made-up deployment."""

REQUIRED = {
    "KAFKA_BOOTSTRAP_SERVERS": "kafka-0:9092,kafka-1:9092",
    "KAFKA_CONSUMER_GROUP_ID": "investigator",
    "THOTH_DEPLOYMENT_NAME": "ocp4-stage",
    "THOTH_INFRA_NAMESPACE": "thoth-infra-stage",
    "THOTH_BACKEND_NAMESPACE": "thoth-backend-stage",
    "THOTH_MIDDLETIER_NAMESPACE": "thoth-middletier-stage",
    "THOTH_CEPH_BUCKET_PREFIX": "data",
    "THOTH_CEPH_BUCKET": "thoth",
    "THOTH_S3_ENDPOINT_URL": "https://s3.example.com",
}
