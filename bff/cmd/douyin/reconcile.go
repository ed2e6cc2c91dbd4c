package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"minidouyin/bff"
	"minidouyin/services"
)

// reconcileCmd compares counts with the rows they count.
type reconcileCmd struct {
	Data string     `default:"./data" help:"Folder of the SQLite files."`
	DSN  bff.Secret `name:"dsn" placeholder:"DSN" help:"Database of the services, with {service} for the name of each where they have their own; without it, the SQLite files in the data folder."`
	Fix  bool       `help:"Put right what differs."`
}

// errDiffers sets the exit status to 1.
var errDiffers = errors.New("counts differ from their rows; --fix puts them right")

// Validate refuses an unknown kind of database.
func (c *reconcileCmd) Validate() error { return stores{DSN: c.DSN}.checkDSN() }

// Run prints a table of the counts that differ. It returns an error if some differ and are not corrected.
func (c *reconcileCmd) Run(ctx context.Context, stdout io.Writer) error {
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	found := 0
	var err error
	for _, name := range []string{services.Basics, services.Interaction, services.Social} {
		cfg := services.Config{DSN: stores{DSN: c.DSN}.of(name, c.Data)}
		if path, isFile := strings.CutPrefix(cfg.DSN, "sqlite:"); isFile { // opening would create it
			if _, err := os.Stat(path); err != nil {
				return fmt.Errorf("there are no counts: %w; name their folder with --data, or the database with --dsn", err)
			}
		}
		err = errors.Join(err, services.Reconcile(ctx, name, cfg, c.Fix, func(d services.Difference) {
			if found == 0 {
				fmt.Fprintln(table, "table\tcolumn\tkey\tstored\trows")
			}
			found++
			fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\n", d.Table, d.Column, d.Key, d.Stored, d.Rows)
		}))
	}
	if err := errors.Join(err, table.Flush()); err != nil {
		return err
	}
	switch {
	case found == 0:
		fmt.Fprintln(stdout, "All counts equal their rows.")
	case c.Fix:
		fmt.Fprintf(stdout, "Put right: %d.\n", found)
	default:
		return errDiffers
	}
	return nil
}
