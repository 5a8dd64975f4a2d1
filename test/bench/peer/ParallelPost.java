import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.vertx.VertxParallelEoSStreamProcessor;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.WebClientOptions;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Confluent Parallel Consumer with Vert.x, posting every record of a topic as it is: arguments are bootstrap servers,
 * topic, group, URL, connections. Runs until it is killed. It commits what is done, but neither decodes nor signs.
 */
public final class ParallelPost {
  public static void main(String[] args) {
    String url = args[3];
    int connections = Integer.parseInt(args[4]);
    var consumer =
        new KafkaConsumer<byte[], byte[]>(
            Map.of(
                "bootstrap.servers", args[0],
                "group.id", args[2],
                "auto.offset.reset", "earliest",
                "enable.auto.commit", "false"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    var vertx = Vertx.vertx();
    var client =
        WebClient.create(vertx, new WebClientOptions().setMaxPoolSize(connections).setTcpNoDelay(true));
    var options =
        ParallelConsumerOptions.<byte[], byte[]>builder()
            .consumer(consumer)
            .ordering(ProcessingOrder.UNORDERED)
            .maxConcurrency(connections)
            .build();
    var processor = new VertxParallelEoSStreamProcessor<byte[], byte[]>(vertx, client, options);
    processor.subscribe(List.of(args[1]));
    processor.vertxFuture(
        record ->
            client
                .postAbs(url)
                .putHeader("content-type", "application/octet-stream")
                .sendBuffer(Buffer.buffer(record.value())));
  }
}
