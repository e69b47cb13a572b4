package usage

import (
	"context"
	"testing"
)

func TestCountsByRouteAndStatus(t *testing.T) {
	counter := New("api-1", "1.0.0", nil)
	counter.Served("/", 200)
	counter.Served("/", 200)
	counter.Served("/", 500)
	lines, err := counter.All(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := map[int]int64{}
	for _, line := range lines {
		got[line.Status] += line.Count
	}
	if got[200] != 2 || got[500] != 1 {
		t.Errorf("got %v", got)
	}
}

func TestLineSurvivesRedis(t *testing.T) {
	want := Line{"api-1", "1.0.0", "/v1/workflows/{id}", 200, 7}
	if got, ok := decode(encode(want), "7"); !ok || got != want {
		t.Errorf("got %+v", got)
	}
	if _, ok := decode("something else", "7"); ok {
		t.Error("took a field that is not its own")
	}
}
