package telemetry

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"turnout.dev/examples/agents/internal/config"
)

// Bounds that the semantic conventions advise: HTTP from 5 ms to 10 s, GenAI operations from 10 ms to 82 s.
var (
	httpBounds  = []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}
	genAIBounds = prometheus.ExponentialBuckets(.01, 2, 14)
)

// Metrics are the product's own, under the names of the OpenTelemetry semantic conventions as Prometheus spells them.
type Metrics struct {
	registry *prometheus.Registry

	requests *prometheus.HistogramVec
	active   *prometheus.GaugeVec

	Workflows       *prometheus.HistogramVec
	WorkflowsActive prometheus.Gauge
	Agents          *prometheus.HistogramVec
	Tools           *prometheus.HistogramVec
	Model           *prometheus.HistogramVec
	FirstChunk      *prometheus.HistogramVec
	InputTokens     *prometheus.CounterVec
	OutputTokens    *prometheus.CounterVec

	ApprovalsPending prometheus.Gauge
	ApprovalOldest   prometheus.Gauge
	ApprovalWait     prometheus.Histogram
}

// NewMetrics registers every metric once; it also tells the version that runs (app_info).
func NewMetrics(settings config.Config) *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	f := promauto.With(registry)
	f.NewGaugeVec(opts("app_info", "Always 1; tells the version."), []string{"service_name", "version"}).
		WithLabelValues(settings.Service, settings.Version).Set(1)
	return &Metrics{
		registry: registry,
		requests: histogram(f, "http_server_request_duration_seconds", "HTTP requests served.", httpBounds,
			"http_request_method", "http_route", "http_response_status_code"),
		active: f.NewGaugeVec(opts("http_server_active_requests", "HTTP requests under way."), []string{"http_request_method"}),

		Workflows: histogram(f, "gen_ai_workflow_duration_seconds", "Workflows from start to end.", genAIBounds,
			"gen_ai_workflow_name", "error_type"),
		WorkflowsActive: f.NewGauge(prometheus.GaugeOpts{Name: "app_workflow_active", Help: "Workflows queued or running."}),
		Agents: histogram(f, "gen_ai_invoke_agent_duration_seconds", "Turns of agents.", genAIBounds,
			"gen_ai_agent_name", "error_type"),
		Tools: histogram(f, "gen_ai_execute_tool_duration_seconds", "Tool executions.", genAIBounds,
			"gen_ai_tool_name", "error_type"),
		Model: histogram(f, "gen_ai_client_operation_duration_seconds", "Calls of the model.", genAIBounds,
			"gen_ai_operation_name", "gen_ai_request_model", "error_type"),
		FirstChunk: histogram(f, "gen_ai_client_operation_time_to_first_chunk_seconds", "Until the model's first chunk.",
			genAIBounds, "gen_ai_request_model"),
		InputTokens: f.NewCounterVec(prometheus.CounterOpts{Name: "gen_ai_client_inference_usage_input_tokens_total",
			Help: "Tokens read by the model."}, []string{"gen_ai_request_model"}),
		OutputTokens: f.NewCounterVec(prometheus.CounterOpts{Name: "gen_ai_client_inference_usage_output_tokens_total",
			Help: "Tokens written by the model."}, []string{"gen_ai_request_model"}),

		ApprovalsPending: f.NewGauge(prometheus.GaugeOpts{Name: "app_approval_pending", Help: "Workflows that wait for a person."}),
		ApprovalOldest: f.NewGauge(prometheus.GaugeOpts{Name: "app_approval_oldest_seconds",
			Help: "How long the oldest of them has waited."}),
		ApprovalWait: f.NewHistogram(prometheus.HistogramOpts{Name: "app_approval_wait_duration_seconds",
			Help: "From asking for an approval to its answer.", Buckets: prometheus.ExponentialBuckets(1, 4, 10)}),
	}
}

// Handler answers a scrape.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Request counts one served request.
func (m *Metrics) Request(method, route string, status int, took time.Duration) {
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// Active moves the number of requests under way by one up or down.
func (m *Metrics) Active(method string, by float64) { m.active.WithLabelValues(method).Add(by) }

// ErrorType is the label of an outcome: "" when there is no error.
func ErrorType(err error) string {
	if err == nil {
		return ""
	}
	return "error"
}

func opts(name, help string) prometheus.GaugeOpts {
	return prometheus.GaugeOpts{Name: name, Help: help}
}

func histogram(f promauto.Factory, name, help string, bounds []float64, labels ...string) *prometheus.HistogramVec {
	return f.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds}, labels)
}
