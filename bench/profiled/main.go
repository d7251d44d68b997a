// Command profiled is parley, with a profile of its CPU on demand.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	_ "time/tzdata" // as parley itself

	"parley/cli"
)

// main runs parley. SIGUSR1 begins a profile, in the file that BENCH_PROFILE names, and the next one ends it.
func main() {
	toggle := make(chan os.Signal, 1)
	signal.Notify(toggle, syscall.SIGUSR1)
	go func() { // for as long as the process lives
		for range toggle {
			f, err := os.Create(os.Getenv("BENCH_PROFILE"))
			if err == nil {
				err = pprof.StartCPUProfile(f)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "profile:", err)
				continue
			}
			<-toggle
			pprof.StopCPUProfile()
			_ = f.Close()
		}
	}()
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}
