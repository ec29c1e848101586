package sentinel

import (
	"fmt"
	"maps"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// The sections of INFO about the process. They have Sentinel's fields, in its order. What
// is about a dataset, of which a Sentinel has none, is zero as there.

func (f *Face) infoServer() string {
	self, now := f.source.Self(), time.Now()
	up := max(0, now.Sub(self.Started))
	executable, _ := os.Executable()
	return lines(append(f.infoRelease(),
		"os:"+kernel(),
		"arch_bits:"+itoa(strconv.IntSize),
		"monotonic_clock:POSIX clock_gettime",
		"multiplexing_api:epoll",
		"atomicvar_api:go",
		"gcc_version:0.0.0",
		"process_id:"+itoa(os.Getpid()),
		"process_supervised:"+self.Supervised,
		"run_id:"+self.RunID,
		"tcp_port:"+itoa(self.Port),
		"server_time_usec:"+itoa(now.UnixMicro()),
		"uptime_in_seconds:"+itoa(int64(up/time.Second)),
		"uptime_in_days:"+itoa(int64(up/(24*time.Hour))),
		"hz:"+itoa(self.Hz),
		"configured_hz:10",
		"lru_clock:"+itoa(now.Unix()&(1<<24-1)),
		"executable:"+executable,
		"config_file:"+self.ConfigFile,
		"io_threads_active:0",
		"redkeep_version:"+self.Version,
	)...)
}

// infoRelease are the lines that say what this is.
func (f *Face) infoRelease() []string {
	is := releases[f.dialect.flavor]
	built := []string{"redis_git_sha1:00000000", "redis_git_dirty:0", "redis_build_id:0"}
	all := []string{"# Server", "redis_version:" + is.redis}
	if f.dialect.flavor < Valkey8 {
		return append(append(all, built...), "redis_mode:sentinel")
	}
	return append(append(append(all, "server_name:"+is.server, "valkey_version:"+is.version), built...), "server_mode:sentinel")
}

// kernel is its name, release and machine.
func kernel() string {
	var u unix.Utsname
	_ = unix.Uname(&u) // fails for no reason that a process can have
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Machine[:])
}

func (f *Face) infoClients() string {
	waiting := 0
	for c := range f.clients {
		if c.waits {
			waiting++
		}
	}
	return lines(
		"# Clients",
		"connected_clients:"+itoa(len(f.clients)),
		"cluster_connections:0",
		"maxclients:"+itoa(f.config.Clients),
		"client_recent_max_input_buffer:0",
		"client_recent_max_output_buffer:0",
		"blocked_clients:"+itoa(waiting),
		"tracking_clients:"+itoa(f.tracked.clients),
		"clients_in_timeout_table:0",
	)
}

func (f *Face) infoStats() string {
	channels, patterns := map[string]struct{}{}, map[string]struct{}{}
	for c := range f.listeners {
		maps.Copy(channels, c.channels)
		maps.Copy(patterns, c.patterns)
	}
	n, recent := f.counts, f.meter.read(f.counts, time.Now())
	kilobytes := func(bytes float64) string { return strconv.FormatFloat(bytes/1024, 'f', 2, 64) }
	return lines(
		"# Stats",
		"total_connections_received:"+itoa(f.lastID+int64(f.turnedAway)),
		"total_commands_processed:"+itoa(n.requests),
		"instantaneous_ops_per_sec:"+itoa(int64(recent.requests)),
		"total_net_input_bytes:"+itoa(n.in),
		"total_net_output_bytes:"+itoa(n.out),
		"total_net_repl_input_bytes:0",
		"total_net_repl_output_bytes:0",
		"instantaneous_input_kbps:"+kilobytes(recent.in),
		"instantaneous_output_kbps:"+kilobytes(recent.out),
		"instantaneous_input_repl_kbps:0.00",
		"instantaneous_output_repl_kbps:0.00",
		"rejected_connections:"+itoa(f.turnedAway),
		noDataset,
		"pubsub_channels:"+itoa(len(channels)),
		"pubsub_patterns:"+itoa(len(patterns)),
		"pubsubshard_channels:0",
		noDefragmentation,
		"tracking_total_prefixes:"+itoa(len(f.tracked.prefixes)),
		"unexpected_error_replies:0",
		"total_error_replies:"+itoa(n.errors),
		"dump_payload_sanitizations:0",
		"total_reads_processed:"+itoa(n.reads),
		"total_writes_processed:"+itoa(n.writes),
		"io_threaded_reads_processed:0",
		"io_threaded_writes_processed:0",
		"reply_buffer_shrinks:0",
		"reply_buffer_expands:0",
	)
}

// Fields that are zero in every Sentinel.
var (
	noDataset = zero("sync_full", "sync_partial_ok", "sync_partial_err", "expired_keys") + "\r\nexpired_stale_perc:0.00\r\n" +
		zero("expired_time_cap_reached_count", "expire_cycle_cpu_milliseconds", "evicted_keys", "evicted_clients", "total_eviction_exceeded_time",
			"current_eviction_exceeded_time", "keyspace_hits", "keyspace_misses")
	noDefragmentation = zero("latest_fork_usec", "total_forks", "migrate_cached_sockets", "slave_expires_tracked_keys", "active_defrag_hits",
		"active_defrag_misses", "active_defrag_key_hits", "active_defrag_key_misses", "total_active_defrag_time", "current_active_defrag_time",
		"tracking_total_keys", "tracking_total_items")
)

// zero are lines of fields that are.
func zero(names ...string) (text string) {
	for i, name := range names {
		if i > 0 {
			text += "\r\n"
		}
		text += name + ":0"
	}
	return text
}

func infoCPU() string {
	var own, children, thread unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &own) // fails for no reason that a process can have
	_ = unix.Getrusage(unix.RUSAGE_CHILDREN, &children)
	_ = unix.Getrusage(unix.RUSAGE_THREAD, &thread)
	seconds := func(t unix.Timeval) string { return fmt.Sprintf("%.6f", time.Duration(t.Nano()).Seconds()) }
	return lines("# CPU", "used_cpu_sys:"+seconds(own.Stime), "used_cpu_user:"+seconds(own.Utime),
		"used_cpu_sys_children:"+seconds(children.Stime), "used_cpu_user_children:"+seconds(children.Utime),
		"used_cpu_sys_main_thread:"+seconds(thread.Stime), "used_cpu_user_main_thread:"+seconds(thread.Utime))
}
