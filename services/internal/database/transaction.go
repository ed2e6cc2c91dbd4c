package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"net"
	"time"

	"github.com/glebarez/go-sqlite"
	"github.com/go-sql-driver/mysql"
	"gorm.io/gorm"
)

// maxTries bounds the attempts of one transaction.
const maxTries = 20

// Write runs change in a transaction and commits it unless change returns an error. After a deadlock or a lock timeout
// it runs the transaction again, so change must set its results anew each time.
func (d *DB) Write(ctx context.Context, change func(tx *gorm.DB) error) error {
	for try := 1; ; try++ {
		err := d.writer.WithContext(ctx).Transaction(change, d.txOptions...)
		if err == nil || try == maxTries || !lost(err) {
			return err
		}
		// A random pause avoids the same conflict again.
		if err := Pause(ctx, rand.N(time.Duration(try)*4*time.Millisecond)); err != nil {
			return err
		}
	}
}

// Pause waits. It returns the context's error if that ends first.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// lost reports whether a transaction failed only because of concurrent ones.
func lost(err error) bool {
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok {
		const lockWaitTimeout, deadlock = 1205, 1213
		// TiDB: with optimistic locks the commit finds a conflict; with pessimistic ones a statement is retried, up to a
		// limit.
		const writeConflict, unnumbered = 9007, 1105
		switch my.Number {
		case lockWaitTimeout, deadlock, writeConflict:
			return true
		case unnumbered:
			return my.Message == "pessimistic lock retry limit reached"
		}
		return false
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		const busy, locked = 5, 6
		code := lite.Code() & 0xff // without the extended code
		return code == busy || code == locked
	}
	return false
}

// Unavailable reports whether err means that the database is unreachable or too busy, so that a retry may succeed.
func Unavailable(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || lost(err) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn)
}
