// Package api answers the product's users over HTTP.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"turnout.dev/examples/agents/internal/echo"
	"turnout.dev/examples/agents/internal/fault"
	"turnout.dev/examples/agents/internal/telemetry"
	"turnout.dev/examples/agents/internal/usage"
	"turnout.dev/examples/agents/internal/workflow"
)

// Quiet are the routes that are too cheap and too many to log and trace.
var Quiet = []string{"GET /{$}", "GET /v1/hello", "GET /v1/slow", "GET /v1/served", "GET " + echo.Route}

const (
	maxBody    = 64 << 10
	maxSeconds = 30
)

// API is the service's state.
type API struct {
	Pod, Version string
	Queue        workflow.Queue
	Counter      *usage.Counter
	Fault        fault.Fault
	Work         time.Duration
	Sockets      http.Handler
	store        atomic.Pointer[workflow.Store]
}

// Open lets requests reach the workflows; before it they are answered with 503.
func (a *API) Open(store workflow.Store) { a.store.Store(&store) }

type hello struct {
	Version string `json:"version"`
	Pod     string `json:"pod"`
}

// Routes adds every path of the product.
func (a *API) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", a.faulty(a.hello))
	mux.HandleFunc("GET /v1/hello", a.faulty(a.hello))
	mux.HandleFunc("GET /v1/slow", a.faulty(a.slow))
	mux.Handle("GET "+echo.Route, a.Sockets)
	mux.HandleFunc("GET /v1/served", a.served)
	mux.HandleFunc("POST /v1/workflows", a.stored(a.start))
	mux.HandleFunc("GET /v1/workflows/{id}", a.stored(a.get))
	mux.HandleFunc("POST /v1/workflows/{id}/approve", a.stored(a.approve))
}

func (a *API) hello(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusOK, hello{a.Version, a.Pod})
}

// slow answers after as many seconds as asked for, as a model would that thinks.
func (a *API) slow(w http.ResponseWriter, r *http.Request) {
	seconds, err := strconv.ParseFloat(r.URL.Query().Get("seconds"), 64)
	if err != nil || seconds < 0 || seconds > maxSeconds {
		problem(w, http.StatusBadRequest, "expected ?seconds=N, 0 to 30")
		return
	}
	if passes(r.Context(), time.Duration(seconds*float64(time.Second))) {
		a.hello(w, r)
	}
}

func (a *API) served(w http.ResponseWriter, r *http.Request) {
	lines, err := a.Counter.All(r.Context())
	if err != nil {
		problem(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	respond(w, http.StatusOK, map[string][]usage.Line{"served": lines})
}

func (a *API) start(w http.ResponseWriter, r *http.Request, store workflow.Store) {
	asked := struct {
		Name string `json:"name"`
		Goal string `json:"goal"`
	}{Name: "assist"}
	if err := body(w, r, &asked); err != nil || asked.Goal == "" {
		problem(w, http.StatusBadRequest, `expected {"goal": "…"}`)
		return
	}
	created := workflow.New(asked.Name, asked.Goal, telemetry.Carry(r.Context()))
	if err := store.Create(r.Context(), created); err != nil {
		failed(w, r, err)
		return
	}
	a.enqueue(r.Context(), created.ID)
	slog.InfoContext(r.Context(), "workflow started", "workflow", created.ID, "name", created.Name)
	respond(w, http.StatusAccepted, created)
}

func (a *API) get(w http.ResponseWriter, r *http.Request, store workflow.Store) {
	found, err := store.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		failed(w, r, err)
		return
	}
	respond(w, http.StatusOK, found)
}

func (a *API) approve(w http.ResponseWriter, r *http.Request, store workflow.Store) {
	asked := struct {
		By string `json:"by"`
	}{}
	if err := body(w, r, &asked); err != nil || asked.By == "" {
		problem(w, http.StatusBadRequest, `expected {"by": "…"}`)
		return
	}
	approved, err := store.Change(r.Context(), r.PathValue("id"), workflow.Approve(asked.By))
	if err != nil {
		failed(w, r, err)
		return
	}
	a.enqueue(r.Context(), approved.ID)
	slog.InfoContext(r.Context(), "workflow approved", "workflow", approved.ID, "by", asked.By)
	respond(w, http.StatusAccepted, approved)
}

// enqueue may fail without harm: runners look for workflows that wait in the store too.
func (a *API) enqueue(ctx context.Context, id string) {
	if err := a.Queue.Put(ctx, id); err != nil {
		slog.WarnContext(ctx, "not queued, will be found later", "workflow", id, "error", err)
	}
}

func (a *API) faulty(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if a.Fault.Fails() {
			slog.ErrorContext(r.Context(), "request failed", "error", "nil prompt template")
			problem(w, http.StatusInternalServerError, "internal error")
			return
		}
		if passes(r.Context(), a.Fault.Slowed(a.Work)) {
			next(w, r)
		}
	}
}

// passes tells whether the time passed before the client left.
func passes(ctx context.Context, duration time.Duration) bool {
	if duration <= 0 {
		return true
	}
	select {
	case <-time.After(duration):
		return true
	case <-ctx.Done():
		return false
	}
}

func (a *API) stored(next func(http.ResponseWriter, *http.Request, workflow.Store)) http.HandlerFunc {
	return a.faulty(func(w http.ResponseWriter, r *http.Request) {
		store := a.store.Load()
		if store == nil {
			problem(w, http.StatusServiceUnavailable, "not ready")
			return
		}
		next(w, r, *store)
	})
}

func body(w http.ResponseWriter, r *http.Request, into any) error {
	return json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(into)
}

func failed(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, workflow.ErrNotFound):
		problem(w, http.StatusNotFound, err.Error())
	case errors.Is(err, workflow.ErrNotWaiting):
		problem(w, http.StatusConflict, err.Error())
	default:
		slog.ErrorContext(r.Context(), "store failed", "error", err)
		problem(w, http.StatusServiceUnavailable, "the store does not answer")
	}
}

func problem(w http.ResponseWriter, status int, text string) {
	respond(w, status, map[string]string{"error": text})
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
