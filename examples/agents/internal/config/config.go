// Package config reads the settings of a process from its environment.
package config

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Config is everything that the environment says about one process.
type Config struct {
	Command string
	Service string
	Version string
	Pod     string

	HTTPPort     int
	MetricsPort  int
	Drain        bool
	DrainTimeout time.Duration
	LogLevel     string

	Postgres Postgres
	Redis    Redis
	ToolsURL string
	OTLP     string

	ApprovalTTL time.Duration
	Retention   time.Duration

	// Work is how long an answer takes at least.
	Work time.Duration

	Fault      string
	FaultAfter time.Duration
	FaultShare float64
}

// Postgres says where the database is. Without a host, workflows are kept in memory.
type Postgres struct {
	Host, User, Database, PasswordFile, SSLMode string
	Port                                        int
}

// Redis says where the queue is. Without an address, the queue is in memory and `api` runs the workflows itself.
type Redis struct {
	Address, PasswordFile string
}

// FromEnvironment reads every setting; the error names each variable that is wrong.
func FromEnvironment(command, version string, get func(string) string) (Config, error) {
	r := reader{get: get}
	config := Config{
		Command:      command,
		Version:      version,
		Service:      r.text("OTEL_SERVICE_NAME", "agents-"+command),
		Pod:          r.text("POD_NAME", hostname()),
		HTTPPort:     r.port("HTTP_PORT", 8080),
		MetricsPort:  r.port("METRICS_PORT", 9090),
		Drain:        r.choice("DRAIN", "on", "on", "off") == "on",
		DrainTimeout: r.seconds("DRAIN_SECONDS", 25),
		LogLevel:     r.choice("LOG_LEVEL", "info", "debug", "info", "warn", "error"),
		Postgres: Postgres{
			Host:         r.text("PGHOST", ""),
			Port:         r.port("PGPORT", 5432),
			User:         r.text("PGUSER", "agents"),
			Database:     r.text("PGDATABASE", "agents"),
			PasswordFile: r.text("PGPASSWORD_FILE", ""),
			SSLMode:      r.text("PGSSLMODE", "prefer"),
		},
		Redis:       Redis{Address: r.text("REDIS_ADDR", ""), PasswordFile: r.text("REDIS_PASSWORD_FILE", "")},
		ToolsURL:    strings.TrimSuffix(r.text("TOOLS_URL", ""), "/"),
		OTLP:        r.text("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
		ApprovalTTL: r.seconds("APPROVAL_TTL_SECONDS", 72*3600),
		Retention:   r.seconds("RETENTION_SECONDS", 30*24*3600),
		Fault:       r.choice("FAULT", "", "", "none", "never-ready", "crash", "errors-later", "slow-later"),
		FaultAfter:  r.seconds("FAULT_AFTER_SECONDS", 20),
		FaultShare:  r.share("FAULT_SHARE", 0.1),
		Work:        r.seconds("WORK_SECONDS", 0),
	}
	return config, r.err()
}

// ReadSecret gives a file's text without the line end, "" when no file is named.
func ReadSecret(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	return strings.TrimRight(string(text), "\r\n"), err
}

type reader struct {
	get    func(string) string
	faults []string
}

func (r *reader) text(name, fallback string) string {
	if value := r.get(name); value != "" {
		return value
	}
	return fallback
}

func (r *reader) port(name string, fallback int) int {
	value := r.text(name, strconv.Itoa(fallback))
	port, err := strconv.Atoi(value)
	if err != nil || port < 1 || port > 65535 {
		r.wrong(name, value, "a port, 1 to 65535")
	}
	return port
}

func (r *reader) seconds(name string, fallback float64) time.Duration {
	value := r.text(name, strconv.FormatFloat(fallback, 'f', -1, 64))
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil || seconds < 0 {
		r.wrong(name, value, "a number of seconds")
	}
	return time.Duration(seconds * float64(time.Second))
}

func (r *reader) share(name string, fallback float64) float64 {
	value := r.text(name, strconv.FormatFloat(fallback, 'f', -1, 64))
	share, err := strconv.ParseFloat(value, 64)
	if err != nil || share < 0 || share > 1 {
		r.wrong(name, value, "a share, 0 to 1")
	}
	return share
}

func (r *reader) choice(name, fallback string, allowed ...string) string {
	value := r.text(name, fallback)
	for _, one := range allowed {
		if value == one {
			return value
		}
	}
	r.wrong(name, value, "one of "+strings.TrimPrefix(strings.Join(allowed, ", "), ", "))
	return fallback
}

func (r *reader) wrong(name, value, expected string) {
	r.faults = append(r.faults, fmt.Sprintf("%s is %q, expected %s", name, value, expected))
}

func (r *reader) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(r.faults, "; "))
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
