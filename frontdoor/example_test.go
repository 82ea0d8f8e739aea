package frontdoor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"

	"spillway.example/frontdoor"
	"spillway.example/frontdoor/frontdoortest"
)

// One binary, as a service on port 8080 or as a function: Serve sees which it is.
func ExampleServe() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello, %s\n", r.PathValue("name"))
	})
	if err := frontdoor.Serve(context.Background(), mux, frontdoor.Options{}); err != nil {
		log.Fatal(err)
	}
}

// A test of a handler as an HTTP API's function, with no server and no AWS.
func ExampleNewInvoker() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello, %s\n", r.PathValue("name"))
	})
	event, _ := frontdoortest.Event(frontdoortest.HTTPAPI, "GET", "/hello/you", "example.com", nil, nil)
	out, _ := frontdoor.NewInvoker(mux, frontdoor.Options{}).Invoke(context.Background(), event)
	res, _ := frontdoortest.Response(frontdoortest.HTTPAPI, out)
	body, _ := io.ReadAll(res.Body)
	fmt.Printf("%d %s", res.StatusCode, body)
	// Output: 200 hello, you
}

// A function that is a queue's consumer too.
func ExampleOptions_events() {
	o := frontdoor.Options{Events: func(_ context.Context, event json.RawMessage) ([]byte, error) {
		var queue struct {
			Records []struct{ Body string }
		}
		if err := json.Unmarshal(event, &queue); err != nil {
			return nil, err
		}
		for _, r := range queue.Records {
			fmt.Println("to do:", r.Body)
		}
		return []byte(`{"batchItemFailures":[]}`), nil
	}}
	out, err := frontdoor.NewInvoker(http.NotFoundHandler(), o).Invoke(context.Background(), frontdoortest.Recorded("sqs"))
	fmt.Println(string(out), err)
	// Output:
	// to do: Test message.
	// {"batchItemFailures":[]} <nil>
}

// A function invoked with an event of its own: the event is the body of a POST.
func ExampleOptions_directPath() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /register", func(w http.ResponseWriter, r *http.Request) {
		var who struct{ Username string }
		_ = json.NewDecoder(r.Body).Decode(&who)
		fmt.Fprintf(w, "%s came by %s", who.Username, frontdoor.DoorOf(r.Context()))
	})
	invoker := frontdoor.NewInvoker(mux, frontdoor.Options{DirectPath: "/register"})
	out, _ := invoker.Invoke(context.Background(), []byte(`{"username":"alice"}`))
	fmt.Println(string(out))
	// Output: {"statusCode":200,"body":"alice came by direct"}
}

// A readiness probe that fails from the moment that the process is told to end.
func ExampleDraining() {
	http.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if frontdoor.Draining(r.Context()) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
}

// What only an event has, such as the caller that a Function URL's IAM authorizer found.
func ExampleRawEvent() {
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, ok := frontdoor.RawEvent(r.Context())
		if !ok {
			return // over HTTP there is none
		}
		var event struct {
			RequestContext struct {
				Authorizer struct {
					IAM struct{ UserARN string }
				}
			}
		}
		_ = json.Unmarshal(raw, &event)
		fmt.Println(event.RequestContext.Authorizer.IAM.UserARN)
	})
	_, _ = frontdoor.NewInvoker(h, frontdoor.Options{}).Invoke(context.Background(), frontdoortest.Recorded("functionurl-binary"))
	// Output: arn:aws:iam::123456789012:user/alice
}
