// Starts PostgreSQL in a container: makes the database cluster on the first
// start, then becomes the server. It understands the variables of the public
// image that it stands in for: PGDATA, POSTGRES_USER, POSTGRES_DB, and
// POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE. Anything else than the server is
// just run.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// The cluster is made in this folder of PGDATA, then moved up, the file that
// makes it a cluster last: an interrupted first start is known and made anew.
const unfinished = ".first-start"

const marker = "PG_VERSION"

func main() {
	arguments := os.Args[1:]
	if len(arguments) == 0 || strings.HasPrefix(arguments[0], "-") {
		arguments = append([]string{"postgres"}, arguments...)
	}
	if arguments[0] == "postgres" {
		data := variable("PGDATA", "/var/lib/postgresql/data")
		must(os.Setenv("PGDATA", data))
		must(prepare(data))
	}
	must(become(arguments))
}

func become(arguments []string) error {
	path, err := exec.LookPath(arguments[0])
	if err != nil {
		return err
	}
	return syscall.Exec(path, arguments, os.Environ())
}

func prepare(data string) error {
	if exists(filepath.Join(data, marker)) {
		return inOrder(
			func() error { return os.RemoveAll(filepath.Join(data, unfinished)) },
			// The server refuses what the kubelet's fsGroup makes of the folder at each start.
			func() error { return os.Chmod(data, 0o700) },
		)
	}
	password, err := password()
	if err != nil {
		return err
	}
	if err := empty(data); err != nil {
		return err
	}
	fmt.Println("first start: making the database cluster in", data)
	fresh := filepath.Join(data, unfinished)
	return inOrder(
		func() error { return initialise(fresh, password) },
		func() error { return appendLine(filepath.Join(fresh, "pg_hba.conf"), "host all all all scram-sha-256") },
		func() error { return appendLine(filepath.Join(fresh, "postgresql.conf"), "listen_addresses = '*'") },
		func() error { return createDatabase(fresh) },
		func() error { return moveUp(fresh, data) },
	)
}

func password() (string, error) {
	if path := os.Getenv("POSTGRES_PASSWORD_FILE"); path != "" {
		content, err := os.ReadFile(path)
		return strings.TrimRight(string(content), "\r\n"), err
	}
	if value := os.Getenv("POSTGRES_PASSWORD"); value != "" {
		return value, nil
	}
	return "", errors.New("the first start needs POSTGRES_PASSWORD_FILE (or POSTGRES_PASSWORD)")
}

// empty makes sure that the folder is there and removes what an interrupted
// first start left. Anybody else's files are refused.
func empty(data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(data)
	if err != nil {
		return err
	}
	interrupted := exists(filepath.Join(data, unfinished))
	for _, entry := range entries {
		if entry.Name() == "lost+found" {
			continue
		}
		if !interrupted {
			return fmt.Errorf("%s holds no database cluster but is not empty (%s): leaving it alone", data, entry.Name())
		}
		if err := os.RemoveAll(filepath.Join(data, entry.Name())); err != nil {
			return err
		}
	}
	return os.Chmod(data, 0o700)
}

func initialise(folder, password string) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	// The pipe's buffer holds it: nothing is written to a disk or shown in the arguments.
	if _, err := write.WriteString(password + "\n"); err != nil {
		return err
	}
	write.Close()
	command := quietly("initdb", "--pgdata="+folder, "--username="+user(), "--pwfile=/dev/fd/3", "--encoding=UTF8",
		"--locale=C.UTF-8", "--auth-local=trust", "--auth-host=scram-sha-256", "--data-checksums")
	command.ExtraFiles = []*os.File{read}
	return command.Run()
}

func createDatabase(folder string) error {
	name := variable("POSTGRES_DB", user())
	if name == "postgres" {
		return nil
	}
	command := quietly("postgres", "--single", "-j", "-D", folder, "postgres")
	command.Stdin = strings.NewReader("CREATE DATABASE \"" + strings.ReplaceAll(name, `"`, `""`) + "\"\n")
	return command.Run()
}

func moveUp(fresh, data string) error {
	entries, err := os.ReadDir(fresh)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() == marker {
			continue
		}
		if err := os.Rename(filepath.Join(fresh, entry.Name()), filepath.Join(data, entry.Name())); err != nil {
			return err
		}
	}
	return inOrder(
		func() error { return os.Rename(filepath.Join(fresh, marker), filepath.Join(data, marker)) },
		func() error { return os.Remove(fresh) },
	)
}

func quietly(name string, arguments ...string) *exec.Cmd {
	command := exec.Command(name, arguments...)
	command.Stdout, command.Stderr = nil, os.Stderr
	return command
}

func appendLine(path, line string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(line + "\n")
	return errors.Join(err, file.Close())
}

func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func user() string {
	return variable("POSTGRES_USER", "postgres")
}

func variable(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "postgres-entrypoint:", err)
		os.Exit(1)
	}
}
