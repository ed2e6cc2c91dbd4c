package mysqltest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

const image = "mariadb:10.11"

// dockerAnswers reports whether a docker engine runs.
func dockerAnswers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, "docker", "info").Run() == nil
}

// startContainer runs a server in a container, on a free port of the loopback address.
func startContainer(ctx context.Context) (*server, error) {
	id, err := docker(ctx, "run", "--detach", "--rm", "--publish", "127.0.0.1::3306",
		"--env", "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1", image)
	if err != nil {
		return nil, err
	}
	stop := func() error {
		_, err := docker(context.Background(), "rm", "--force", "--volumes", id)
		return err
	}
	address, err := docker(ctx, "port", id, "3306/tcp")
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	config := mysql.NewConfig()
	config.User, config.Net = "root", "tcp"
	config.Addr, _, _ = strings.Cut(address, "\n")
	return ready(ctx, &server{config: config, stop: stop})
}

func docker(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "docker", args...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, text)
	}
	return text, nil
}
