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

// checkHost refuses an address that no host of its subnet can have.
func checkHost(g config.Group, v config.VIP) (*config.Problem, error) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	for _, a := range list {
		subnet, err := netip.ParsePrefix(a.String())
		if err != nil || !reserved(subnet, v.Addr) {
			continue
		}
		p := v.Problem("choose an address between the first and the last of the subnet",
			"vip of group %s, %s, stands for the whole subnet %s", g.Name, v.Addr, subnet.Masked())
		return &p, nil
	}
	return nil, nil
}

// reserved says whether an address is the first or the last of an IPv4 subnet: the subnet's own, and the one that all hosts hear.
func reserved(subnet netip.Prefix, addr netip.Addr) bool {
	if !addr.Is4() || subnet.Bits() > 30 || !subnet.Contains(addr) {
		return false
	}
	return !subnet.Contains(addr.Prev()) || !subnet.Contains(addr.Next())
}
