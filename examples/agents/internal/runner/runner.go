// Package runner takes workflows from the queue and runs their agents.
package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"turnout.dev/examples/agents/internal/agent"
	"turnout.dev/examples/agents/internal/telemetry"
	"turnout.dev/examples/agents/internal/tools"
	"turnout.dev/examples/agents/internal/workflow"
)

const (
	lookAround = 10 * time.Second
	thinking   = 5 * time.Millisecond
	pause      = time.Second
)

// Runner is one worker.
type Runner struct {
	Store   workflow.Store
	Queue   workflow.Queue
	Tools   tools.Executor
	Metrics *telemetry.Metrics
}

// Run works until the context ends; the workflow under way gets `grace` to end, after which it stays queued for others.
func (r *Runner) Run(ctx context.Context, grace time.Duration) {
	go r.lookAround(ctx)
	for ctx.Err() == nil {
		id, err := r.Queue.Take(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			slog.Warn("the queue does not answer", "error", err)
			rest(ctx, pause)
		case id != "":
			r.finish(ctx, id, grace)
		}
	}
}

func (r *Runner) finish(ctx context.Context, id string, grace time.Duration) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	defer stop()
	if err := r.One(work, id); err != nil {
		slog.Error("workflow left for later", "workflow", id, "error", err)
	}
}

// One runs a workflow until it ends or waits for a person. A workflow that somebody else has is left alone.
func (r *Runner) One(ctx context.Context, id string) error {
	w, err := r.Store.Change(ctx, id, workflow.Claim)
	if errors.Is(err, workflow.ErrTaken) || errors.Is(err, workflow.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	r.observeApproval(w)
	ctx, span := telemetry.Span(telemetry.Resume(ctx, w.Trace), "workflow "+w.Name, attribute.String("workflow.id", w.ID))
	for err == nil && w.Status == workflow.Running {
		w, err = r.turn(ctx, w)
	}
	telemetry.End(span, err)
	if w.Ended() {
		r.Metrics.Workflows.WithLabelValues(w.Name, failure(w)).Observe(time.Since(w.Created).Seconds())
	}
	slog.InfoContext(ctx, "workflow "+string(w.Status), "workflow", w.ID, "steps", len(w.Steps),
		"input_tokens", w.Tokens.Input, "output_tokens", w.Tokens.Output, "error", w.Error)
	return err
}

// turn lets one agent think and act, and writes down what came of it.
func (r *Runner) turn(ctx context.Context, w workflow.Workflow) (workflow.Workflow, error) {
	began := time.Now()
	action := r.think(ctx, w)
	step := workflow.Step{Agent: action.Agent, Tool: action.Tool, Input: action.Text}
	var failed error
	if action.Kind == agent.UseTool {
		step.Output, failed = r.useTool(ctx, action)
	}
	step.Seconds = time.Since(began).Seconds()
	r.Metrics.Agents.WithLabelValues(action.Agent, telemetry.ErrorType(failed)).Observe(step.Seconds)
	tokens := agent.Tokens(w, action)
	return r.Store.Change(ctx, w.ID, func(w *workflow.Workflow) error {
		w.Tokens.Input += tokens.Input
		w.Tokens.Output += tokens.Output
		w.Steps = append(w.Steps, step)
		settle(w, action, failed)
		return nil
	})
}

func (r *Runner) think(ctx context.Context, w workflow.Workflow) agent.Action {
	_, span := telemetry.Span(ctx, "chat "+agent.Model, attribute.String("gen_ai.request.model", agent.Model))
	defer telemetry.End(span, nil)
	began := time.Now()
	rest(ctx, thinking)
	r.Metrics.FirstChunk.WithLabelValues(agent.Model).Observe(time.Since(began).Seconds())
	action := agent.Next(w)
	tokens := agent.Tokens(w, action)
	r.Metrics.InputTokens.WithLabelValues(agent.Model).Add(float64(tokens.Input))
	r.Metrics.OutputTokens.WithLabelValues(agent.Model).Add(float64(tokens.Output))
	r.Metrics.Model.WithLabelValues("chat", agent.Model, "").Observe(time.Since(began).Seconds())
	return action
}

func (r *Runner) useTool(ctx context.Context, action agent.Action) (string, error) {
	began := time.Now()
	output, err := r.Tools.Execute(ctx, action.Tool, action.Text)
	r.Metrics.Tools.WithLabelValues(action.Tool, telemetry.ErrorType(err)).Observe(time.Since(began).Seconds())
	return output, err
}

// settle moves the workflow on by what the agent wanted.
func settle(w *workflow.Workflow, action agent.Action, failed error) {
	switch {
	case failed != nil:
		w.Status, w.Error = workflow.Failed, fmt.Sprintf("%s: %v", action.Tool, failed)
	case action.Kind == agent.AskPerson:
		w.Status, w.Approval = workflow.Waiting, &workflow.Approval{Question: action.Text, Asked: time.Now().UTC()}
	case action.Kind == agent.Answer:
		w.Status, w.Answer = workflow.Succeeded, action.Text
	case action.Kind == agent.GiveUp:
		w.Status, w.Error = workflow.Failed, action.Text
	}
}

// lookAround puts workflows back that the queue lost, and tells the metrics how many there are.
func (r *Runner) lookAround(ctx context.Context) {
	for ctx.Err() == nil {
		if err := r.survey(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("the store does not answer", "error", err)
		}
		rest(ctx, lookAround)
	}
}

func (r *Runner) survey(ctx context.Context) error {
	counts, err := r.Store.Counts(ctx)
	if err != nil {
		return err
	}
	r.Metrics.WorkflowsActive.Set(float64(counts.Active))
	r.Metrics.ApprovalsPending.Set(float64(counts.Waiting))
	r.Metrics.ApprovalOldest.Set(age(counts.OldestAsked))
	lost, err := r.Store.Stalled(ctx, time.Now().Add(-workflow.Lease))
	for _, id := range lost {
		err = errors.Join(err, r.Queue.Put(ctx, id))
	}
	return err
}

func (r *Runner) observeApproval(w workflow.Workflow) {
	if w.Approved() {
		r.Metrics.ApprovalWait.Observe(w.Approval.Answered.Sub(w.Approval.Asked).Seconds())
	}
}

func failure(w workflow.Workflow) string {
	if w.Status == workflow.Succeeded {
		return ""
	}
	return string(w.Status)
}

func age(since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return time.Since(since).Seconds()
}

func rest(ctx context.Context, wait time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
}
