"""What Prometheus may ask: counts and times, never anything about a person."""

from prometheus_client import Counter, Gauge, Histogram

RECEIVED = Counter("wuwei_messages_received_total", "Messages recorded for the first time.")
REPEATED = Counter("wuwei_messages_repeated_total", "Messages delivered again and dropped.")
FAILED = Counter("wuwei_messages_failed_total", "Messages kept for replay because working them failed.")
OUTCOMES = Counter("wuwei_message_outcomes_total", "What became of messages.", ["outcome"])
SENT = Counter("wuwei_sends_total", "What became of attempts to send.", ["channel", "result"])
WAITING = Gauge("wuwei_outbox_waiting", "Messages in the outbox that are due and not sent.")
HELD = Gauge("wuwei_outbox_held", "Messages held for a person to decide, or given up.")
TICK_SECONDS = Histogram("wuwei_tick_seconds", "Time one tick took.", buckets=(0.005, 0.02, 0.05, 0.2, 1, 5))
LAST_TICK = Gauge("wuwei_last_tick_timestamp_seconds", "When the last tick ended.")
