// Package takeover holds the orders of steps: up (elected to announced), down (letting go), and over (handing over).
//
// The order is the safety: each step starts only when the one before it was confirmed. It carries no step out; group
// does, from the loop's goroutine, and asks which is next. A rule of order that is switched off shows here as another
// order (reads-off-first, close-before-release, level-after-close), which is how the simulator tries it.
package takeover
