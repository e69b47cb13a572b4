package serve

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"turnout.dev/examples/agents/internal/config"
)

var protected = config.Config{Drain: true, DrainTimeout: 5 * time.Second}

func start(t *testing.T, settings config.Config, handler http.Handler) (address string, health *Health, stop func() error) {
	t.Helper()
	health = NewHealth()
	health.Ready()
	server, err := Listen(0, handler, health, settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	_, port, _ := net.SplitHostPort(server.Address())
	return "127.0.0.1:" + port, health, func() error { cancel(); return <-ended }
}

func slow(begun chan struct{}, wait time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		time.Sleep(wait)
		fmt.Fprint(w, "done")
	})
}

func inFlight(t *testing.T, settings config.Config) error {
	t.Helper()
	begun := make(chan struct{})
	address, _, stop := start(t, settings, slow(begun, 300*time.Millisecond))
	answered := make(chan error, 1)
	go func() {
		response, err := http.Get("http://" + address)
		if err == nil {
			_ = response.Body.Close()
		}
		answered <- err
	}()
	<-begun
	_ = stop()
	return <-answered
}

func TestRequestUnderWayIsAnsweredWhenTheServerDrains(t *testing.T) {
	if err := inFlight(t, protected); err != nil {
		t.Errorf("the request was cut: %v", err)
	}
}

func TestRequestUnderWayIsCutWithoutDrain(t *testing.T) {
	if err := inFlight(t, config.Config{Drain: false}); err == nil {
		t.Error("the request was answered: DRAIN=off takes nothing out")
	}
}

func TestKeptAliveClientIsToldToLeaveByAnAnswer(t *testing.T) {
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	address, health, stop := start(t, protected, hello)
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	reader := bufio.NewReader(connection)
	if header := ask(t, connection, reader); header.Get("Connection") == "close" {
		t.Fatal("sent away too early")
	}
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	for health.Reason() == "" {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	if header := ask(t, connection, reader); header.Get("Connection") != "close" {
		t.Error("the answer does not say that the connection ends")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestProbesTellTheReason(t *testing.T) {
	health := NewHealth()
	mux := http.NewServeMux()
	health.Routes(mux)
	address, _, stop := start(t, protected, mux)
	defer func() { _ = stop() }()
	if got := status(t, address, "/readyz"); got != http.StatusServiceUnavailable {
		t.Errorf("readyz before it is ready: %d", got)
	}
	health.Ready()
	if got := status(t, address, "/readyz"); got != http.StatusOK {
		t.Errorf("readyz: %d", got)
	}
	health.Unready("draining")
	if got := status(t, address, "/healthz"); got != http.StatusOK {
		t.Errorf("healthz while draining: %d", got)
	}
}

func TestRouteIsThePatternWithoutItsMethod(t *testing.T) {
	for pattern, want := range map[string]string{
		"GET /{$}": "/", "GET /v1/workflows/{id}": "/v1/workflows/{id}", "": "unknown",
	} {
		if got := route(pattern); got != want {
			t.Errorf("%q: got %q, want %q", pattern, got, want)
		}
	}
}

func ask(t *testing.T, connection net.Conn, reader *bufio.Reader) http.Header {
	t.Helper()
	if _, err := strings.NewReader("GET / HTTP/1.1\r\nHost: x\r\n\r\n").WriteTo(connection); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.Close {
		response.Header.Set("Connection", "close")
	}
	return response.Header
}

func status(t *testing.T, address, path string) int {
	t.Helper()
	response, err := http.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}
