package bff_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

// attempt is a run of a test that may have to be repeated: it keeps its failure to itself.
type attempt struct {
	testing.TB

	mu      sync.Mutex
	failure string
}

func (a *attempt) Errorf(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failure += fmt.Sprintf(format, args...)
}

// FailNow ends the goroutine, as that of testing.T does.
func (a *attempt) FailNow() {
	a.Errorf("\n")
	runtime.Goexit()
}

func (a *attempt) Fatalf(format string, args ...any) {
	a.Errorf(format, args...)
	a.FailNow()
}

// try runs a test in a goroutine of its own and returns how it failed, "" when it did not.
func try(t *testing.T, run func(tb testing.TB)) (failure string) {
	a := &attempt{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(a)
	}()
	<-ended
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failure
}

// withinOneMinute runs a test of what is counted by the minute. A failure counts if the whole run was within one minute
// of the clock; otherwise a part of what it had used up was given back, and the test is run again.
func withinOneMinute(t *testing.T, run func(tb testing.TB)) {
	t.Helper()
	for {
		minute := time.Now().UTC().Truncate(time.Minute)
		failure := try(t, run)
		switch {
		case failure == "":
			return
		case time.Now().UTC().Truncate(time.Minute).Equal(minute):
			t.Fatal(failure)
		}
		t.Log("a minute has ended meanwhile, once more")
	}
}
