// Package observer looks at an address that moves from where its users are: who answers for it, who remembers whom, who is cut off.
//
// It does not judge, and takes no host's word for what it can see on the cable: that two hosts answer at the same time is
// a matter of two hardware addresses in the frames, whatever the servers say. It changes nothing but what asking does.
//
// The lab and the bench call it, from any goroutine. Each Observer has two goroutines and each Cache and each blocked
// client one, which Stop ends. An Observer wants a guest of the stage for itself: the answers to its questions teach its
// host, and would teach a client's host faster than any client learns.
//
// The rules are those of RFC 826 and RFC 4861, and for the caches Linux's own, from ip-neighbour(8).
package observer
