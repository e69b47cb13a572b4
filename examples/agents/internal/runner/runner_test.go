package runner

import (
	"context"
	"errors"
	"testing"
	"time"

	"turnout.dev/examples/agents/internal/config"
	"turnout.dev/examples/agents/internal/telemetry"
	"turnout.dev/examples/agents/internal/tools"
	"turnout.dev/examples/agents/internal/workflow"
)

type brokenTools struct{}

func (brokenTools) Execute(context.Context, string, string) (string, error) {
	return "", errors.New("out of order")
}

func newRunner(executor tools.Executor) *Runner {
	return &Runner{
		Store: workflow.NewMemory(), Queue: workflow.NewChannel(), Tools: executor, Metrics: telemetry.NewMetrics(config.Config{}),
	}
}

func (r *Runner) start(t *testing.T, goal string) string {
	t.Helper()
	w := workflow.New("assist", goal, "")
	if err := r.Store.Create(context.Background(), w); err != nil {
		t.Fatal(err)
	}
	return w.ID
}

func (r *Runner) after(t *testing.T, id string) workflow.Workflow {
	t.Helper()
	if err := r.One(context.Background(), id); err != nil {
		t.Fatal(err)
	}
	w, err := r.Store.Get(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWorkflowIsAnswered(t *testing.T) {
	r := newRunner(tools.Local{})
	w := r.after(t, r.start(t, "what is 6 * 7"))
	if w.Status != workflow.Succeeded || w.Answer != "6 * 7: 42" || len(w.Steps) != 2 || w.Tokens.Input == 0 {
		t.Errorf("got %+v", w)
	}
}

func TestWorkflowWaitsForItsApproval(t *testing.T) {
	r := newRunner(tools.Local{})
	id := r.start(t, "pay 6 * 7")
	if w := r.after(t, id); w.Status != workflow.Waiting || w.Approval == nil {
		t.Fatalf("got %+v", w)
	}
	if _, err := r.Store.Change(context.Background(), id, workflow.Approve("ada")); err != nil {
		t.Fatal(err)
	}
	if w := r.after(t, id); w.Status != workflow.Succeeded || w.Answer != "6 * 7: 42; approved by ada" {
		t.Errorf("got %+v", w)
	}
}

func TestFailedToolFailsTheWorkflow(t *testing.T) {
	r := newRunner(brokenTools{})
	if w := r.after(t, r.start(t, "what is 6 * 7")); w.Status != workflow.Failed || w.Error != "calculator: out of order" {
		t.Errorf("got %+v", w)
	}
}

func TestWorkflowOfAnotherRunnerIsLeftAlone(t *testing.T) {
	r := newRunner(tools.Local{})
	id := r.start(t, "what is 6 * 7")
	if _, err := r.Store.Change(context.Background(), id, workflow.Claim); err != nil {
		t.Fatal(err)
	}
	if w := r.after(t, id); w.Status != workflow.Running || len(w.Steps) != 0 {
		t.Errorf("got %+v", w)
	}
}

func TestWorkflowUnderWayEndsBeforeTheRunnerDoes(t *testing.T) {
	r := newRunner(tools.Local{})
	id := r.start(t, "what is 6 * 7")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.finish(ctx, id, 5*time.Second)
	if w, _ := r.Store.Get(context.Background(), id); w.Status != workflow.Succeeded {
		t.Errorf("got %+v", w)
	}
}
