// Package usage counts the requests that every pod has served. The counts of pods that are gone are kept in Redis, so
// that a client's own count can be compared with the servers' over a whole rollout.
package usage

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	hash   = "agents:served"
	kept   = 24 * time.Hour
	period = time.Second
)

// Line is the number of requests that one pod answered on one route with one status.
type Line struct {
	Pod     string `json:"pod"`
	Version string `json:"version"`
	Route   string `json:"route"`
	Status  int    `json:"status"`
	Count   int64  `json:"count"`
}

type key struct {
	route  string
	status int
}

// Counter counts for one pod; without Redis it knows its own counts alone.
type Counter struct {
	pod, version string
	client       *redis.Client
	mu           sync.Mutex
	counts       map[key]int64
	dirty        bool
}

// New counts from zero.
func New(pod, version string, client *redis.Client) *Counter {
	return &Counter{pod: pod, version: version, client: client, counts: map[key]int64{}}
}

// Served counts one request.
func (c *Counter) Served(route string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[key{route, status}]++
	c.dirty = true
}

// Own gives this pod's counts.
func (c *Counter) Own() []Line {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines := make([]Line, 0, len(c.counts))
	for key, count := range c.counts {
		lines = append(lines, Line{c.pod, c.version, key.route, key.status, count})
	}
	return lines
}

// All gives the counts of every pod that served in the last day.
func (c *Counter) All(ctx context.Context) ([]Line, error) {
	if c.client == nil {
		return c.Own(), nil
	}
	if err := c.Flush(ctx); err != nil {
		return nil, err
	}
	fields, err := c.client.HGetAll(ctx, hash).Result()
	if err != nil {
		return nil, err
	}
	lines := make([]Line, 0, len(fields))
	for field, count := range fields {
		if line, ok := decode(field, count); ok {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// Keep writes the counts every second until the context ends.
func (c *Counter) Keep(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(period):
			if err := c.Flush(ctx); err != nil && ctx.Err() == nil {
				slog.Warn("served requests not counted in redis", "error", err)
			}
		}
	}
}

// Flush writes what was counted so far. The numbers are absolute, so a write that is repeated counts nothing twice.
func (c *Counter) Flush(ctx context.Context) error {
	if c.client == nil || !c.takeDirty() {
		return nil
	}
	values := make([]any, 0, 8)
	for _, line := range c.Own() {
		values = append(values, encode(line), line.Count)
	}
	pipeline := c.client.Pipeline()
	pipeline.HSet(ctx, hash, values...)
	pipeline.Expire(ctx, hash, kept)
	_, err := pipeline.Exec(ctx)
	if err != nil {
		c.markDirty()
	}
	return err
}

func (c *Counter) takeDirty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	dirty := c.dirty
	c.dirty = false
	return dirty
}

func (c *Counter) markDirty() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dirty = true
}

func encode(line Line) string {
	text, _ := json.Marshal([]string{line.Pod, line.Version, line.Route, strconv.Itoa(line.Status)})
	return string(text)
}

func decode(field, count string) (Line, bool) {
	var parts []string
	if !strings.HasPrefix(field, "[") || json.Unmarshal([]byte(field), &parts) != nil || len(parts) != 4 {
		return Line{}, false
	}
	status, _ := strconv.Atoi(parts[3])
	number, err := strconv.ParseInt(count, 10, 64)
	return Line{parts[0], parts[1], parts[2], status, number}, err == nil
}
