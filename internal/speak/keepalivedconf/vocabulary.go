package keepalivedconf

import (
	"slices"
	"strings"
)

// fate is what becomes of a keyword.
type fate uint8

const (
	// used: it is read.
	used fate = iota
	// ignored: it is passed over with a warning, since nothing that matters here depends on it.
	ignored
	// refused: to pass over it would change what is safe.
	refused
)

// keyword is one that keepalived 2.2 knows.
type keyword struct {
	fate
	// block is the level of its block, "" where it has none.
	block string
	// why says for those that are not used why not.
	why string
}

// level is what may stand in a block.
type level struct {
	name string
	// list is for blocks that hold values and no keywords, free for those that nobody looks into.
	list, free bool
	words      map[string]keyword
}

// The names of levels that are no keywords.
const (
	outside  = "the file"
	inList   = "a list"
	anything = "anything"
)

// topLevel is the level outside of all blocks.
func topLevel() *level { return levels[outside] }

// has reports whether a keyword is at home in a level.
func (l *level) has(name string) bool {
	_, is := l.words[name]
	return is || l.free || strings.HasPrefix(name, "include")
}

// child is the level of a keyword's block.
func (l *level) child(name string) *level {
	if k, is := l.words[name]; is && k.block != "" {
		return levels[k.block]
	}
	if home := homes(name); !l.has(name) && len(home) > 0 && levels[home[0]].words[name].block != "" {
		return levels[levels[home[0]].words[name].block]
	}
	return levels[anything]
}

// names lists what is at home in a level.
func (l *level) names() []string {
	list := make([]string, 0, len(l.words))
	for name := range l.words {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// homes lists the levels in which a keyword may stand.
func homes(name string) []string {
	var found []string
	for _, at := range []string{outside, "vrrp_instance", "vrrp_script", "global_defs", "vrrp_sync_group", "authentication", "vrrp_track_process"} {
		if _, is := levels[at].words[name]; is {
			found = append(found, at)
		}
	}
	return found
}

// known reports whether a word is a keyword at all.
func known(name string) bool { return len(homes(name)) > 0 }

// blockKeyword reports whether a keyword of the outermost level has a block, so that it is hardly anything else.
func blockKeyword(name string) bool { return levels[outside].words[name].block != "" }

// namedBlock reports whether a block has a name after its keyword.
func namedBlock(name string) bool {
	return name == "vrrp_instance" || name == "vrrp_script" || name == "vrrp_sync_group" || name == "vrrp_track_process"
}

// entry is a row of the tables: names that share their fate.
type entry struct {
	names string
	keyword
}

// in makes a level.
func in(name string, rows ...entry) *level {
	l := &level{name: name, words: make(map[string]keyword)}
	for _, row := range rows {
		for n := range strings.FieldsSeq(row.names) {
			l.words[n] = row.keyword
		}
	}
	return l
}

// Shorthands for rows.
func uses(names string) entry              { return entry{names, keyword{fate: used}} }
func block(names, of string) entry         { return entry{names, keyword{fate: used, block: of}} }
func ignores(why, names string) entry      { return entry{names, keyword{fate: ignored, why: why}} }
func ignoresBlock(why, names string) entry { return entry{names, keyword{ignored, anything, why}} }
func refuses(why, names string) entry      { return entry{names, keyword{fate: refused, why: why}} }
func refusesBlock(why, names string) entry { return entry{names, keyword{refused, anything, why}} }

// Reasons that several rows have.
const (
	noMail     = "redkeep sends no mail; have notify call what does"
	noBalancer = "redkeep is no load balancer"
	noTuning   = "redkeep's process needs no such setting"
	noRoutes   = "redkeep leaves routes, rules and other addresses alone; have the system's own network configuration set them"
	noFile     = "redkeep follows no files: write a vrrp_script that looks at it, or remove it"
	noBFD      = "redkeep speaks no BFD: use vrrp_script or track_interface, or remove it"
	noVMAC     = "redkeep keeps the interface's own MAC, and announces the address with it: the others must not rely on a virtual one"
)

// levels are all blocks with what may stand in them, as keepalived 2.2.7 knows it, and some of later and older versions.
var levels = map[string]*level{
	anything: {name: anything, free: true},
	inList:   {name: inList, list: true},
	outside: in(outside,
		block("global_defs", "global_defs"), block("vrrp_script", "vrrp_script"), block("vrrp_instance", "vrrp_instance"),
		block("vrrp_sync_group", "vrrp_sync_group"), block("vrrp_track_process", "vrrp_track_process"),
		ignoresBlock(noRoutes, "static_ipaddress static_routes static_rules"),
		ignoresBlock("nothing here uses it", "garp_group track_group interface_up_down_delays linkbeat_interfaces track_file vrrp_track_file bfd_instance"),
		ignores(noTuning, "net_namespace_ipvs namespace_with_ipsets instance use_pid_dir linkbeat_use_polling child_wait_time"),
		refuses("redkeep stays in the network namespace that it is started in: start it there", "net_namespace"),
		refusesBlock(noBalancer, "virtual_server virtual_server_group SSL"),
	),
	"global_defs": in("global_defs", uses(`router_id script_user enable_script_security default_interface dynamic_interfaces
		vrrp_version vrrp_mcast_group4 vrrp_mcast_group6 vrrp_check_unicast_src vrrp_down_timer_adverts vrrp_startup_delay
		vrrp_delay_after_boot vrrp_garp_master_delay vrrp_garp_master_repeat vrrp_garp_master_refresh vrrp_garp_master_refresh_repeat
		vrrp_garp_lower_prio_delay vrrp_garp_lower_prio_repeat vrrp_min_garp vrrp_lower_prio_no_advert vrrp_higher_prio_send_advert
		vrrp_notify_fifo vrrp_notify_fifo_script notify_fifo notify_fifo_script vrrp_notify_priority_changes`),
		ignoresBlock(noMail, "notification_email"),
		ignores(noMail, `notification_email_from smtp_server smtp_helo_name smtp_connect_timeout smtp_alert smtp_alert_vrrp smtp_alert_checker
			no_email_faults no_checker_emails email_faults`),
		ignores("redkeep spaces its announcements by itself", "vrrp_garp_interval vrrp_gna_interval vrrp_garp_extra_if"),
		ignores("redkeep looks at every advertisement's addresses", "vrrp_skip_check_adv_addr"),
		ignores("old name of router_id", "lvs_id"),
		ignores(noBalancer, `lvs_sync_daemon lvs_sync_daemon_interface lvs_timeouts lvs_flush lvs_flush_on_stop lvs_flush_onstop lvs_notify_fifo
			lvs_notify_fifo_script lvs_process_name lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs
			lvs_netlink_monitor_rcv_bufs_force checker_log_all_failures checker_process_name checker_priority checker_no_swap checker_cpu_affinity
			checker_rt_priority checker_rlimit_rttime checker_rlimit_rtime rs_init_notifies nftables_ipvs nftables_ipvs_priority nftables_ipvs_start_fwmark`),
		ignores(noTuning, `tmp_config_directory config_save_dir process_names process_name vrrp_process_name bfd_process_name startup_script
			startup_script_timeout shutdown_script shutdown_script_timeout max_auto_priority min_auto_priority_delay vrrp_priority bfd_priority
			vrrp_no_swap bfd_no_swap vrrp_cpu_affinity bfd_cpu_affinity vrrp_rt_priority bfd_rt_priority vrrp_rlimit_rttime vrrp_rlimit_rtime
			bfd_rlimit_rttime bfd_rlimit_rtime vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs
			vrrp_netlink_monitor_rcv_bufs_force process_monitor_rcv_bufs process_monitor_rcv_bufs_force vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier
			umask random_seed reload_check_config include_check reload_time_file reload_repeat reload_file data_use_instance log_unknown_vrids
			vmac_prefix vmac_addr_prefix instance use_pid_dir json_version state_dump_file stats_dump_file data_dump_file debug
			fifo_write_vrrp_states_on_reload timer_expired_backup vrrp_owner_ignore_adverts disable_local_igmp use_symlink_paths`),
		ignores("redkeep has no such interface; ask redkeep keepalived --status", `snmp_socket enable_snmp_vrrp enable_snmp_keepalived enable_snmp_checker enable_snmp_rfc
			enable_snmp_rfcv2 enable_snmp_rfcv3 enable_traps enable_dbus dbus_service_name dbus_no_interface_name`),
		ignores("redkeep has a table of its own in the packet filter", "nftables nftables_priority nftables_counters nftables_ifindex vrrp_ipsets"),
		refuses("redkeep writes no rules for iptables", "vrrp_iptables"),
		refuses(strictWhy, "vrrp_strict"),
		refuses("redkeep stays in the network namespace that it is started in: start it there", "net_namespace"),
	),
	"vrrp_script": in("vrrp_script", uses("script interval timeout weight rise fall user init_fail")),
	"vrrp_track_process": in("vrrp_track_process", uses("process weight quorum delay fork_delay terminate_delay full_command"),
		refuses("redkeep counts processes by name and at least so many: remove it, or use a vrrp_script", "quorum_max param_match")),
	"vrrp_instance": in("vrrp_instance", uses(`state interface virtual_router_id priority advert_int nopreempt preempt preempt_delay version
		unicast_src_ip mcast_src_ip mcast_dst_ip unicast_ttl check_unicast_src track_src_ip dont_track_primary garp_master_delay
		garp_master_repeat garp_master_refresh garp_master_refresh_repeat garp_lower_prio_delay garp_lower_prio_repeat
		lower_prio_no_advert higher_prio_send_advert down_timer_adverts old_unicast_checksum v3_checksum_as_v2
		no_virtual_ipaddress promote_secondaries notify_priority_changes notify_master notify_backup notify_fault notify_stop
		notify notify_deleted notify_master_rx_lower_pri`),
		block("authentication", "authentication"),
		block("virtual_ipaddress virtual_ipaddress_excluded unicast_peer track_script track_interface track_process", inList),
		ignores(noMail, "smtp_alert"), ignores(noBalancer, "lvs_sync_daemon_interface lvs_sync_daemon"),
		ignores("redkeep looks at every advertisement's addresses", "skip_check_adv_addr"),
		ignores("the addresses say it", "native_ipv6"), ignores("it is the default", "accept"),
		ignores(noTuning, "linkbeat_use_polling garp_extra_if kernel_rx_buf_size debug unicast_fault_no_peer owner_ignore_adverts timer_expired_backup"),
		refuses(noVMAC, "use_vmac use_vmac_addr vmac_xmit_base use_ipvlan vrf"),
		refuses("with it nobody could reach the address", "no_accept"), refuses(strictWhy, "strict_mode"),
		refusesBlock(noRoutes, "virtual_routes virtual_rules"), refusesBlock(noFile, "track_file"), refusesBlock(noBFD, "track_bfd"),
		refusesBlock("redkeep can't sign advertisements yet: use unicast_peer with check_unicast_src", "auth_hmac"),
	),
	"authentication": in("authentication", uses("auth_type auth_pass")),
	"vrrp_sync_group": in("vrrp_sync_group", uses(`notify_master notify_backup notify_fault notify_stop notify notify_deleted notify_priority_changes
		global_tracking sync_group_tracking_weight`),
		block("group track_script track_interface track_process", inList), ignores(noMail, "smtp_alert"),
		refusesBlock(noFile, "track_file"), refusesBlock(noBFD, "track_bfd")),
}

// strictWhy is what VRRP's letter does to an address that is to be served.
const strictWhy = "it drops all that is sent to the address, unless the priority is 255: the service would hold the address and nobody could reach it; take it away"
