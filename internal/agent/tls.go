package agent

import (
	"redkeep/internal/act/redis"
	"redkeep/internal/speak/config"
)

// secured is how this node's server is reached over TLS; nil where the agent uses the plain port.
func secured(s config.Server, self config.Node) *redis.TLS {
	if !s.TLS.Speaks() {
		return nil
	}
	return &redis.TLS{CA: s.TLS.CA, Cert: s.TLS.Cert, Key: s.TLS.Key, Names: s.TLS.Names(self)}
}
