import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * mvn compile exec:java -Dexec.args=event.json
 *
 * <p>Writes one Root Cause event to Kafka and prints where it stands: topic/partition/offset.
 */
public class Produce {
  private static final String TOPIC = env("INTAKE_TOPIC", "root-cause.events");
  private static final String BROKERS = env("KAFKA_BROKERS", "localhost:9092");
  private static final String REGISTRY = env("SCHEMA_REGISTRY_URL", "http://localhost:8081");
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    JsonNode event = JSON.readTree(Files.readString(Path.of(args.length > 0 ? args[0] : "../event.json")));
    JsonNode latest = latestSchema(TOPIC + "-value");
    Schema schema = new Schema.Parser().parse(latest.get("schema").asText());
    byte[] value = encode(latest.get("id").asInt(), schema, event);
    String requestId = event.at("/summary/requestid").asText();

    ProducerRecord<String, byte[]> message = new ProducerRecord<>(TOPIC, requestId, value);
    // One id per event, the same if the event is written again: receivers drop duplicates by it.
    message.headers().add("event-id", requestId.getBytes(StandardCharsets.UTF_8));

    // The defaults of this client are acks=all and idempotence.
    Map<String, Object> settings = Map.of("bootstrap.servers", BROKERS, "compression.type", "zstd");
    try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
      var written = producer.send(message).get();
      System.out.println(written.topic() + "/" + written.partition() + "/" + written.offset());
    }
  }

  /** The schema that was registered last for the subject: {"id": 1, "schema": "…"}. */
  private static JsonNode latestSchema(String subject) throws Exception {
    URI uri = URI.create(REGISTRY + "/subjects/" + subject + "/versions/latest");
    HttpRequest request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10)).build();
    var answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    if (answer.statusCode() != 200) throw new IllegalStateException(uri + " answered " + answer.statusCode());
    return JSON.readTree(answer.body());
  }

  /** Confluent framing: a zero byte, the schema's id in four bytes, then the Avro value. */
  private static byte[] encode(int schemaId, Schema schema, JsonNode event) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream frame = new DataOutputStream(bytes);
    frame.writeByte(0);
    frame.writeInt(schemaId);
    var encoder = EncoderFactory.get().binaryEncoder(bytes, null);
    new GenericDatumWriter<Object>(schema).write(valueOf(schema, event), encoder);
    encoder.flush();
    return bytes.toByteArray();
  }

  /** A plain JSON value as the value of its schema; of a union, the branch that is not null. */
  private static Object valueOf(Schema schema, JsonNode json) {
    boolean isAbsent = json == null || json.isNull();
    return switch (schema.getType()) {
      case UNION -> isAbsent
          ? null
          : valueOf(schema.getTypes().stream().filter(type -> type.getType() != Schema.Type.NULL).findFirst().get(), json);
      case RECORD -> {
        var record = new GenericData.Record(schema);
        for (Schema.Field field : schema.getFields()) {
          JsonNode given = json.get(field.name());
          boolean useDefault = given == null && field.hasDefaultValue();
          record.put(field.pos(), useDefault ? GenericData.get().getDefaultValue(field) : valueOf(field.schema(), given));
        }
        yield record;
      }
      case BOOLEAN -> json.asBoolean();
      case INT -> json.asInt();
      case LONG -> json.asLong();
      case DOUBLE -> json.asDouble();
      case STRING -> json.asText();
      default -> throw new IllegalArgumentException("This example does not write the type " + schema.getType());
    };
  }

  private static String env(String name, String otherwise) {
    return System.getenv().getOrDefault(name, otherwise);
  }
}
