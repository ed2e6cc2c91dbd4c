package servicetest

import (
	"regexp"
	"strings"
)

// foreign are the things that TiDB does not know, ignores or does differently than MySQL, or that tie tables to one
// server.
var foreign = []struct {
	pattern *regexp.Regexp
	why     string
}{
	{regexp.MustCompile(`\b(FOREIGN KEY|REFERENCES)\b`), "foreign keys tie tables that may be on different servers"},
	{regexp.MustCompile(`\b(JSON|GEOMETRY|POINT|ENUM|SET)\s*(\(|NOT NULL|NULL|DEFAULT|,|\))`), "a type that differs between databases"},
	{regexp.MustCompile(`\b(TRIGGER|PROCEDURE|FUNCTION|EVENT|CALL)\b`), "programs in the database"},
	{regexp.MustCompile(`\b(FULLTEXT|SPATIAL)\b`), "an index that not all databases have"},
	{regexp.MustCompile(`\bSKIP LOCKED\b`), "unknown to TiDB"},
	{regexp.MustCompile(`\b(LOCK IN SHARE MODE|FOR SHARE)\b`), "does nothing on TiDB"},
	{regexp.MustCompile(`\b(LOCK|UNLOCK) TABLES?\b`), "does nothing on TiDB"},
	{regexp.MustCompile(`\bRETURNING\b`), "unknown to MySQL and TiDB"},
	{regexp.MustCompile(`\bLAST_INSERT_ID\s*\(`), "an id of the connection"},
	{regexp.MustCompile(`\bROW_COUNT\s*\(|\bFOUND_ROWS\s*\(|\bSQL_CALC_FOUND_ROWS\b`), "databases count differently"},
	{regexp.MustCompile(`(^|\s)(IF|GREATEST|LEAST|IFNULL)\s*\(`), "use CASE and COALESCE, which all databases have"},
	{regexp.MustCompile(`\b(MAX|MIN)\s*\(\s*\W*ID\W*\)`), "ids are unique, but do not rise with time"},
	{regexp.MustCompile(`\bON DUPLICATE KEY UPDATE\b.*\bSELECT\b`), "a query within an upsert"},
}

var (
	literal   = regexp.MustCompile(`'(?:[^'\\]|\\.|'')*'`)
	orderedBy = regexp.MustCompile(`\bORDER BY ([^()]*?)(?: LIMIT\b| FOR UPDATE\b|\)|$)`)
	byID      = regexp.MustCompile(`^(?:\w+\.)?ID(?: ASC| DESC)?$`)
	isTable   = regexp.MustCompile(`^(CREATE|ALTER) (TABLE|INDEX|UNIQUE)`)
	isLock    = regexp.MustCompile(`\b(GET_LOCK|RELEASE_LOCK)\s*\(`)
	rowValues = regexp.MustCompile(`\([^()?]+,[^()?]+\)\s*[<>]=?\s*\(`)
	quoted    = regexp.MustCompile("`[^`]*`")
	// reserved are words that MySQL 8 or TiDB, unlike MariaDB, allow as names only in quotes.
	reserved = regexp.MustCompile(`\b(STORED|VIRTUAL|GENERATED|RANK|LEAD|LAG|OF|GROUPS|EMPTY|SYSTEM|LATERAL|CUBE|ARRAY|MANUAL|PARALLEL)\b`)
)

// Foreign returns why a statement would not run on TiDB as on MySQL, "" if it would.
func Foreign(statement string) string {
	statement = strings.ToUpper(literal.ReplaceAllString(statement, "''"))
	if reserved.MatchString(quoted.ReplaceAllString(statement, "")) {
		return "a word that MySQL or TiDB allow as a name only in quotes"
	}
	sql := strings.Join(strings.Fields(strings.ReplaceAll(statement, "`", "")), " ")
	for _, f := range foreign {
		if f.pattern.MatchString(sql) {
			return f.why
		}
	}
	if isTable.MatchString(sql) && regexp.MustCompile(`\bDESC\b`).MatchString(sql) {
		return "descending index columns are ignored"
	}
	if rowValues.MatchString(sql) {
		return "a comparison of row values scans the index"
	}
	for _, order := range orderedBy.FindAllStringSubmatch(sql, -1) {
		if byID.MatchString(strings.TrimSpace(order[1])) {
			return "ids are unique, but do not rise with time: order by a time first"
		}
	}
	// TiDB has locks by name since 6.2. Only the migrations need one, and they may be repeated.
	if isLock.MatchString(sql) && !strings.HasPrefix(sql, "SELECT COALESCE(GET_LOCK(LEFT(") && !strings.HasPrefix(sql, "DO RELEASE_LOCK(LEFT(") {
		return "a lock by name, except that of the migrations"
	}
	return ""
}
