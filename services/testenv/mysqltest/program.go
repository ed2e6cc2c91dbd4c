package mysqltest

import (
	"context"
	"errors"
	"os"

	"github.com/go-sql-driver/mysql"

	"minidouyin/services/testenv/daemon"
)

// startProgram runs an installed server in a temporary folder.
func startProgram(ctx context.Context) (*server, error) {
	folder, err := os.MkdirTemp("", "mysqltest")
	if err != nil {
		return nil, err
	}
	command, socket, err := daemon.MySQL(ctx, folder, "--innodb-flush-log-at-trx-commit=2")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	command.Temporary = folder
	d, err := daemon.Start(command)
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
