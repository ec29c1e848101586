package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
)

// OverTLS returns a dialer that shakes hands over another's connections. It asks for the configuration each time, so that
// certificates may be replaced under way. A ServerName that is empty is the address that is dialled.
func OverTLS(dial Dialer, config func() (*tls.Config, error)) Dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := config()
		if err != nil {
			return nil, err
		}
		if c.ServerName == "" {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			c = c.Clone()
			c.ServerName = host
		}
		raw, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		conn := tls.Client(raw, c)
		if err := conn.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, fmt.Errorf("shake hands: %w", err)
		}
		return conn, nil
	}
}
