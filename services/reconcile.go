package services

import (
	"context"
	"errors"
	"fmt"

	"minidouyin/services/basics"
	"minidouyin/services/interaction"
	"minidouyin/services/internal/reconcile"
	"minidouyin/services/social"
)

// Difference is a count in the database that differs from the number of its rows.
type Difference = reconcile.Difference

// Reconcile compares the counts of the named service with the number of their rows, and reports each difference. With
// fix, it repairs them. The service may run meanwhile. Memory is bounded. Cached counts stay until they expire.
func Reconcile(ctx context.Context, name string, cfg Config, fix bool, report func(Difference)) (err error) {
	counts := map[string][]reconcile.Count{Basics: basics.Counts, Interaction: interaction.Counts, Social: social.Counts}[name]
	if counts == nil {
		return fmt.Errorf("%s: no such service", name)
	}
	db, err := openDatabase(ctx, cfg)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := reconcile.Run(ctx, db, counts, fix, report); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
