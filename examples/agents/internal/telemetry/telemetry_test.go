package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"turnout.dev/examples/agents/internal/config"
)

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestLogLineCarriesTheTraceOfTheRequest(t *testing.T) {
	flush := StartTracing(context.Background(), config.Config{})
	defer flush()
	var out bytes.Buffer
	log := Logger(&out, config.Config{Service: "api", Version: "1.0.0", Pod: "api-1", LogLevel: "info"})
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set("traceparent", parent)
	ctx, span := ServerSpan(request, "GET /")
	log.InfoContext(ctx, "hello")
	End(span, nil)

	var line map[string]string
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["trace_id"] != "0af7651916cd43dd8448eb211c80319c" || len(line["span_id"]) != 16 || line["pod"] != "api-1" {
		t.Errorf("got %v", line)
	}
}

func TestTraceIsCarriedAsText(t *testing.T) {
	flush := StartTracing(context.Background(), config.Config{})
	defer flush()
	ctx, span := Span(context.Background(), "start")
	resumed := trace.SpanContextFromContext(Resume(context.Background(), Carry(ctx)))
	if resumed.TraceID() != span.SpanContext().TraceID() {
		t.Errorf("%s became %s", span.SpanContext().TraceID(), resumed.TraceID())
	}
}

func TestTracesThatCannotBeSentHoldNothingUp(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
	began := time.Now()
	flush := StartTracing(context.Background(), config.Config{OTLP: "http://127.0.0.1:9"})
	_, span := Span(context.Background(), "start")
	End(span, nil)
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %s", took)
	}
	flush()
	if took := time.Since(began); took > flushTimeout+time.Second {
		t.Errorf("the end took %s", took)
	}
}

func TestMetricsHaveTheNamesOfTheConventions(t *testing.T) {
	metrics := NewMetrics(config.Config{Service: "api", Version: "1.0.0"})
	metrics.Request(http.MethodGet, "/", 200, time.Millisecond)
	metrics.Tools.WithLabelValues("search", ErrorType(nil)).Observe(1)
	metrics.InputTokens.WithLabelValues("rules-1").Add(3)
	answer := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="/"} 1`,
		`gen_ai_execute_tool_duration_seconds_count{error_type="",gen_ai_tool_name="search"} 1`,
		`gen_ai_client_inference_usage_input_tokens_total{gen_ai_request_model="rules-1"} 3`,
		`app_info{service_name="api",version="1.0.0"} 1`,
	} {
		if !strings.Contains(answer.Body.String(), line) {
			t.Errorf("no line %s", line)
		}
	}
}
