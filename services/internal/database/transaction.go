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

// maxTries bounds how often one transaction is begun again.
const maxTries = 20

// Write runs change in a transaction and commits it unless change returns an error. A transaction that lost against
// others (deadlock, lock not had in time) is run again, so change must set what it hands out anew each time.
func (d *DB) Write(ctx context.Context, change func(tx *gorm.DB) error) error {
	for try := 1; ; try++ {
		err := d.writer.WithContext(ctx).Transaction(change, d.txOptions...)
		if err == nil || try == maxTries || !lost(err) {
			return err
		}
		// Random pauses keep the same two transactions from meeting again.
		if err := Pause(ctx, rand.N(time.Duration(try)*4*time.Millisecond)); err != nil {
			return err
		}
	}
}

// Pause waits; it returns the context's error when that ends first.
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

// lost tells whether a transaction failed only because others were in its way.
func lost(err error) bool {
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok {
		const lockWaitTimeout, deadlock = 1205, 1213
		// TiDB: without pessimistic locks a conflict is seen at the commit; with them a statement that meets others is
		// tried again, so many times.
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
		code := lite.Code() & 0xff // above it: the extended code
		return code == busy || code == locked
	}
	return false
}

// Unavailable tells whether err means that the database cannot be reached or is too busy: trying later may help.
func Unavailable(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || lost(err) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn)
}
