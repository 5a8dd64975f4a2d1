/**
 * The codes of warnings and errors, in the field `event`. Runbooks and alerts depend on them, so they never change,
 * even if the text of a message does. docs/logs.md lists them; a test compares that page, this table and all calls.
 */
export const LOG_EVENTS = {
  api_internal_error: 'The API answered 500. The line has the error; the caller has only the identifier of the answer.',
  attempt_not_stored:
    'The control plane could not keep an attempt in its view: `databridge attempts` lacks it. Kafka has it.',
  batch_not_taken: 'A worker could not take in fetched records. They are read again.',
  commit_failed: 'Kafka refused to commit offsets. It is tried again; a crash meanwhile repeats deliveries.',
  commit_topic_gone: 'The offset of a lane was not committed because its topic was deleted.',
  commit_unfinished_at_stop: 'The service stopped before all offsets were committed: those deliveries are repeated.',
  connection_callback_failed: 'An internal error in the handling of a connection. Report it with the error.',
  consumer_failed: 'A consumer of a group failed and is started again.',
  customer_change_failed: 'A worker could not start, change or stop a customer. It tries again.',
  customer_disabled:
    'A worker disabled the customer: 24 hours or 185 attempts without success, or 410. Enable it once its endpoint works again.',
  dead_member_kept: 'The group of a customer still has the member of a dead worker. It ends with its session.',
  delivery_internal_error:
    'An event could not be sent because of an internal error, or because it cannot be read. After three attempts it becomes a dead letter with the reason `internal`.',
  destination_close_failed: 'Connections to a destination were not closed properly. Nothing is lost.',
  destination_unreachable: 'No address of the host accepts a connection. Logged at most once a minute per host.',
  fallback_secret_kept: 'A secret that was replaced, and kept for an overlap, could not be removed. It is tried again.',
  fan_out_batch_failed: 'Fan-out could not route a batch. It is tried again; nothing is skipped.',
  fan_out_write_failed: 'Kafka refused copies of events. They are written again.',
  fetch_failed: 'A broker did not answer a fetch, or refused it. It is tried again.',
  filter_failed:
    'A content filter could not be evaluated, so the customer got the events. Logged at most once a minute per customer.',
  forwarding_key_missing:
    'Two control planes have no key in common: changes at this one fail. Give both the same keys.',
  forwarding_refused: 'The control plane that makes the changes refused a change that this control plane forwarded.',
  gate_changed:
    'The delivery gate of a customer changed: its breaker, a hold, or a wait that the destination asked for. Repeated openings of a breaker are left out.',
  group_foreign_member:
    'The group of a customer has a member that is no delivery worker, such as a console consumer. Nothing is sent until it leaves.',
  group_not_joined: 'A worker could not take over the group of a customer. It tries again.',
  group_not_left: 'A worker could not leave the group of a customer. Its session ends by itself.',
  handover_late: 'Another worker did not hand over a customer in time, and was replaced.',
  heartbeat_refused: 'Kafka refused a heartbeat. It is tried again.',
  idempotency_answer_lost:
    'An answer under an Idempotency-Key was not kept: a repeated request may be carried out again.',
  intake_lag_unknown: 'Kafka did not return the end offsets of the intake: the metric of the lag is stale.',
  kafka_client_error: 'The Kafka client reported an error. It recovers from most errors by itself.',
  invitation_guesses_limited:
    'Too many invitation codes were wrong: further attempts are refused for a while. Somebody may be guessing codes.',
  invitation_locked: 'An invitation was locked after wrong codes. Issue a new one.',
  lane_unreadable:
    'A lane of a customer cannot be read: no leader, no right, or no topic. It is tried again; other lanes are not affected.',
  membership_lost:
    'A worker was replaced in the group of a customer. Results of its requests in flight are not committed.',
  notices_not_written: 'Notices to operators and customers were not written. Writing them is tried again.',
  offset_out_of_range: 'Records expired before they were read: **data may be lost**.',
  offsets_lost: 'The group of a customer lost its offsets. Delivery continues from the offsets in the status record.',
  oidc_keys_unavailable: 'The keys of the OpenID issuer could not be fetched: its tokens are refused meanwhile.',
  operation_failed: 'An operation of an operator ended with an error: `databridge operations get` shows it.',
  operation_retried: 'An operation failed with a Kafka error and is resumed.',
  owner_record_refused:
    'The record that names the writer is not signed by a known key. Another client writes to that topic.',
  portal_sign_in_refused: 'A sign-in to the portal was refused; the line has the reason.',
  probe_failed:
    'A probe or scrape of the service was answered with 500 because its state could not be read. The line has the error.',
  process_ended: 'The process ends with exit code 1; the line has the reason.',
  record_stuck:
    'A record could neither be delivered nor given up. Its offset is not committed; a restart tries it again.',
  record_write_failed:
    'Kafka refused a retry or a dead letter. It is written again; until then, the offset of the source record is not committed.',
  records_quarantined:
    'Intake records were put into quarantine: no customer received them. One line per reason and batch.',
  records_undecodable: 'Records of a lane cannot be decoded. The lane waits; other lanes are not affected.',
  registry_unreachable: 'The schema registry does not answer. Events with schemas that are not cached yet wait.',
  requests_cut_off: 'Requests in flight were cut off at a stop: they are sent again.',
  schema_not_registered:
    'The schema registry did not register a pinned schema. After a warning, it is tried again; an error means that the registry refuses the schema.',
  set_up_page_failed: 'A request to the set-up page failed with an internal error.',
  settings_disagree:
    'A worker has another retry plan, window or egress rule than the control plane. Set both to the same values: until then, the API reports limits that the worker does not apply.',
  state_export_failed: 'The control plane could not collect the state of customers for its metrics.',
  subscription_invalid:
    'A stored subscription is not valid: it was written by a newer version, or damaged. The customer keeps its previous subscription.',
  table_end_unknown: 'Kafka did not return the end offsets of a topic. The request is repeated.',
  table_record_rejected: 'A record of a system topic cannot be read. Its key keeps the previous value.',
  topic_settings_differ: 'A topic has other settings than it needs. `databridge doctor` says what to do.',
  trace_export_failed: 'The OTLP receiver did not accept spans: they are dropped. Logged at most once a minute.',
  upkeep_failed: 'The regular upkeep of the control plane (retention, old records) failed. It runs again.',
  worker_name_taken:
    'Two workers have the same WORKER_NAME. Give each a name of its own: reports and logs mix otherwise.',
  worker_names_unknown:
    'A worker could not read the reports of others to check whether its name is taken. It tries again.',
  worker_request_failed:
    'A worker could not serve a request of a control plane: a test of a customer that is not running, or a key pair.',
  worker_requests_unread:
    'A worker could not start to read requests of control planes. Deliveries continue; it tries again every 5 s.',
  worker_report_failed: 'A worker could not write its report. After three missing reports, others treat it as dead.',
  writer_term_failed: 'A control plane could not become the writer. It tries again.',
} as const;
