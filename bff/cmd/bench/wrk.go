//go:build unix

package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed wrk.lua
var script []byte

const defaultClients, mostThreads = 64, 2

// outcome is what wrk reports.
type outcome struct {
	Requests, Micros, Bytes int64
	P50, P99                int64 // microseconds
	Failed                  int64 // no answer, or a status above 399
	Refused                 int64 // answered, but not done

	cpu time.Duration // that wrk used
}

// load sends requests to a host again and again for so many seconds. With write, every answer must say that it is done.
// The folder is for files.
func load(ctx context.Context, folder, host string, requests []string, clients, seconds int, write bool) (o outcome, err error) {
	scriptPath, requestsPath := filepath.Join(folder, "wrk.lua"), filepath.Join(folder, "requests")
	if err := os.WriteFile(scriptPath, script, 0o600); err != nil {
		return o, err
	}
	if err := os.WriteFile(requestsPath, []byte(strings.Join(requests, "\x00")), 0o600); err != nil {
		return o, err
	}
	cmd := exec.CommandContext(ctx, "wrk", fmt.Sprintf("-t%d", min(clients, mostThreads)), fmt.Sprintf("-c%d", clients),
		fmt.Sprintf("-d%d", seconds), "-s", scriptPath, "http://"+host, "--", requestsPath)
	if write {
		cmd.Args = append(cmd.Args, `{"status_code":0,`)
	}
	out, err := cmd.CombinedOutput()
	out = bytes.TrimSpace(out)
	if err == nil {
		err = json.Unmarshal(out[bytes.LastIndexByte(out, '\n')+1:], &o)
	}
	if err != nil {
		return o, fmt.Errorf("wrk: %w: %s", err, out)
	}
	o.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return o, nil
}

// check returns an error when requests were not answered as they should be. Reads are known by the mean size of the
// answers: it is that of the one that was checked, or nearly; wrk also counts what it has of answers at its end, one for
// each client.
func (o outcome) check(size int64, clients int, write bool) error {
	if o.Failed > 0 || o.Refused > 0 || o.Requests == 0 {
		return fmt.Errorf("of %d requests, %d failed and %d were refused", o.Requests, o.Failed, o.Refused)
	}
	const tolerance = 0.03
	least, most := size*o.Requests, size*(o.Requests+int64(clients))
	if !write && (float64(o.Bytes) < float64(least)*(1-tolerance) || float64(o.Bytes) > float64(most)*(1+tolerance)) {
		return fmt.Errorf("answers have %d bytes on average, the one that was checked has %d", o.Bytes/o.Requests, size)
	}
	return nil
}
