// Package workflow holds what a workflow is and where it is kept.
package workflow

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"
)

// Status says where a workflow stands.
type Status string

// The ways of a workflow: queued → running → (waiting → queued → running)* → succeeded, failed or expired.
const (
	Queued    Status = "queued"
	Running   Status = "running"
	Waiting   Status = "waiting_approval"
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
	Expired   Status = "expired"
)

// The faults that callers tell apart.
var (
	ErrNotFound   = errors.New("no such workflow")
	ErrNotWaiting = errors.New("the workflow does not wait for an approval")
	ErrTaken      = errors.New("the workflow is not free to run")
)

// Lease is how long a running workflow may go without a new step before another runner takes it over.
const Lease = 60 * time.Second

// Step is one thing that an agent did.
type Step struct {
	Agent   string  `json:"agent"`
	Tool    string  `json:"tool,omitempty"`
	Input   string  `json:"input"`
	Output  string  `json:"output"`
	Seconds float64 `json:"seconds"`
}

// Approval is a question to a person.
type Approval struct {
	Question string     `json:"question"`
	Asked    time.Time  `json:"asked"`
	Answered *time.Time `json:"answered,omitempty"`
	By       string     `json:"by,omitempty"`
}

// Tokens counts what the model read and wrote.
type Tokens struct {
	Input  int `json:"input"`
	Output int `json:"output"`
}

// Workflow is one run from a goal to an answer.
type Workflow struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Goal     string    `json:"goal"`
	Status   Status    `json:"status"`
	Steps    []Step    `json:"steps"`
	Approval *Approval `json:"approval,omitempty"`
	Answer   string    `json:"answer,omitempty"`
	Error    string    `json:"error,omitempty"`
	Tokens   Tokens    `json:"tokens"`
	Trace    string    `json:"trace,omitempty"`
	Created  time.Time `json:"created"`
	Updated  time.Time `json:"updated"`
}

// Counts is what the metrics tell about all workflows.
type Counts struct {
	Active, Waiting int
	OldestAsked     time.Time
}

// Store keeps workflows. Change loads one, lets the function alter it and writes it back, alone with it for that time;
// an error of the function leaves it as it was.
type Store interface {
	Create(ctx context.Context, w Workflow) error
	Get(ctx context.Context, id string) (Workflow, error)
	Change(ctx context.Context, id string, change func(*Workflow) error) (Workflow, error)
	Stalled(ctx context.Context, before time.Time) ([]string, error)
	Counts(ctx context.Context) (Counts, error)
	Sweep(ctx context.Context, askedBefore, endedBefore time.Time) (expired, deleted int, err error)
}

// Queue hands workflows to runners. Take waits a short time and gives "" when there is none. It is a hint only: what is
// lost from it is found again by Stalled.
type Queue interface {
	Put(ctx context.Context, id string) error
	Take(ctx context.Context) (string, error)
}

// New is a queued workflow.
func New(name, goal, trace string) Workflow {
	now := time.Now().UTC()
	return Workflow{ID: newID(), Name: name, Goal: goal, Status: Queued, Trace: trace, Steps: []Step{}, Created: now, Updated: now}
}

// Claim makes a workflow this runner's: it was queued, or its runner has not been heard of for the time of a lease.
func Claim(w *Workflow) error {
	stale := w.Status == Running && time.Since(w.Updated) > Lease
	if w.Status != Queued && !stale {
		return ErrTaken
	}
	w.Status = Running
	return nil
}

// Approve answers the question and queues the workflow again.
func Approve(by string) func(*Workflow) error {
	return func(w *Workflow) error {
		if w.Status != Waiting {
			return ErrNotWaiting
		}
		now := time.Now().UTC()
		w.Approval.Answered, w.Approval.By = &now, by
		w.Status = Queued
		return nil
	}
}

// Ended tells whether nothing will happen to it any more.
func (w Workflow) Ended() bool {
	return w.Status == Succeeded || w.Status == Failed || w.Status == Expired
}

// Approved tells whether a person has said yes.
func (w Workflow) Approved() bool { return w.Approval != nil && w.Approval.Answered != nil }

func newID() string {
	var bytes [8]byte
	_, _ = rand.Read(bytes[:])
	return "wf-" + hex.EncodeToString(bytes[:])
}
