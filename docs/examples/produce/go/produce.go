// go run . event.json
//
// Writes one Root Cause event to Kafka and prints where it stands: topic/partition/offset.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

// A section that is not there is null in Avro, and so a nil pointer here.
type rootCause struct {
	SchemaVersion   string    `json:"schema_version" avro:"schema_version"`
	StatusCode      int       `json:"statusCode" avro:"statusCode"`
	Summary         *summary  `json:"summary" avro:"summary"`
	ClientWords     *string   `json:"clientwords" avro:"clientwords"`
	Intent          *struct{} `json:"intent" avro:"intent"`
	Dissatisfaction *struct{} `json:"dissatisfaction" avro:"dissatisfaction"`
	Callback        *struct{} `json:"callback" avro:"callback"`
}

type summary struct {
	Filename      string       `json:"filename" avro:"filename"`
	RequestID     string       `json:"requestid" avro:"requestid"`
	Company       string       `json:"company" avro:"company"`
	Organisation  string       `json:"organisation" avro:"organisation"`
	Folder        string       `json:"folder" avro:"folder"`
	Processed     bool         `json:"processed" avro:"processed"`
	ProcessResult string       `json:"process_result" avro:"process_result"`
	CallSummary   *callSummary `json:"call_summary" avro:"call_summary"`
}

type callSummary struct {
	Classifier          string `json:"classifier" avro:"classifier"`
	Summary             string `json:"summary" avro:"summary"`
	MultipleSummaryFlag int    `json:"multiple_summary_flag" avro:"multiple_summary_flag"`
}

func main() {
	log.SetFlags(0)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	topic := env("INTAKE_TOPIC", "root-cause.events")

	file := "../event.json"
	if len(os.Args) > 1 {
		file = os.Args[1]
	}
	text, err := os.ReadFile(file)
	fail(err)
	var event rootCause
	fail(json.Unmarshal(text, &event))

	registry, err := sr.NewClient(sr.URLs(env("SCHEMA_REGISTRY_URL", "http://localhost:8081")))
	fail(err)
	// -1 is the version that was registered last.
	latest, err := registry.SchemaByVersion(ctx, topic+"-value", -1)
	fail(err)
	schema, err := avro.Parse(latest.Schema.Schema)
	fail(err)
	payload, err := avro.Marshal(schema, event)
	fail(err)
	// Confluent framing: a zero byte, the schema's id in four bytes, then the Avro value.
	value, err := new(sr.ConfluentHeader).AppendEncode(nil, latest.ID, nil)
	fail(err)
	value = append(value, payload...)

	// The defaults of this client are acks=all and idempotence.
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(env("KAFKA_BROKERS", "localhost:9092"), ",")...),
		kgo.ProducerBatchCompression(kgo.ZstdCompression()),
	)
	fail(err)
	defer client.Close()
	requestID := event.Summary.RequestID
	written, err := client.ProduceSync(ctx, &kgo.Record{
		Topic: topic,
		Key:   []byte(requestID),
		Value: value,
		// One id per event, the same if the event is written again: receivers drop duplicates by it.
		Headers: []kgo.RecordHeader{{Key: "event-id", Value: []byte(requestID)}},
	}).First()
	fail(err)
	fmt.Printf("%s/%d/%d\n", written.Topic, written.Partition, written.Offset)
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func fail(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
