package mysqltest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// folders are searched for servers beside PATH: Debian keeps them out of users' PATH, Homebrew may not link them.
var folders = []string{
	"/usr/sbin", "/usr/libexec", "/usr/local/bin", "/usr/local/sbin", "/usr/local/mysql/bin", "/usr/local/mariadb/bin",
	"/opt/homebrew/bin", "/opt/homebrew/opt/mariadb/bin", "/opt/homebrew/opt/mysql/bin",
	"/usr/local/opt/mariadb/bin", "/usr/local/opt/mysql/bin", "/usr/bin",
}

// watched runs a server until the pipe on standard input closes, which it does when the test binary ends in
// whatever way, and takes its folder away.
const watched = `folder=$1; shift
exec 3<&0 4>&2 2>/dev/null
"$@" </dev/null >"$folder/log" 2>&1 &
server=$!
(cat <&3; kill -9 $server) >/dev/null 2>&1 &
wait $server
status=$?
tail -n 20 "$folder/log" >&4
rm -rf "$folder"
exit $status`

// startProgram runs an installed server in a temporary folder.
func startProgram(ctx context.Context, program string) (*server, error) {
	folder, err := os.MkdirTemp("", "mysqltest")
	if err != nil {
		return nil, err
	}
	common := []string{"--no-defaults", "--datadir=" + filepath.Join(folder, "data")}
	if os.Getuid() == 0 {
		common = append(common, "--user=root")
	}
	if err := initialize(ctx, program, common); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	socket := filepath.Join(folder, "socket")
	args := append([]string{"-c", watched, "sh", folder, program}, common...)
	args = append(args, "--socket="+socket, "--pid-file="+filepath.Join(folder, "pid"), "--skip-networking",
		"--skip-log-bin", "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=2")
	var output strings.Builder
	cmd := exec.Command("sh", args...)
	cmd.Stderr = &output
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	exited := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		exited <- fmt.Errorf("%w\n%s", errors.Join(err, errors.New(program)), output.String())
	}()
	stop := func() error {
		err := pipe.Close()
		<-exited //nolint:errcheck // says only how it was stopped
		return err
	}
	config := mysql.NewConfig()
	config.User, config.Net, config.Addr = "root", "unix", socket
	return ready(ctx, &server{config: config, stop: stop}, exited)
}

// initialize makes the data folder with a root user who needs no password.
func initialize(ctx context.Context, program string, common []string) error {
	cmd := exec.CommandContext(ctx, program, append(common, "--initialize-insecure")...)
	if installer := find("mariadb-install-db", "mysql_install_db"); isMariaDB(ctx, program) {
		if installer == "" {
			return fmt.Errorf("%s is there, but not mariadb-install-db", program)
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

// find returns the path of the first program that is installed; "" when none is.
func find(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
		for _, folder := range folders {
			if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
				return path
			}
		}
	}
	return ""
}
