module github.com/fsouza/fake-gcs-server

go 1.26.0

require cloud.google.com/go/storage v1.64.0
