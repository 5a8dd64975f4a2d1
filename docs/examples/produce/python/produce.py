"""python produce.py event.json

Writes one Root Cause event to Kafka and prints where it stands: topic/partition/offset.
"""
import io
import json
import os
import struct
import sys
import urllib.request

import fastavro
from confluent_kafka import Producer

TOPIC = os.environ.get("INTAKE_TOPIC", "root-cause.events")
BROKERS = os.environ.get("KAFKA_BROKERS", "localhost:9092")
REGISTRY = os.environ.get("SCHEMA_REGISTRY_URL", "http://localhost:8081")


def latest_schema(subject):
    """The id and the parsed schema that was registered last for the subject."""
    with urllib.request.urlopen(f"{REGISTRY}/subjects/{subject}/versions/latest", timeout=10) as answer:
        found = json.load(answer)
    return found["id"], fastavro.parse_schema(json.loads(found["schema"]))


def encode(schema_id, schema, event):
    """Confluent framing: a zero byte, the schema's id in four bytes, then the Avro value."""
    out = io.BytesIO()
    out.write(struct.pack(">bI", 0, schema_id))
    fastavro.schemaless_writer(out, schema, event, strict=True)
    return out.getvalue()


def main():
    with open(sys.argv[1] if len(sys.argv) > 1 else "../event.json", encoding="utf-8") as file:
        event = json.load(file)
    schema_id, schema = latest_schema(f"{TOPIC}-value")
    request_id = event["summary"]["requestid"]

    def report(error, message):
        if error is not None:
            sys.exit(f"The event was not written: {error}")
        print(f"{message.topic()}/{message.partition()}/{message.offset()}")

    producer = Producer(
        {
            "bootstrap.servers": BROKERS,
            "enable.idempotence": True,  # implies acks=all
            "compression.type": "zstd",
            "allow.auto.create.topics": False,
        }
    )
    producer.produce(
        TOPIC,
        key=request_id,
        value=encode(schema_id, schema, event),
        # One id per event, the same if the event is written again: receivers drop duplicates by it.
        headers={"event-id": request_id},
        on_delivery=report,
    )
    if producer.flush(30) > 0:
        sys.exit("The event was not acknowledged within 30 seconds.")


main()
