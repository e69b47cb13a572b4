// Package telemetry writes logs, metrics and traces by the OpenTelemetry conventions.
package telemetry

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"turnout.dev/examples/agents/internal/config"
)

// Logger writes one JSON object a line, with the trace and span that the context carries.
func Logger(out io.Writer, settings config.Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(settings.LogLevel))
	lines := slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})
	return slog.New(traced{lines}).With("service", settings.Service, "version", settings.Version, "pod", settings.Pod)
}

type traced struct{ slog.Handler }

func (t traced) Handle(ctx context.Context, record slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		record.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return t.Handler.Handle(ctx, record)
}

func (t traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{t.Handler.WithAttrs(attrs)} }

func (t traced) WithGroup(name string) slog.Handler { return traced{t.Handler.WithGroup(name)} }
