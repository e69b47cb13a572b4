// Package bigtable stands in for cloud.google.com/go/bigtable: a storage of chunks that Loki has deprecated, and that
// brings gRPC's xDS and all of Envoy's API with it. A client cannot be made.
package bigtable

import (
	"context"
	"errors"
)

var errLeftOut = errors.New("this Loki is built without Bigtable: choose another object store")

type Client struct{}

type ClientConfig struct{ MetricsProvider MetricsProvider }

type MetricsProvider any

type NoopMetricsProvider struct{}

func NewClient[Option any](context.Context, string, string, ...Option) (*Client, error) {
	return nil, errLeftOut
}

func NewClientWithConfig[Option any](context.Context, string, string, ClientConfig, ...Option) (*Client, error) {
	return nil, errLeftOut
}

func (*Client) Close() error       { return nil }
func (*Client) Open(string) *Table { return &Table{} }

type AdminClient struct{}

func NewAdminClient[Option any](context.Context, string, string, ...Option) (*AdminClient, error) {
	return nil, errLeftOut
}

func (*AdminClient) Close() error                                             { return nil }
func (*AdminClient) Tables(context.Context) ([]string, error)                 { return nil, errLeftOut }
func (*AdminClient) TableInfo(context.Context, string) (*TableInfo, error)    { return nil, errLeftOut }
func (*AdminClient) CreateTable(context.Context, string) error                { return errLeftOut }
func (*AdminClient) CreateColumnFamily(context.Context, string, string) error { return errLeftOut }
func (*AdminClient) DeleteTable(context.Context, string) error                { return errLeftOut }

type TableInfo struct{ FamilyInfos []FamilyInfo }

type FamilyInfo struct{ Name string }

type Table struct{}

func (*Table) Apply(context.Context, string, *Mutation) error { return errLeftOut }

func (*Table) ApplyBulk(context.Context, []string, []*Mutation) ([]error, error) {
	return nil, errLeftOut
}

func (*Table) ReadRows(context.Context, RowSet, func(Row) bool, ...ReadOption) error {
	return errLeftOut
}

type Timestamp int64

type Mutation struct{}

func NewMutation() *Mutation { return &Mutation{} }

func (*Mutation) Set(string, string, Timestamp, []byte) {}
func (*Mutation) DeleteCellsInColumn(string, string)    {}

type RowSet any

type RowList []string

type RowRange struct{}

func NewRange(string, string) RowRange { return RowRange{} }
func PrefixRange(string) RowRange      { return RowRange{} }

type Row map[string][]ReadItem

func (Row) Key() string { return "" }

type ReadItem struct {
	Row, Column string
	Value       []byte
}

type ReadOption any

type Filter any

func RowFilter(Filter) ReadOption { return nil }
func FamilyFilter(string) Filter  { return nil }
func ValueFilter(string) Filter   { return nil }
