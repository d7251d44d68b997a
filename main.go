// Parley is a self-hosted chat-commerce gateway: one binary with a shop's bot, its messengers, its orders and its staff's desk.
package main

import (
	"os"
	_ "time/tzdata" // the zones of contacts, where the machine has none

	"parley/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}
