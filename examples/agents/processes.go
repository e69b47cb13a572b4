package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"turnout.dev/examples/agents/internal/api"
	"turnout.dev/examples/agents/internal/config"
	"turnout.dev/examples/agents/internal/echo"
	"turnout.dev/examples/agents/internal/fault"
	"turnout.dev/examples/agents/internal/runner"
	"turnout.dev/examples/agents/internal/serve"
	"turnout.dev/examples/agents/internal/telemetry"
	"turnout.dev/examples/agents/internal/tools"
	"turnout.dev/examples/agents/internal/usage"
	"turnout.dev/examples/agents/internal/workflow"
)

// A network policy may not know a pod that has just started, and lose its first packet, which TCP itself sends again
// only after a second. So the first attempts are short.
const (
	firstAttempt = 250 * time.Millisecond
	lastAttempt  = 10 * time.Second
	pause        = 100 * time.Millisecond
	sayAgain     = 5 * time.Second
)

func runAPI(ctx context.Context, settings config.Config, broken fault.Fault) error {
	health, metrics := serve.NewHealth(), telemetry.NewMetrics(settings)
	client, queue := openQueue(settings)
	counter := usage.New(settings.Pod, settings.Version, client)
	sockets := echo.New(settings.Pod, settings.Version, farewell(ctx, settings), counter.Served)
	service := &api.API{Pod: settings.Pod, Version: settings.Version, Queue: queue, Counter: counter, Fault: broken,
		Work: settings.Work, Sockets: sockets}

	// The store may come up after this process: until it does, the pod is alive but not ready.
	go becomeReady(ctx, settings, health, broken, func(store workflow.Store) {
		service.Open(store)
		if client == nil {
			go newRunner(settings, store, queue, metrics).Run(ctx, settings.DrainTimeout)
		}
	})
	go counter.Keep(ctx)
	defer func() { _ = counter.Flush(soon()) }()

	mux := http.NewServeMux()
	service.Routes(mux)
	err := serveBoth(ctx, settings, health, metrics, serve.Instrument(mux, metrics, counter.Served, api.Quiet...))
	if settings.Drain {
		sockets.Wait()
	}
	return err
}

// farewell is closed when those who stay connected are to be sent away; nil, so never, without a drain.
func farewell(ctx context.Context, settings config.Config) <-chan struct{} {
	if !settings.Drain {
		return nil
	}
	return ctx.Done()
}

func runTools(ctx context.Context, settings config.Config, broken fault.Fault) error {
	health, metrics := serve.NewHealth(), telemetry.NewMetrics(settings)
	if broken.Unready() == nil {
		health.Ready()
	}
	mux := http.NewServeMux()
	tools.Routes(mux, metrics)
	return serveBoth(ctx, settings, health, metrics, serve.Instrument(mux, metrics, func(string, int) {}))
}

func runRunner(ctx context.Context, settings config.Config, broken fault.Fault) error {
	if settings.Redis.Address == "" || settings.Postgres.Host == "" {
		return errors.New("runner needs REDIS_ADDR and PGHOST; without them run `agents api` alone, which runs workflows itself")
	}
	health, metrics := serve.NewHealth(), telemetry.NewMetrics(settings)
	_, queue := openQueue(settings)
	var work sync.WaitGroup
	work.Go(func() {
		becomeReady(ctx, settings, health, broken, func(store workflow.Store) {
			work.Go(func() { newRunner(settings, store, queue, metrics).Run(ctx, settings.DrainTimeout) })
		})
	})
	err := serveMetrics(ctx, settings, health, metrics)
	if settings.Drain {
		work.Wait()
	}
	return err
}

func runSweep(ctx context.Context, settings config.Config, _ fault.Fault) error {
	if settings.Postgres.Host == "" {
		return errors.New("sweep needs PGHOST: workflows in memory end with their process")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	store, err := openStore(ctx, settings, lastAttempt)
	if err != nil {
		return err
	}
	now := time.Now()
	expired, deleted, err := store.Sweep(ctx, now.Add(-settings.ApprovalTTL), now.Add(-settings.Retention))
	slog.Info("swept", "expired", expired, "deleted", deleted)
	return err
}

// becomeReady waits for the store, hands it over and lets traffic in.
func becomeReady(ctx context.Context, settings config.Config, health *serve.Health, broken fault.Fault, use func(workflow.Store)) {
	for attempt := firstAttempt; ctx.Err() == nil; attempt = min(2*attempt, lastAttempt) {
		if err := broken.Unready(); err != nil {
			health.Unready(err.Error())
			wait(ctx, sayAgain)
			continue
		}
		store, err := openStore(ctx, settings, attempt)
		if err == nil {
			use(store)
			health.Ready()
			slog.Info("ready")
			return
		}
		health.Unready("waiting for the database")
		slog.Warn("not ready", "error", err)
		wait(ctx, max(pause, attempt/4))
	}
}

func openStore(ctx context.Context, settings config.Config, patience time.Duration) (workflow.Store, error) {
	if settings.Postgres.Host == "" {
		return workflow.NewMemory(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return workflow.Connect(ctx, settings.Postgres)
}

func openQueue(settings config.Config) (*redis.Client, workflow.Queue) {
	if settings.Redis.Address == "" {
		return nil, workflow.NewChannel()
	}
	client := workflow.Dial(settings.Redis)
	return client, workflow.NewRedisQueue(client)
}

func newRunner(settings config.Config, store workflow.Store, queue workflow.Queue, metrics *telemetry.Metrics) *runner.Runner {
	var executor tools.Executor = tools.Local{}
	if settings.ToolsURL != "" {
		executor = tools.NewRemote(settings.ToolsURL)
	}
	return &runner.Runner{Store: store, Queue: queue, Tools: executor, Metrics: metrics}
}

// serveBoth serves the product and the metrics; the metrics end last, so that a drain can be watched.
func serveBoth(ctx context.Context, settings config.Config, health *serve.Health, metrics *telemetry.Metrics, product http.Handler) error {
	mux := http.NewServeMux()
	health.Routes(mux)
	mux.Handle("/", product)
	server, err := serve.Listen(settings.HTTPPort, mux, health, settings)
	if err != nil {
		return err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	go func() {
		if err := serveMetrics(background, settings, health, metrics); err != nil {
			slog.Error("metrics are not served", "error", err)
		}
	}()
	return server.Run(ctx)
}

func serveMetrics(ctx context.Context, settings config.Config, health *serve.Health, metrics *telemetry.Metrics) error {
	mux := http.NewServeMux()
	health.Routes(mux)
	mux.Handle("GET /metrics", metrics.Handler())
	at := settings
	at.Drain = false
	server, err := serve.Listen(settings.MetricsPort, mux, health, at)
	if err != nil {
		return err
	}
	return server.Run(ctx)
}

func soon() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Second, cancel)
	return ctx
}

func wait(ctx context.Context, duration time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(duration):
	}
}
