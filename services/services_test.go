package services_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/server"
	"github.com/cloudwego/kitex/transport"
	"gorm.io/gorm"

	"minidouyin/idl/codes"
	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/basics/basicsservice"
	"minidouyin/services"
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/testenv/mysqltest"
)

func TestMain(m *testing.M) { os.Exit(mysqltest.Run(m)) }

// logged is a log that is safe for concurrent use.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

func mustOpen(t *testing.T, name, dsn string, opts ...server.Option) (*services.Service, *logged) {
	t.Helper()
	log := &logged{}
	service, err := services.Open(t.Context(), name, services.Config{
		DSN: dsn, Log: slog.New(slog.NewTextHandler(log, nil)), PasswordCost: servicetest.CheapPasswords,
	}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	})
	return service, log
}

// eachWire runs the test with a client of basics in the process and with one over a socket.
func eachWire(t *testing.T, newDSN func(testing.TB) string, test func(t *testing.T, c basicsservice.Client, dsn string, log *logged)) {
	t.Run("local", func(t *testing.T) {
		dsn := newDSN(t)
		service, log := mustOpen(t, services.Basics, dsn)
		test(t, basicsservice.MustNewClient(services.Basics, servicetest.Local(t, service.Server)), dsn, log)
	})
	t.Run("tcp", func(t *testing.T) {
		dsn := newDSN(t)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		service, log := mustOpen(t, services.Basics, dsn, server.WithListener(listener))
		ended := make(chan error, 1)
		go func() { ended <- service.Server.Run() }()
		t.Cleanup(func() {
			if err := service.Server.Stop(); err != nil {
				t.Error(err)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		test(t, basicsservice.MustNewClient(services.Basics,
			client.WithHostPorts(listener.Addr().String()),
			client.WithTransportProtocol(transport.TTHeader),
			client.WithMetaHandler(transmeta.ClientTTHeaderHandler),
			client.WithMetaHandler(transmeta.MetainfoClientHandler),
			client.WithRPCTimeout(time.Second),
		), dsn, log)
	})
}

// A client gets an error with its code and message. It is not logged.
func TestErrorsCrossTheWire(t *testing.T) {
	eachWire(t, servicetest.SQLite, func(t *testing.T, c basicsservice.Client, _ string, log *logged) {
		ann := servicetest.Must(c.CreateUser(t.Context(), &basics.CreateUserRequest{Name: "Ann", Password: "secret"}))(t).User
		video := servicetest.Must(c.CreateVideo(t.Context(), &basics.CreateVideoRequest{AuthorID: ann.ID, Title: "t", PlayKey: "p", CoverKey: "c"}))(t).Video
		_, taken := c.CreateUser(t.Context(), &basics.CreateUserRequest{Name: "ann", Password: "secret"})
		_, wrong := c.VerifyPassword(t.Context(), &basics.VerifyPasswordRequest{Name: "ann", Password: "wrong"})
		_, foreign := c.DeleteVideo(t.Context(), &basics.DeleteVideoRequest{VideoID: video.ID, AuthorID: ann.ID + 1})
		_, missing := c.DeleteVideo(t.Context(), &basics.DeleteVideoRequest{VideoID: 99, AuthorID: ann.ID})
		_, bad := c.CreateUser(t.Context(), &basics.CreateUserRequest{Password: "secret"})
		for _, c := range []struct {
			err     error
			code    codes.Code
			message string
		}{
			{taken, codes.AlreadyExists, "this name is taken"},
			{wrong, codes.Unauthenticated, "wrong user name or password"},
			{foreign, codes.PermissionDenied, "only its author may change a video"},
			{missing, codes.NotFound, "no such video"},
			{bad, codes.InvalidArgument, "name must not be empty"},
		} {
			biz, ok := kerrors.FromBizStatusError(c.err)
			if !ok || codes.Of(c.err) != c.code || biz.BizMessage() != c.message {
				t.Errorf("got %v, want %v: %s", c.err, c.code, c.message)
			}
		}
		if text := log.take(); text != "" {
			t.Errorf("logged %s", text)
		}
	})
}

// An error without a code is logged once, with its cause and without the password. The client does not get the cause.
func TestInternalErrorsAreMasked(t *testing.T) {
	eachWire(t, servicetest.SQLite, func(t *testing.T, c basicsservice.Client, dsn string, log *logged) {
		err := servicetest.Database(t, dsn).Write(t.Context(), func(tx *gorm.DB) error { return tx.Migrator().DropTable("users") })
		if err != nil {
			t.Fatal(err)
		}
		for method, call := range map[string]func() error{
			"CreateUser": func() error {
				_, err := c.CreateUser(t.Context(), &basics.CreateUserRequest{Name: "Ann", Password: "hush-hush"})
				return err
			},
			"BatchGetUsers": func() error {
				_, err := c.BatchGetUsers(t.Context(), &basics.BatchGetUsersRequest{UserIds: []int64{4711}})
				return err
			},
		} {
			err := call()
			biz, ok := kerrors.FromBizStatusError(err)
			if !ok || codes.Of(err) != codes.Internal || biz.BizMessage() != "internal error" {
				t.Errorf("%s: got %v", method, err)
			}
			text := log.take()
			if strings.Count(text, "level=ERROR") != 1 || !strings.Contains(text, "method="+method) || !strings.Contains(text, "no such table") || strings.Contains(text, "hush-hush") {
				t.Errorf("%s: logged %q", method, text)
			}
			if method == "BatchGetUsers" && !strings.Contains(text, "4711") {
				t.Errorf("the log does not show the request: %q", text)
			}
		}
	})
}

// A panic is such an error, logged with its stack. The service continues.
func TestPanicsAreMasked(t *testing.T) {
	service, log := mustOpen(t, services.Basics, servicetest.SQLite(t))
	c := basicsservice.MustNewClient(services.Basics, servicetest.Local(t, service.Server))
	_, err := c.BatchGetUsers(t.Context(), nil)
	if biz, ok := kerrors.FromBizStatusError(err); !ok || codes.Of(err) != codes.Internal || biz.BizMessage() != "internal error" {
		t.Errorf("got %v", err)
	}
	if text := log.take(); strings.Count(text, "level=ERROR") != 1 || !strings.Contains(text, "nil pointer") || !strings.Contains(text, "handler.go") {
		t.Errorf("logged %q", text)
	}
	servicetest.Must(c.BatchGetUsers(t.Context(), &basics.BatchGetUsersRequest{}))(t)
}

// The client's deadline ends the work on the server: it stops waiting for a lock and changes nothing.
func TestDeadlines(t *testing.T) {
	eachWire(t, mysqltest.Database, func(t *testing.T, c basicsservice.Client, dsn string, log *logged) {
		ann := servicetest.Must(c.CreateUser(t.Context(), &basics.CreateUserRequest{Name: "Ann", Password: "secret"}))(t).User
		err := servicetest.Database(t, dsn).Write(t.Context(), func(tx *gorm.DB) error {
			if err := tx.Exec("UPDATE users SET signature = 'locked' WHERE id = ?", ann.ID).Error; err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			start, name := time.Now(), "Anna"
			_, err := c.UpdateProfile(ctx, &basics.UpdateProfileRequest{UserID: ann.ID, Name: &name})
			if took := time.Since(start); codes.Of(err) != codes.UpstreamUnavailable || took > 20*time.Second { // less than anybody waits for a lock
				t.Errorf("got %v after %v", err, took)
			}
			time.Sleep(1500 * time.Millisecond) // over the wire the server has the client's own time-out, one second
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond) // if it still waited, it would change the name now
		got := servicetest.Must(c.BatchGetUsers(t.Context(), &basics.BatchGetUsersRequest{UserIds: []int64{ann.ID}}))(t).Users[ann.ID]
		if got.Name != "Ann" || got.Signature != "locked" {
			t.Errorf("got %v", got)
		}
		if text := log.take(); text != "" {
			t.Errorf("logged %s", text)
		}
	})
}
