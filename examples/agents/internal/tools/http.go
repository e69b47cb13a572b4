package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"turnout.dev/examples/agents/internal/telemetry"
)

const maxBody = 64 << 10

type request struct {
	Input string `json:"input"`
}

type response struct {
	Output string `json:"output,omitempty"`
	Error  string `json:"error,omitempty"`
}

// Routes adds POST /v1/tools/{name}.
func Routes(mux *http.ServeMux, metrics *telemetry.Metrics) {
	mux.HandleFunc("POST /v1/tools/{name}", func(w http.ResponseWriter, r *http.Request) {
		var asked request
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&asked); err != nil {
			answer(w, http.StatusBadRequest, response{Error: `expected {"input": "…"}`})
			return
		}
		name := r.PathValue("name")
		began := time.Now()
		output, err := Local{}.Execute(r.Context(), name, asked.Input)
		if errors.Is(err, ErrUnknown) {
			answer(w, http.StatusNotFound, response{Error: err.Error()})
			return
		}
		metrics.Tools.WithLabelValues(name, telemetry.ErrorType(err)).Observe(time.Since(began).Seconds())
		slog.InfoContext(r.Context(), "tool executed", "tool", name, "error", err)
		if err != nil {
			answer(w, http.StatusUnprocessableEntity, response{Error: err.Error()})
			return
		}
		answer(w, http.StatusOK, response{Output: output})
	})
}

func answer(w http.ResponseWriter, status int, body response) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// Remote executes tools on a server. A call that could not be made is tried again twice: tools have no side effects.
type Remote struct {
	URL    string
	Client *http.Client
}

// NewRemote gives each call ten seconds.
func NewRemote(url string) Remote {
	return Remote{URL: url, Client: &http.Client{Timeout: 10 * time.Second}}
}

// Execute calls POST /v1/tools/{name}.
func (c Remote) Execute(ctx context.Context, tool, input string) (output string, err error) {
	ctx, span := telemetry.Span(ctx, "execute_tool "+tool, attribute.String("gen_ai.tool.name", tool))
	defer func() { telemetry.End(span, err) }()
	for attempt := range 3 {
		var again bool
		if output, again, err = c.call(ctx, tool, input); !again {
			return output, err
		}
		time.Sleep(time.Duration(100<<attempt) * time.Millisecond)
	}
	return output, err
}

func (c Remote) call(ctx context.Context, tool, input string) (output string, again bool, err error) {
	body, _ := json.Marshal(request{input})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/v1/tools/"+tool, bytes.NewReader(body))
	if err != nil {
		return "", false, err
	}
	r.Header.Set("Content-Type", "application/json")
	telemetry.Inject(ctx, r.Header)
	got, err := c.Client.Do(r)
	if err != nil {
		return "", true, err
	}
	defer got.Body.Close()
	if got.StatusCode >= http.StatusInternalServerError {
		return "", true, fmt.Errorf("tools answered %s", got.Status)
	}
	var result response
	if err := json.NewDecoder(io.LimitReader(got.Body, maxBody)).Decode(&result); err != nil {
		return "", false, fmt.Errorf("tools answered %s with no JSON: %w", got.Status, err)
	}
	if result.Error != "" {
		return "", false, errors.New(result.Error)
	}
	return result.Output, false, nil
}
