package decide

// Rule is a named safety or progress rule of the lease. Only the simulator can switch one off; its TestRuleOff and TestRuleOffByChance show for each that the
// judge then finds what it prevents, or say why not.
type Rule string

// The rules, by the names that ARCHITECTURE.md's safety argument uses.
const (
	Majority         Rule = "majority"
	DurableVote      Rule = "durable-vote"
	VoteWaitsGrant   Rule = "vote-waits-grant"
	RestartWait      Rule = "restart-wait"
	LMax             Rule = "l-max"
	RefuseOlder      Rule = "refuse-older"
	GrantMonotone    Rule = "grant-monotone"
	VoteNamesHolder  Rule = "vote-names-holder"
	SessionEcho      Rule = "session-echo"
	ReleaseNames     Rule = "release-names"
	ReleaseFinal     Rule = "release-final"
	CloseBeforeRel   Rule = "close-before-release"
	ArmBeforeSend    Rule = "arm-before-send"
	HoldFromSend     Rule = "hold-from-send"
	DriftAllowance   Rule = "drift-allowance"
	StampAfterRecv   Rule = "stamp-after-receive"
	LeaseInMessage   Rule = "lease-in-message"
	Readmission      Rule = "readmission"
	ReadmissionNonce Rule = "readmission-nonce"
	ReadsOffFirst    Rule = "reads-off-first"
	ReadsExpire      Rule = "reads-expire"
	ReplyGate        Rule = "reply-gate"
	BornFenced       Rule = "born-fenced"
	GateAtBoot       Rule = "gate-at-boot"
	SameProcess      Rule = "same-process"
	RankInVote       Rule = "rank-in-vote"
	UnfitVeto        Rule = "unfit-veto"
	VoteSeals        Rule = "vote-seals"
	LineageRow       Rule = "lineage-row"
	ColdRank         Rule = "cold-rank"
	InSyncByOffset   Rule = "in-sync-by-offset"
	WitnessMemory    Rule = "witness-memory"
	LevelAfterClose  Rule = "level-after-close"
	Lapse            Rule = "lapse"
	PreVoteFirst     Rule = "pre-vote"
	ReclaimHold      Rule = "reclaim"
	VoteIsGrant      Rule = "vote-is-grant"
	UnfitStandsDown  Rule = "unfit-stands-down"
	PersistedMembers Rule = "persisted-members"
	OneProcess       Rule = "one-process"
	OrderFence       Rule = "order-fence"
	FenceProved      Rule = "fence-proved"
	VIPBehindGate    Rule = "vip-behind-gate"
	VIPGoneFirst     Rule = "vip-gone-first"
	ProbeFirst       Rule = "probe-first"
	AnnounceGated    Rule = "announce-gated"
	BestFirst        Rule = "best-first"
	ListsClash       Rule = "lists-clash"
	LapseDemotes     Rule = "lapse-demotes"
	SameHistory      Rule = "same-history"
	CopySettles      Rule = "copy-settles"

	// A pair's.
	OwnEpochs         Rule = "own-epochs"
	SegmentQuiet      Rule = "segment-quiet"
	AdvertBeforeGrant Rule = "advert-before-grant"
	ListenFirst       Rule = "listen-first"
	HeardOnce         Rule = "heard-once"
	ReachedSince      Rule = "reached-since"
	AsksAnew          Rule = "asks-anew"
	LeavingProved     Rule = "leaving-proved"
	NewerStays        Rule = "newer-stays"
	ReleaseCurrent    Rule = "release-current"
)

// Rules is a set of rules that are switched off. The zero value has all of them on.
type Rules map[Rule]bool

// Off reports whether the rule is switched off.
func (r Rules) Off(rule Rule) bool { return r[rule] }
