// Package detect classes the silence of a server: gone, stopped, working, or unknown, each with its own budget.
//
// It is told what the hand sees (answers, complaints, losses, overdue answers and what the process does meanwhile) and
// says whether the server is to be given up now, and why. It takes no action and looks at no other node. Group asks it,
// from the loop's goroutine. A process that is gone needs no budget; a stopped or silent one has down_after, and one
// that works on a script or a fork has busy_after.
package detect
