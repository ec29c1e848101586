package words

// Fence is how hard a node's gate can hold its server: what promise "never two" rests on there.
type Fence uint8

// The levels of a fence, weakest first.
const (
	// FenceUnknown is that of a node that has not measured its gate yet.
	FenceUnknown Fence = iota
	// FenceSoft has no working kernel gate: the fence is as good as the agent's speed.
	FenceSoft
	// FencePartial has a gate with a known way around it.
	FencePartial
	// FenceHard has a gate that was measured, over every listener of the server.
	FenceHard
)

// String returns the level as status prints it.
func (f Fence) String() string {
	switch f {
	case FenceSoft:
		return "soft"
	case FencePartial:
		return "partial"
	case FenceHard:
		return "hard"
	default:
		return "unknown"
	}
}
