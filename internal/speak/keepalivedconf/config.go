package keepalivedconf

import (
	"net/netip"
	"slices"
	"time"

	"redkeep/internal/words"
)

// Config is one checked keepalived.conf with all that it includes.
type Config struct {
	Global    Global
	Scripts   []Script
	Processes []Process
	// Instances and Groups are in the file's order, with names that occur once.
	Instances []Instance
	Groups    []SyncGroup
	// Files are the trees: the file itself, then the included ones in the order in which they were read.
	Files []*File
	// Warnings are what is allowed and yet worth a sentence, in the files' order.
	Warnings []Problem
}

// Global is what global_defs says, as far as it is used. Instances have its values already where they have none of their own.
type Global struct {
	// ScriptUser and ScriptGroup run scripts that name no user; empty for keepalived_script, or root where there is none.
	ScriptUser, ScriptGroup string
	// ScriptSecurity has scripts refused that somebody but root could change.
	ScriptSecurity bool
	// DynamicInterfaces allows interfaces that do not exist yet.
	DynamicInterfaces bool
	// StartupDelay and DelayAfterBoot hold the instances back.
	StartupDelay, DelayAfterBoot time.Duration
	// VRRPFifo gets a line for each change of an instance or group; Fifo too, as keepalived has it for all its parts.
	VRRPFifo, Fifo Fifo
}

// Fifo is a named pipe, and the program that reads it, if it is to be started.
type Fifo struct {
	Path   string
	Script *Command
}

// Command is a program to run.
type Command struct {
	At Place
	// Args are the program and its arguments. There is no shell. They may hold a password.
	Args []string
	// User and Group are whom it runs as; empty for Global's.
	User, Group string
}

// Script is a check. A check that can't be run has failed.
type Script struct {
	Name    string
	At      Place
	Command Command
	// Interval is from one start to the next, Timeout how long one may run: the interval, if it isn't given.
	Interval, Timeout time.Duration
	// Rise successes in a row make it good, Fall failures bad: 1 at least.
	Rise, Fall int
	Weight     Weight
	// InitFail has it count as bad until it was good.
	InitFail bool
}

// Weight is what a check does to the priority, -253 to 253; 0 means that a bad one is a fault.
type Weight struct {
	Value int
	// Reverse takes the check for its opposite.
	Reverse bool
}

// Process is a check for running processes of a name.
type Process struct {
	Name string
	At   Place
	// Args are the process's name, and with FullCommand its whole command line.
	Args        []string
	FullCommand bool
	// Quorum is how many must run.
	Quorum int
	Weight Weight
	// ForkDelay and TerminateDelay are how long a process that came or went isn't counted as such.
	ForkDelay, TerminateDelay time.Duration
}

// Track is a check or an interface that an instance follows.
type Track struct {
	Name string
	At   Place
	// Weight is that of the instance's line, or else the check's own.
	Weight Weight

	// given says that the line has one.
	given bool
}

// Address is a virtual address.
type Address struct {
	At Place
	// Prefix has the address with its mask: 32 or 128 bits if none is given.
	Prefix netip.Prefix
	// Dev carries it; it is the instance's interface if none is given.
	Dev           string
	Label, Scope  string
	Broadcast     string
	NoPrefixRoute bool
	// LeftOut are the words of its line that are read and mean nothing here.
	LeftOut []string
}

// Peer is another router of an instance in unicast.
type Peer struct {
	At     Place
	Addr   netip.Addr
	MinTTL int
	// MaxTTL is 255 if none is given.
	MaxTTL int
}

// Announce is how often the addresses are announced.
type Announce struct {
	// Delay is before the second burst, Refresh between those that follow; 0 for none.
	Delay, Refresh time.Duration
	// Repeat and RefreshRepeat are how many announcements are in a burst.
	Repeat, RefreshRepeat int
	// LowerDelay and LowerRepeat are the same after a router of lower priority was heard.
	LowerDelay  time.Duration
	LowerRepeat int
}

// Notify are the programs that are told of changes; nil where there is none.
type Notify struct {
	Master, Backup, Fault, Stop, Deleted, Any, MasterLowerPriority *Command
	// PriorityChanges has Any told of changed priorities too.
	PriorityChanges bool
}

// Instance is one virtual router.
type Instance struct {
	Name string
	At   Place
	// Master is the state that it names; it changes nothing unless the priority is 255.
	Master    bool
	Interface string
	// VRID is 1 to 255, Priority too: 255 is the owner of the addresses.
	VRID, Priority int
	// Version is 2 or 3. IPv6 is always 3.
	Version int
	// AdvertInt is whole seconds in version 2, hundredths up to 40.95 s in version 3.
	AdvertInt time.Duration
	NoPreempt bool
	// PreemptDelay is how long it leaves a master of lower priority alone.
	PreemptDelay time.Duration
	// Password is that of auth_type PASS, eight bytes at most; empty for none.
	Password words.Secret
	// VIPs are in the advertisements, Excluded are not; both go with the state.
	VIPs, Excluded []Address
	// Source is whom advertisements come from; invalid for the interface's own address.
	Source netip.Addr
	// Group is where they go to, without Peers.
	Group netip.Addr
	// Peers are whom they go to in unicast.
	Peers []Peer
	// CheckSource ignores whoever is no peer, AnySource believes them; with neither they are not believed, and yet this host is no second
	// master beside one of them. UnicastTTL is 255 if none is given.
	CheckSource, AnySource bool
	UnicastTTL             int
	// PlainChecksum is version 3's without the pseudo-header (v3_checksum_as_v2); OldChecksum is that of keepalived 1.3.6.
	PlainChecksum, OldChecksum bool

	Scripts, Processes, Interfaces []Track
	// TrackSource makes a lost Source a fault; DontTrackPrimary ignores the state of Interface.
	TrackSource, DontTrackPrimary bool
	// LowerNoAdvert and HigherAdvert are keepalived's lower_prio_no_advert and higher_prio_send_advert.
	LowerNoAdvert, HigherAdvert bool
	// DownTimerAdverts is how many advertisements may be missed: 3 if none is given.
	DownTimerAdverts   int
	NoVIP              bool
	PromoteSecondaries bool
	Announce           Announce
	Notify             Notify

	// places are where its keywords stand last.
	places map[string]Place
}

// Place is where a keyword of the instance stands; where the instance begins, if it is not there.
func (i *Instance) Place(keyword string) Place {
	if p, is := i.places[keyword]; is {
		return p
	}
	return i.At
}

// Given reports whether the instance has that keyword.
func (i *Instance) Given(keyword string) bool {
	_, is := i.places[keyword]
	return is
}

// IPv6 reports whether its advertisements are of that family.
func (i *Instance) IPv6() bool {
	return len(i.VIPs) > 0 && i.VIPs[0].Prefix.Addr().Is6()
}

// checks are all that it follows, with their weights.
func (i *Instance) checks() []Track { return slices.Concat(i.Scripts, i.Processes, i.Interfaces) }

// Unicast reports whether its advertisements go to peers.
func (i *Instance) Unicast() bool { return len(i.Peers) > 0 }

// SyncGroup are instances that change their state together.
type SyncGroup struct {
	Name string
	At   Place
	// Instances are the names of its members; Members says where they stand.
	Instances []string
	Members   []Track

	Scripts, Processes, Interfaces []Track
	// Weights lets its members' checks change priorities (sync_group_tracking_weight).
	Weights bool
	Notify  Notify
}

// Script returns the check of that name, or nil.
func (c *Config) Script(name string) *Script {
	for i := range c.Scripts {
		if c.Scripts[i].Name == name {
			return &c.Scripts[i]
		}
	}
	return nil
}

// Process returns the check for processes of that name, or nil.
func (c *Config) Process(name string) *Process {
	for i := range c.Processes {
		if c.Processes[i].Name == name {
			return &c.Processes[i]
		}
	}
	return nil
}

// Group returns the group of that name, or nil.
func (c *Config) Group(name string) *SyncGroup {
	for i := range c.Groups {
		if c.Groups[i].Name == name {
			return &c.Groups[i]
		}
	}
	return nil
}

// Instance returns the instance of that name, or nil.
func (c *Config) Instance(name string) *Instance {
	for i := range c.Instances {
		if c.Instances[i].Name == name {
			return &c.Instances[i]
		}
	}
	return nil
}
