// Package writer is the clients of a stage: they find the master, write, note every acknowledgement, and audit later.
//
// It does not judge: which acknowledgements were allowed is the lab's question. A writer neither repeats a write nor
// pipelines, so that each entry of its log is one request that one server answered, or did not.
//
// The demo and the lab start writers, one goroutine each, which Stop ends; a Finder owns its connections, until its Close.
//
// What a client of Sentinel does (ask any, follow +switch-master, ask again after a refusal) is from the page "Guidelines
// for Redis clients with support for Redis Sentinel".
package writer
