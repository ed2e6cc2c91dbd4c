package services_test

import (
	"strings"
	"testing"

	"minidouyin/services"
)

// The error of an invalid URL does not show its password.
func TestCheckRedisURL(t *testing.T) {
	for url, ok := range map[string]bool{
		"redis://127.0.0.1:6379/0":                            true,
		"redis://:secret@cache:6379":                          true,
		"rediss://u:secret@cache:6379/3":                      true,
		"unix:///run/redis.sock":                              true,
		"redis+cluster://:secret@a:6379?addr=b:6379":          true,
		"rediss+cluster://a:6379":                             true,
		"redis+sentinel://a:26379?addr=b:26379&master_name=m": true,
		"":                                 false,
		"127.0.0.1:6379":                   false,
		"http://:secret@cache":             false,
		"redis+sentinel://:secret@a:26379": false,
		"redis+ring://:secret@a:6379":      false,
		"redis://:secret@cache:6379/first": false,
		"redis://:sec ret\x7f@cache:6379":  false,
		"redis+cluster://:secret@a:6379?addr=b:6379&unknown_option=secret": false,
	} {
		err := services.CheckRedisURL(url)
		if (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}
