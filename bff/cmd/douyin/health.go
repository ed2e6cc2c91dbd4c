package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/cloudwego/kitex/client"

	"minidouyin/bff/rpc"
	"minidouyin/services"
)

// healthTimeout is how long a part may take to answer.
const healthTimeout = 3 * time.Second

// healthCmd checks a running part. Container engines call it, so that an image needs no other program for that.
type healthCmd struct {
	Part string  `arg:"" optional:"" default:"bff" enum:"bff,basics,interaction,social" help:"Which part: bff, basics, interaction or social."`
	Addr address `placeholder:"ADDRESS" help:"Where it serves; without it, where it does by default."`
}

// Run returns nil if the part is ready to serve.
func (c *healthCmd) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	addr := string(c.Addr)
	if addr == "" {
		addr = map[string]string{"bff": "127.0.0.1:8080", services.Basics: "127.0.0.1:8881",
			services.Interaction: "127.0.0.1:8882", services.Social: "127.0.0.1:8883"}[c.Part]
	}
	addr, err := dialable(addr)
	if err != nil {
		return err
	}
	if c.Part == "bff" {
		return askReadyz(ctx, addr)
	}
	clients, err := rpc.NewServices(func(string) []client.Option { return rpc.Remote(rpc.Fixed(addr), nil) })
	if err != nil {
		return err
	}
	return clients.ReadyOne(ctx, c.Part)
}

// dialable returns the address to dial for an address that is listened on.
func dialable(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("--addr: %w", err)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

func askReadyz(ctx context.Context, addr string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it is not ready: %s", response.Status)
	}
	return nil
}
