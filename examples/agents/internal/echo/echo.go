// Package echo holds WebSocket connections open and gives back what it is told, with who gives it back.
package echo

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// Route is where the connections are opened. Each message that was given back is counted on it as a request.
const Route = "/v1/echo"

// longest is how long a client may take to answer a close frame, and a little more.
const longest = 6 * time.Second

// Sockets are the connections of one process.
type Sockets struct {
	pod, version string
	served       func(route string, status int)
	leaving      <-chan struct{}
	open         atomic.Int64
}

// New answers until `leaving` is closed; then every connection is ended with 1001, "going away".
// Without such a channel (nil) connections end when the process does, cut and without a word.
func New(pod, version string, leaving <-chan struct{}, served func(route string, status int)) *Sockets {
	return &Sockets{pod: pod, version: version, leaving: leaving, served: served}
}

type reply struct {
	Version string `json:"version"`
	Pod     string `json:"pod"`
	Said    string `json:"said"`
}

// ServeHTTP takes a connection over and keeps it until the client leaves or the process does.
func (s *Sockets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	connection, err := websocket.Accept(w, r, nil)
	if err != nil {
		slog.Warn("no WebSocket", "error", err)
		return
	}
	s.open.Add(1)
	defer s.open.Add(-1)
	defer func() { _ = connection.CloseNow() }()

	ctx, end := context.WithCancel(context.WithoutCancel(r.Context()))
	said := make(chan string)
	go read(ctx, end, connection, said)
	defer end()
	s.answer(ctx, connection, said)
}

// Wait returns when every connection has ended, or when that takes too long.
func (s *Sockets) Wait() {
	for end := time.Now().Add(longest); s.open.Load() > 0 && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
}

// answer gives each message back before it looks for the next, so that a goodbye never overtakes an answer.
func (s *Sockets) answer(ctx context.Context, connection *websocket.Conn, said <-chan string) {
	for {
		select {
		case <-s.leaving:
			_ = connection.Close(websocket.StatusGoingAway, "draining")
			return
		case <-ctx.Done():
			return
		case text := <-said:
			body, _ := json.Marshal(reply{s.version, s.pod, text})
			if err := connection.Write(ctx, websocket.MessageText, body); err != nil {
				return
			}
			s.served(Route, http.StatusOK)
		}
	}
}

// read hands over what the client says, until it says no more.
func read(ctx context.Context, end func(), connection *websocket.Conn, said chan<- string) {
	defer end()
	for {
		_, text, err := connection.Read(ctx)
		if err != nil {
			return
		}
		select {
		case said <- string(text):
		case <-ctx.Done():
			return
		}
	}
}
