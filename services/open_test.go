package services_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudwego/kitex/client"
	"gorm.io/gorm"

	"minidouyin/idl/kitex_gen/basics"
	"minidouyin/idl/kitex_gen/basics/basicsservice"
	"minidouyin/idl/kitex_gen/interaction"
	"minidouyin/idl/kitex_gen/interaction/interactionservice"
	"minidouyin/idl/kitex_gen/social"
	"minidouyin/idl/kitex_gen/social/socialservice"
	"minidouyin/services"
	"minidouyin/services/internal/database"
	"minidouyin/services/internal/servicetest"
	"minidouyin/services/testenv/mysqltest"
)

// Acknowledged writes survive a restart. Services may share a database and open it at the same time.
func TestReopen(t *testing.T) {
	servicetest.EachDatabase(t, func(t *testing.T, dsn string) {
		open := func() (options [3]client.Option, closeAll func()) {
			var opened [3]*services.Service
			servicetest.AtOnce(len(opened), func(i int) {
				var err error
				name := []string{services.Basics, services.Interaction, services.Social}[i]
				if opened[i], err = services.Open(t.Context(), name, services.Config{DSN: dsn, PasswordCost: servicetest.CheapPasswords}); err != nil {
					t.Error(err)
				}
			})
			if t.Failed() {
				t.FailNow()
			}
			for i := range opened {
				options[i] = servicetest.Local(t, opened[i].Server)
			}
			return options, func() {
				for _, s := range opened {
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				}
			}
		}
		options, closeAll := open()
		servicetest.Must(basicsservice.MustNewClient(services.Basics, options[0]).CreateUser(t.Context(), &basics.CreateUserRequest{Name: "Ann", Password: "secret"}))(t)
		servicetest.Must(interactionservice.MustNewClient(services.Interaction, options[1]).LikeVideo(t.Context(), &interaction.LikeVideoRequest{UserID: 1, VideoID: 2, AuthorID: 3}))(t)
		servicetest.Must(socialservice.MustNewClient(services.Social, options[2]).Follow(t.Context(), &social.FollowRequest{FromUserID: 1, ToUserID: 2}))(t)
		closeAll()
		options, closeAll = open()
		defer closeAll()
		servicetest.Must(basicsservice.MustNewClient(services.Basics, options[0]).VerifyPassword(t.Context(), &basics.VerifyPasswordRequest{Name: "Ann", Password: "secret"}))(t)
		likes := servicetest.Must(interactionservice.MustNewClient(services.Interaction, options[1]).BatchGetVideoStats(t.Context(), &interaction.BatchGetVideoStatsRequest{VideoIds: []int64{2}, ViewerID: 1}))(t)
		follows := servicetest.Must(socialservice.MustNewClient(services.Social, options[2]).BatchGetRelationStats(t.Context(), &social.BatchGetRelationStatsRequest{UserIds: []int64{2}, ViewerID: 1}))(t)
		if !likes.Stats[2].LikedByViewer || !follows.Stats[2].FollowedByViewer {
			t.Errorf("got %v and %v", likes, follows)
		}
	})
}

// The suites look at what creates the tables, too.
func TestSchemaIsWatched(t *testing.T) {
	for name, tables := range map[string]int{services.Basics: 3, services.Interaction: 4, services.Social: 4} {
		_, statements := servicetest.Open(t, name, servicetest.Backend{DSN: mysqltest.Database(t)})
		created := 0
		for _, sql := range statements.Take() {
			if strings.HasPrefix(sql, "CREATE TABLE `"+name+"_migrations`") {
				continue
			}
			if strings.HasPrefix(sql, "CREATE TABLE") {
				created++
			}
		}
		if created < tables {
			t.Errorf("%s: %d tables were created, want at least %d", name, created, tables)
		}
	}
}

// Several processes may open a new database at the same time. A database of a newer program is refused.
func TestMigrations(t *testing.T) {
	servicetest.EachDatabase(t, func(t *testing.T, dsn string) {
		servicetest.AtOnce(4, func(int) {
			service, err := services.Open(t.Context(), services.Social, services.Config{DSN: dsn})
			if err != nil {
				t.Error(err)
				return
			}
			if err := service.Close(); err != nil {
				t.Error(err)
			}
		})
		err := servicetest.Database(t, dsn).Write(t.Context(), func(tx *gorm.DB) error {
			return tx.Exec("INSERT INTO social_migrations (id) VALUES ('2999-01-01')").Error
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = services.Open(t.Context(), services.Social, services.Config{DSN: dsn})
		if err == nil || !strings.Contains(err.Error(), "newer version") {
			t.Errorf("got %v", err)
		}
	})
}

// The tables of MySQL are InnoDB and compare text byte by byte.
func TestMySQLTables(t *testing.T) {
	dsn := mysqltest.Database(t)
	for _, name := range []string{services.Basics, services.Interaction, services.Social} {
		mustOpen(t, name, dsn)
	}
	var tables []struct{ Name, Engine, Collation string }
	err := servicetest.Database(t, dsn).Read(t.Context()).Raw(`SELECT table_name AS name, engine AS engine, table_collation AS collation
		FROM information_schema.tables WHERE table_schema = DATABASE()`).Scan(&tables).Error
	if err != nil || len(tables) != 15 {
		t.Fatalf("got %v, %v", tables, err)
	}
	for _, table := range tables {
		if table.Engine != "InnoDB" || table.Collation != "utf8mb4_bin" {
			t.Errorf("got %v", table)
		}
	}
}

// The error of Open is one line without the password.
func TestOpenErrors(t *testing.T) {
	folder := t.TempDir()
	for _, c := range []struct{ name, dsn, want string }{
		{"basic", "sqlite:" + filepath.Join(folder, "a.db"), "no such service"},
		{services.Basics, "", "must begin with"},
		{services.Basics, "postgres://localhost/x", "must begin with"},
		{services.Basics, "sqlite:", "path of a file"},
		{services.Basics, "sqlite::memory:", "path of a file"},
		{services.Basics, "sqlite:" + filepath.Join(folder, "missing", "a.db"), "unable to open"},
		{services.Basics, "mysql://root:hush-hush@nowhere", "not of the form"},
		{services.Basics, "mysql://root:hush-hush@127.0.0.1:1/x", "connection refused"},
		{services.Basics, "mysql://root:hush-hush@tcp(127.0.0.1:1)/x", "connection refused"},
		{services.Basics, "mysql://root:hush-hush@tcp(127.0.0.1:1)/", "names no database"},
		{services.Basics, "mysql://root:%zz-hush-hush@host:1/x", "not of the form"},
	} {
		_, err := services.Open(t.Context(), c.name, services.Config{DSN: c.dsn})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush-hush") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %q", c.dsn, err, c.want)
		}
	}
}

// Both formats of the DSN of MySQL are valid, with escaped characters in the URL.
func TestParseMySQL(t *testing.T) {
	for dsn, want := range map[string]string{
		"root@unix(/run/my.sock)/db":        "root  unix /run/my.sock db",
		"u:p@ss@tcp(host:3307)/db":          "u p@ss tcp host:3307 db",
		"u:p%40s%2Fs@host:3307/db":          "u p@s/s tcp host:3307 db",
		"u@host/db":                         "u  tcp host:3306 db",
		"u:p@[::1]:3306/db?readTimeout=30s": "u p tcp [::1]:3306 db",
	} {
		cfg, err := database.ParseMySQL(dsn)
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
			continue
		}
		if got := strings.Join([]string{cfg.User, cfg.Passwd, cfg.Net, cfg.Addr, cfg.DBName}, " "); got != want {
			t.Errorf("%s: got %q, want %q", dsn, got, want)
		}
	}
}
