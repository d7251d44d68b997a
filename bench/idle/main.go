// Command idle links all of parley and does nothing: what a process takes before it has done anything.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // as parley itself

	"parley/cli"
)

func main() {
	if len(os.Args) > 1 { // nobody gives it arguments; the linker cannot know
		os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	fmt.Println("ready 127.0.0.1:0")
	<-stop
}
