package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
)

// TargetRef names a target of a target group.
type TargetRef struct {
	TargetGroup string `json:"target_group"`
	Target      string `json:"target"`
}

// TargetStatus is how a target stands.
type TargetStatus struct {
	TargetRef
	Type     string `json:"type"`
	State    State  `json:"state"`
	Reason   string `json:"reason,omitempty"` // why it is not healthy
	InFlight int    `json:"in_flight"`
	// Waiting is how many requests wait for a target of its group.
	Waiting int `json:"waiting"`
}

// Deregistered is what became of a target that was deregistered.
type Deregistered struct {
	TargetRef
	// InFlight is what was still in flight when the delay was over: 0 means drained.
	InFlight int `json:"in_flight"`
}

// Readiness says whether every rule has somewhere to send its requests.
type Readiness struct {
	Ready bool `json:"ready"`
	// Waiting are the targets that were not checked yet, and the rules without a
	// healthy target.
	Waiting []string `json:"waiting"`
}

// adminHandler serves the admin listener. Targets that are registered are checked
// until work is done.
func (g *Gateway) adminHandler(work context.Context) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		ready := g.readiness()
		status := http.StatusOK
		if !ready.Ready {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, ready)
	})
	mux.HandleFunc("GET /targets", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, g.targets())
	})
	mux.HandleFunc("POST /targets/register", func(w http.ResponseWriter, r *http.Request) {
		respond(w, r, func(ref TargetRef) (any, error) { return g.register(r.Context(), work, ref) })
	})
	mux.HandleFunc("POST /targets/deregister", func(w http.ResponseWriter, r *http.Request) {
		respond(w, r, func(ref TargetRef) (any, error) { return g.deregister(r.Context(), ref) })
	})
	// A page in the developer's browser reaches loopback addresses, too.
	return http.NewCrossOriginProtection().Handler(mux)
}

func (g *Gateway) targets() []TargetStatus {
	all := []TargetStatus{}
	for _, name := range slices.Sorted(maps.Keys(g.groups)) {
		all = append(all, g.groups[name].status()...)
	}
	return all
}

func (g *group) status() []TargetStatus {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]TargetStatus, 0, len(g.targets))
	for _, t := range g.targets {
		all = append(all, g.statusOf(t))
	}
	return all
}

// statusOf gives a target's status. Call it with the mutex held.
func (g *group) statusOf(t *target) TargetStatus {
	return TargetStatus{TargetRef{g.name, t.id}, g.cfg.Type, t.state, t.reason, t.inFlight, g.queued()}
}

// register adds a target and gives its status after the first health check.
func (g *Gateway) register(ctx, work context.Context, ref TargetRef) (TargetStatus, error) {
	to := g.groups[ref.TargetGroup]
	if to == nil {
		return TargetStatus{}, errUnknownGroup
	}
	if err := checkTarget(to.cfg.Type, ref.Target); err != nil {
		return TargetStatus{}, errors.Join(errBadTarget, err)
	}
	t, err := to.add(work, ref.Target, newBackend(ref.Target, to.name, to.cfg))
	if err != nil {
		return TargetStatus{}, err
	}
	select {
	case <-t.checked:
	case <-ctx.Done():
	}
	to.mu.Lock()
	defer to.mu.Unlock()
	return to.statusOf(t), nil
}

func (g *Gateway) deregister(ctx context.Context, ref TargetRef) (Deregistered, error) {
	from := g.groups[ref.TargetGroup]
	if from == nil {
		return Deregistered{}, errUnknownGroup
	}
	left, err := from.remove(ctx, ref.Target)
	return Deregistered{ref, left}, err
}

func (g *Gateway) readiness() Readiness {
	r := Readiness{Waiting: []string{}}
	for _, t := range g.targets() {
		if t.State == Initial {
			r.Waiting = append(r.Waiting, "target "+t.TargetGroup+" "+t.Target)
		}
	}
	for _, rule := range g.rules {
		if rule.fixed == nil && !rule.forward.usable() {
			r.Waiting = append(r.Waiting, "rule to "+rule.forward.names())
		}
	}
	r.Ready = len(r.Waiting) == 0
	return r
}

// respond decodes a target, does something with it and encodes what came of it.
func respond(w http.ResponseWriter, r *http.Request, do func(TargetRef) (any, error)) {
	var ref TargetRef
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(&ref); err != nil {
		writeJSON(w, http.StatusBadRequest, adminError{"the body must be JSON with target_group and target: " + err.Error()})
		return
	}
	out, err := do(ref)
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, out)
	case errors.Is(err, errUnknownGroup), errors.Is(err, errUnknownTarget):
		writeJSON(w, http.StatusNotFound, adminError{err.Error()})
	case errors.Is(err, errStillDraining):
		writeJSON(w, http.StatusConflict, adminError{err.Error()})
	default:
		writeJSON(w, http.StatusBadRequest, adminError{err.Error()})
	}
}

type adminError struct {
	Error string `json:"error"`
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller may have gone
}
