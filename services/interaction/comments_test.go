package interaction_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/page"
	"minidouyin/services/internal/servicetest"
)

// A comment keeps its text unchanged, if that has 1 to 256 characters.
func TestCreateComment(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		for _, content := range []string{"nice", " two\nlines\t", strings.Repeat("赞", 256), "\U0001F44D'; --\\ %_\"`", "é e\u0301"} {
			comment := s.mustComment(t, 1, 10, content)
			got := servicetest.Must(s.BatchGetComments(t.Context(), &interaction.BatchGetCommentsRequest{CommentIds: []int64{comment.ID, 999}}))(t).Comments
			if len(got) != 1 || *got[comment.ID] != *comment || comment.Content != content || comment.UserID != 1 || comment.VideoID != 10 {
				t.Errorf("%q: got %v and %v", content, comment, got)
			}
		}
		is(t, s.video(t, 10, 0), "0 likes 5 comments false")
		for _, content := range []string{"", " \n\t\u3000", "a\x00b", "\xff", strings.Repeat("x", 257)} {
			servicetest.Refuses(s.CreateComment(t.Context(), &interaction.CreateCommentRequest{UserID: 1, VideoID: 10, Content: content}))(t, codes.InvalidArgument)
		}
		servicetest.Refuses(s.CreateComment(t.Context(), &interaction.CreateCommentRequest{UserID: 1, Content: "x"}))(t, codes.InvalidArgument)
		is(t, s.video(t, 10, 0), "0 likes 5 comments false")
	})
}

// Only its author and the video's author may delete a comment, once, and only of its own video.
func TestDeleteComment(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		comment := s.mustComment(t, 1, 10, "first")
		other := s.mustComment(t, 1, 10, "second")
		remove := func(id, video, asker, videoAuthor int64) (*interaction.DeleteCommentResponse, error) {
			return s.DeleteComment(t.Context(), &interaction.DeleteCommentRequest{CommentID: id, VideoID: video, UserID: asker, VideoAuthorID: videoAuthor})
		}
		servicetest.Refuses(remove(comment.ID, 11, 1, 5))(t, codes.NotFound)
		servicetest.Refuses(remove(999, 10, 1, 5))(t, codes.NotFound)
		servicetest.Refuses(remove(comment.ID, 10, 2, 5))(t, codes.PermissionDenied)
		servicetest.Refuses(remove(comment.ID, 10, 0, 5))(t, codes.InvalidArgument)
		is(t, s.video(t, 10, 0), "0 likes 2 comments false")
		got := make([]codes.Code, 8)
		servicetest.AtOnce(len(got), func(i int) {
			_, err := remove(comment.ID, 10, 1, 5)
			got[i] = codes.Of(err)
		})
		slices.Sort(got)
		if got[0] != codes.OK || got[1] != codes.NotFound || got[7] != codes.NotFound {
			t.Errorf("got %v", got)
		}
		servicetest.Must(remove(other.ID, 10, 5, 5))(t)
		is(t, s.video(t, 10, 0), "0 likes 0 comments false")
	})
}

// One response has the comments of several videos, newest first. Pages lose and repeat none, even of the same time.
func TestListComments(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		servicetest.AtOnce(5, func(i int) {
			for n := range 4 {
				s.mustComment(t, int64(i+1), 10, fmt.Sprint(i, n))
			}
		})
		single := s.mustComment(t, 1, 11, "single")
		s.checkCounts(t)
		s.sameTime(t, "comments")
		for _, videos := range [][]int64{{10}, {12, 10, 11}} {
			seen := map[int64]bool{}
			previous := int64(1 << 62)
			p := &page.Page{Limit: 3}
			for more := true; more; {
				pages := servicetest.Must(s.ListComments(t.Context(), &interaction.ListCommentsRequest{VideoIds: videos, Page: p}))(t).Pages
				for _, c := range pages[10].Comments {
					if c.ID >= previous || c.VideoID != 10 {
						t.Errorf("%v after %d", c, previous)
					}
					previous, seen[c.ID] = c.ID, true
					p = &page.Page{Limit: 3, After: &page.Cursor{CreatedAt: c.CreatedAt, ID: c.ID}}
				}
				more = pages[10].HasMore
			}
			if len(seen) != 20 {
				t.Errorf("pages of %v have %d comments", videos, len(seen))
			}
		}
		pages := servicetest.Must(s.ListComments(t.Context(), &interaction.ListCommentsRequest{VideoIds: []int64{11, 12}, Page: &page.Page{Limit: 1}}))(t).Pages
		if len(pages) != 2 || pages[11].HasMore || pages[11].Comments[0].ID != single.ID || pages[12].Comments == nil {
			t.Errorf("got %v", pages)
		}
		servicetest.Refuses(s.ListComments(t.Context(), &interaction.ListCommentsRequest{VideoIds: []int64{11}}))(t, codes.InvalidArgument)
	})
}
