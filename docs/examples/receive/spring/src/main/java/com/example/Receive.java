package com.example;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.WebhookVerificationException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.web.servlet.context.ServletWebServerInitializedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;

/** SERVER_PORT=8080 WEBHOOK_SECRET=whsec_… mvn spring-boot:run */
@SpringBootApplication
@RestController
public class Receive {
  private final Webhook webhook = new Webhook(System.getenv("WEBHOOK_SECRET"));
  private final ObjectMapper json = new ObjectMapper();
  // In production: a table with a unique key on the id, written in the transaction that handles the event.
  private final Set<String> handled = ConcurrentHashMap.newKeySet();

  public static void main(String[] args) {
    SpringApplication.run(Receive.class, args);
  }

  // The signature covers the text as it came, so the body must not be parsed before it is verified.
  @PostMapping("/events")
  public ResponseEntity<String> receive(
      @RequestBody String body,
      @RequestHeader("webhook-id") String id,
      @RequestHeader("webhook-timestamp") String timestamp,
      @RequestHeader("webhook-signature") String signature)
      throws Exception {
    try {
      webhook.verify(
          body,
          Map.of(
              "webhook-id", List.of(id),
              "webhook-timestamp", List.of(timestamp),
              "webhook-signature", List.of(signature)));
    } catch (WebhookVerificationException invalid) {
      return ResponseEntity.badRequest().body("The signature is not valid.");
    }
    JsonNode event = json.readTree(body);
    // The same id comes again after a time-out or a replay: it is acknowledged, and not handled twice.
    if (handled.add(id)) {
      System.out.println("handled " + id + " " + event.at("/summary/company").asText());
    } else {
      System.out.println("duplicate " + id);
    }
    // Answer as soon as the event is stored; do slow work afterwards.
    return ResponseEntity.noContent().build();
  }

  @EventListener
  public void started(ServletWebServerInitializedEvent event) {
    System.out.println("listening " + event.getWebServer().getPort());
  }
}
