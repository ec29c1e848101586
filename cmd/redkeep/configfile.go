package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"redkeep/internal/speak/config"
)

// defaultFile is where the packages put the configuration.
const defaultFile = "/etc/redkeep/redkeep.yaml"

// configFlags are the flags of every command that reads the configuration.
type configFlags struct {
	file string
	node string
}

// addConfigFlags gives a command -c and --node.
func addConfigFlags(cmd *cobra.Command) *configFlags {
	f := &configFlags{}
	cmd.Flags().StringVarP(&f.file, "config", "c", defaultFile, "the configuration `FILE`")
	cmd.Flags().StringVar(&f.node, "node", "", "be this `NODE`, instead of the one whose address this host has")
	return f
}

// load reads and checks the configuration. Its errors lead to exitUsage.
func (f *configFlags) load() (*config.Config, error) {
	text, mode, err := readFile(f.file)
	if err != nil {
		return nil, withCode(exitUsage, fmt.Errorf("read the configuration: %w; name it with -c FILE", err))
	}
	c, err := config.Parse(f.file, mode, text, readFile)
	return c, withCode(exitUsage, err)
}

// self says which node this host is, or is to be taken for.
func (f *configFlags) self(c *config.Config) (config.Node, error) {
	addrs, err := hostAddrs()
	if err != nil {
		return config.Node{}, err
	}
	n, err := c.Self(f.node, addrs)
	return n, withCode(exitUsage, err)
}

// readFile returns a regular file's content, as far as a configuration or a secret may go, and the mode of the very
// file that was read.
func readFile(name string) ([]byte, fs.FileMode, error) { return readUpTo(name, config.MaxFile) }

// readUpTo does it as far as one byte beyond a limit. It does not wait for a pipe's other end.
func readUpTo(name string, most int64) ([]byte, fs.FileMode, error) {
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, &fs.PathError{Op: "read", Path: name, Err: errors.New("not a regular file")}
	}
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	return text, info.Mode(), err
}

// hostAddrs lists the addresses of all of this host's interfaces.
func hostAddrs() ([]netip.Addr, error) {
	nets, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list this host's addresses: %w", err)
	}
	var addrs []netip.Addr
	for _, n := range nets {
		if prefix, err := netip.ParsePrefix(n.String()); err == nil {
			addrs = append(addrs, prefix.Addr())
		}
	}
	return addrs, nil
}
