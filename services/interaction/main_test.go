package interaction

import (
	"os"
	"testing"

	"minidouyin/services/testenv/mysqltest"
)

func TestMain(m *testing.M) { os.Exit(mysqltest.Run(m)) }
