package fault

import (
	"testing"

	"turnout.dev/examples/agents/internal/config"
)

func TestVersionSuffixBreaksTheAPIAlone(t *testing.T) {
	for version, want := range map[string]string{
		"1.0.0": None, "1.2.0-broken": NeverReady, "1.2.0-crash": Crash, "1.3.0-errors": ErrorsLater,
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
