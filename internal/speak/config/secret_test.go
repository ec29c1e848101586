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
