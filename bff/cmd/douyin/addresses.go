package main

import (
	"fmt"

	"minidouyin/bff"
	"minidouyin/services/discovery"
)

// address is a host and a port to listen on, "" for none.
type address string

// UnmarshalText reads an address.
func (a *address) UnmarshalText(text []byte) error {
	if err := bff.CheckAddr(string(text)); err != nil && len(text) > 0 {
		return err
	}
	*a = address(text)
	return nil
}

func checkAddresses(flag string, addrs []string) error {
	for _, addr := range addrs {
		if err := discovery.CheckAddress(addr); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	return nil
}
