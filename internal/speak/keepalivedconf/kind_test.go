package keepalivedconf

import (
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestIs tells keepalived's files from Sentinel's.
func TestIs(t *testing.T) {
	for _, name := range []string{"testdata/recipe_000.txtar", "testdata/recipe_001.txtar", "testdata/recipe_003.txtar", "testdata/mistake_02_page.txtar"} {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !Is(archive.Files[0].Data) {
			t.Errorf("%s is not taken for keepalived's", name)
		}
	}
	for _, other := range []string{"", "port 26379\nsentinel monitor m 10.0.0.1 6379 2\n", "# vrrp_instance\nsentinel monitor vrrp_instance 1.2.3.4 5 1\n"} {
		if Is([]byte(other)) {
			t.Errorf("%q is taken for keepalived's", other)
		}
	}
}
