package workflow

import (
	"context"
	"errors"
	"testing"
	"time"
)

func stored(t *testing.T) (*Memory, Workflow) {
	t.Helper()
	store, w := NewMemory(), New("assist", "add 1 + 1", "")
	if err := store.Create(context.Background(), w); err != nil {
		t.Fatal(err)
	}
	return store, w
}

func ask(w *Workflow) error {
	w.Status, w.Approval = Waiting, &Approval{Question: "May I?", Asked: time.Now().Add(-time.Hour)}
	return nil
}

func TestWorkflowIsClaimedOnce(t *testing.T) {
	store, w := stored(t)
	if _, err := store.Change(context.Background(), w.ID, Claim); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Change(context.Background(), w.ID, Claim); !errors.Is(err, ErrTaken) {
		t.Errorf("a second runner got it: %v", err)
	}
}

func TestRunnerThatWentSilentLosesItsWorkflow(t *testing.T) {
	w := Workflow{Status: Running, Updated: time.Now().Add(-2 * Lease)}
	if err := Claim(&w); err != nil {
		t.Error(err)
	}
}

func TestFailedChangeLeavesTheWorkflowAsItWas(t *testing.T) {
	store, w := stored(t)
	_, err := store.Change(context.Background(), w.ID, func(w *Workflow) error { w.Goal = "other"; return errors.New("no") })
	if err == nil {
		t.Fatal("expected an error")
	}
	if got, _ := store.Get(context.Background(), w.ID); got.Goal != "add 1 + 1" {
		t.Errorf("changed to %q", got.Goal)
	}
}

func TestOnlyAWaitingWorkflowCanBeApproved(t *testing.T) {
	store, w := stored(t)
	ctx := context.Background()
	if _, err := store.Change(ctx, w.ID, Approve("ada")); !errors.Is(err, ErrNotWaiting) {
		t.Errorf("got %v", err)
	}
	_, _ = store.Change(ctx, w.ID, ask)
	got, err := store.Change(ctx, w.ID, Approve("ada"))
	if err != nil || !got.Approved() || got.Status != Queued || got.Approval.By != "ada" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestSweepExpiresOldQuestionsAndDeletesOldWorkflows(t *testing.T) {
	store, w := stored(t)
	ctx := context.Background()
	_, _ = store.Change(ctx, w.ID, ask)
	if counts, _ := store.Counts(ctx); counts.Waiting != 1 || counts.OldestAsked.IsZero() {
		t.Errorf("got %+v", counts)
	}
	if expired, deleted, _ := store.Sweep(ctx, time.Now().Add(-time.Minute), time.Now().Add(-time.Hour)); expired != 1 || deleted != 0 {
		t.Errorf("expired %d, deleted %d", expired, deleted)
	}
	if _, deleted, _ := store.Sweep(ctx, time.Time{}, time.Now().Add(time.Minute)); deleted != 1 {
		t.Errorf("deleted %d", deleted)
	}
	if _, err := store.Get(ctx, w.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestStalledFindsWhatTheQueueLost(t *testing.T) {
	store, w := stored(t)
	if ids, _ := store.Stalled(context.Background(), time.Now().Add(time.Minute)); len(ids) != 1 || ids[0] != w.ID {
		t.Errorf("got %v", ids)
	}
}
