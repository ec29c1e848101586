package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestSecretIsNeverPrinted tries every way that a log or a dump could take.
func TestSecretIsNeverPrinted(t *testing.T) {
	c, err := Parse("redkeep.yaml", 0o600, []byte(`secret: hunter2-hunter2
nodes: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3}
listen_password: hunter2
groups: {g: {redis: {port: 6379, password: hunter2}}}
`), fromMap(nil))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X"} {
		for _, v := range []any{c.Secret, &c.Secret, *c, c.Groups[0].Server} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	fmt.Fprintln(&out, c.Settings(c.Groups[0]), c.Definition(c.Groups[0]))
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", c.Secret, "config", *c)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "secret", c.Secret, "config", *c)
	for _, leak := range []string{"hunter", "68756e746572", "68756E746572", "104 117 110"} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q shows in:\n%s", leak, out.String())
		}
	}
	if c.Secret.Reveal() != "hunter2-hunter2" {
		t.Error("Reveal does not return the text")
	}
}

// TestSecretIsTakenAsWritten leaves what YAML would call a number or a truth alone.
func TestSecretIsTakenAsWritten(t *testing.T) {
	for _, written := range []string{"00123456", "0x1234567", "1_000_000", "1e100000", "12345678.90", "0o1234567", "infinity", "-.inf.inf", "2026-11-20"} {
		text := "secret: " + written + "\nnodes: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3}\ngroups: {g: {redis: 6379}}\n"
		c, err := Parse("redkeep.yaml", 0o600, []byte(text), fromMap(nil))
		if err != nil {
			t.Errorf("%s: %v", written, err)
		} else if c.Secret.Reveal() != written {
			t.Errorf("%s became %s", written, c.Secret.Reveal())
		}
	}
}
