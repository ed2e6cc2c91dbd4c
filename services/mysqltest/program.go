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

	"minidouyin/services/daemon"
)

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
	d, err := daemon.Start(daemon.Command{
		Path: program,
		Args: append(common, "--socket="+socket, "--pid-file="+filepath.Join(folder, "pid"), "--skip-networking",
			"--skip-log-bin", "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=2"),
		Log: filepath.Join(folder, "log"), Temporary: folder,
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	config := mysql.NewConfig()
	config.User, config.Net, config.Addr = "root", "unix", socket
	s := &server{config: config, stop: d.Kill}
	if err := d.Wait(ctx, s.ping); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// initialize makes the data folder with a root user who needs no password.
func initialize(ctx context.Context, program string, common []string) error {
	cmd := exec.CommandContext(ctx, program, append(common, "--initialize-insecure")...)
	if installer := daemon.Find("mariadb-install-db", "mysql_install_db"); isMariaDB(ctx, program) {
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
