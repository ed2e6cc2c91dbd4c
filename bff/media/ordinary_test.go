package media

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// ordinaryFolder holds the ordinary build; TestMain removes it.
var ordinaryFolder string

// ordinaryBuild returns these tests as a program without the race detector, which needs much memory of its own.
func ordinaryBuild(t *testing.T) string {
	t.Helper()
	if !raceDetector {
		return os.Args[0]
	}
	path, err := buildOrdinary()
	require.NoError(t, err)
	return path
}

var buildOrdinary = sync.OnceValues(func() (path string, err error) {
	if ordinaryFolder, err = os.MkdirTemp("", "media-ordinary-"); err != nil {
		return "", err
	}
	path = filepath.Join(ordinaryFolder, "media.test")
	build := exec.Command("go", "test", "-c", "-o", path, ".")
	build.Stderr = os.Stderr
	return path, build.Run()
})

// ranOrdinarily runs the whole test as an ordinary build if this one has the race detector. It reports whether it did.
func ranOrdinarily(t *testing.T) bool {
	t.Helper()
	if !raceDetector {
		return false
	}
	out, err := exec.CommandContext(t.Context(), ordinaryBuild(t), "-test.v", "-test.run=^"+regexp.QuoteMeta(t.Name())+"$").CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
	require.Contains(t, string(out), "--- PASS: "+t.Name())
	return true
}
