package main

import (
	"context"
	"os"
)

func main() {
	all := streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	if p, is := calledSentinel(os.Args); is {
		os.Exit(int(sentinelMain(context.Background(), p, os.Args[1:], all, watchingSentinel())))
	}
	args := os.Args[1:]
	if calledKeepalived(os.Args) {
		args = append([]string{"keepalived"}, args...)
	}
	os.Exit(int(execute(context.Background(), args, all)))
}
