// PORT=8080 WEBHOOK_SECRET=whsec_… go run .
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const maxBytes = 2 << 20

type event struct {
	Summary *struct {
		Company string `json:"company"`
	} `json:"summary"`
}

func main() {
	log.SetFlags(0)
	webhook, err := standardwebhooks.NewWebhook(os.Getenv("WEBHOOK_SECRET"))
	if err != nil {
		log.Fatal(err)
	}
	var mutex sync.Mutex
	// In production: a table with a unique key on the id, written in the transaction that handles the event.
	handled := map[string]bool{}

	http.HandleFunc("POST /events", func(response http.ResponseWriter, request *http.Request) {
		// The signature covers the bytes as they came, so the body must not be parsed before it is verified.
		body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, maxBytes))
		if err != nil {
			http.Error(response, "The body could not be read.", http.StatusRequestEntityTooLarge)
			return
		}
		if err := webhook.Verify(body, request.Header); err != nil {
			http.Error(response, "The signature is not valid.", http.StatusBadRequest)
			return
		}
		var received event
		if err := json.Unmarshal(body, &received); err != nil {
			http.Error(response, "The body is not JSON.", http.StatusBadRequest)
			return
		}
		id := request.Header.Get("webhook-id")
		mutex.Lock()
		isDuplicate := handled[id]
		handled[id] = true
		mutex.Unlock()
		// The same id comes again after a time-out or a replay: it is acknowledged, and not handled twice.
		if isDuplicate {
			fmt.Printf("duplicate %s\n", id)
		} else if received.Summary != nil {
			fmt.Printf("handled %s %s\n", id, received.Summary.Company)
		} else {
			fmt.Printf("handled %s\n", id)
		}
		// Answer as soon as the event is stored; do slow work afterwards.
		response.WriteHeader(http.StatusNoContent)
	})

	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening %d\n", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, nil))
}
