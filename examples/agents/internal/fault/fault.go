// Package fault breaks a release on purpose, so that rollouts can be seen to stop and roll back.
package fault

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"turnout.dev/examples/agents/internal/config"
)

// The faults that a release can have.
const (
	None        = "none"
	NeverReady  = "never-ready"
	Crash       = "crash"
	ErrorsLater = "errors-later"
	SlowLater   = "slow-later"
)

// bySuffix are the versions of `api` that are broken by being built.
var bySuffix = map[string]string{"-broken": NeverReady, "-crash": Crash, "-errors": ErrorsLater, "-slow": SlowLater}

// A release that turns slow takes this many times as long as it should, and at least as if it should take `least`.
const (
	factor = 5
	least  = 20 * time.Millisecond
)

var errMigration = errors.New(`migration 0042 missing: column "workflows.priority" does not exist`)

// Fault is what is wrong with this process.
type Fault struct {
	Kind  string
	after time.Duration
	share float64
	ready time.Time
}

// Choose takes FAULT when it is set, else what the version's suffix says (for `api` alone).
func Choose(settings config.Config) Fault {
	return Fault{Kind: kind(settings), after: settings.FaultAfter, share: settings.FaultShare, ready: time.Now()}
}

// AtStart is the reason why the process ends at once, if it does.
func (f Fault) AtStart() error {
	if f.Kind == Crash {
		return errMigration
	}
	return nil
}

// Unready is the reason why the process never becomes ready, nil when it may; it logs what it says.
func (f Fault) Unready() error {
	if f.Kind != NeverReady {
		return nil
	}
	slog.Error("not ready", "error", errMigration)
	return errMigration
}

// Fails tells whether this request is one of those that are answered with an error.
func (f Fault) Fails() bool {
	return f.Kind == ErrorsLater && time.Since(f.ready) > f.after && rand.Float64() < f.share
}

// Slowed is how long a request takes that should take as long as `usual`.
func (f Fault) Slowed(usual time.Duration) time.Duration {
	if f.Kind != SlowLater || time.Since(f.ready) <= f.after {
		return usual
	}
	return factor * max(usual, least)
}

func kind(settings config.Config) string {
	if settings.Fault != "" {
		return settings.Fault
	}
	for suffix, kind := range bySuffix {
		if settings.Command == "api" && strings.HasSuffix(settings.Version, suffix) {
			return kind
		}
	}
	return None
}
