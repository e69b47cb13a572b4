// Package sqlite stands in for zombiezen.com/go/sqlite, which takes longer to compile than the rest of the compactor.
// The compactor opens it only with `delete_request_store_db_type: sqlite`; here that setting is refused.
package sqlite

import "errors"

// ErrLeftOut is what every use of the package answers.
var ErrLeftOut = errors.New("this Loki is built without SQLite: leave delete_request_store_db_type at boltdb")

type OpenFlags uint

const (
	OpenReadWrite OpenFlags = 1 << iota
	OpenCreate
)

type Conn struct{}

func OpenConn(string, ...OpenFlags) (*Conn, error) { return nil, ErrLeftOut }

func (*Conn) Close() error { return nil }
func (*Conn) Changes() int { return 0 }

type Stmt struct{}

func (*Stmt) ColumnInt(int) int     { return 0 }
func (*Stmt) GetInt64(string) int64 { return 0 }
func (*Stmt) GetText(string) string { return "" }

type Backup struct{}

func NewBackup(*Conn, string, *Conn, string) (*Backup, error) { return nil, ErrLeftOut }

func (*Backup) Step(int) (bool, error) { return false, ErrLeftOut }
func (*Backup) Close() error           { return nil }
