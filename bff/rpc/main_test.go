package rpc_test

import (
	"io"
	"os"
	"testing"

	"github.com/cloudwego/kitex/pkg/klog"
)

func TestMain(m *testing.M) {
	klog.SetOutput(io.Discard) // calls that fail are what these tests are about
	os.Exit(m.Run())
}
