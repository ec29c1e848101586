package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"redkeep/internal/act/vip"
	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

// checkDevices finds what only a host can find wrong with its groups' virtual addresses: that they are in the subnet of none of
// its interfaces, or that the interface which is named is not there. Its errors lead to exitUsage. A witness never has them.
func checkDevices(c *config.Config, self words.Node) error {
	var wrong config.Errors
	for _, g := range c.Groups {
		if !g.HasData(self) {
			continue
		}
		for _, v := range g.VIPs {
			p, err := checkDevice(g, v)
			if err != nil {
				return err
			}
			if p != nil {
				wrong = append(wrong, *p)
			}
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return withCode(exitUsage, wrong)
}

// checkDevice looks at one address.
func checkDevice(g config.Group, v config.VIP) (*config.Problem, error) {
	if v.Dev != "" {
		err := vip.HasDevice(v.Dev)
		if !errors.As(err, new(*vip.NoDeviceError)) {
			return nil, err
		}
		p := v.Problem("name one that `ip link` lists, or leave dev out if the address is in an interface's subnet",
			"vip of group %s is to be on %s, and this host has no such interface", g.Name, v.Dev)
		return &p, nil
	}
	_, err := vip.FindDevice(v.Addr)
	if err == nil {
		return checkHost(g, v)
	}
	if !errors.As(err, new(*vip.NoSubnetError)) {
		return nil, err
	}
	p := v.Problem("choose one in the nodes' subnet, or name the interface: vip: {address: "+v.Addr.String()+", dev: eth0}",
		"vip of group %s, %s, is in the subnet of no interface of this host", g.Name, v.Addr)
	return &p, nil
}

// checkHost refuses an address that no host of its subnet can have, and one that is this host's own.
func checkHost(g config.Group, v config.VIP) (*config.Problem, error) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	var prefixes []netip.Prefix
	for _, a := range list {
		subnet, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		prefixes = append(prefixes, subnet)
		if reserved(subnet, v.Addr) {
			p := v.Problem("choose an address between the first and the last of the subnet",
				"vip of group %s, %s, stands for the whole subnet %s", g.Name, v.Addr, subnet.Masked())
			return &p, nil
		}
	}
	if hosts(prefixes, v.Addr) {
		p := v.Problem("choose one that no host has, or give this host another address in its subnet first",
			"vip of group %s, %s, is this host's own address: the agent would take it off wherever the lease is not", g.Name, v.Addr)
		return &p, nil
	}
	return nil, nil
}

// hosts says whether an address is what has this host in its subnet. One that a program moves, as keepalived does, or that an agent has
// left, is there beside the host's own.
func hosts(list []netip.Prefix, addr netip.Addr) bool {
	own := false
	for _, p := range list {
		switch {
		case p.IsSingleIP() || !p.Contains(addr):
		case p.Addr() != addr:
			return false
		default:
			own = true
		}
	}
	return own
}

// reserved says whether an address is the first or the last of an IPv4 subnet: the subnet's own, and the one that all hosts hear.
func reserved(subnet netip.Prefix, addr netip.Addr) bool {
	if !addr.Is4() || subnet.Bits() > 30 || !subnet.Contains(addr) {
		return false
	}
	return !subnet.Contains(addr.Prev()) || !subnet.Contains(addr.Next())
}

// foreigners warns of virtual addresses that this host has already, and not by Redkeep: as long as keepalived moves one that is no mistake.
func foreigners(c *config.Config, self words.Node) (warnings []meaningOfWarning) {
	for _, g := range c.Groups {
		if !g.HasData(self) {
			continue
		}
		for _, v := range g.VIPs {
			dev, err := vip.Foreign(v.Addr)
			if err != nil || dev == "" {
				continue
			}
			p := v.Problem("stop what put it there (keepalived, the host's network configuration) before the agents move it: they take it off wherever the lease is not",
				"vip of group %s, %s, is on %s of this host already, for good and not by Redkeep", g.Name, v.Addr, dev)
			warnings = append(warnings, meaningOfWarning{p.Line, p.Column, p.What, p.Do})
		}
	}
	return warnings
}
