package explain

import "redkeep/internal/words"

// sentences has one entry for each code, in the order of words/codes.go.
var sentences = map[words.Code]sentence{
	// Why a server can't be promoted.
	words.NotSeen: {
		"{server} has not answered since its agent started",
		"see that redis-server runs there, and that redkeep.yaml has its port and password",
	},
	words.ServerGone: {
		"the process of {server} has ended, or refuses connections",
		"start redis-server on {node}",
	},
	words.ServerSilent: {
		"{server} has not answered[ for {n ms}][, and {m ms} are allowed]",
		"look at its log; down_after in redkeep.yaml is what is allowed",
	},
	words.ServerStopped: {
		"{server} has not answered[ for {n ms}] since its process is stopped[, and {m ms} are allowed]",
		"continue it with: kill -CONT and its process number",
	},
	words.ServerBusy: {
		"{server} has not answered[ for {n ms}] but is at work (a slow script or command)[, and {m ms} are allowed]",
		"wait, or end the script with: redis-cli SCRIPT KILL; busy_after in redkeep.yaml is what is allowed",
	},
	words.ServerLoading: {"{server} is loading its data from disk", "wait until it is done"},
	words.ServerSyncing: {"{server} is in a full synchronisation, its data are in pieces", "wait until it is done"},
	words.ServerEmpty: {
		"{server} has no key[ where {n keys} were recorded]",
		"give it its data file back, or accept the loss with: redkeep bootstrap --master {NODE} --accept-loss",
	},
	words.ServerForeign: {
		"{server} holds data[ ({n keys})] of another history than this group's",
		"keep them if they are needed and empty it, or choose it with: redkeep bootstrap --master {NODE}",
	},
	words.ServerCluster: {
		"{server} runs in cluster mode, which redkeep does not keep and leaves alone",
		"start it with cluster-enabled no, or go on without it: take {node} out of the group's data in redkeep.yaml, on every node",
	},
	words.ServerActive: {
		"{server} is an active replica (KeyDB), which takes writes beside the master and which redkeep does not keep and leaves alone",
		"start it with active-replica no",
	},
	words.ServerDisk: {
		"{server} refuses writes, since it could not write its data to disk (MISCONF)",
		"free space there, or have the master where there is some: redkeep switchover (no failover is made for this, as other disks fill in the same way)",
	},
	words.NeverPromote: {
		"{server} has the replica-priority 0, which means never promote",
		"to change that: redis-cli CONFIG SET replica-priority 100, and the same in its file",
	},
	words.Banned: {
		"{server} failed as master and is not elected[ for {n ms} more]",
		"look at its log",
	},
	words.Witness: {"{node} is a witness, it votes and has no server of this group", ""},
	words.NoLineage: {
		"{server} does not have the point in its history where the last master began",
		"start the nodes whose servers have it, or accept the loss with: redkeep bootstrap --master {NODE} --accept-loss",
	},
	words.NotInSync: {
		"{server} is not in sync with the master, or was not when that was lost[, and lacks {n bytes}]",
		"wait until it has caught up; or, if the master is gone for good: redkeep bootstrap --master {NODE} --accept-loss",
	},
	words.NoLink: {
		"{server} has no link to its master[ for {n ms}], and gets nothing of what is written from now on",
		"look at its log, the user with whom it logs in at the master (masteruser, else default) needs +psync +replconf",
	},
	words.Unreachable: {
		"nothing has been heard from {node}[ for {n ms}]",
		"see that its agent runs, and that peer_port is open for TCP and UDP between the nodes",
	},
	words.PeerRefused: {
		"what comes from {node} is refused: {text}",
		"use the same redkeep.yaml on all nodes, and a state directory of its own on each",
	},

	// Why a vote or a grant was refused.
	words.GrantHeld:    {"{node} holds the lease[ for {n ms} more]", ""},
	words.VotedAlready: {"the vote of the epoch[ {n}] has been given to {node}", ""},
	words.OlderEpoch:   {"epoch {n} was asked for, and epoch {m} is known", ""},
	words.RestartWaiting: {
		"{node} has restarted and votes[ in {n ms},] when all that it may have granted before has run out",
		"",
	},
	words.NotAdmitted: {
		"{node} does not vote, its store is new or can't be read, until a majority has readmitted it",
		"see that the agents of the other nodes run",
	},
	words.WorseThanOwn: {"{server} lacks[ {n bytes} of] what {other's server} has", ""},
	words.WorseThanLost: {
		"{server} lacks data[ ({n bytes})] that were recorded of a server which can't be reached now",
		"start that server, or accept the loss with: redkeep bootstrap --master {NODE} --accept-loss",
	},
	words.OtherList: {
		"the list of voters is of generation {n} at {node} and of generation {m} at the asker, or it is another of that generation",
		"use the same redkeep.yaml on all nodes",
	},
	words.ListsClash: {
		"{node} and {other} have different lists of voters of one generation[, {n}]: redkeep recover was run on both sides of a cut",
		"choose whose data are to stay, and run on that node: redkeep recover --alone --accept-loss",
	},
	words.SegmentTaken: {"the other node[ or a router, {text},] is heard, and counts as gone[ in {n ms}] if nothing more is", ""},
	words.AdvertWrong: {
		"somebody else advertises this virtual router[ ({text})], and {node} does not become a second master beside it",
		"make both sides' settings equal, or choose another number (vrid, virtual_router_id) for one of them",
	},
	words.AdvertForged: {
		"advertisements come in {node}'s name which its agent has not sent, and nothing comes of them while that agent is heard",
		"look whose they are (tcpdump -eni DEV proto 112), and have switches and packet filters refuse them",
	},
	words.OtherUnheard: {
		"{node} has been started and has not heard the other node yet, which may have taken writes without it",
		"start the other node, or go on with this one's data: redkeep bootstrap --master {NODE} --accept-loss",
	},
	words.TieBreakersSilent: {
		"{node} reaches none of the tie-breakers, so that it may be the one that is cut off",
		"see to its network; the addresses are tie_breakers in redkeep.yaml",
	},
	words.EpochReleased: {"{node} has released the epoch[ {n}] and can't hold it again", ""},
	words.StaleRequest:  {"the request of {node} is older than one that was answered", ""},
	words.EpochTooHigh: {
		"epoch {n} was asked for, which is far beyond epoch {m}, the newest that is known",
		"look for a node that runs with the state directory of another group",
	},
	words.HolderHeard: {"the master's agent[ on {node}] is still heard", ""},
	words.GroupLeft: {
		"{node} has let the group go for good (redkeep leave)",
		"to have it back, with all agents running: redkeep bootstrap --master NODE",
	},
	words.Paused: {
		"the group is paused by {node}[ for {n ms} more], and nobody is elected meanwhile",
		"go on with: redkeep resume",
	},
	words.NotMember: {
		"{node} is no voter of this group",
		"add it to the nodes in redkeep.yaml, the same file on every node",
	},

	// Why a holder let go.
	words.LeaseLapsed: {
		"the lease of {node} was not renewed in time[, its epoch {n} is over]",
		"if that happens again, look at the network between the nodes",
	},
	words.Superseded:   {"a later epoch[ ({n})] has been heard of[ from {node}], which ends every earlier one", ""},
	words.FailingBack:  {"{node} is preferred and in sync again, and takes over from {other}", ""},
	words.HandedOver:   {"{node} has handed the master over[ to {other}][ in {n us}]", ""},
	words.AgentStopped: {"the agent on {node} was stopped", "start it with: redkeep run"},
	words.AgentSlept: {
		"the agent on {node} did not run[ for {n ms}]",
		"look for a host that is overloaded, or a virtual machine that was paused",
	},
	words.GateFailed: {
		"the gate on {node} could not be set",
		"look at it with: redkeep gate show",
	},
	words.PromotionLate: {"{server} could not be made the master in time", "look at its log"},
	words.RoleTaken: {
		"another program has changed the role of {server}",
		"find what sends it REPLICAOF (redis-sentinel, a script) and stop that",
	},
	words.InvariantBroken: {
		"{node} has stopped with its gate shut, since a rule of the lease was broken",
		"report that with the log of the agent, then start it with: redkeep run",
	},
	words.ServerReplaced: {"the process of {server} is another one than before", ""},

	// What happened.
	words.Elected:    {"{node} was elected in epoch {n}", ""},
	words.Writable:   {"{server} takes writes in epoch {n}, from offset {m} on", ""},
	words.HolderLost: {"the lease of {node} has run out in epoch {n}", ""},
	words.Released:   {"{node} has released epoch {n}", ""},
	words.Resumed:    {"{node} goes on with the lease that it held before its agent restarted", ""},
	words.Adopted:    {"{server} is the master that was found, and is kept", ""},
	words.Sealed:     {"{server} has been cut from its master until the election is over[, at offset {m}]", ""},
	words.Following:  {"{server} is a replica of {other's server}", ""},
	words.ReadsOpen:  {"{server} is open for readers", ""},
	words.LosesBytes: {"{server} loses {n bytes} that it held beyond where epoch {m} began", ""},
	words.LossyElection: {
		"{node} was elected without data[ ({n bytes})] that were recorded[ at {other}]",
		"if a server still has them, save its data file before its agent starts",
	},
	words.SwitchedOver: {"the master is now on {node}, by a switchover", ""},
	words.SwitchCalled: {
		"the switchover was called off[ after {n ms}], the master has stayed",
		"once the cause is gone: redkeep switchover",
	},
	words.RecoveredAlone: {"{node} was made the only voter by a person (redkeep recover --alone)", ""},
	words.Readmittance:   {"{node} has been readmitted and votes", ""},
	words.ListCommitted:  {"the list of voters of generation {n} is in force", ""},
	words.GateBroken: {
		"{text} has changed the gate on {node}",
		"have that leave the table of redkeep alone, and look with: redkeep gate show",
	},
	words.GateRestored: {"the gate on {node} is whole again", ""},
	words.PauseLifted:  {"{node} has ended the pause, failovers happen again", ""},
	words.PauseOver:    {"the pause by {node} is over, failovers happen again", ""},

	// What became of the virtual address.
	words.VIPHeld: {"{node} has the group's address[, epoch {n}]", ""},
	words.VIPTaken: {
		"{node} is the master without the group's address, since another host has that",
		"take the address away from there, and {node} will have it within half a minute",
	},
	words.VIPFailed: {
		"the group's address can't be changed on {node}",
		"it is tried again; look with: ip address",
	},
	words.VIPClaimed: {
		"another host answers for the group's address, which {node} has",
		"take the address away from there, since clients are sent to either",
	},
	words.VIPBroken: {
		"the group's address on {node} was changed: {text}",
		"have whoever did that leave the address alone",
	},
	words.VIPExpired: {
		"the group's address on {node} ran out: its life of {text} was not renewed in time",
		"it is back; see what held up the agent there: a host that stalls, a process that was stopped",
	},
	words.VIPMissing: {
		"{node} is the master and has not said that it has the group's address",
		"ask it why: redkeep status, on {node}",
	},
	words.VIPRemoved: {
		"the group's address is taken off {node}, since nobody would move it from now on",
		"clients that use it need another way to the master",
	},

	// Why a group waits.
	words.NoMajority: {
		"no majority of the voters is heard[, only {n} of {m}]",
		"start the others; or, once you have made sure that they are down for good: redkeep recover --alone --accept-loss",
	},
	words.ServersDiffer: {
		"{server}[ with {n keys}] and {other's server}[ with {m keys}] hold different data, and neither follows the other",
		"choose the one to keep, the others lose their data: redkeep bootstrap --master NODE",
	},
	words.WaitsForServers: {
		"the group waits for {a server}",
		"start it, or go on without it: redkeep bootstrap --master NODE",
	},
	words.ColdWaiting: {
		"all hosts were restarted, and the group waits[ {n ms} more] for {node}, which has the newest data",
		"start it, or go on without it: redkeep bootstrap --master NODE --accept-loss",
	},
	words.LossNotAccepted: {
		"this could lose writes that were acknowledged[ by {server}]",
		"make sure that {server} can't come back, then repeat the command with --accept-loss",
	},
	words.DataMissing: {
		"{server} had data[ ({n bytes})] that no server here has",
		"start it, or accept the loss with: redkeep bootstrap --master NODE --accept-loss",
	},
	words.FollowerOnly:   {"{node} does not hold the lease[, {other} does]", "ask the agent of the master"},
	words.Elections:      {"an election or a switchover is under way[, the next step of {node} is in {n ms}]", ""},
	words.SomebodyBetter: {"{server} would be better", ""},
	words.PauseOvertaken: {
		"another pause or resume came in between, by {node}",
		"look which one counts with: redkeep status",
	},
}
