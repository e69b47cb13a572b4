package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestDefaultsNeedNoVariable(t *testing.T) {
	got, err := FromEnvironment("api", "1.0.0", environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got.HTTPPort != 8080 || got.MetricsPort != 9090 || !got.Drain || got.DrainTimeout != 25*time.Second {
		t.Errorf("unexpected defaults: %+v", got)
	}
	if got.Service != "agents-api" || got.Postgres.Host != "" || got.Redis.Address != "" {
		t.Errorf("unexpected defaults: %+v", got)
	}
}

func TestEveryWrongVariableIsNamedInOneError(t *testing.T) {
	_, err := FromEnvironment("api", "1.0.0", environment(map[string]string{
		"HTTP_PORT": "x", "DRAIN": "maybe", "FAULT_SHARE": "2", "DRAIN_SECONDS": "-1",
	}))
	if err == nil {
		t.Fatal("expected an error")
	}
	for _, name := range []string{"HTTP_PORT", "DRAIN ", "FAULT_SHARE", "DRAIN_SECONDS"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q is not named in %q", name, err)
		}
	}
}

func TestSecretComesFromItsFileWithoutTheLineEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadSecret(path); err != nil || got != "s3cret" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := ReadSecret(""); err != nil || got != "" {
		t.Errorf("got %q, %v", got, err)
	}
}
