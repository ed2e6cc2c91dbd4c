package model

import (
	"errors"
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

// A part that was never loaded is an error; a part that was loaded and found nothing is nil.
func TestJoined(t *testing.T) {
	_, err := (&Video{}).LikeCount()
	require.ErrorIs(t, err, errNotLoaded)
	_, err = (&Video{}).Author()
	require.ErrorIs(t, err, errNotLoaded)
	_, err = (&Video{}).Comments(nil, nil)
	require.ErrorIs(t, err, errNotLoaded)

	author, err := (&Video{AuthorUser: Loaded[*User](nil)}).Author()
	require.NoError(t, err)
	require.Nil(t, author)
	failure := errors.New("unavailable")
	_, err = (&Video{AuthorUser: Failed[*User](failure)}).Author()
	require.Equal(t, failure, err)

	var pages Pages[*Comment]
	page := NewConnection[*Comment](false, false)
	first := 5
	pages.Set(Args(&first, nil), Loaded(page))
	got, err := pages.Get(&first, nil)
	require.NoError(t, err)
	require.Same(t, page, got)
	_, err = pages.Get(nil, nil)
	require.ErrorIs(t, err, errNotLoaded)
	page.Fail(failure)
	_, err = pages.Get(&first, nil)
	require.Equal(t, failure, err)
}
