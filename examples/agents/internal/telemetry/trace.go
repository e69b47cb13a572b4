package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"turnout.dev/examples/agents/internal/config"
)

const flushTimeout = 2 * time.Second

// StartTracing makes spans; they are sent only when an OTLP endpoint is set, in the background, and dropped when it
// does not keep up. The function that it returns sends what is left, for two seconds at most.
func StartTracing(ctx context.Context, settings config.Config) (flush func()) {
	otel.SetTextMapPropagator(propagation.TraceContext{})
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { slog.Debug("telemetry", "error", err) }))
	options := []sdk.TracerProviderOption{sdk.WithResource(describe(settings))}
	if settings.OTLP != "" {
		if exporter, err := otlptracehttp.New(ctx); err != nil {
			slog.Warn("traces are not sent", "error", err)
		} else {
			options = append(options, sdk.WithBatcher(exporter))
		}
	}
	provider := sdk.NewTracerProvider(options...)
	otel.SetTracerProvider(provider)
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
		defer cancel()
		_ = provider.Shutdown(ctx)
	}
}

func describe(settings config.Config) *resource.Resource {
	return resource.NewSchemaless(
		attribute.String("service.name", settings.Service),
		attribute.String("service.version", settings.Version),
		attribute.String("service.instance.id", settings.Pod),
	)
}

// Span opens a span under the context's own.
func Span(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	return otel.Tracer("agents").Start(ctx, name, trace.WithAttributes(attributes...))
}

// ServerSpan opens a span for a request, under the one that its headers name.
func ServerSpan(r *http.Request, name string) (context.Context, trace.Span) {
	ctx := otel.GetTextMapPropagator().Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	return otel.Tracer("agents").Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer))
}

// End closes a span, marked as failed when there is an error.
func End(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

// Inject writes the context's trace into a request that goes out.
func Inject(ctx context.Context, header http.Header) {
	otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(header))
}

// Carry gives the context's trace as text, so that a workflow goes on under the request that started it.
func Carry(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	otel.GetTextMapPropagator().Inject(ctx, carrier)
	return carrier["traceparent"]
}

// Resume is the reverse of Carry.
func Resume(ctx context.Context, traceparent string) context.Context {
	return otel.GetTextMapPropagator().Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
}
