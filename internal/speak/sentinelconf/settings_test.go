package sentinelconf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSettings reads each value that a Sentinel has a use for.
func TestSettings(t *testing.T) {
	conf, err := Load(Source{Dir: "/start", File: []byte(`
port 1
TLS-PORT 2
bind 10.0.0.1 -::1
bind-source-addr 10.0.0.2
protected-mode yes
tcp-backlog 3
tcp-keepalive 4
timeout 5
maxclients 4294967295
client-output-buffer-limit normal 1 1 1 pubsub 2mb 3k 5
unixsocket /run/s
unixsocketperm 0770
dir sub
logfile "a b"
pidfile /run/p
loglevel Debug
supervised systemd
daemonize yes
always-show-logo yes
syslog-enabled yes
syslog-ident x
syslog-facility LOCAL7
hz 600
aclfile acl
acllog-max-len 7
acl-pubsub-default allchannels
requirepass hunter2
tls-replication yes
tls-ca-cert-file ca
tls-key-file-pass hunter2
tls-auth-clients optional
tls-session-cache-timeout 9
rename-command SHUTDOWN ""
rename-command role Part
user default on >hunter2
user b off
`)}, anywhere{})
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%+v", conf.Settings)
	if strings.Contains(shown, "hunter2") {
		t.Error("a password shows")
	}
	shown, _, _ = strings.Cut(shown, " texts:")
	want := `&{Port:1 TLSPort:2 Bind:[10.0.0.1 -::1] BindSource:10.0.0.2 ProtectedMode:true TCPBacklog:3 TCPKeepAlive:4s Timeout:5s MaxClients:2147483647 Listeners:{Hard:2097152 Soft:3000 Time:5s} ` +
		`UnixSocket:/run/s UnixSocketPerm:504 Dir:/sub LogFile:a b PidFile:/run/p LogLevel:debug Supervised:systemd Daemonize:true ` +
		`SyslogEnabled:true SyslogIdent:x SyslogFacility:local7 HZ:500 ACLFile:acl ACLLogMaxLen:7 NewUsersHaveAllChannels:true RequirePass:redacted ` +
		`TLS:{Replication:true CACertFile:ca CACertDir: CertFile: KeyFile: KeyFilePass:redacted ClientCertFile: ClientKeyFile: ClientKeyFilePass:none ` +
		`Protocols: Ciphers: CipherSuites: SessionCaching:true AuthClients:optional} Renames:[{Command:SHUTDOWN Name:} {Command:ROLE Name:part}]`
	if shown != want {
		t.Errorf("got\n%s\nwant\n%s", shown, want)
	}
	if u := conf.Users; len(u) != 2 || u[0].Name != "default" || !slices.Equal(u[0].Rules, []string{"on", ">hunter2"}) {
		t.Error("the users are others")
	}
	if idle := conf.IdleTLS(); !slices.Equal(idle, []string{"tls-session-cache-timeout"}) {
		t.Errorf("of no effect: %q", idle)
	}
	if conf.RequirePass.Reveal() != "hunter2" {
		t.Error("the password is another")
	}
	usual, err := Load(Source{Dir: "/start"}, anywhere{})
	if err != nil || usual.Port != 26379 || usual.ProtectedMode || !slices.Equal(usual.Bind, []string{"*", "-::*"}) || usual.Dir != "/start" ||
		usual.Listeners != (BufferLimit{32 << 20, 8 << 20, time.Minute}) || usual.MaxClients != 10000 || usual.TCPKeepAlive != 5*time.Minute || usual.Supervised != "no" {
		t.Errorf("%v, %+v", err, usual)
	}
	if idle := usual.IdleTLS(); len(idle) > 0 {
		t.Errorf("of no effect: %q", idle)
	}
	usual.SetPidFile("/var/run/redis.pid")
	if text := string(Rewrite(nil, usual.State, usual.Settings, nil)); !strings.Contains(text, "\npidfile \"/var/run/redis.pid\"\n") {
		t.Error(text)
	}
}

// TestRefusalsShowNoPassword refuses lines in which one stands.
func TestRefusalsShowNoPassword(t *testing.T) {
	for line, shown := range map[string]string{
		"sentinel auth-pass nosuch hunter2":      "sentinel auth-pass nosuch ***",
		"sentinel  auth-pass m hunter2 x":        "sentinel  auth-pass m ***",
		"sentinel auth-passwd m hunter2":         "sentinel auth-passwd m ***",
		"Sentinel Sentinel-Pass hunter2 x":       "Sentinel Sentinel-Pass ***",
		"sentinel auth_pass m hunter2":           "sentinel auth_pass ***",
		"sentinel AuthPass m hunter2":            "sentinel AuthPass ***",
		"sentinel \"auth-pass\" nosuch hunter2":  "sentinel \"auth-pass\" nosuch ***",
		"\"sentinel\" pass hunter2":              "\"sentinel\" pass ***",
		"\"requirepass\" hunter2 x":              "\"requirepass\" ***",
		"requirepass hunter2 x":                  "requirepass ***",
		"masterauth \"hunter2":                   "masterauth ***",
		"requirepas hunter2":                     "requirepas ***",
		"tls-key-file-pass a hunter2":            "tls-key-file-pass ***",
		"user default on >hunter2\nuser default": "user default",
		"user d\nuser d on \">hunter2 x\" +@all": "user d on ***",
		"user d\nuser d":                         "user d",
		"sentinel auth-pass":                     "sentinel auth-pass",
		"sentinel down-after-milliseconds m 5":   "sentinel down-after-milliseconds m 5",
	} {
		_, err := Load(Source{File: []byte(line), Dir: "/"}, anywhere{})
		var refused *Refusal
		if !errors.As(err, &refused) || !strings.Contains(refused.Banner("7.0.15"), ">>> '"+shown+"'\n") {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if strings.Contains(err.Error(), "hunter") {
			t.Error(err)
		}
	}
}
