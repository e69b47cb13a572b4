// Package serve runs HTTP servers that tell how they are and stop without dropping a request.
package serve

import (
	"net/http"
	"sync"
)

// Health is what the probes answer: alive as long as the process can answer at all, ready when there is no reason not to be.
type Health struct {
	mu     sync.Mutex
	reason string
}

// NewHealth begins not ready.
func NewHealth() *Health { return &Health{reason: "starting"} }

// Ready lets traffic in.
func (h *Health) Ready() { h.set("") }

// Unready keeps traffic out; the reason is what the probe answers.
func (h *Health) Unready(reason string) { h.set(reason) }

// Reason is "" when ready.
func (h *Health) Reason() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reason
}

// Routes adds /healthz and /readyz.
func (h *Health) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if reason := h.Reason(); reason != "" {
			http.Error(w, reason, http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	})
}

func (h *Health) set(reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reason = reason
}
