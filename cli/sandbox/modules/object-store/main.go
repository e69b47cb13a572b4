// An S3 server over a folder, for tests of state kept in a bucket: every folder in DIR is a bucket. What a
// file system cannot hold of an object goes into a folder "attributes" beside DIR.
//
//	object-store ADDRESS DIR
//
// Its one account comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

const connections = 1024

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: object-store ADDRESS DIR")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func serve(ctx context.Context, address, folder string) error {
	beside := filepath.Join(filepath.Dir(folder), "attributes")
	if err := os.MkdirAll(beside, 0o700); err != nil {
		return err
	}
	attributes, err := meta.NewSideCar(beside)
	if err != nil {
		return err
	}
	objects, err := posix.New(folder, attributes, posix.PosixOpts{SideCarDir: beside, CopyObjectThreshold: 5 << 30})
	if err != nil {
		return err
	}
	defer objects.Shutdown()
	return embedgw.RunVersityGW(ctx, objects, &embedgw.Config{
		RootUserAccess:    os.Getenv("AWS_ACCESS_KEY_ID"),
		RootUserSecret:    os.Getenv("AWS_SECRET_ACCESS_KEY"),
		Ports:             []string{address},
		MaxConnections:    connections,
		MaxRequests:       connections,
		MultipartMaxParts: 10_000,
		Quiet:             true,
		KeepAlive:         true,
	})
}
