package media

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const mebi = 1 << 20

// inProcess runs a test in a process of its own, of an ordinary build, with GOMEMLIMIT as in the compose file. The peak memory of the process
// must be below most bytes, and must grow by less than growth bytes while the test runs.
func inProcess(t *testing.T, most, growth int64, test func(t *testing.T)) {
	t.Helper()
	if os.Getenv("OWN_PROCESS") != "" {
		before := peak(t)
		test(t)
		after := peak(t)
		fmt.Printf("peak before: %d MiB, after: %d MiB\n", before/mebi, after/mebi)
		assert.Less(t, after, most, "peak")
		assert.Less(t, after-before, growth, "growth of the peak")
		return
	}
	cmd := exec.CommandContext(t.Context(), ordinaryBuild(t), "-test.run=^"+regexp.QuoteMeta(t.Name())+"$")
	cmd.Env = append(os.Environ(), "OWN_PROCESS=1", "GOMEMLIMIT=400MiB")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
	require.Contains(t, string(out), "peak before")
}

// peak returns the peak memory of the process in bytes.
func peak(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, found)
	kib, err := strconv.ParseInt(string(found[1]), 10, 64)
	require.NoError(t, err)
	return kib << 10
}
