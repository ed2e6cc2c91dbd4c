// Package plantest checks the query plans of a store's statements, on tables of a realistic size.
package plantest

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gorm.io/gorm"

	"minidouyin/services/internal/database"
	"minidouyin/services/testenv/mysqltest"
)

// Plans explains the statements of one database.
type Plans struct {
	DB      *database.DB
	explain string
	sent    []statement
}

type statement struct {
	sql    string
	values []any
}

// EachDatabase runs check on a new database of each kind. fill inserts about many rows into each table.
func EachDatabase(t *testing.T, schema database.Schema, fill func(tx *gorm.DB, many int) error, check func(t *testing.T, p *Plans)) {
	run := func(explain, analyze, dsn string, many int) func(*testing.T) {
		return func(t *testing.T) {
			if dsn == "" {
				dsn = mysqltest.Database(t)
			}
			p := &Plans{explain: explain}
			db, err := database.Open(t.Context(), database.Config{DSN: dsn, OnStatement: p.record})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			p.DB = db
			if err := db.Migrate(t.Context(), schema); err != nil {
				t.Fatal(err)
			}
			if err := db.Write(t.Context(), func(tx *gorm.DB) error { return fill(tx, many) }); err != nil {
				t.Fatal(err)
			}
			for _, model := range schema.Models {
				parsed := &gorm.Statement{DB: db.Read(t.Context())}
				if err := parsed.Parse(model); err != nil {
					t.Fatal(err)
				}
				if analyze != "" {
					if err := db.Read(t.Context()).Exec(analyze + parsed.Table).Error; err != nil {
						t.Fatal(err)
					}
				}
			}
			check(t, p)
		}
	}
	// The plans of SQLite do not depend on the rows without ANALYZE, which nothing runs.
	t.Run("sqlite", run("EXPLAIN QUERY PLAN ", "", "sqlite:"+filepath.Join(t.TempDir(), "plans.db"), 200))
	t.Run("mysql", run("EXPLAIN ", "ANALYZE TABLE ", "", 10_000))
}

// Insert inserts rows in batches.
func Insert[T any](tx *gorm.DB, rows []T) error { return tx.CreateInBatches(rows, 1000).Error }

func (p *Plans) record(_ context.Context, sql string, values []any) {
	p.sent = append(p.sent, statement{sql, append([]any(nil), values...)})
}

// Check runs an operation of the store and fails the test if a statement scans a table or sorts rows.
func (p *Plans) Check(t *testing.T, name string, do func(ctx context.Context) error) {
	t.Run(name, func(t *testing.T) {
		p.sent = nil
		if err := do(t.Context()); err != nil {
			t.Fatal(err)
		}
		sent := p.sent
		explained := 0
		for _, s := range sent {
			if strings.HasPrefix(s.sql, "INSERT") {
				continue
			}
			explained++
			db := p.DB.Read(t.Context())
			sql := db.Explain(s.sql, s.values...)
			var plan []map[string]any
			if err := db.Raw(p.explain + sql).Scan(&plan).Error; err != nil {
				t.Fatalf("explain %s: %v", sql, err)
			}
			for _, step := range plan {
				if fault := fault(step); fault != "" {
					t.Errorf("%s\nin the plan of %s\n%s", fault, sql, show(plan))
				}
			}
		}
		if explained == 0 {
			t.Error("no statement was sent")
		}
	})
}

// wholeTable matches a step of SQLite that scans a table. It does not match a walk of an index up to the limit, nor a
// read of the rows (t0, t1, ...) of a part of a union.
var wholeTable = regexp.MustCompile(`^SCAN ([a-z_]+)( |$)`)

func fault(step map[string]any) string {
	if detail, ok := step["detail"].(string); ok { // SQLite
		if strings.Contains(detail, "TEMP B-TREE") {
			return "sorts rows"
		}
		if wholeTable.MatchString(detail) && !strings.Contains(detail, "USING") {
			return "reads a whole table"
		}
		return ""
	}
	if step["estRows"] != nil { // TiDB
		switch id, info := text(step["id"]), text(step["operator info"]); {
		case strings.Contains(id, "TableFullScan"), strings.Contains(id, "IndexFullScan") && !strings.Contains(info, "keep order:true"):
			return "reads a whole table"
		case strings.Contains(id, "Sort_"), strings.Contains(id, "TopN_"):
			return "sorts rows"
		}
		return ""
	}
	if text(step["type"]) == "ALL" && !strings.HasPrefix(text(step["table"]), "<") {
		return "reads a whole table"
	}
	if strings.Contains(text(step["Extra"]), "Using filesort") {
		return "sorts rows"
	}
	return ""
}

func text(value any) string {
	if bytes, ok := value.([]byte); ok {
		return string(bytes)
	}
	return fmt.Sprint(value)
}

func show(plan []map[string]any) string {
	var lines []string
	for _, step := range plan {
		if detail, ok := step["detail"]; ok {
			lines = append(lines, text(detail))
			continue
		}
		if step["estRows"] != nil {
			lines = append(lines, fmt.Sprintf("%s %s %s", text(step["id"]), text(step["access object"]), text(step["operator info"])))
			continue
		}
		lines = append(lines, fmt.Sprintf("table %s type %s key %s rows %s extra %s",
			text(step["table"]), text(step["type"]), text(step["key"]), text(step["rows"]), text(step["Extra"])))
	}
	return strings.Join(lines, "\n")
}
