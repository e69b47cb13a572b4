package echo

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func dial(t *testing.T, leaving <-chan struct{}) (*websocket.Conn, *Sockets, *int) {
	t.Helper()
	counted := 0
	sockets := New("api-1", "1.0.0", leaving, func(string, int) { counted++ })
	server := httptest.NewServer(sockets)
	t.Cleanup(server.Close)
	connection, _, err := websocket.Dial(t.Context(), strings.Replace(server.URL, "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.CloseNow() })
	return connection, sockets, &counted
}

func say(t *testing.T, connection *websocket.Conn, text string) reply {
	t.Helper()
	if err := connection.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
	_, body, err := connection.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got reply
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestGivesBackWhatItIsToldAndTellsWhoItIs(t *testing.T) {
	connection, sockets, counted := dial(t, nil)
	for _, text := range []string{"one", "two"} {
		if got := say(t, connection, text); got != (reply{"1.0.0", "api-1", text}) {
			t.Errorf("got %+v", got)
		}
	}
	_ = connection.Close(websocket.StatusNormalClosure, "")
	sockets.Wait()
	if *counted != 2 {
		t.Errorf("counted %d messages", *counted)
	}
}

func TestAConnectionIsEndedWithGoingAway(t *testing.T) {
	leaving := make(chan struct{})
	connection, sockets, _ := dial(t, leaving)
	say(t, connection, "one")
	close(leaving)
	_, _, err := connection.Read(t.Context())
	if got := websocket.CloseStatus(err); got != websocket.StatusGoingAway {
		t.Errorf("ended with %v", err)
	}
	began := time.Now()
	sockets.Wait()
	if sockets.open.Load() != 0 || time.Since(began) >= longest {
		t.Error("the connection has not ended although its client said goodbye")
	}
}

func TestWithoutADrainNobodySaysGoodbye(t *testing.T) {
	connection, _, _ := dial(t, nil)
	say(t, connection, "one")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, _, err := connection.Read(ctx); websocket.CloseStatus(err) != -1 {
		t.Errorf("ended with %v", err)
	}
}
