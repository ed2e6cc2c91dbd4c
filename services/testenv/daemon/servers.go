//go:build unix

package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// errNotInstalled is wrapped by errors about missing servers.
var errNotInstalled = errors.New("not installed")

// MySQL returns the command of a MariaDB or MySQL with its data in a folder. Clients connect to the unix socket in it,
// as root without a password. A new folder is initialized. args are added to the arguments.
func MySQL(ctx context.Context, folder string, args ...string) (c Command, socket string, err error) {
	program := Find("mariadbd", "mysqld")
	if program == "" {
		return c, "", fmt.Errorf("MariaDB or MySQL: %w (apt-get install mariadb-server, or brew install mariadb)", errNotInstalled)
	}
	// MariaDB clears its folder of temporary tables when it starts, so it cannot share one.
	temporary := filepath.Join(folder, "tmp")
	if err := os.MkdirAll(temporary, 0o700); err != nil {
		return c, "", err
	}
	data := filepath.Join(folder, "data")
	common := []string{"--no-defaults", "--datadir=" + data, "--tmpdir=" + temporary}
	if os.Getuid() == 0 {
		common = append(common, "--user=root")
	}
	if _, err := os.Stat(data); errors.Is(err, fs.ErrNotExist) {
		if err := initialize(ctx, program, common); err != nil {
			return c, "", errors.Join(err, os.RemoveAll(data))
		}
	}
	socket = filepath.Join(folder, "socket")
	return Command{
		Path: program,
		Args: append(append(common, "--socket="+socket, "--pid-file="+filepath.Join(folder, "pid"), "--skip-networking",
			"--skip-log-bin", "--innodb-buffer-pool-size=64M"), args...),
		Log: filepath.Join(folder, "log"),
	}, socket, nil
}

// initialize creates the data folder with a root user without a password.
func initialize(ctx context.Context, program string, common []string) error {
	cmd := exec.CommandContext(ctx, program, append(common, "--initialize-insecure")...)
	if installer := Find("mariadb-install-db", "mysql_install_db"); isMariaDB(ctx, program) {
		if installer == "" {
			return fmt.Errorf("%s is installed, but mariadb-install-db is not", program)
		}
		cmd = exec.CommandContext(ctx, installer, append(common, "--auth-root-authentication-method=normal", "--skip-test-db")...)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initialize the database: %w\n%s", err, out)
	}
	return nil
}

func isMariaDB(ctx context.Context, program string) bool {
	version, err := exec.CommandContext(ctx, program, "--no-defaults", "--version").Output()
	return err == nil && strings.Contains(string(version), "MariaDB")
}

// Redis returns the command of a Redis with its data in a folder. Clients connect to the unix socket in it. Every write
// is on disk before the reply, unless args, which are arguments of redis-server, change that.
func Redis(folder string, args ...string) (c Command, socket string, err error) {
	program := Find("redis-server", "valkey-server")
	if program == "" {
		return c, "", fmt.Errorf("Redis: %w (apt-get install redis-server, or brew install redis)", errNotInstalled)
	}
	socket = filepath.Join(folder, "socket")
	return Command{
		Path: program,
		Args: append([]string{"--port", "0", "--unixsocket", socket, "--dir", folder, "--save", "", "--appendonly", "yes",
			"--appendfsync", "always", "--maxmemory-policy", "noeviction"}, args...),
		Log: filepath.Join(folder, "log"),
	}, socket, nil
}
