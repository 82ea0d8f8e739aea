package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"text/tabwriter"
	"time"

	"spillway.example/bench/started"
)

const (
	connections = 4                      // each has one request after the other in flight
	slice       = 100 * time.Millisecond // a service's share of a round
)

// service is an HTTP service under load.
type service struct {
	name, pkg  string
	started    *started.Service
	requests   int
	throughput sample // requests a second
}

// services measures examples/echo, which frontdoor serves, and a plain net/http server.
// Both run all the time, and are under load in turn: a round is so short that what else
// the machine does meets both, and the first of a round is the second of the next.
func services(ctx context.Context, dir string, rounds int, out io.Writer) (err error) {
	all := []*service{
		{name: "examples/echo, by frontdoor", pkg: "spillway.example/examples/echo"},
		{name: "plain net/http", pkg: "spillway.example/bench/process/contender/plain"},
	}
	ended := false
	end := func() {
		if ended {
			return
		}
		ended = true
		for _, s := range all {
			if s.started != nil {
				s.started.Kill() // it keeps nothing
			}
		}
	}
	defer end()
	for i, s := range all {
		file, err := build(ctx, dir, fmt.Sprint("service", i), s.pkg)
		if err != nil {
			return err
		}
		if s.started, err = started.Start(ctx, nil, file); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := s.load(slice); err != nil { // to warm it up
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	for _, s := range all {
		s.throughput, s.requests = nil, 0
	}
	for round := range rounds {
		for turn := range all {
			s := all[(round+turn)%len(all)]
			if err := s.load(slice); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	end()
	fmt.Fprintf(out, "\nHTTP services, GET /status/200 on %d connections, %d rounds of %v each:\n\n", connections, rounds, slice)
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "service\trequests a second\tCPU a request, µs")
	cpu := make([]float64, len(all))
	for i, s := range all {
		cpu[i] = s.started.CPU().Seconds() * 1e6 / float64(s.requests)
		fmt.Fprintf(tw, "%s\t%s\t%.2f\n", s.name, s.throughput.shown("%.0f"), cpu[i])
	}
	fmt.Fprintln(tw, "\t\t")
	fmt.Fprintf(tw, "frontdoor to plain\t%s\t%.3f\n", all[0].throughput.over(all[1].throughput).ratio(), cpu[0]/cpu[1])
	fmt.Fprintln(tw, "to reach\t0.970\t")
	return tw.Flush()
}

// load puts a service under load for a while and notes its throughput.
func (s *service) load(d time.Duration) error {
	counts, errs := make([]int, connections), make([]error, connections)
	var wg sync.WaitGroup
	began := time.Now()
	for i := range connections {
		wg.Go(func() { counts[i], errs[i] = client(s.started.Addr, began.Add(d)) })
	}
	wg.Wait()
	took := time.Since(began)
	total := 0
	for _, n := range counts {
		total += n
	}
	s.requests += total
	s.throughput = append(s.throughput, float64(total)/took.Seconds())
	return errors.Join(errs...)
}

// client sends one request after the other until a time. It is as lean as can be, for its
// own cost hides the service's.
func client(addr string, until time.Time) (n int, err error) {
	conn, err := net.Dial("tcp", addr) //nolint:noctx // on loopback
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	request := []byte("GET /status/200 HTTP/1.1\r\nHost: " + addr + "\r\n\r\n")
	in := bufio.NewReader(conn)
	for ; time.Now().Before(until); n++ {
		if _, err := conn.Write(request); err != nil {
			return n, err
		}
		for first := true; ; first = false {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return n, err
			}
			if first && string(line) != "HTTP/1.1 200 OK\r\n" {
				return n, fmt.Errorf("it answers %s", line)
			}
			if len(line) == 2 { // the end of the headers; there is no body
				break
			}
		}
	}
	return n, nil
}
