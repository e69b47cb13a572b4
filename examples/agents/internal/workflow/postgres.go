package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"turnout.dev/examples/agents/internal/config"
)

const schema = `
CREATE TABLE IF NOT EXISTS workflows (
  id       text PRIMARY KEY,
  status   text NOT NULL,
  updated  timestamptz NOT NULL,
  asked    timestamptz,
  document jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS workflows_status ON workflows (status, updated);`

// schemaLock is the advisory lock under which replicas that start together create the schema, one after the other.
const schemaLock = 20420042

// Postgres keeps workflows in a table.
type Postgres struct{ pool *pgxpool.Pool }

// Connect opens a pool and creates the schema. The password is read again for each connection, so it can be rotated.
func Connect(ctx context.Context, where config.Postgres) (*Postgres, error) {
	options, err := pgxpool.ParseConfig(fmt.Sprintf("host=%s port=%d user=%s dbname=%s sslmode=%s connect_timeout=5",
		where.Host, where.Port, where.User, where.Database, where.SSLMode))
	if err != nil {
		return nil, err
	}
	options.MaxConns = 8
	options.BeforeConnect = func(_ context.Context, connection *pgx.ConnConfig) error {
		password, err := config.ReadSecret(where.PasswordFile)
		connection.Password = password
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, options)
	if err != nil {
		return nil, err
	}
	p := &Postgres{pool}
	if err := p.migrate(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return p, nil
}

// Close ends all connections.
func (p *Postgres) Close() { p.pool.Close() }

func (p *Postgres) migrate(ctx context.Context) error {
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", schemaLock); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, schema)
		return err
	})
}

func (p *Postgres) Create(ctx context.Context, w Workflow) error {
	document, err := json.Marshal(w)
	if err != nil {
		return err
	}
	_, err = p.pool.Exec(ctx, "INSERT INTO workflows (id, status, updated, document) VALUES ($1, $2, $3, $4)",
		w.ID, w.Status, w.Updated, document)
	return err
}

func (p *Postgres) Get(ctx context.Context, id string) (Workflow, error) {
	return read(p.pool.QueryRow(ctx, "SELECT document FROM workflows WHERE id = $1", id))
}

func (p *Postgres) Change(ctx context.Context, id string, change func(*Workflow) error) (Workflow, error) {
	var w Workflow
	err := pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) (err error) {
		if w, err = read(tx.QueryRow(ctx, "SELECT document FROM workflows WHERE id = $1 FOR UPDATE", id)); err != nil {
			return err
		}
		if err := change(&w); err != nil {
			return err
		}
		w.Updated = time.Now().UTC()
		return write(ctx, tx, w)
	})
	return w, err
}

func (p *Postgres) Stalled(ctx context.Context, before time.Time) ([]string, error) {
	rows, err := p.pool.Query(ctx, "SELECT id FROM workflows WHERE status IN ('queued', 'running') AND updated < $1 LIMIT 100", before)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func (p *Postgres) Counts(ctx context.Context) (Counts, error) {
	var counts Counts
	var oldest *time.Time
	err := p.pool.QueryRow(ctx, `SELECT count(*) FILTER (WHERE status IN ('queued', 'running')),
		count(*) FILTER (WHERE status = 'waiting_approval'), min(asked) FILTER (WHERE status = 'waiting_approval')
		FROM workflows`).Scan(&counts.Active, &counts.Waiting, &oldest)
	if oldest != nil {
		counts.OldestAsked = *oldest
	}
	return counts, err
}

func (p *Postgres) Sweep(ctx context.Context, askedBefore, endedBefore time.Time) (expired, deleted int, err error) {
	gone, err := p.pool.Exec(ctx, `DELETE FROM workflows
		WHERE status IN ('succeeded', 'failed', 'expired') AND updated < $1`, endedBefore)
	if err != nil {
		return 0, 0, err
	}
	late, err := p.pool.Exec(ctx, `UPDATE workflows
		SET status = 'expired', updated = now(), document = jsonb_set(document, '{status}', '"expired"')
		WHERE status = 'waiting_approval' AND asked < $1`, askedBefore)
	return int(late.RowsAffected()), int(gone.RowsAffected()), err
}

func read(row pgx.Row) (Workflow, error) {
	var document []byte
	if err := row.Scan(&document); err != nil {
		if errors.Is(err, pgx.ErrNoRows) {
			return Workflow{}, ErrNotFound
		}
		return Workflow{}, err
	}
	var w Workflow
	return w, json.Unmarshal(document, &w)
}

func write(ctx context.Context, tx pgx.Tx, w Workflow) error {
	document, err := json.Marshal(w)
	if err != nil {
		return err
	}
	var asked *time.Time
	if w.Approval != nil {
		asked = &w.Approval.Asked
	}
	_, err = tx.Exec(ctx, "UPDATE workflows SET status = $2, updated = $3, asked = $4, document = $5 WHERE id = $1",
		w.ID, w.Status, w.Updated, asked, document)
	return err
}
