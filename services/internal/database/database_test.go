package database_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
	"gorm.io/gorm"

	"minidouyin/services/internal/database"
	"minidouyin/services/testenv/mysqltest"
)

func TestMain(m *testing.M) { os.Exit(mysqltest.Run(m)) }

type counter struct {
	ID int64 `gorm:"primaryKey;autoIncrement:false"`
	N  int64
}

func mustOpen(t *testing.T, dsn string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), database.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(t.Context(), database.Schema{Service: "test", Models: []any{&counter{}}}); err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *gorm.DB) error { return tx.Create([]counter{{ID: 1}, {ID: 2}}).Error })
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func eachDatabase(t *testing.T, test func(t *testing.T, db *database.DB)) {
	t.Run("sqlite", func(t *testing.T) { test(t, mustOpen(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))) })
	t.Run("mysql", func(t *testing.T) { test(t, mustOpen(t, mysqltest.Database(t))) })
}

func sum(t *testing.T, db *database.DB) (n int64) {
	t.Helper()
	if err := db.Read(t.Context()).Raw("SELECT SUM(n) FROM counters").Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

func add(tx *gorm.DB, id int64) error {
	return tx.Exec("UPDATE counters SET n = n + 1 WHERE id = ?", id).Error
}

// Transactions that lock the same rows in opposite orders all succeed, each once.
func TestWriteRepeatsWhatLost(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *database.DB) {
		const workers, each = 8, 10
		var group sync.WaitGroup
		for i := range workers {
			group.Go(func() {
				for range each {
					err := db.Write(t.Context(), func(tx *gorm.DB) error {
						return errors.Join(add(tx, int64(i%2+1)), add(tx, int64((i+1)%2+1)))
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if got := sum(t, db); got != 2*workers*each {
			t.Errorf("got %d, want %d", got, 2*workers*each)
		}
	})
}

// So does one that lost on TiDB. Other errors with the same unspecific number are returned.
func TestWriteRepeatsWhatTiDBLost(t *testing.T) {
	db := mustOpen(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	for said, want := range map[*mysql.MySQLError]int{
		{Number: 9007, Message: "Write conflict, txnStartTS=1"}:         2,
		{Number: 1105, Message: "pessimistic lock retry limit reached"}: 2,
		{Number: 1105, Message: "out of something"}:                     1,
	} {
		tries := 0
		err := db.Write(t.Context(), func(*gorm.DB) error {
			if tries++; tries == 1 {
				return said
			}
			return nil
		})
		if tries != want || (err == nil) != (want == 2) {
			t.Errorf("%v: tried %d times, want %d (%v)", said, tries, want, err)
		}
	}
}

// A change that returns an error, panics, or outlives its context is rolled back.
func TestWriteRollsBack(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *database.DB) {
		broken := errors.New("broken")
		err := db.Write(t.Context(), func(tx *gorm.DB) error { return errors.Join(add(tx, 1), broken) })
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is lost")
				}
			}()
			_ = db.Write(t.Context(), func(tx *gorm.DB) error {
				if err := add(tx, 1); err != nil {
					return err
				}
				panic("broken")
			})
		}()
		ctx, cancel := context.WithCancel(t.Context())
		err = db.Write(ctx, func(tx *gorm.DB) error {
			defer cancel()
			return add(tx, 1)
		})
		if err == nil {
			t.Error("a write whose context ended before the commit is acknowledged")
		}
		if got := sum(t, db); got != 0 {
			t.Errorf("got %d", got)
		}
	})
}

// A wait for the single writer of SQLite ends with the context.
func TestWriterQueue(t *testing.T) {
	db := mustOpen(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	err := db.Write(t.Context(), func(tx *gorm.DB) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := db.Write(ctx, func(tx *gorm.DB) error { return add(tx, 2) }); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		return add(tx, 1)
	})
	if err != nil || sum(t, db) != 1 {
		t.Errorf("got %d, %v", sum(t, db), err)
	}
}

// The path of a SQLite file may have characters with a meaning in a URI.
func TestSQLitePath(t *testing.T) {
	for _, name := range []string{"plain.db", "a b.db", "a?b=c.db", "100%.db", "%41.db", "a#b.db", "数据.db"} {
		path := filepath.Join(t.TempDir(), name)
		mustOpen(t, "sqlite:"+path)
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	t.Chdir(t.TempDir())
	mustOpen(t, "sqlite:relative.db")
	if _, err := os.Stat("relative.db"); err != nil {
		t.Error(err)
	}
}

// SQLite keeps every acknowledged write after a power cut, and readers cannot write.
func TestSQLiteSettings(t *testing.T) {
	db := mustOpen(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	var mode, synchronous string
	err := db.Write(t.Context(), func(tx *gorm.DB) error {
		return errors.Join(tx.Raw("PRAGMA journal_mode").Scan(&mode).Error, tx.Raw("PRAGMA synchronous").Scan(&synchronous).Error)
	})
	if err != nil || mode != "wal" || synchronous != "2" {
		t.Errorf("got %s, %s, %v", mode, synchronous, err)
	}
	if err := add(db.Read(t.Context()), 1); err == nil {
		t.Error("a reader wrote")
	}
}

// The pool bounds the open connections, whatever the number of callers.
func TestConnections(t *testing.T) {
	db, err := database.Open(t.Context(), database.Config{DSN: mysqltest.Database(t), Connections: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if err := db.Read(t.Context()).Exec("DO SLEEP(0.05)").Error; err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	var open int
	if err := db.Read(t.Context()).Raw("SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE()").Scan(&open).Error; err != nil || open > 3 {
		t.Errorf("%d are open, %v", open, err)
	}
}

// Closing connections that the server has closed is no error.
func TestCloseAfterServer(t *testing.T) {
	dsn := mysqltest.Database(t)
	db, err := database.Open(t.Context(), database.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	other := mustOpen(t, dsn)
	var ids []int64
	query := "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
	if err := other.Read(t.Context()).Raw(query).Scan(&ids).Error; err != nil || len(ids) == 0 {
		t.Fatal(ids, err)
	}
	for _, id := range ids {
		if err := other.Read(t.Context()).Exec("KILL ?", id).Error; err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
