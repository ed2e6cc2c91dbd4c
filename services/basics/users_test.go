package basics_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/basics/basicsservice"
	"minidouyin/services"
	"minidouyin/services/internal/servicetest"
)

// suite runs a test on every database, with and without caches.
func suite(t *testing.T, test func(t *testing.T, s *service)) {
	servicetest.EachBackend(t, func(t *testing.T, b servicetest.Backend) {
		s := &service{backend: b, dsn: b.DSN}
		s.open(t)
		test(t, s)
	})
}

type service struct {
	basicsservice.Client
	statements *servicetest.Statements
	backend    servicetest.Backend
	dsn        string
}

func (s *service) open(t *testing.T) {
	t.Helper()
	option, statements := servicetest.Open(t, services.Basics, s.backend)
	s.Client, s.statements = basicsservice.MustNewClient(services.Basics, option), statements
}

// forgetCaches makes the next reads miss.
func (s *service) forgetCaches(t *testing.T) {
	t.Helper()
	if s.backend.Redis != nil {
		servicetest.Wipe(t, s.backend.Redis)
	}
	if s.backend.Alone { // the caches go with the process
		s.open(t)
	}
}

func (s *service) mustUser(t *testing.T, name string) *basics.User {
	t.Helper()
	return servicetest.Must(s.CreateUser(t.Context(), &basics.CreateUserRequest{Name: name, Password: "secret"}))(t).User
}

func (s *service) mustVideo(t *testing.T, author int64, title string) *basics.Video {
	t.Helper()
	return servicetest.Must(s.CreateVideo(t.Context(), &basics.CreateVideoRequest{
		AuthorID: author, Title: title, PlayKey: title + ".mp4", CoverKey: title + ".jpg",
	}))(t).Video
}

func (s *service) user(t *testing.T, id int64) *basics.User {
	t.Helper()
	return servicetest.Must(s.BatchGetUsers(t.Context(), &basics.BatchGetUsersRequest{UserIds: []int64{id}}))(t).Users[id]
}

// A name is trimmed, unique regardless of case, width and composition, and has 1 to 32 characters.
func TestNames(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		create := func(name string) (*basics.CreateUserResponse, error) {
			return s.CreateUser(t.Context(), &basics.CreateUserRequest{Name: name, Password: "secret"})
		}
		for _, c := range []struct{ given, stored string }{
			{"  Ann ", "Ann"},
			{"résumé", "résumé"},
			{"resume", "resume"}, // no accent is another name
			{"抖音用户", "抖音用户"},
			{"👨‍👩‍👧 family", "👨‍👩‍👧 family"},
			{strings.Repeat("字", 32), strings.Repeat("字", 32)},
			{strings.Repeat("ﷺ", 32), strings.Repeat("ﷺ", 32)}, // the one that grows most when folded
			{"'; DROP TABLE users; --", "'; DROP TABLE users; --"},
			{"STRASSE", "STRASSE"},
		} {
			u := servicetest.Must(create(c.given))(t).User
			if u.Name != c.stored || s.user(t, u.ID).Name != c.stored {
				t.Errorf("%q is stored as %q, want %q", c.given, u.Name, c.stored)
			}
		}
		for _, name := range []string{"Ann", "ANN", "aNN\t", "\u3000ann", "ＡＮＮ", "re\u0301sume\u0301", "straße"} {
			servicetest.Refuses(create(name))(t, codes.AlreadyExists)
		}
		for _, name := range []string{"", "   ", "a\x00b", "a\nb", "\xff\xfe", strings.Repeat("a", 33), "\u200d", "evil\u202egnp"} {
			servicetest.Refuses(create(name))(t, codes.InvalidArgument)
		}
	})
}

// One of many concurrent requests for a name succeeds.
func TestNameRace(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		var taken [16]codes.Code
		servicetest.AtOnce(len(taken), func(i int) {
			_, err := s.CreateUser(t.Context(), &basics.CreateUserRequest{Name: fmt.Sprintf("%cob", "bB"[i%2]), Password: "x"})
			taken[i] = codes.Of(err)
		})
		got := map[codes.Code]int{}
		for _, code := range taken {
			got[code]++
		}
		if got[codes.OK] != 1 || got[codes.AlreadyExists] != len(taken)-1 {
			t.Errorf("got %v", got)
		}
	})
}

// The right password returns the user, for any case of the name. A wrong one and an unknown name get the same error.
func TestPasswords(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		ann := s.mustUser(t, "Ann")
		verify := func(name, password string) (*basics.VerifyPasswordResponse, error) {
			return s.VerifyPassword(t.Context(), &basics.VerifyPasswordRequest{Name: name, Password: password})
		}
		if got := servicetest.Must(verify(" aNN ", "secret"))(t).User; got.ID != ann.ID || got.Name != "Ann" {
			t.Errorf("got %v, want %v", got, ann)
		}
		_, wrong := verify("Ann", "Secret")
		_, unknown := verify("Bob", "secret")
		if codes.Of(wrong) != codes.Unauthenticated || codes.Of(unknown) != codes.Unauthenticated || codes.Message(wrong) != codes.Message(unknown) {
			t.Errorf("a wrong password gives %v, an unknown name %v", wrong, unknown)
		}
		for _, password := range []string{"", strings.Repeat("x", 33), "\xff"} {
			servicetest.Refuses(verify("Ann", password))(t, codes.InvalidArgument)
			servicetest.Refuses(s.CreateUser(t.Context(), &basics.CreateUserRequest{Name: "Cy", Password: password}))(t, codes.InvalidArgument)
		}
		long := strings.Repeat("密", 32)
		servicetest.Must(s.CreateUser(t.Context(), &basics.CreateUserRequest{Name: "Dee", Password: long}))(t)
		servicetest.Must(verify("Dee", long))(t)
		servicetest.Refuses(verify("Dee", long[:len(long)-3]))(t, codes.Unauthenticated)
	})
}

// The database has an argon2id hash with its own salt, and no part of the password.
func TestPasswordHash(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		s.mustUser(t, "Ann")
		s.mustUser(t, "Bob")
		var hashes []string
		db := servicetest.Database(t, s.dsn)
		if err := db.Read(t.Context()).Raw("SELECT password_hash FROM users").Scan(&hashes).Error; err != nil {
			t.Fatal(err)
		}
		if len(hashes) != 2 || hashes[0] == hashes[1] || !strings.HasPrefix(hashes[0], "$argon2id$v=19$m=8,t=1,p=1$") || strings.Contains(hashes[0], "secret") {
			t.Errorf("got %q", hashes)
		}
	})
}

// Unknown users are absent, repeated ids are valid, and there are limits.
func TestBatchGetUsers(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		ann, bob := s.mustUser(t, "Ann"), s.mustUser(t, "Bob")
		get := func(ids ...int64) (*basics.BatchGetUsersResponse, error) {
			return s.BatchGetUsers(t.Context(), &basics.BatchGetUsersRequest{UserIds: ids})
		}
		users := servicetest.Must(get(bob.ID, ann.ID, 999, bob.ID))(t).Users
		if len(users) != 2 || users[ann.ID].Name != "Ann" || users[bob.ID].Name != "Bob" || users[ann.ID].CreatedAt != ann.CreatedAt {
			t.Errorf("got %v", users)
		}
		if users := servicetest.Must(get())(t).Users; users == nil || len(users) != 0 {
			t.Errorf("no ids give %v", users)
		}
		for _, ids := range [][]int64{{0}, {1, -1}, make([]int64, 1001)} {
			servicetest.Refuses(get(ids...))(t, codes.InvalidArgument)
		}
	})
}

// UpdateProfile changes only the given fields. Replaced pictures get removals, new ones lose their reservations.
func TestUpdateProfile(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		ann := s.mustUser(t, "Ann")
		s.mustUser(t, "Bob")
		update := func(id int64, name, signature, avatar, background *string) (*basics.UpdateProfileResponse, error) {
			return s.UpdateProfile(t.Context(), &basics.UpdateProfileRequest{
				UserID: id, Name: name, Signature: signature, AvatarKey: avatar, BackgroundKey: background,
			})
		}
		s.mustReserve(t, "a1.jpg", "b1.jpg")
		got := servicetest.Must(update(ann.ID, ref(" Anna "), ref(" hello "), ref("a1.jpg"), ref("b1.jpg")))(t).User
		want := &basics.User{ID: ann.ID, Name: "Anna", Signature: "hello", AvatarKey: "a1.jpg", BackgroundKey: "b1.jpg", CreatedAt: ann.CreatedAt}
		if *got != *want || *s.user(t, ann.ID) != *want {
			t.Errorf("got %v, want %v", got, want)
		}
		if left := s.removals(t, true); len(left) != 0 {
			t.Errorf("reservations left: %v", left)
		}
		servicetest.Must(update(ann.ID, nil, nil, ref("a2.jpg"), nil))(t)
		servicetest.Must(update(ann.ID, nil, nil, ref("a2.jpg"), ref("")))(t) // the same avatar again, the default background
		if got := s.removals(t, false); !sameRemovals(got, "file a1.jpg", "file b1.jpg") {
			t.Errorf("got %v", got)
		}
		if got := s.user(t, ann.ID); got.Name != "Anna" || got.AvatarKey != "a2.jpg" || got.BackgroundKey != "" || got.Signature != "hello" {
			t.Errorf("got %v", got)
		}
		servicetest.Must(update(ann.ID, ref("ANNA"), ref(""), nil, nil))(t) // one's own name in another case
		servicetest.Must(update(ann.ID, nil, nil, nil, nil))(t)
		servicetest.Refuses(update(ann.ID, ref("BOB"), nil, nil, nil))(t, codes.AlreadyExists)
		servicetest.Refuses(update(999, ref("Cy"), nil, nil, nil))(t, codes.NotFound)
		servicetest.Refuses(update(0, ref("Cy"), nil, nil, nil))(t, codes.InvalidArgument)
		servicetest.Refuses(update(ann.ID, ref(""), nil, nil, nil))(t, codes.InvalidArgument)
		servicetest.Refuses(update(ann.ID, nil, ref(strings.Repeat("x", 101)), nil, nil))(t, codes.InvalidArgument)
		servicetest.Refuses(update(ann.ID, nil, ref("a\nb"), nil, nil))(t, codes.InvalidArgument)
		servicetest.Refuses(update(ann.ID, nil, nil, ref("ключ"), nil))(t, codes.InvalidArgument)
		servicetest.Refuses(update(ann.ID, nil, nil, nil, ref(strings.Repeat("k", 201))))(t, codes.InvalidArgument)
	})
}

// A deleted user leaves only removals: of the user, every video and every file. The name is free again.
func TestDeleteUser(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		ann, bob := s.mustUser(t, "Ann"), s.mustUser(t, "Bob")
		first, second, other := s.mustVideo(t, ann.ID, "first"), s.mustVideo(t, ann.ID, "second"), s.mustVideo(t, bob.ID, "other")
		servicetest.Must(s.UpdateProfile(t.Context(), &basics.UpdateProfileRequest{UserID: ann.ID, AvatarKey: ref("ann.jpg")}))(t)
		servicetest.Must(s.DeleteUser(t.Context(), &basics.DeleteUserRequest{UserID: ann.ID}))(t)
		if s.user(t, ann.ID) != nil || s.user(t, bob.ID) == nil {
			t.Error("the wrong user is gone")
		}
		if got := s.feed(t, nil); len(got) != 1 || got[0].ID != other.ID {
			t.Errorf("the feed is %v", got)
		}
		if got := s.removals(t, false); !sameRemovals(got, fmt.Sprint("user ", ann.ID), fmt.Sprint("video ", first.ID), fmt.Sprint("video ", second.ID),
			"file ann.jpg", "file first.mp4", "file first.jpg", "file second.mp4", "file second.jpg") {
			t.Errorf("got %v", got)
		}
		servicetest.Refuses(s.DeleteUser(t.Context(), &basics.DeleteUserRequest{UserID: ann.ID}))(t, codes.NotFound)
		servicetest.Refuses(s.DeleteUser(t.Context(), &basics.DeleteUserRequest{UserID: -1}))(t, codes.InvalidArgument)
		servicetest.Refuses(s.CreateVideo(t.Context(), &basics.CreateVideoRequest{AuthorID: ann.ID, Title: "t", PlayKey: "p", CoverKey: "c"}))(t, codes.NotFound)
		if again := s.mustUser(t, "ann"); again.ID == ann.ID {
			t.Error("an id was given twice")
		}
	})
}

// DeleteUser deletes more videos than one batch.
func TestDeleteUserOfManyVideos(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		ann := s.mustUser(t, "Ann")
		const many = 1201
		db := servicetest.Database(t, s.dsn)
		rows := make([]map[string]any, many)
		for i := range rows {
			rows[i] = map[string]any{"author_id": ann.ID, "title": "t", "play_key": fmt.Sprint("p", i), "cover_key": fmt.Sprint("c", i), "created_at": i + 1}
		}
		if err := db.Write(t.Context(), insert("videos", rows)); err != nil {
			t.Fatal(err)
		}
		servicetest.Must(s.DeleteUser(t.Context(), &basics.DeleteUserRequest{UserID: ann.ID}))(t)
		if got := s.feed(t, nil); len(got) != 0 {
			t.Errorf("%d videos are left", len(got))
		}
		var removals int64
		if err := db.Read(t.Context()).Table("removals").Count(&removals).Error; err != nil || removals != 4*many+2 {
			t.Errorf("got %d removals (%v), want %d", removals, err, 4*many+2)
		}
	})
}

// A video that is published while its author is deleted does not stay without an author.
func TestDeleteUserWhilePublishing(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		ann := s.mustUser(t, "Ann")
		servicetest.AtOnce(9, func(i int) {
			if i == 4 {
				_, _ = s.DeleteUser(context.Background(), &basics.DeleteUserRequest{UserID: ann.ID})
				return
			}
			for n := range 5 {
				_, _ = s.CreateVideo(context.Background(), &basics.CreateVideoRequest{AuthorID: ann.ID, Title: "t", PlayKey: fmt.Sprint("p", i, n), CoverKey: "c"})
			}
		})
		if got := s.feed(t, nil); len(got) != 0 || s.user(t, ann.ID) != nil {
			t.Errorf("%d videos are left, user %v", len(got), s.user(t, ann.ID))
		}
	})
}

func ref[T any](v T) *T { return &v }

// A name that looks like an existing one is taken, and an invisible one is invalid.
func TestNamesThatLookAlike(t *testing.T) {
	suite(t, func(t *testing.T, s *service) {
		s.mustUser(t, "alice")
		for _, name := range []string{"\u200balice", "al\u200bice", "\ufeffalice", "alice\ufe0f", "al\u00adice", "ALICE", "ａｌｉｃｅ"} {
			servicetest.Refuses(s.CreateUser(t.Context(), &basics.CreateUserRequest{Name: name, Password: "secret"}))(t, codes.AlreadyExists)
		}
		for _, name := range []string{"\u3164", "\u115f", "\u2800", "\u200b", "\ufeff\u200b"} {
			servicetest.Refuses(s.CreateUser(t.Context(), &basics.CreateUserRequest{Name: name, Password: "secret"}))(t, codes.InvalidArgument)
		}
		s.mustUser(t, "👩‍🚀") // joined by a character that cannot be seen
	})
}
