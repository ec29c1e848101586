// Package sentinelconf reads sentinel.conf as redis-sentinel 7.0 does, and rewrites it in place byte for byte as that would.
//
// Load reads what a Sentinel starts with and stops where redis-sentinel would, with its words; Parse reads a file to make
// something else of it, and tells all that is wrong. Rewrite puts what a Sentinel keeps back into the file, around comments
// that stay; NewLayout spares a file that is written often from being read each time. The package opens no file, looks up no
// name and knows no rules of users: what needs a host, Load asks of a Machine. It differs from redis-sentinel where that
// writes what it then refuses: words are quoted where they must be, and no replica is written twice. `redkeep sentinel` calls Load as it
// starts and Rewrite from its one goroutine, `redkeep import` calls Parse from the command's; no value is kept or changed
// behind the caller's back but a Layout. The rules are those of Redis' own reader and writer, whose corners were tried
// on redis-sentinel 7.0.15, to which a test holds them.
package sentinelconf
