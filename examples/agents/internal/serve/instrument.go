package serve

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"turnout.dev/examples/agents/internal/telemetry"
)

// Instrument measures every request of a mux. Quiet routes get neither a span nor a log line: they are cheap and many.
func Instrument(mux *http.ServeMux, metrics *telemetry.Metrics, served func(route string, status int), quiet ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := mux.Handler(r)
		answer := &recorder{ResponseWriter: w, status: http.StatusOK}
		began := time.Now()
		metrics.Active(r.Method, +1)
		if contains(quiet, pattern) {
			mux.ServeHTTP(answer, r)
		} else {
			traced(mux, answer, r, pattern)
		}
		metrics.Active(r.Method, -1)
		if answer.status == http.StatusSwitchingProtocols {
			return // a connection that lived for an hour is no request that took one
		}
		metrics.Request(r.Method, route(pattern), answer.status, time.Since(began))
		served(route(pattern), answer.status)
	})
}

func traced(mux *http.ServeMux, answer *recorder, r *http.Request, pattern string) {
	ctx, span := telemetry.ServerSpan(r, pattern)
	began := time.Now()
	mux.ServeHTTP(answer, r.WithContext(ctx))
	span.SetAttributes(attribute.String("http.route", route(pattern)), attribute.Int("http.response.status_code", answer.status))
	telemetry.End(span, nil)
	slog.InfoContext(ctx, "request", "method", r.Method, "route", route(pattern), "status", answer.status,
		"seconds", time.Since(began).Seconds())
}

// route is the pattern without its method: "/v1/workflows/{id}".
func route(pattern string) string {
	if _, path, found := strings.Cut(pattern, " "); found {
		return strings.TrimSuffix(path, "{$}")
	}
	return "unknown"
}

func contains(all []string, one string) bool {
	for _, each := range all {
		if each == one {
			return true
		}
	}
	return false
}

type recorder struct {
	http.ResponseWriter
	status int
}

// Unwrap lets a connection be taken over (http.ResponseController).
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}
