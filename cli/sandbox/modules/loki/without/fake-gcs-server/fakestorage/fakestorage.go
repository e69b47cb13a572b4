// Package fakestorage stands in for the one of github.com/fsouza/fake-gcs-server: Loki compiles its test fixtures in.
package fakestorage

import "cloud.google.com/go/storage"

type Object struct{}

type CreateBucketOpts struct{ Name string }

type Server struct{}

func NewServer([]Object) *Server { return &Server{} }

func (*Server) Client() *storage.Client               { return nil }
func (*Server) CreateBucketWithOpts(CreateBucketOpts) {}
func (*Server) Stop()                                 {}
