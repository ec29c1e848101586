package main

import (
	"context"

	"redkeep/internal/agent/sentinel"
)

// watchingSentinel is what a Sentinel's process runs: the second machine.
func watchingSentinel() sentinelLoop {
	return sentinelLoop{user: sentinel.CheckUser, run: func(ctx context.Context, o sentinelOptions) error {
		return sentinel.Run(ctx, sentinel.Options{
			Path: o.Path, Conf: o.Conf, Version: readBuild().Version, Log: o.Log, SetLogLevel: o.SetLogLevel, Ready: o.Ready,
			Flavor: o.Flavor, Observe: o.Observe,
		})
	}}
}
