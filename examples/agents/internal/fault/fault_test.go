package fault

import (
	"testing"
	"time"

	"turnout.dev/examples/agents/internal/config"
)

func TestVersionSuffixBreaksTheAPIAlone(t *testing.T) {
	for version, want := range map[string]string{
		"1.0.0": None, "1.2.0-broken": NeverReady, "1.2.0-crash": Crash, "1.3.0-errors": ErrorsLater,
		"1.3.0-slow": SlowLater,
	} {
		if got := Choose(config.Config{Command: "api", Version: version}).Kind; got != want {
			t.Errorf("api %s: got %s, want %s", version, got, want)
		}
		if got := Choose(config.Config{Command: "tools", Version: version}).Kind; got != None {
			t.Errorf("tools %s: got %s, want none", version, got)
		}
	}
}

func TestVariableWinsOverTheVersion(t *testing.T) {
	got := Choose(config.Config{Command: "api", Version: "1.2.0-broken", Fault: None})
	if got.Kind != None || got.Unready() != nil {
		t.Errorf("got %+v", got)
	}
}

func TestOnlyACrashingReleaseEndsAtStart(t *testing.T) {
	if Choose(config.Config{Fault: Crash}).AtStart() == nil {
		t.Error("expected an error")
	}
	if err := Choose(config.Config{Fault: NeverReady}).AtStart(); err != nil {
		t.Error(err)
	}
}

func TestErrorsComeAfterTheirTimeAndOnlyInTheirShare(t *testing.T) {
	if Choose(config.Config{Fault: ErrorsLater, FaultAfter: 1 << 40, FaultShare: 1}).Fails() {
		t.Error("failed too early")
	}
	if !Choose(config.Config{Fault: ErrorsLater, FaultShare: 1}).Fails() {
		t.Error("did not fail")
	}
	if Choose(config.Config{Fault: ErrorsLater, FaultShare: 0}).Fails() {
		t.Error("failed although its share is none")
	}
}

func TestSlownessComesAfterItsTime(t *testing.T) {
	for name, each := range map[string]struct {
		settings    config.Config
		usual, want time.Duration
	}{
		"healthy":   {config.Config{}, 40 * time.Millisecond, 40 * time.Millisecond},
		"too early": {config.Config{Fault: SlowLater, FaultAfter: 1 << 40}, 40 * time.Millisecond, 40 * time.Millisecond},
		"slow":      {config.Config{Fault: SlowLater}, 40 * time.Millisecond, 200 * time.Millisecond},
		"from none": {config.Config{Fault: SlowLater}, 0, 100 * time.Millisecond},
	} {
		if got := Choose(each.settings).Slowed(each.usual); got != each.want {
			t.Errorf("%s: got %v, want %v", name, got, each.want)
		}
	}
}
