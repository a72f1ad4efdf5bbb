# SPDX-License-Identifier: GPL-3.0-or-later
"""The private names of aiokafka and Faust in use; after an upgrade, adapt the use first, and then these tables."""

_COORDINATION = "aiokafka.consumer.group_coordinator"
_FETCHER = "aiokafka.consumer.fetcher"
_CONSUMER = "faust.transport.drivers.aiokafka:Consumer"
_THREAD = "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread"
_WORKER = "mode.worker:Worker"

#: Callables that are overridden, or called by position -> all their parameters. Before the colon: the module.
SIGNATURES = {
    # Called by kafka/internals.py and kafka/patches.
    f"{_FETCHER}:Fetcher.request_offset_reset": "self, tps, strategy",
    "aiokafka.consumer.subscription_state:SubscriptionState.assigned_partitions": "self",
    "aiokafka.consumer.subscription_state:TopicPartitionState.wait_for_position": "self",
    "aiokafka.consumer.group_coordinator:GroupCoordinator.check_errors": "self",
    "aiokafka.consumer.group_coordinator:GroupCoordinator.fetch_committed_offsets": "self, partitions",
    "aiokafka.consumer.subscription_state:Assignment.state_value": "self, tp",
    "aiokafka.consumer.subscription_state:SubscriptionState.fetch_context": "self",
    "aiokafka.consumer.subscription_state:TopicPartitionState.pause": "self",
    "aiokafka.consumer.subscription_state:TopicPartitionState.resume": "self",
    # Overridden or called by kafka/patches.
    "aiokafka.client:AIOKafkaClient.bootstrap": "self",
    "aiokafka.client:AIOKafkaClient.close": "self",
    "aiokafka.client:AIOKafkaClient._get_conn": "self, node_id, *, group, no_hint",
    "aiokafka.client:AIOKafkaClient._metadata_update": "self, cluster_metadata, topics",
    "aiokafka.consumer.consumer:AIOKafkaConsumer.stop": "self",
    f"{_COORDINATION}:CoordinatorGroupRebalance.perform_group_join": "self",
    f"{_COORDINATION}:GroupCoordinator.reset_generation": "self",
    f"{_COORDINATION}:GroupCoordinator._send_req": "self, request",
    f"{_FETCHER}:FetchResult._update_position": "self",
    f"{_FETCHER}:PartitionRecords._unpack_records": "self",
    "aiokafka.record.default_records:_DefaultRecordBatchPy._maybe_uncompress": "self",
    "aiokafka.record.memory_records:_MemoryRecordsPy.next_batch": "self, _min_slice, _magic_offset",
    # Overridden or called by streaming/.
    f"{_CONSUMER}._new_consumer_thread": "self",
    f"{_CONSUMER}._to_message": "self, tp, record",
    f"{_CONSUMER}._filter_tps_with_pending_acks": "self, topics",
    f"{_CONSUMER}._filter_committable_offsets": "self, tps",
    f"{_CONSUMER}._commit": "self, offsets",
    f"{_CONSUMER}._add_gap": "self, tp, offset_from, offset_to",
    f"{_THREAD}._create_worker_consumer": "self, transport",
    f"{_THREAD}._ensure_consumer": "self",
    f"{_THREAD}._fetch_records": "self, consumer, active_partitions, timeout, max_records",
    "faust.app.base:App._new_transport": "self",
    "faust.app.base:App._new_web": "self",
    "faust.app.base:App._create_directories": "self",
    f"{_WORKER}._schedule_shutdown": "self, signal",
    f"{_WORKER}._setup_logging": "self",
    f"{_WORKER}._redirect_stdouts": "self",
}

#: Callables of aiokafka that are in no documented interface, though without an underscore -> what is passed to them.
ARGUMENTS = {
    "aiokafka.client:AIOKafkaClient.send": "node_id, request",
    "aiokafka.client:AIOKafkaClient.get_random_node": "",
    "aiokafka.conn:create_conn": "host, port, request_timeout_ms, client_id, ssl_context, security_protocol, "
    "sasl_mechanism, sasl_plain_username, sasl_plain_password",
    "aiokafka.protocol.coordination:FindCoordinatorRequest": "coordinator_key, coordinator_type",
    "aiokafka.protocol.fetch:FetchRequest": "max_wait_time, min_bytes, max_bytes, isolation_level, topics",
    "aiokafka.protocol.group:HeartbeatRequest": "group, generation_id, member_id",
    "aiokafka.protocol.metadata:MetadataRequest": "topics, allow_auto_topic_creation",
    "aiokafka.protocol.produce:ProduceRequest": "transactional_id, required_acks, timeout, topics",
}

#: Attributes that only instances have, used by the fence.
ATTRIBUTES = {
    "AIOKafkaClient": {
        "_client_id",
        "_request_timeout_ms",
        "_sasl_mechanism",
        "_sasl_plain_password",
        "_sasl_plain_username",
        "_security_protocol",
        "_ssl_context",
        "_sync_task",
    },
    "AIOKafkaConsumer": {
        "_client",
        "_closed",
        "_coordinator",
        "_fetch_max_wait_ms",
        "_fetcher",
        "_isolation_level",
        "_partition_assignment_strategy",
        "_subscription",
    },
    "AIOKafkaProducer": {"_sender"},
    "App": {"_extra_services"},
    "Record": {"_options"},
}

#: Names that a test beside this one uses in earnest, so that it fails when they are gone.
TESTED_ELSEWHERE = {
    "_DefaultRecordBatchPy": "test_header_names",
    "_MemoryRecordsPy": "test_header_names",
    "_buffer": "test_header_names",
    "_next_slice": "test_header_names",
    "_assignment": "test_unreadable_batches",
    "_partition_records": "test_unreadable_batches",
    "_topic_partition": "test_unreadable_batches",
    "_fetch_waiters": "test_fetching",
    "_consumer": "test_fetching",
    "_records": "test_fetch_wait",
    "_read_offset": "test_fetching",
    "_thread": "test_application",
    "_coordination_task": "test_watched_client",
    "_fetch_task": "test_watched_client",
    "_pending_tasks": "test_client_closing_patch",
    "_group_instance_id": "test_fenced_member",
    "_metrics": "test_monitor",
}
