package workflow

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// Memory keeps workflows in this process: for a try without a database.
type Memory struct {
	mu  sync.Mutex
	all map[string]Workflow
}

// NewMemory is empty.
func NewMemory() *Memory { return &Memory{all: map[string]Workflow{}} }

func (m *Memory) Create(_ context.Context, w Workflow) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all[w.ID] = w
	return nil
}

func (m *Memory) Get(_ context.Context, id string) (Workflow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, found := m.all[id]
	if !found {
		return Workflow{}, ErrNotFound
	}
	return copied(w), nil
}

func (m *Memory) Change(_ context.Context, id string, change func(*Workflow) error) (Workflow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, found := m.all[id]
	if !found {
		return Workflow{}, ErrNotFound
	}
	w = copied(w)
	if err := change(&w); err != nil {
		return w, err
	}
	w.Updated = time.Now().UTC()
	m.all[id] = copied(w)
	return w, nil
}

func (m *Memory) Stalled(_ context.Context, before time.Time) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ids []string
	for id, w := range m.all {
		if (w.Status == Queued || w.Status == Running) && w.Updated.Before(before) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (m *Memory) Counts(_ context.Context) (Counts, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var counts Counts
	for _, w := range m.all {
		switch w.Status {
		case Queued, Running:
			counts.Active++
		case Waiting:
			counts.Waiting++
			if counts.OldestAsked.IsZero() || w.Approval.Asked.Before(counts.OldestAsked) {
				counts.OldestAsked = w.Approval.Asked
			}
		}
	}
	return counts, nil
}

func (m *Memory) Sweep(_ context.Context, askedBefore, endedBefore time.Time) (expired, deleted int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, w := range m.all {
		switch {
		case w.Status == Waiting && w.Approval.Asked.Before(askedBefore):
			w.Status, w.Updated = Expired, time.Now().UTC()
			m.all[id] = w
			expired++
		case w.Ended() && w.Updated.Before(endedBefore):
			delete(m.all, id)
			deleted++
		}
	}
	return expired, deleted, nil
}

// Channel is a queue in this process.
type Channel chan string

// NewChannel holds up to a thousand workflows.
func NewChannel() Channel { return make(Channel, 1000) }

func (c Channel) Put(ctx context.Context, id string) error {
	select {
	case c <- id:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c Channel) Take(ctx context.Context) (string, error) {
	select {
	case id := <-c:
		return id, nil
	case <-time.After(time.Second):
		return "", nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func copied(w Workflow) Workflow {
	var fresh Workflow
	text, _ := json.Marshal(w)
	_ = json.Unmarshal(text, &fresh)
	return fresh
}
