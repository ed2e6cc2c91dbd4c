package interaction

import (
	"os"
	"testing"

	"minidouyin/services/mysqltest"
)

func TestMain(m *testing.M) { os.Exit(mysqltest.Run(m)) }
