package model

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A negative `first` stays a wrong one: it must not look like one that is absent.
func TestArgs(t *testing.T) {
	for first, want := range map[int]int{20: 20, 0: 0, -1: -2, -2: -2, -1000: -2} {
		require.Equal(t, PageArgs{First: want}, Args(&first, nil), "first: %d", first)
	}
	require.Equal(t, PageArgs{First: -1}, Args(nil, nil))
}
