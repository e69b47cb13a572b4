// Command agents is a small AI-agent workflow product: one binary, one subcommand for each part of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"turnout.dev/examples/agents/internal/config"
	"turnout.dev/examples/agents/internal/fault"
	"turnout.dev/examples/agents/internal/telemetry"
)

// version is set when the binary is built: -ldflags "-X main.version=1.2.0".
var version = "0.0.0-dev"

const help = `usage: agents COMMAND

  api      HTTP: starts workflows, answers about them, takes approvals
  tools    HTTP: executes the tools that agents call
  runner   worker: takes workflows from the queue and runs their agents
  sweep    job: expires old approvals, deletes old workflows, ends
  version  prints the version

Settings are environment variables; README.md lists them.
`

var commands = map[string]func(context.Context, config.Config, fault.Fault) error{
	"api":    runAPI,
	"tools":  runTools,
	"runner": runRunner,
	"sweep":  runSweep,
}

func main() {
	if len(os.Args) != 2 {
		fail(2, help)
	}
	if os.Args[1] == "version" {
		fmt.Println(version)
		return
	}
	command, known := commands[os.Args[1]]
	if !known {
		fail(2, help)
	}
	os.Exit(run(os.Args[1], command))
}

func run(name string, command func(context.Context, config.Config, fault.Fault) error) int {
	settings, err := config.FromEnvironment(name, version, os.Getenv)
	if err != nil {
		fail(2, "agents: "+err.Error()+"\n")
	}
	slog.SetDefault(telemetry.Logger(os.Stdout, settings))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	flush := telemetry.StartTracing(ctx, settings)
	defer flush()

	slog.Info("starting", "drain", settings.Drain)
	broken := fault.Choose(settings)
	if err := broken.AtStart(); err != nil {
		slog.Error("cannot start", "error", err)
		return 1
	}
	if err := command(ctx, settings, broken); err != nil && !errors.Is(err, context.Canceled) {
		slog.Error("ended by an error", "error", err)
		return 1
	}
	slog.Info("stopped")
	return 0
}

func fail(code int, text string) {
	fmt.Fprint(os.Stderr, text)
	os.Exit(code)
}
