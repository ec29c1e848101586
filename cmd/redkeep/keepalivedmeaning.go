package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"redkeep/internal/speak/keepalivedconf"
)

// keepalivedMeaning is what the files amount to, without their passwords.
type keepalivedMeaning struct {
	Good     bool                `json:"good"`
	Files    []keepalivedOneFile `json:"files"`
	Problems []keepalivedProblem `json:"problems"`
}

type keepalivedOneFile struct {
	File      string                 `json:"file"`
	Instances []keepalivedOfInstance `json:"instances"`
}

type keepalivedOfInstance struct {
	Name      string   `json:"name"`
	Interface string   `json:"interface"`
	VRID      int      `json:"virtual_router_id"`
	Priority  int      `json:"priority"`
	Version   int      `json:"version"`
	AdvertInt string   `json:"advert_int"`
	Preempts  bool     `json:"preempts"`
	Password  bool     `json:"password"`
	VIPs      []string `json:"vips"`
	Peers     []string `json:"peers"`
	Checks    []string `json:"checks"`
}

type keepalivedProblem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	What    string `json:"what"`
	Do      string `json:"do"`
	Warning bool   `json:"warning"`
	// Repairable says that --repair mends it.
	Repairable bool `json:"repairable"`
}

// keepalivedMeaningOf puts the files into the form that both outputs print.
func keepalivedMeaningOf(names []string, configs []*keepalivedconf.Config, problems []keepalivedconf.Problem) keepalivedMeaning {
	m := keepalivedMeaning{Good: len(keepalivedconf.Serious(problems)) == 0, Problems: []keepalivedProblem{}}
	for i, c := range configs {
		one := keepalivedOneFile{File: names[i], Instances: []keepalivedOfInstance{}}
		for _, v := range c.Instances {
			o := keepalivedOfInstance{v.Name, v.Interface, v.VRID, v.Priority, v.Version, v.AdvertInt.String(), !v.NoPreempt, !v.Password.Empty(),
				[]string{}, []string{}, []string{}}
			for _, a := range slices.Concat(v.VIPs, v.Excluded) {
				o.VIPs = append(o.VIPs, a.Prefix.Addr().String())
			}
			for _, p := range v.Peers {
				o.Peers = append(o.Peers, p.Addr.String())
			}
			for _, t := range slices.Concat(v.Scripts, v.Processes, v.Interfaces) {
				o.Checks = append(o.Checks, t.Name)
			}
			one.Instances = append(one.Instances, o)
		}
		m.Files = append(m.Files, one)
	}
	for _, p := range problems {
		m.Problems = append(m.Problems, keepalivedProblem{p.File, p.Line, p.Column, p.What, p.Do, p.Warning, len(p.Repair) > 0})
	}
	return m
}

// printKeepalived says what good files mean, and what is worth a sentence.
func printKeepalived(out io.Writer, names []string, configs []*keepalivedconf.Config, problems []keepalivedconf.Problem) error {
	for _, f := range keepalivedMeaningOf(names, configs, nil).Files {
		if _, err := fmt.Fprintln(out, paint(out, bold, f.File+" is good")); err != nil {
			return err
		}
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, i := range f.Instances {
			to := "multicast"
			if len(i.Peers) > 0 {
				to = "unicast to " + strings.Join(i.Peers, ", ")
			}
			line := fmt.Sprintf("%s on %s, number %d, priority %d, version %d every %s, %s", list(i.VIPs), i.Interface, i.VRID, i.Priority, i.Version, i.AdvertInt, to)
			if !i.Preempts {
				line += ", does not preempt"
			}
			_, _ = fmt.Fprintf(w, "  %s\t%s; checks: %s\n", i.Name, line, list(i.Checks))
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return warnKeepalived(out, problems)
}
