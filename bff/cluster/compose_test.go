//go:build unix

package cluster_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"

	"minidouyin/services/testenv/daemon"
)

const root = "../.."

// secretsOf returns the secrets that `make .env` makes, as compose reads them.
func secretsOf(t *testing.T, folder string) string {
	t.Helper()
	makefile, err := filepath.Abs(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	cmd := exec.Command("make", "--file", makefile, ".env")
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return filepath.Join(folder, ".env")
}

func loadCompose(t *testing.T, env string) (*types.Project, error) {
	t.Helper()
	options := []cli.ProjectOptionsFn{cli.WithWorkingDirectory(root), cli.WithResolvedPaths(true)}
	if env != "" {
		options = append(options, cli.WithEnvFiles(env), cli.WithDotEnv)
	}
	project, err := cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")}, options...)
	require.NoError(t, err)
	return project.LoadProject(t.Context())
}

func compose(t *testing.T) *types.Project {
	t.Helper()
	project, err := loadCompose(t, secretsOf(t, t.TempDir()))
	require.NoError(t, err)
	return project
}

// `make up` makes the secrets once, for the owner alone, each its own; without them compose refuses to start.
func TestSecrets(t *testing.T) {
	folder := t.TempDir()
	path := secretsOf(t, folder)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, line := range strings.Fields(string(text)) {
		require.Regexp(t, `^[A-Z0-9_]+=[0-9a-f]{64}$`, line)
		name, value, _ := strings.Cut(line, "=")
		require.False(t, seen[value], "%s has the secret of another", name)
		seen[value] = true

		others := strings.ReplaceAll(string(text), line, "")
		require.NoError(t, os.WriteFile(filepath.Join(folder, "others"), []byte(others), 0o600))
		_, err := loadCompose(t, filepath.Join(folder, "others"))
		require.ErrorContains(t, err, name, "compose starts without it")
	}
	require.Len(t, seen, 6)
	secretsOf(t, folder)
	again, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))
}

// Every container is pinned, looked after and bounded.
func TestComposeCare(t *testing.T) {
	project := compose(t)
	kinds := map[string]int{}
	pinned := regexp.MustCompile(`^[a-z0-9./-]+:v?[0-9][a-z0-9.-]*$`)
	for name, service := range project.Services {
		kinds[strings.TrimSuffix(strings.TrimSuffix(name, "-1"), "-2")]++
		require.Regexp(t, pinned, service.Image, name)
		require.NotNil(t, service.HealthCheck, name)
		require.NotEmpty(t, service.HealthCheck.Test, name)
		require.Equal(t, "unless-stopped", service.Restart, name)
		require.NotEmpty(t, service.Logging.Options["max-size"], name)
		require.NotNil(t, service.Deploy.Resources.Limits, name)
		require.Positive(t, service.Deploy.Resources.Limits.MemoryBytes, name)
		require.False(t, service.Privileged, name)
		for other, dependency := range service.DependsOn {
			require.Equal(t, types.ServiceConditionHealthy, dependency.Condition, "%s waits for %s", name, other)
		}
		for _, port := range service.Ports {
			require.Equal(t, "nginx", name, "only the front can be reached from outside")
			require.Equal(t, "127.0.0.1", port.HostIP, "and not from other machines unless one says so")
		}
	}
	require.Equal(t, map[string]int{"nginx": 1, "bff": 2, "basics": 2, "interaction": 2, "social": 2, "mysql": 1, "redis": 1,
		"etcd": 1, "s3": 1}, kinds)
	redis := strings.Join(project.Services["redis"].Command, " ")
	for _, promise := range []string{"--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction"} {
		require.Contains(t, redis, promise)
	}
	for _, line := range strings.Split(dockerfile(t), "\n") {
		if from, ok := strings.CutPrefix(line, "FROM "); ok {
			require.Regexp(t, pinned, strings.Fields(from)[0])
		}
	}
	require.Contains(t, dockerfile(t), "\nUSER douyin\n")
}

func dockerfile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	require.NoError(t, err)
	return string(text)
}

// Each of our containers is started with flags and variables that the product knows and takes.
func TestComposeFlags(t *testing.T) {
	program, err := douyin()
	require.NoError(t, err)
	for name, service := range compose(t).Services {
		if service.Build == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			help, err := exec.Command(program, append(slices.Clone(service.Command), "--help")...).CombinedOutput()
			require.NoError(t, err, "%s", help)
			env := append(os.Environ(), "DOUYIN_DATA="+t.TempDir())
			for variable, value := range service.Environment {
				if strings.HasPrefix(variable, "DOUYIN_") {
					require.True(t, strings.Contains(string(help), "$"+variable), "no flag reads %s", variable)
					env = append(env, variable+"="+*value)
				}
			}
			// The others have names that only the containers' network knows, so the product cannot begin to serve here;
			// what it does not take, it says at once.
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			run := exec.CommandContext(ctx, program, service.Command...)
			run.Env = append(env, "DOUYIN_ADDR=127.0.0.1:0", "DOUYIN_LISTEN=127.0.0.1:0")
			out, _ := run.CombinedOutput()
			require.NotEqual(t, 2, run.ProcessState.ExitCode(), "%s", out)

			test := service.HealthCheck.Test
			require.Equal(t, []string{"CMD", "douyin", "health"}, []string(test[:3]))
			out, err = exec.Command(program, append(slices.Clone(test[2:]), "--help")...).CombinedOutput()
			require.NoError(t, err, "%s", out)
			out, err = exec.Command(program, test[2:]...).CombinedOutput()
			require.Error(t, err, "nothing serves there")
			require.NotContains(t, string(out), "unexpected")
		})
	}
}

// nginx takes the configuration that compose gives it.
func TestComposeNginx(t *testing.T) {
	service := compose(t).Services["nginx"]
	bffs := *service.Environment["BFFS"]
	require.Equal(t, 2, strings.Count(bffs, "server bff-"))
	// The names are those of the containers' network, and to resolve them again and again needs nginx 1.27.3.
	bffs = regexp.MustCompile(`(?m)^resolver .*;$`).ReplaceAllString(bffs, "")
	bffs = strings.NewReplacer("bff-1", "127.0.0.1", "bff-2", "127.0.0.2", " resolve ", " ").Replace(bffs)
	template, err := os.ReadFile(service.Volumes[0].Source)
	require.NoError(t, err)
	site := strings.NewReplacer("${BFFS}", bffs, "${LISTEN}", *service.Environment["LISTEN"]).Replace(string(template))
	require.NotContains(t, site, "${")
	folder := t.TempDir()
	config := "pid nginx.pid; error_log stderr; events {} http { " +
		"client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;\n" + site + "}"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "nginx.conf"), []byte(config), 0o600))
	out, err := exec.Command(daemon.Find("nginx"), "-e", "stderr", "-p", folder, "-c", "nginx.conf", "-t").CombinedOutput()
	require.NoError(t, err, "%s", out)
}
