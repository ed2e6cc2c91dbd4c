package servicetest_test

import (
	"testing"

	"minidouyin/services/internal/servicetest"
)

// Foreign finds statements that do not run on TiDB as on MySQL, and no others.
func TestForeign(t *testing.T) {
	for statement, foreign := range map[string]bool{
		"CREATE TABLE `a` (`id` bigint AUTO_INCREMENT,`at` bigint NOT NULL,PRIMARY KEY (`id`),INDEX `i` (`at`,`id`))": false,
		"CREATE TABLE `a` (`id` bigint,CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `b`(`id`))":                       true,
		"CREATE TABLE `a` (`data` json NOT NULL)":                                                                     true,
		"CREATE TABLE `a` (`kind` enum('x','y'))":                                                                     true,
		"CREATE INDEX i ON a (at DESC, id DESC)":                                                                      true,
		"CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.id = 1":                                             true,
		"SELECT * FROM a WHERE id = ? FOR UPDATE":                                                                     false,
		"SELECT * FROM a WHERE id = ? FOR UPDATE SKIP LOCKED":                                                         true,
		"SELECT * FROM a WHERE id = ? LOCK IN SHARE MODE":                                                             true,
		"SELECT * FROM a ORDER BY created_at DESC, id DESC LIMIT ?":                                                   false,
		"SELECT * FROM a ORDER BY id DESC LIMIT ?":                                                                    true,
		"SELECT * FROM `a` WHERE x = 1 ORDER BY `a`.`id` LIMIT 1":                                                     true,
		"SELECT * FROM (SELECT * FROM a ORDER BY id) AS t":                                                            true,
		"SELECT MAX(id) FROM a":                                                                                       true,
		"SELECT * FROM a WHERE (created_at, id) < (?, ?)":                                                             true,
		"SELECT * FROM a WHERE (user_id, video_id) IN ((?,?),(?,?))":                                                  false,
		"INSERT INTO a (x) VALUES (1) ON DUPLICATE KEY UPDATE x = x + VALUES(x)":                                      false,
		"UPDATE a SET n = IF(n > 0, n - 1, 0)":                                                                        true,
		"UPDATE a SET n = CASE WHEN n > 0 THEN n - 1 ELSE 0 END":                                                      false,
		"INSERT INTO a (text) VALUES ('JSON (or ENUM) ORDER BY id')":                                                  false,
		"SELECT GET_LOCK('mine', 1)":                                                                                  true,
		"SELECT SUM(stored) FROM a":                                                                                   true,
		"SELECT SUM(`stored`) AS stored_sum FROM a":                                                                   false,
		"SELECT COALESCE(GET_LOCK(LEFT(?, 64), ?), 0)":                                                                false,
	} {
		if why := servicetest.Foreign(statement); (why != "") != foreign {
			t.Errorf("%s: %q", statement, why)
		}
	}
}
