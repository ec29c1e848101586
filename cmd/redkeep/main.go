package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(int(execute(context.Background(), os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})))
}
