//go:build unix

package daemon

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Clients returns the ids of the processes with a TCP connection to an address of the loopback interface.
func Clients(addr string) (pids []int, err error) {
	table, err := os.ReadFile("/proc/net/tcp")
	if os.IsNotExist(err) { // not Linux
		return clientsByLsof(addr)
	}
	if err != nil {
		return nil, err
	}
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	ip := to.Addr().As4()
	slices.Reverse(ip[:])
	remote := fmt.Sprintf("%s:%04X", strings.ToUpper(hex.EncodeToString(ip[:])), to.Port())
	const established = "01"
	sockets := map[string]bool{}
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 9 && f[2] == remote && f[3] == established {
			sockets["socket:["+f[9]+"]"] = true
		}
	}
	open, err := filepath.Glob("/proc/[0-9]*/fd/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, path := range open {
		target, err := os.Readlink(path)
		if err != nil || !sockets[target] { // of another user, or closed
			continue
		}
		pid, err := strconv.Atoi(strings.Split(path, "/")[2])
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

func clientsByLsof(addr string) (pids []int, err error) {
	out, err := exec.Command("lsof", "-nP", "-iTCP@"+addr, "-sTCP:ESTABLISHED", "-Fpn").Output()
	if err != nil && len(out) == 0 { // lsof fails if there is none
		return nil, nil
	}
	pid := 0
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "p"); ok {
			if pid, err = strconv.Atoi(text); err != nil {
				return nil, err
			}
		} else if strings.HasSuffix(line, "->"+addr) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
