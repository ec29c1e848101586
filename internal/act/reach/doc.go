// Package reach asks hosts whether they are there, by ICMP's echo, and says when the answer changes, and when the question left that was answered last.
//
// It needs one of them, as a pair's tie-breakers do, and does not say which; it draws no conclusion from silence
// but that it is one. The agent opens one Watch for its tie-breakers, whose Run is a goroutine of the agent's with another one
// for each family that it receives on; they end with the context. The rules are RFC 792 and RFC 4443, section 4: an echo's identifier and
// number come back with it, and an answer that carries others is not ours.
package reach
