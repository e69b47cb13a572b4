package tools

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"turnout.dev/examples/agents/internal/config"
	"turnout.dev/examples/agents/internal/telemetry"
)

func TestCalculate(t *testing.T) {
	for expression, want := range map[string]string{
		"1 + 2 * 3": "7", "(1 + 2) * 3": "9", "-4 / 8": "-0.5", "10 - 2 - 3": "5", "2 * -(1 + 1)": "-4",
	} {
		if got, err := Calculate(expression); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", expression, got, err, want)
		}
	}
}

func TestCalculateSaysWhatIsWrong(t *testing.T) {
	for expression, want := range map[string]string{
		"1 / 0": "division by zero", "(1 + 2": "not closed", "1 +": "expected a number", "1 2 x": "unexpected",
		strings.Repeat("(", 100): "nested too deeply",
	} {
		if _, err := Calculate(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", expression, err, want)
		}
	}
}

func server(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	Routes(mux, telemetry.NewMetrics(config.Config{}))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestRemoteToolAnswersAsTheLocalOne(t *testing.T) {
	remote := NewRemote(server(t).URL)
	if got, err := remote.Execute(context.Background(), "calculator", "2 * 21"); err != nil || got != "42" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := remote.Execute(context.Background(), "calculator", "1 / 0"); err == nil || err.Error() != "division by zero" {
		t.Errorf("got %v", err)
	}
	if _, err := remote.Execute(context.Background(), "oracle", ""); err == nil || !strings.Contains(err.Error(), "no such tool") {
		t.Errorf("got %v", err)
	}
}

func TestRemoteTriesAgainWhenTheServerFails(t *testing.T) {
	calls := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls < 3 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte(`{"output": "late"}`))
	}))
	defer s.Close()
	if got, err := NewRemote(s.URL).Execute(context.Background(), "search", "x"); err != nil || got != "late" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestUnknownToolIsToldApart(t *testing.T) {
	if _, err := (Local{}).Execute(context.Background(), "oracle", ""); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
}
