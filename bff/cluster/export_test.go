//go:build unix

package cluster

// Addr returns the address that a part listens on.
func (c *Cluster) Addr(name string) string { return c.addrs[name] }

// PID returns the id of the process of a part that runs.
func (c *Cluster) PID(name string) int {
	p := c.parts[name]
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running.PID()
}
