package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"turnout.dev/examples/agents/internal/config"
)

// farewell is how long kept-alive clients are answered with "Connection: close" before idle connections are closed, so
// that a client which is just about to send its next request learns of it from an answer and not from a reset.
const farewell = 3 * time.Second

// Server is one port.
type Server struct {
	http     http.Server
	listener net.Listener
	health   *Health
	drain    bool
	timeout  time.Duration
	open     atomic.Int64
	leaving  atomic.Bool
}

// Listen opens a port; nothing is answered before Run. Port 0 takes a free one.
func Listen(port int, handler http.Handler, health *Health, settings config.Config) (*Server, error) {
	listener, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		return nil, err
	}
	s := &Server{listener: listener, health: health, drain: settings.Drain, timeout: settings.DrainTimeout}
	s.http = http.Server{Handler: s.sayGoodbye(handler), ConnState: s.count, ReadHeaderTimeout: 10 * time.Second}
	return s, nil
}

// Address is where the server listens.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Run serves until the context ends, then drains: readiness goes false, kept-alive clients are sent away, requests under
// way have until DRAIN_SECONDS after the start of it. With DRAIN=off all of that is left out, and what is under way is cut.
//
// SIGTERM arrives after the pod's preStop sleep. Endpoints are removed beside that sleep, so new connections have ended.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	return s.stop()
}

func (s *Server) stop() error {
	if !s.drain {
		return s.http.Close()
	}
	began := time.Now()
	s.health.Unready("draining")
	s.leaving.Store(true)
	s.waitUntilEmpty(farewell)
	ctx, cancel := context.WithDeadline(context.Background(), began.Add(s.timeout))
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.Join(err, s.http.Close())
	}
	slog.Info("drained", "seconds", time.Since(began).Seconds(), "error", err)
	return err
}

func (s *Server) waitUntilEmpty(limit time.Duration) {
	for end := time.Now().Add(limit); s.open.Load() > 0 && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *Server) sayGoodbye(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.leaving.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.open.Add(-1)
	}
}
