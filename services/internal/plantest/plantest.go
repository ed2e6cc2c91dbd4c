// Package plantest checks how the databases carry out the statements of a store, on tables of a real size.
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

// Plans is a database of one kind whose statements are explained.
type Plans struct {
	DB      *database.DB
	explain string
	sent    []statement
}

type statement struct {
	sql    string
	values []any
}

// EachDatabase fills the tables of a new database of each kind by fill, with about so many rows in each, and runs
// check on it.
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
	// SQLite does not look at the rows for its plans, unless it is told to analyze them, which nobody does.
	t.Run("sqlite", run("EXPLAIN QUERY PLAN ", "", "sqlite:"+filepath.Join(t.TempDir(), "plans.db"), 200))
	t.Run("mysql", run("EXPLAIN ", "ANALYZE TABLE ", "", 10_000))
}

// Insert inserts rows, many at a time.
func Insert[T any](tx *gorm.DB, rows []T) error { return tx.CreateInBatches(rows, 1000).Error }

func (p *Plans) record(_ context.Context, sql string, values []any) {
	p.sent = append(p.sent, statement{sql, append([]any(nil), values...)})
}

// Check does one operation of the store and fails the test when any of its statements reads a whole table or sorts
// rows.
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

// wholeTable matches a step of SQLite that reads a table from end to end. Walking an index in order until the limit
// is no such step, nor is reading the rows (t0, t1, ...) that a part of a union has found.
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
