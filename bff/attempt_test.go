package bff_test

import (
	"fmt"
	"testing"
	"time"
)

// attempt is a run of a test that may have to be repeated: it keeps its failure to itself.
type attempt struct {
	testing.TB
	failure string
}

type attemptFailed struct{}

func (a *attempt) Errorf(format string, args ...any) { a.failure += fmt.Sprintf(format, args...) }
func (a *attempt) FailNow()                          { panic(attemptFailed{}) }

func (a *attempt) Fatalf(format string, args ...any) {
	a.Errorf(format, args...)
	a.FailNow()
}

// withinOneMinute runs a test of what is counted by the minute. A failure counts if the whole run was within one minute
// of the clock; otherwise a part of what it had used up was given back, and the test is run again.
func withinOneMinute(t *testing.T, run func(tb testing.TB)) {
	t.Helper()
	for {
		minute := time.Now().UTC().Truncate(time.Minute)
		a := &attempt{TB: t}
		func() {
			defer func() {
				if cause := recover(); cause != nil && cause != (attemptFailed{}) {
					panic(cause)
				}
			}()
			run(a)
		}()
		switch {
		case a.failure == "":
			return
		case time.Now().UTC().Truncate(time.Minute).Equal(minute):
			t.Fatal(a.failure)
		}
		t.Log("a minute has ended meanwhile, once more")
	}
}
