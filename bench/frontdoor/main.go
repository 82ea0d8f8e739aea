// Command frontdoor measures frontdoor side by side with its peers, in one run: event
// bytes in, answer bytes out, for each door. It ends in ratios, which are what counts:
// absolute times are the machine's.
//
//	go run ./bench/frontdoor
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"testing"
	"text/tabwriter"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"spillway.example/bench/signin"
	"spillway.example/frontdoor"
)

// Each is measured in many short rounds, in turn with the others: what else the machine
// does meets all of them, and the ratio of one round owes nothing to the round before.
const (
	rounds = 41
	round  = "50ms"
)

// peer is the contender that the others are compared with.
const peer = "aws-lambda-go-api-proxy"

var files, login, answer = signin.Events, signin.Handler, signin.Answer

// contender is one way to serve an event.
type contender struct {
	name    string
	handler lambda.Handler
}

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "frontdoor bench:", err)
		os.Exit(1)
	}
}

func run(out io.Writer) error {
	proxyV2, proxyV1, proxyALB := httpadapter.NewV2(login), httpadapter.New(login), httpadapter.NewALB(login)
	ours := contender{"frontdoor", frontdoor.NewInvoker(login, frontdoor.Options{})}
	doors := []struct {
		name, file string
		contenders []contender
	}{
		{"HTTP API (v2)", "httpapi.json", []contender{ours,
			{peer, lambda.NewHandler(proxyV2.ProxyWithContext)},
			{"bare aws-lambda-go", lambda.NewHandler(bareV2)}}},
		{"Function URL", "functionurl.json", []contender{ours,
			{peer, lambda.NewHandler(proxyV2.ProxyWithContext)},
			{"bare aws-lambda-go", lambda.NewHandler(bareV2)}}},
		{"REST API (v1)", "rest.json", []contender{ours,
			{peer, lambda.NewHandler(proxyV1.ProxyWithContext)},
			{"bare aws-lambda-go", lambda.NewHandler(bareV1)}}},
		{"ALB", "alb.json", []contender{ours,
			{peer, lambda.NewHandler(proxyALB.ProxyWithContext)},
			{"bare aws-lambda-go", lambda.NewHandler(bareALB)}}},
	}
	testing.Init()
	if err := flag.Set("test.benchtime", round); err != nil {
		return err
	}
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "door\tadapter\tµs\tallocations\tratio to "+peer+"\tmiddle half of the ratios")
	for _, d := range doors {
		event, err := files.ReadFile("events/" + d.file)
		if err != nil {
			return err
		}
		results, err := sideBySide(event, d.contenders)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		for i, c := range d.contenders {
			r := results[i]
			fmt.Fprintf(tw, "%s\t%s\t%.2f\t%d\t%.3f\t%.3f to %.3f\n",
				d.name, c.name, quantile(r.ns, 0.5)/1000, r.allocs, quantile(r.ratios, 0.5), quantile(r.ratios, 0.25), quantile(r.ratios, 0.75))
		}
	}
	return tw.Flush()
}

// result is what the rounds of one contender gave.
type result struct {
	ns, ratios []float64 // of an event; to the peer in the same round
	allocs     int64
}

// sideBySide measures the contenders in turn.
func sideBySide(event []byte, contenders []contender) ([]result, error) {
	results := make([]result, len(contenders))
	against := slices.IndexFunc(contenders, func(c contender) bool { return c.name == peer })
	for _, c := range contenders {
		if err := check(c, event); err != nil {
			return nil, err
		}
	}
	for range rounds {
		for i, c := range contenders {
			b := testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.handler.Invoke(context.Background(), event); err != nil {
						b.Fatal(err)
					}
				}
			})
			results[i].ns = append(results[i].ns, float64(b.T.Nanoseconds())/float64(b.N))
			results[i].allocs = b.AllocsPerOp()
		}
		of := results[against].ns[len(results[against].ns)-1]
		for i := range results {
			r := &results[i]
			r.ratios = append(r.ratios, r.ns[len(r.ns)-1]/of)
		}
	}
	return results, nil
}

// quantile gives the value below which a share q of all lies.
func quantile(all []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// check holds a contender to answering at all.
func check(c contender, event []byte) error {
	out, err := c.handler.Invoke(context.Background(), event)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	var a struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if err := json.Unmarshal(out, &a); err != nil || a.StatusCode != http.StatusOK || a.Body != string(answer) {
		return fmt.Errorf("%s answers %s, %w", c.name, out, err)
	}
	return nil
}

// The bare handlers decode the event and answer with a constant: the least that a
// handler on aws-lambda-go's own types does.
func bareV2(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Headers: constant, Body: string(answer)}, nil
}

func bareV1(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Headers: constant, Body: string(answer)}, nil
}

func bareALB(context.Context, events.ALBTargetGroupRequest) (events.ALBTargetGroupResponse, error) {
	return events.ALBTargetGroupResponse{StatusCode: http.StatusOK, Headers: constant, Body: string(answer)}, nil
}

var constant = map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"}
