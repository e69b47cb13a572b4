package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"turnout.dev/examples/agents/internal/config"
	"turnout.dev/examples/agents/internal/fault"
	"turnout.dev/examples/agents/internal/serve"
	"turnout.dev/examples/agents/internal/telemetry"
	"turnout.dev/examples/agents/internal/usage"
	"turnout.dev/examples/agents/internal/workflow"
)

func service(version string, store workflow.Store) http.Handler {
	settings := config.Config{Command: "api", Version: version, FaultShare: 1}
	a := &API{Pod: "api-1", Version: version, Queue: workflow.NewChannel(), Counter: usage.New("api-1", version, nil),
		Fault: fault.Choose(settings), Sockets: http.NotFoundHandler()}
	if store != nil {
		a.Open(store)
	}
	mux := http.NewServeMux()
	a.Routes(mux)
	return serve.Instrument(mux, telemetry.NewMetrics(settings), a.Counter.Served, Quiet...)
}

func call(t *testing.T, handler http.Handler, method, path, body string) (int, map[string]any) {
	t.Helper()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader(body)))
	var got map[string]any
	_ = json.Unmarshal(answer.Body.Bytes(), &got)
	return answer.Code, got
}

func TestHelloTellsVersionAndPod(t *testing.T) {
	status, got := call(t, service("1.0.0", nil), "GET", "/", "")
	if status != 200 || got["version"] != "1.0.0" || got["pod"] != "api-1" {
		t.Errorf("got %d %v", status, got)
	}
}

func TestWorkflowIsStartedFoundAndApproved(t *testing.T) {
	store := workflow.NewMemory()
	handler := service("1.0.0", store)
	status, started := call(t, handler, "POST", "/v1/workflows", `{"goal": "pay 6 * 7"}`)
	if status != 202 || started["status"] != "queued" {
		t.Fatalf("got %d %v", status, started)
	}
	path := "/v1/workflows/" + started["id"].(string)
	if status, got := call(t, handler, "GET", path, ""); status != 200 || got["goal"] != "pay 6 * 7" {
		t.Errorf("got %d %v", status, got)
	}
	if status, _ := call(t, handler, "POST", path+"/approve", `{"by": "ada"}`); status != 409 {
		t.Errorf("approved although nobody asked: %d", status)
	}
}

func TestWrongRequestsAreToldApart(t *testing.T) {
	handler := service("1.0.0", workflow.NewMemory())
	for path, want := range map[string]int{
		"GET /v1/workflows/none": 404, "POST /v1/workflows": 400, "GET /v1/slow?seconds=x": 400, "GET /v1/slow?seconds=0": 200,
		"GET /elsewhere": 404, "POST /v1/workflows/none/approve": 400,
	} {
		method, target, _ := strings.Cut(path, " ")
		if status, _ := call(t, handler, method, target, "{}"); status != want {
			t.Errorf("%s: got %d, want %d", path, status, want)
		}
	}
}

func TestWorkflowsAreRefusedBeforeTheStoreIsThere(t *testing.T) {
	if status, _ := call(t, service("1.0.0", nil), "POST", "/v1/workflows", `{"goal": "x"}`); status != 503 {
		t.Errorf("got %d", status)
	}
}

func TestReleaseThatErrsAnswersWith500(t *testing.T) {
	if status, _ := call(t, service("1.3.0-errors", nil), "GET", "/", ""); status != 500 {
		t.Errorf("got %d", status)
	}
}

func TestServedCountsWhatWasAnswered(t *testing.T) {
	handler := service("1.0.0", nil)
	call(t, handler, "GET", "/v1/hello", "")
	call(t, handler, "GET", "/v1/hello", "")
	_, got := call(t, handler, "GET", "/v1/served", "")
	line := got["served"].([]any)[0].(map[string]any)
	if line["route"] != "/v1/hello" || line["count"] != 2.0 {
		t.Errorf("got %v", got)
	}
}
